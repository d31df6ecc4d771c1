"""A trained model with further layers that add nothing at first: what they write begins at zero."""

from dataclasses import replace

import torch
from torch import nn

from drc.model import DRC


def deeper(base: DRC, layers: int, fusion_layers: int) -> DRC:
    """`base` with so many layers of its language model and of its fusion network; it draws what `base` draws.

    ValueError for fewer than it has.
    """
    config = base.config
    if layers < config.lmm.layers or fusion_layers < config.fusion.layers:
        raise ValueError(
            f"{layers} and {fusion_layers} layers were asked for, expected at least {config.lmm.layers} and "
            f"{config.fusion.layers}, which the model has; ask for more"
        )
    lmm, fusion = replace(config.lmm, layers=layers), replace(config.fusion, layers=fusion_layers)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = DRC(replace(config, lmm=lmm, fusion=fusion), base.words, about=base.about)
        made.lmm.initialise()
        made.disentangler.initialise(made.lmm.embedding_scale())
    for layer in list(made.lmm.layers())[config.lmm.layers :]:
        silence(layer.self_attn.o_proj, layer.mlp.down_proj)
    for layer in made.disentangler.fusion.layers[config.fusion.layers :]:
        silence(layer.style.out, layer.semantics.out, layer.feed_forward[-1])
    made.load_state_dict(base.state_dict(), strict=False)
    return made


def silence(*last: nn.Linear) -> None:
    for module in last:
        for parameter in module.parameters():
            nn.init.zeros_(parameter)
