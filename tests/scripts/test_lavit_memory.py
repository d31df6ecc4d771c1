"""Memory that is counted without memory is the memory that is taken."""

import pytest
import torch

from drc.train.memory import pass_peak, recompute
from drc.train.objectives import STAGES
from scripts import lavit_memory
from scripts.lib.tiny_lavit import SIZES


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_pass_without_memory_counts_the_bytes_of_a_real_one(precision, again):
    config = lavit_memory.config_of(SIZES)
    batch = lavit_memory.batch_of(config, samples=2, codes=25, history=3)
    counted = pass_peak(lavit_memory.objective_of(config, "LoRA", precision, again), batch)
    drc = lavit_memory.without_memory(config).to_empty(device="cpu")
    drc.lmm.drop_vision()
    drc.requires_grad_(True)
    drc.lmm.learn("LoRA", 8, 16.0, precision)
    real = STAGES[2](drc, precision)
    for parameter in real.parameters():
        parameter.data.zero_()
    if again:
        recompute(drc.lmm.layers())
    assert counted == pytest.approx(pass_peak(real, batch), rel=0.02)


def test_a_language_model_of_the_published_size_has_the_published_number_of_weights():
    rows = {name: weights for name, weights, _ in lavit_memory.drawing(lavit_memory.config_of(), 1, 1)}
    assert rows["language, bfloat16"] == "13.75 GB"  # 6,872,649,728 numbers
    assert rows["vision"] == "2.83 GB" and rows["decoder"] == "0.83 GB"
