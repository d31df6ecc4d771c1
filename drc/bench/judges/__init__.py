"""Judges tell how alike two pictures are in style and in meaning.

Two of them, because one could be wrong: the evaluator knows every style and meaning of the benchmark,
EfficientNet-Lite0 (ImageNet, Apache-2.0) has never seen any of it. Descriptors stand in where neither is at hand.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from ...data.splits import order
from ...files import file_hash
from ...interrupt import call_between_layers
from ...progress import OnPart
from ..cases.domain import Domain
from .descriptors import DescriptorJudge
from .efficientnet import EfficientNetJudge, load_efficientnet
from .evaluator import EvaluatorJudge, load_evaluator
from .judge import Judge

EXAMPLES = 512  # pictures that set the scale of EfficientNet's features
JUDGES = (EvaluatorJudge.name, EfficientNetJudge.name)


def open_judges(
    names: Sequence[str],
    evaluator: Path,
    packages: Path,
    domain: Domain,
    device: torch.device | str = "cpu",
    on_part: OnPart | None = None,
) -> list[Judge]:
    """The judges of these names; before every layer with which they look at pictures, now and later, `on_part` is
    called, which may raise to stop. Raises ValueError, in one sentence, for one that is missing."""
    return [open_judge(name, evaluator, packages, domain, device, on_part) for name in names]


def open_judge(
    name: str,
    evaluator: Path,
    packages: Path,
    domain: Domain,
    device: torch.device | str,
    on_part: OnPart | None = None,
) -> Judge:
    def heard(network: nn.Module) -> nn.Module:
        if on_part is not None:
            call_between_layers(network, on_part)
        return network.to(device)

    if name == EvaluatorJudge.name:
        if not evaluator.is_file():
            raise ValueError(
                f"the judge {name} is missing, there is no file '{evaluator}'; run 'python scripts/train_evaluator.py' "
                f"in the source repository, name its file with --evaluator, or give --judges {EfficientNetJudge.name}"
            )
        return EvaluatorJudge(heard(load_evaluator(evaluator)), file_hash(evaluator))
    if name == EfficientNetJudge.name:
        examples = sorted(domain.ordinary, key=lambda row: order(domain.name_of(row)))[:EXAMPLES]
        return EfficientNetJudge(heard(load_efficientnet(packages)), domain.images(examples))
    if name == DescriptorJudge.name:
        return DescriptorJudge()
    offered = ", ".join((*JUDGES, DescriptorJudge.name))
    raise ValueError(f"judge {name} was asked for, expected out of {offered}; choose among them")
