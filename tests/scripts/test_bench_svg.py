"""A case that goes many ways is drawn once."""

import torch

from drc.bench.models import open_models
from drc.lmm.generate import Sampling
from scripts.bench_svg import Drawings
from scripts.lib.tiny import write_tiny


def test_a_case_is_drawn_once(tmp_path):
    tiny = str(write_tiny(tmp_path / "tiny.safetensors"))
    model = open_models({"tiny": tiny}, (1.0, 1.0), Sampling())["tiny"]
    size = model.lmm.image_size
    history, reference = torch.rand(1, 3, 3, size, size), torch.rand(1, 3, size, size)
    drawings = Drawings(model)
    first = drawings.drawn(history, reference, [""], [1])
    assert first.shape == reference.shape and torch.equal(first, model.draw(history, reference, [""], [1]))
    assert drawings.drawn(history, reference, [""], [1]) is first
    assert drawings.drawn(history, reference, [""], [2]) is not first
