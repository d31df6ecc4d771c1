"""The visual tokeniser: pictures to codes and back."""

import pytest
import torch
import torch.nn.functional as F

from drc.lmm.mini.tokenizer import TokenizerConfig, VisualTokenizer
from scripts.lib.tiny import CONFIG

CONFIG = CONFIG.lmm.vision
N = CONFIG.grid**2


@pytest.fixture
def tokenizer():
    torch.manual_seed(0)
    return VisualTokenizer(CONFIG).requires_grad_(False)


@pytest.fixture
def images():
    return torch.rand(3, 3, CONFIG.image_size, CONFIG.image_size, generator=torch.Generator().manual_seed(1))


def test_shapes(tokenizer, images):
    codes = tokenizer.encode(images)
    assert codes.shape == (3, N) and codes.dtype == torch.int64
    assert codes.min() >= 0 and codes.max() < CONFIG.codes and len(codes.unique()) > 1
    rebuilt = tokenizer.decode(codes)
    assert rebuilt.shape == images.shape and rebuilt.dtype == torch.float32
    assert rebuilt.min() >= 0 and rebuilt.max() <= 1


def test_a_picture_does_not_depend_on_its_neighbours(tokenizer, images):
    codes = tokenizer.encode(images)
    assert torch.equal(codes, torch.cat([tokenizer.encode(image[None]) for image in images]))
    rebuilt = tokenizer.decode(codes)
    torch.testing.assert_close(rebuilt, torch.cat([tokenizer.decode(row[None]) for row in codes]))


def test_the_code_nearest_in_direction(tokenizer, images):
    vectors = tokenizer.encoder(images).flatten(2).transpose(1, 2)
    likeness = F.cosine_similarity(vectors[:, :, None], tokenizer.codebook.weight, dim=-1)
    assert torch.equal(tokenizer.encode(images), likeness.argmax(dim=-1))


def test_the_length_of_a_code_does_not_count(tokenizer, images):
    codes = tokenizer.encode(images)
    rebuilt = tokenizer.decode(codes)
    tokenizer.codebook.weight *= torch.linspace(0.1, 10, CONFIG.codes)[:, None]
    assert torch.equal(tokenizer.encode(images), codes)
    torch.testing.assert_close(tokenizer.decode(codes), rebuilt)


def test_codes_lie_row_by_row_from_the_top_left(tokenizer):
    codes = torch.zeros(1, N, dtype=torch.long)
    before = tokenizer.decode(codes)
    codes[0, CONFIG.grid - 1] = 1  # the last of the first row: top right
    changed = (tokenizer.decode(codes) - before).abs().sum(dim=1)[0]
    half = CONFIG.image_size // 2
    quarters = [changed[:half, :half], changed[:half, half:], changed[half:, :half], changed[half:, half:]]
    assert max(range(4), key=lambda quarter: quarters[quarter].sum()) == 1


def test_the_same_drawing_elsewhere_has_the_same_codes():
    torch.manual_seed(0)
    config = TokenizerConfig(image_size=256, codes=24, code_size=4, coarse_width=16, fine_width=16)
    tokenizer = VisualTokenizer(config).requires_grad_(False)
    drawing = torch.rand(1, 3, 40, 40)
    codes = []
    for top, left in ((104, 104), (112, 128)):  # moved by whole codes, far from the border
        image = torch.ones(1, 3, 256, 256)
        image[:, :, top : top + 40, left : left + 40] = drawing
        around = tokenizer.encode(image).view(32, 32)[top // 8 - 1 : top // 8 + 6, left // 8 - 1 : left // 8 + 6]
        codes.append(around)
    assert torch.equal(*codes)
