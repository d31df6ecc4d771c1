"""Every parameter of Janus-Pro at its published sizes has its place in our modules, and none is left over, both ways.

Of transformers' class, on the device that takes no memory; the names of the original are those of test_encoding.py.
"""

import json

import pytest
import torch
import transformers

from drc.lmm.janus.config import SiglipConfig, Sizes, TokenizerConfig
from drc.lmm.janus.layout import sources
from drc.lmm.janus.model import JanusConfig, JanusLMM
from drc.lmm.janus.sizes import sizes_of
from drc.lmm.llama import LlamaConfig
from drc.shapes import shapes_of
from scripts import janus_memory
from scripts.lib.documents import ROOT
from scripts.lib.tiny_janus import original_name, settings

LANGUAGE = {
    "1B": LlamaConfig(102400, 2048, 5632, 24, 16, 16, rms_norm_eps=1e-6, max_position_embeddings=16384),
    "7B": LlamaConfig(102400, 4096, 11008, 30, 32, 32, rms_norm_eps=1e-6, max_position_embeddings=16384),
}
NUMBERS = {"1B": 1_866_921_611, "7B": 6_988_342_923}  # that are read: all but the head for words


@pytest.fixture(scope="module", params=LANGUAGE)
def size(request):
    return request.param


@pytest.fixture(scope="module")
def sizes(size):
    return Sizes(LANGUAGE[size])


@pytest.fixture(scope="module")
def ours(sizes):
    return shapes_of(JanusLMM, JanusConfig(sizes))


@pytest.fixture(scope="module")
def theirs(sizes):
    """Names and shapes of the class of transformers."""
    parts = {name: part for name, part in settings(sizes).items() if name.endswith("_config")}
    with torch.device("meta"):
        model = transformers.JanusForConditionalGeneration(transformers.JanusConfig(**parts))
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def test_in_the_layout_of_transformers(ours, theirs, size):
    found = {name: source for published, shape in theirs.items() for name, source in sources(published, shape).items()}
    assert {name: source.shape for name, source in found.items()} == ours
    assert theirs.keys() - {source.name for source in found.values()} == {"lm_head.weight"}
    assert sum(torch.Size(shape).numel() for shape in ours.values()) == NUMBERS[size]


def test_in_the_layout_of_the_original(ours):
    """Where queries, keys and values of SigLIP are one."""
    published = {}
    for name, shape in ours.items():
        apart = name.startswith("understanding") and any(f".{part}_proj." in name for part in "qkv")
        together = name.replace("q_proj", "qkv").replace("k_proj", "qkv").replace("v_proj", "qkv") if apart else name
        published[original_name(together)] = (3 * shape[0], *shape[1:]) if apart else shape
    found = {name: source for one, shape in published.items() for name, source in sources(one, shape).items()}
    assert {name: source.shape for name, source in found.items()} == ours
    assert "vision_model.vision_tower.blocks.23.attn.qkv.weight" in published
    assert "gen_vision_model.decoder.conv_blocks.0.attn.2.proj_out.bias" in published
    assert "gen_vision_model.encoder.mid.1.q.weight" in published and "gen_aligner.layers.2.bias" in published


def test_sizes_are_read_off_the_shapes(ours, sizes):
    """The published config.json of the 7B leaves most of them out, and that of transformers writes defaults nowhere."""
    for given in ({"language_config": {"vocab_size": 102400}}, json.loads(json.dumps(settings(sizes)))):
        found = sizes_of(ours, given, {})
        assert found == sizes and found.siglip == SiglipConfig() and found.tokenizer == TokenizerConfig()


def test_a_picture_has_576_codes(sizes):
    lmm = JanusConfig(sizes).build()
    assert (lmm.image_size, lmm.picture_codes, lmm.codebook_size, lmm.config.grid) == (384, 576, 16384, 24)
    assert lmm.config.width == sizes.language.hidden_size and lmm.vision.grid == 24


ROWS = {
    "vision": "Tokeniser",
    "language, bfloat16": "Language model, `storage` automatic (16 bits)",
    "language, int8": "Language model, `storage` int8",
    "language, float8": "Language model, `storage` float8",
    "understanding": "SigLIP",
    "disentangler": "Towers and fusion",
}


def test_memory_to_draw_is_what_the_document_says(size):
    document = (ROOT / "docs" / "janus.md").read_text("utf-8").splitlines()
    for name, weights, beside in janus_memory.drawing(janus_memory.config_of(size)):
        (cells,) = (line.strip("| ").split(" | ") for line in document if line.startswith(f"| {ROWS[name]} |"))
        one, seven = (cell.split(", and ") for cell in cells[2:])
        said = one if size == "1B" or seven == ["the same"] else seven
        assert said[0] == weights, name
        assert len(said) == 1 + bool(beside), name
        if said[1:] not in ([], ["the same"]):
            assert float(said[1].split()[0]) == pytest.approx(float(beside.split()[0]), abs=0.05), name
