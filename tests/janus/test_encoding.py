"""Tokeniser and SigLIP against what deepseek-ai/Janus itself computed from the same weights, and the codes it found.

tests/fixtures/janus.safetensors holds pictures, and what its models/vq_model.py and models/siglip_vit.py made of them
with the weights of `scripts.lib.tiny_janus` in its own names, all of which its classes took.
"""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from drc.lmm.janus.reading import open_set
from scripts.lib.tiny_janus import write_published

RECORDED = load_file(Path(__file__).parents[1] / "fixtures" / "janus.safetensors")
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture(scope="module")
def lmm(tmp_path_factory):
    """Read from files in the layout of the original."""
    found = open_set(write_published(tmp_path_factory.mktemp("original"), seed=5, original=True))
    made = found.config().build()
    found.read_weights(made)
    made.float().eval()
    assert torch.equal(made.vision.quantize.embedding.weight, RECORDED["codebook"])
    return made


@torch.no_grad()
def test_codes_are_those_of_the_nearest_directions(lmm):
    images, codes, codebook = RECORDED["images"], RECORDED["codes"], RECORDED["codebook"]
    vectors = lmm.vision.quant_conv(lmm.vision.encoder(images * 2 - 1))
    torch.testing.assert_close(vectors, RECORDED["vectors"], **TOLERANCE)
    assert torch.equal(lmm.tokenize(images), codes)
    assert torch.equal(lmm.vision.quantize.nearest(RECORDED["vectors"].flatten(2).transpose(1, 2)), codes)
    raw = torch.cdist(RECORDED["vectors"].flatten(2).transpose(1, 2), codebook).argmin(dim=-1)
    assert codebook.norm(dim=1).std() > 0.1 and (raw != codes).float().mean() > 0.3  # raw vectors find others


@torch.no_grad()
def test_pictures(lmm):
    torch.testing.assert_close(
        lmm.detokenize(RECORDED["codes"]), (RECORDED["decoded"] / 2 + 0.5).clamp(0, 1), **TOLERANCE
    )


@torch.no_grad()
def test_what_the_understanding_encoder_sees(lmm):
    torch.testing.assert_close(lmm.understanding.transformer(RECORDED["images"]), RECORDED["seen"], **TOLERANCE)
    torch.testing.assert_close(lmm.understanding(RECORDED["images"]), RECORDED["aligned"], **TOLERANCE)
