"""Attention Map: shares that add up, a column for every picture."""

import pytest
import torch

from drc import attention_map
from scripts.lib.sentence import sentence_shown as sentence


@pytest.fixture(scope="module")
def images():
    return torch.rand(4, 32, 32, 3, generator=torch.Generator().manual_seed(0))


def test_shares_of_a_history_add_up_and_a_picture_of_weight_0_has_none(model, images):
    drc = model.drc
    with torch.no_grad():
        codes = drc.lmm.tokenize(images[:3].permute(0, 3, 1, 2))
    shares = attention_map.style_attention(drc, codes, torch.tensor([1.0, 0.0, 2.0]))
    assert shares.shape == (3, drc.config.tower.rows)
    assert shares.sum() == pytest.approx(1) and shares[1].sum() == 0 and shares[0].sum() > 0


def test_a_map_has_a_column_for_every_picture(graph, model, images):
    sheet = graph.run("DRC_AttentionMap", model=model, history=images[:3], reference=images[3:])
    alone = graph.run("DRC_AttentionMap", model=model, reference=images[3:])
    assert sheet.shape[2] > 3 * alone.shape[2] and sheet.shape[1] == alone.shape[1]


def test_nothing_to_look_at(graph, model):
    text = sentence(graph.run, "DRC_AttentionMap", model=model)
    assert text == "Attention Map: neither history nor reference is connected; connect one of them or both."
