"""Decode: from codes to pictures."""

import torch

from ..drc.lmm.pictures import MEMORY_PER_PIXEL, PICTURES
from ..drc.pixels import to_image
from . import host
from .guard import guarded
from .host import io
from .progress import Progress
from .sockets import TokensSocket, made_by
from .widgets import model_input


@guarded
class DRC_DecodeTokens(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_DecodeTokens",
            display_name="Decode",
            category="DRC",
            description="Turns codes into pictures.",
            inputs=[
                model_input(),
                TokensSocket.Input("tokens", tooltip="From DRC-LMM-Generate or Tokenize Image."),
            ],
            outputs=[io.Image.Output("image_out", display_name="IMAGE", tooltip="The pictures, as many as tokens.")],
            **host.newer(search_aliases=["detokenise", "VQ decode"]),
        )

    @classmethod
    def execute(cls, model, tokens) -> io.NodeOutput:
        made_by(model, tokens=tokens)
        if not model.drc.lmm.draws_pixels:
            raise ValueError(
                f"model is '{model.name}', which draws through a diffusion model; connect the tokens to Tokens To "
                "Conditioning, and that to KSampler and VAE Decode"
            )
        lmm = model.drc.lmm
        host.load([model.vision], PICTURES * lmm.image_size**2 * MEMORY_PER_PIXEL)
        progress = Progress(len(tokens.codes))
        images = []
        for codes in tokens.codes.split(PICTURES):
            images.append(lmm.detokenize(codes.to(model.device)).to(host.intermediate_device()))
            progress.step_to(len(images) * PICTURES)
        return io.NodeOutput(to_image(torch.cat(images)))
