"""LaVIT's visual side at the size of the recorded tensors, with the weights that they were recorded with."""

import pytest
import torch

from drc.lmm.lavit.decoder import HighResolutionDecoder, LowResolutionDecoder
from drc.lmm.lavit.tokenizer import VisualTokenizer
from drc.lmm.lavit.vision import VisionTransformer

from .recorded import DECODER, TOKENIZER, VISION, tensors


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


@pytest.fixture(scope="session")
def features():
    """Recorded features of the patches of two pictures [2, N, d]."""
    return tensors("vit.safetensors")["out.features"][:, 1:]


def load(module, name):
    module.load_state_dict(tensors(f"weights/{name}.safetensors"))
    return module.requires_grad_(False)
