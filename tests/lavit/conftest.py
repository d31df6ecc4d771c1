"""LaVIT at the size of the recorded tensors, with the weights that they were recorded with; and its files of the
smallest size, as they are published and converted."""

import json

import pytest
import torch

from drc.lmm.lavit.convert import convert
from drc.lmm.lavit.decoder import HighResolutionDecoder, LowResolutionDecoder
from drc.lmm.lavit.language import LavitLanguage
from drc.lmm.lavit.tokenizer import VisualTokenizer
from drc.lmm.lavit.vision import VisionTransformer
from drc.lmm.llama import LlamaConfig
from scripts.lib.tiny_lavit import write_published

from .recorded import DECODER, FOLDER, TOKENIZER, VISION, tensors


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.no_grad():
        yield


@pytest.fixture(scope="session")
def vision():
    return load(VisionTransformer(VISION), "eva_vit")


@pytest.fixture(scope="session")
def tokenizer():
    return load(VisualTokenizer(TOKENIZER), "tokenizer_encoder")


@pytest.fixture(scope="session")
def high():
    return load(HighResolutionDecoder(DECODER), "tokenizer_decoder_highres")


@pytest.fixture(scope="session")
def low():
    return load(LowResolutionDecoder(DECODER), "tokenizer_decoder_lowres")


@pytest.fixture(scope="module")
def language():
    config = LlamaConfig.read(json.loads((FOLDER / "weights" / "llm" / "config.json").read_text()))
    return load(LavitLanguage(config), "llm/model")


@pytest.fixture(scope="session")
def features():
    """Recorded features of the patches of two pictures [2, N, d]."""
    return tensors("vit.safetensors")["out.features"][:, 1:]


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    return write_published(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="session")
def converted(published, tmp_path_factory):
    """The models folder, and what the conversion returned."""
    models = tmp_path_factory.mktemp("models")
    return models, convert(published, models, "tiny")


def load(module, name):
    module.load_state_dict(tensors(f"weights/{name}.safetensors"))
    return module.requires_grad_(False)
