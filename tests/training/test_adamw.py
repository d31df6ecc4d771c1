"""Our AdamW against torch's, and what it spares the command."""

import subprocess
import sys

import torch
from torch import nn

from drc.train.machine.adamw import AdamW

LEARN = """
import sys
import torch
from drc.train.machine.adamw import AdamW

layer = torch.nn.Linear(8, 8)
layer(torch.ones(1, 8)).sum().backward()
AdamW([{"params": list(layer.parameters()), "lr": 1e-3, "weight_decay": 0.0}], (0.9, 0.95)).step()
sys.exit("torch._dynamo" in sys.modules)
"""


def test_steps_are_those_of_torch_to_the_byte():
    torch.manual_seed(0)
    ours = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 4))
    theirs = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 4))
    theirs.load_state_dict(ours.state_dict())

    def groups(model):
        matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
        others = [parameter for parameter in model.parameters() if parameter.ndim == 1]
        return [
            {"params": matrices, "lr": 1e-2, "weight_decay": 0.1},
            {"params": others, "lr": 1e-3, "weight_decay": 0.0},
        ]

    steps = {
        ours: AdamW(groups(ours), (0.9, 0.95)),
        theirs: torch.optim.AdamW(groups(theirs), betas=(0.9, 0.95), fused=True),
    }
    for number in range(4):
        inputs = torch.randn(8, 16, generator=torch.Generator().manual_seed(number))
        for model, optimizer in steps.items():
            optimizer.zero_grad()
            model(inputs).square().sum().backward()
            optimizer.param_groups[0]["lr"] = 1e-2 / (number + 1)
            optimizer.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, other)
        state, expected = steps[ours].state[mine], steps[theirs].state[other]
        assert state.keys() == expected.keys() and all(torch.equal(state[key], expected[key]) for key in state)


def test_what_has_no_gradient_stays():
    layer = nn.Linear(2, 2)
    before = layer.weight.clone()
    optimizer = AdamW([{"params": list(layer.parameters()), "lr": 1.0, "weight_decay": 0.5}], (0.9, 0.95))
    optimizer.step()
    assert torch.equal(layer.weight, before) and not optimizer.state[layer.weight]


def test_a_step_brings_no_compiler_along(root):
    assert subprocess.run([sys.executable, "-c", LEARN], cwd=root).returncode == 0
