"""Towers: features hold what the source supplied, and a history is a set."""

from dataclasses import replace

import pytest
import torch

from drc import towers
from drc.towers import SemanticTower, StyleTower, TowerConfig

CONFIG = TowerConfig(width=32, heads=2, feed_forward=64, grid=4)
PICTURES = 5


@pytest.fixture
def tower():
    torch.manual_seed(0)
    return StyleTower(CONFIG).requires_grad_(False)


@pytest.fixture
def positions():
    return torch.randn(CONFIG.rows, CONFIG.width, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def rows():
    """A batch of two histories."""
    return torch.randn(2, PICTURES, CONFIG.rows, CONFIG.width, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("kind", [StyleTower, SemanticTower])
def test_queries_route_and_supply_no_content(kind, rows, positions):
    torch.manual_seed(0)
    tower = kind(CONFIG)
    anchor, other, source = rows[:, 0], rows[:, 1], rows[:, 2, :1]  # a source of one row leaves nothing to choose
    torch.testing.assert_close(tower(anchor, source, positions), tower(other, source, positions), rtol=0, atol=0)
    assert not torch.allclose(tower(anchor, rows[:, 2], positions), tower(other, rows[:, 2], positions))


def test_query_residual_lets_content_of_the_anchor_through(rows, positions):
    torch.manual_seed(0)
    tower = StyleTower(replace(CONFIG, query_residual=True))
    source = rows[:, 2, :1]
    assert not torch.allclose(tower(rows[:, 0], source, positions), tower(rows[:, 1], source, positions))


def test_order_of_history_does_not_matter(tower, rows, positions):
    weights = torch.tensor([1.0, 2.0, 0.5, 0.0, 3.0])
    order = torch.tensor([3, 0, 4, 1, 2])
    permuted = tower.of_set(rows[:, order], positions, weights[order])
    torch.testing.assert_close(permuted, tower.of_set(rows, positions, weights)[:, order])


def test_weight_0_removes_a_picture(tower, rows, positions):
    weights = torch.tensor([1.0, 2.0, 0.0, 1.0, 1.0])
    left = torch.tensor([0, 1, 3, 4])
    style = tower.of_set(rows, positions, weights)[:, left]
    torch.testing.assert_close(style, tower.of_set(rows[:, left], positions, weights[left]))
    painted_over = rows.clone()
    painted_over[:, 2] = 100.0
    assert torch.equal(tower.of_set(painted_over, positions, weights)[:, left], style)


def test_weight_2_counts_as_two_equal_pictures(tower, rows, positions):
    twice = tower.of_set(rows[:, [0, 1, 1, 2]], positions, torch.ones(4))
    weighted = tower.of_set(rows[:, [0, 1, 2]], positions, torch.tensor([1.0, 2.0, 1.0]))
    torch.testing.assert_close(weighted[:, [0, 2]], twice[:, [0, 3]])


def test_a_picture_does_not_attend_to_itself_among_others(tower, rows, positions):
    both = tower.of_set(rows[:, :2], positions, torch.ones(2))
    torch.testing.assert_close(both[:, 0], tower(rows[:, 0], rows[:, 1], positions))


@pytest.mark.parametrize("weights", [[1.0], [0.0, 3.0, 0.0]], ids=["alone", "the only one that weighs"])
def test_one_picture_attends_to_itself(tower, rows, positions, weights):
    only = weights.index(max(weights))
    style = tower.of_set(rows[:, : len(weights)], positions, torch.tensor(weights))
    torch.testing.assert_close(style[:, only], tower(rows[:, only], rows[:, only], positions))


@pytest.mark.parametrize("pictures_at_once", [1, 2, 4])
def test_groups_change_nothing(tower, rows, positions, monkeypatch, pictures_at_once):
    weights = torch.tensor([1.0, 2.0, 0.0, 1.0, 1.0])
    at_once = tower.of_set(rows, positions, weights)
    monkeypatch.setattr(towers, "GROUP_LOGITS", pictures_at_once * PICTURES * CONFIG.rows**2)
    torch.testing.assert_close(tower.of_set(rows, positions, weights), at_once)
