"""The Inception v3 that FID looks with: torchvision's, with the changes that pytorch-fid makes to its pooling.

Means leave out the padding around a picture, and the last block takes the largest in place of a mean, as TensorFlow's
network did. The weights are the user's: `pt_inception-2015-12-05` of pytorch-fid, as one safetensors file.
"""

from collections.abc import Callable
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from .weights import filled

CLASSES = 1008


class FIDInception(nn.Module):
    def __init__(self):
        super().__init__()
        from torchvision.models import inception

        a, c, e = (
            with_pool(block, mean_inside)
            for block in (inception.InceptionA, inception.InceptionC, inception.InceptionE)
        )
        blocks = [inception.BasicConv2d, a, inception.InceptionB, c, inception.InceptionD, e, inception.InceptionAux]
        self.network = inception.Inception3(CLASSES, aux_logits=False, inception_blocks=blocks, init_weights=False)
        self.network.Mixed_7c = with_pool(inception.InceptionE, largest)(2048)
        self.network.fc = nn.Identity()

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures [n, 3, 299, 299] in 0..1 -> features [n, 2048]."""
        device = next(self.parameters()).device
        return self.network(pictures.to(device) * 2 - 1)


def with_pool(block: type[nn.Module], pool: Callable[[Tensor], Tensor]) -> type[nn.Module]:
    """A block of torchvision, whose last branch pools in another way."""

    class Block(block):
        def _forward(self, x: Tensor) -> list[Tensor]:
            *others, _ = super()._forward(x)
            return [*others, self.branch_pool(pool(x))]

    return Block


def mean_inside(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def largest(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 3, stride=1, padding=1)


def load_inception(path: Path) -> FIDInception:
    """ValueError, in one sentence, for a file that is not of these weights; the classes of ImageNet may be in it."""
    inception = FIDInception().eval()
    expected = "the weights of pytorch-fid's pt_inception-2015-12-05; put them"
    filled(inception.network, path, "pytorch-fid's Inception", expected)
    return inception
