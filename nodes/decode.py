"""DRC Decode: from codes to pictures."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ..drc.lmm.pictures import PICTURES
from ..drc.pixels import to_image
from . import host
from .guard import guarded
from .host import io
from .pictures import sharpening
from .progress import Progress
from .sockets import Model, TokensSocket
from .widgets import model_input

SIZES = AS_DRAWN, SHARP = "as drawn", "sharp, 4 times as large"


@guarded
class DRC_DecodeTokens(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_DecodeTokens",
            display_name="DRC Decode",
            category="DRC",
            description="Turns codes into pictures.",
            inputs=[
                model_input(),
                TokensSocket.Input("tokens", tooltip="From DRC-LMM-Generate or Tokenize Image."),
                io.Combo.Input(
                    "size",
                    options=list(SIZES),
                    default=AS_DRAWN,
                    optional=True,
                    tooltip="as drawn: the pixels that the model draws, 128 x 128 with 'embedded'. sharp: 4 times as "
                    "wide and as high, 512 x 512 then, with clean edges. It takes longer, and mends no wrong shape.",
                ),
            ],
            outputs=[io.Image.Output("image_out", display_name="IMAGE", tooltip="The pictures, as many as tokens.")],
            **host.newer(search_aliases=["detokenise", "VQ decode", "upscale"]),
        )

    @classmethod
    def execute(cls, model, tokens, size=AS_DRAWN) -> io.NodeOutput:
        if not model.drc.lmm.draws_pixels:
            raise ValueError(
                f"model is '{model.name}', which draws through a diffusion model; connect the tokens to Tokens To "
                "Conditioning, and that to KSampler and VAE Decode"
            )
        pictures = as_drawn(model, tokens.codes) if size == AS_DRAWN else sharp(model, tokens.codes)
        return io.NodeOutput(torch.cat(list(pictures)))


def as_drawn(model: Model, codes: Tensor) -> Iterator[Tensor]:
    """IMAGE batches, a few pictures each."""
    lmm = model.drc.lmm
    host.load([model.vision], lmm.vision.memory(PICTURES))
    return in_turn(model, codes, PICTURES, lmm.detokenize)


def sharp(model: Model, codes: Tensor) -> Iterator[Tensor]:
    """The same, larger."""
    from ..drc import sharpener

    lmm, owner = model.drc.lmm, sharpening(model.device)
    memory = sharpener.PICTURES * lmm.image_size**2 * sharpener.MEMORY_PER_PIXEL
    host.load([model.vision, owner], max(memory, lmm.vision.memory(sharpener.PICTURES)))
    return in_turn(model, codes, sharpener.PICTURES, lambda some: owner.model(lmm.detokenize(some)))


def in_turn(model: Model, codes: Tensor, at_once: int, decode: Callable[[Tensor], Tensor]) -> Iterator[Tensor]:
    progress, done = Progress(len(codes)), 0
    for some in codes.split(at_once):
        yield to_image(decode(some.to(model.device)).to(host.intermediate_device()))
        done += len(some)
        progress.step_to(done)
