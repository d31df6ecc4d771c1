"""Posters as a domain: cases that leak nothing, and scores of single factors with known answers."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from drc.bench.cases.domain import HISTORIES, LONGEST
from drc.bench.cases.posters import PosterDomain
from drc.bench.scores.factors import canvas, factor_scores
from drc.data.posters import FACTORS, PARTS, STYLE_FACTORS, PosterSplits
from scripts.datasets.posters.plan import plan

UNSEEN = {"T1": (), "T2": ("word", "subject"), "T3": ("font", "palette", "layout")}
UNSEEN["T4"] = UNSEEN["T2"] + UNSEEN["T3"]


def domain_of(parts: dict, reverse: bool = False) -> PosterDomain:
    pixels, step = np.zeros((1, 8, 8, 3), np.uint8), -1 if reverse else 1
    made = {name: (pixels, np.zeros(len(parts[name]), int), parts[name][::step]) for name in PARTS}
    return PosterDomain(made, PosterSplits.load())


@pytest.fixture(scope="module")
def parts():
    return plan(PosterSplits.load())


@pytest.fixture(scope="module")
def domain(parts):
    return domain_of(parts)


def named(domain: PosterDomain, cases: list) -> list[list[str]]:
    return [[domain.case_name("", case, case.given(shown)) for shown in HISTORIES] for case in cases]


def test_cases_do_not_depend_on_the_order_of_the_rows(domain, parts):
    turned = domain_of(parts, reverse=True)
    for test in domain.tests:
        assert named(domain, domain.cases(test, 4)) == named(turned, turned.cases(test, 6)[:4])


@pytest.mark.parametrize("test", ["T1", "T2", "T3", "T4", "V"])
def test_cases_leak_nothing(domain, test):
    splits, gallery = domain.splits, set(domain.gallery(test))
    training = {domain.record(row) for row in domain.part["train"]}
    for case in domain.cases(test, 40):
        target, reference = domain.record(case.target), domain.record(case.reference)
        history = [domain.record(row) for row in case.history]
        assert case.target in gallery and target not in training
        assert reference.meaning == target.meaning
        assert not any(getattr(reference, factor) == getattr(target, factor) for factor in STYLE_FACTORS)
        assert len(set(case.history)) == LONGEST and {picture.style for picture in history} == {target.style}
        for picture in history:
            assert picture.word != target.word and picture.subject != target.subject
            assert splits.meaning_split(picture) == "train"
        foreign = [domain.record(row).style for row in (*case.strays, *case.others)]
        assert len(case.strays) == 2 and len(case.others) == 4 and target.style not in foreign
        if test in UNSEEN:
            unseen = {name for name in splits.split if splits.split[name][getattr(target, name)] == "test"}
            assert unseen == set(UNSEEN[test]) and splits.style_split(reference) == "train"


def test_unknown_test_and_missing_build_are_one_sentence(domain, tmp_path):
    with pytest.raises(ValueError, match="test T9 was asked for"):
        domain.cases("T9", 1)
    with pytest.raises(ValueError, match="train.json is missing"):
        PosterDomain.open(tmp_path)


def test_first_targets_have_rivals_in_every_factor(domain):
    for test in ("T1", "T4"):
        cases = domain.cases(test, 576)
        for case in cases[:64]:
            rivals = domain.rivals(case.target)
            assert tuple(rivals) == FACTORS and all(2 <= len(rows) <= 3 for rows in rivals.values())
        assert any(not rows for case in cases[64:] for rows in [domain.rivals(case.target)])


def one_hot(domain: PosterDomain) -> torch.Tensor:
    """Vectors made of one block for each factor, so that every level can be read off."""
    blocks = []
    for factor in FACTORS:
        levels = [getattr(record, factor) for record in domain.pictures.records]
        blocks.append(F.one_hot(torch.tensor(np.unique(levels, return_inverse=True)[1])).float())
    return torch.cat(blocks, dim=1)


def test_factor_scores_of_known_answers(domain):
    seen, targets = one_hot(domain), [case.target for case in domain.cases("T4", 8)]
    rivals = [domain.rivals(target) for target in targets]
    perfect = factor_scores(seen[targets], seen, targets, rivals)
    assert tuple(perfect) == FACTORS and all((values == 1).all() for values in perfect.values())
    for factor in FACTORS:
        wrong = factor_scores(seen[[its[factor][0] for its in rivals]], seen, targets, rivals)
        assert {name: values.mean() for name, values in wrong.items()} == dict.fromkeys(FACTORS, 1) | {factor: 0}
    blank = factor_scores(torch.zeros(8, seen.shape[1]), seen, targets, rivals)
    assert all((values == 0).all() for values in blank.values())


def test_no_rivals_is_no_number(domain):
    seen, targets = one_hot(domain), [case.target for case in domain.cases("T1", 2)]
    found = factor_scores(seen[targets], seen, targets, [domain.rivals(targets[0]), {}])
    assert all(values[0] == 1 and np.isnan(values[1]) for values in found.values())


def test_canvas_forgives_what_drawing_does_but_not_another_colour():
    images = torch.zeros(3, 3, 128, 128)
    images[0, 0, 40:80, 40:80] = 1.0  # a red square
    images[1, 2, 40:80, 40:80] = 1.0  # a blue one
    images[2] = images[0].roll((1, 1), (1, 2)) * 0.8 + 0.1
    seen = canvas(images)
    assert seen.shape == (3, 3 * 32 * 32)
    found = factor_scores(seen[[2, 1]], seen, [0, 0], [{"palette": [1]}, {"palette": [1]}])
    assert found["palette"].tolist() == [1, 0]
