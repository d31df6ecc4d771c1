"""Tokenize Image: from pictures to codes."""

import torch

from . import host
from .encode import squares_of, tokenize, tokenize_each
from .guard import guarded
from .host import io
from .pictures import mask, pictures_of
from .progress import Progress
from .sockets import Tokens, TokensSocket
from .widgets import choice, fixed_seed, model_input

DECISIONS = ("drawn", "likeliest")
FITS = ("squeezed", "whole")


@guarded
class DRC_TokenizeImage(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_TokenizeImage",
            display_name="Tokenize Image",
            category="DRC/LaVIT, Janus",
            description="Turns pictures into codes. Drawn again from its codes a picture shows what the model sees of "
            "it: with LaVIT and Janus the test of a healthy installation.",
            inputs=[
                model_input(),
                io.Image.Input("images", tooltip="Pictures of any size; LaVIT looks at 224 x 224 pixels of each."),
                choice(
                    "decision",
                    DECISIONS,
                    "For LaVIT: which parts of a picture get a code. drawn: each with the probability that "
                    "LaVIT gives it, as the original does. likeliest: those of one half or more, always the same.",
                ),
                fixed_seed("For the decision 'drawn': the same seed draws the same codes of a picture."),
                host.advanced(
                    choice(
                        "fit",
                        FITS,
                        "For LaVIT: how a picture that is not square becomes one. squeezed: as the original "
                        "does. whole: centred on the colour of its own border, as the towers see it.",
                    )
                ),
                mask("images"),
            ],
            outputs=[
                TokensSocket.Output(
                    "tokens_out", display_name="tokens", tooltip="For Tokens To Conditioning, or for DRC Decode."
                )
            ],
            **host.newer(search_aliases=["encode", "VQ encode", "reconstruct"]),
        )

    @classmethod
    def execute(cls, model, images, decision, seed, fit, images_mask=None) -> io.NodeOutput:
        images = pictures_of(images, images_mask, "images")
        drawn, original, progress = decision == DECISIONS[0], fit == FITS[0], Progress(len(images))
        if not model.drc.lmm.variable_length:
            codes = [tokenize(model, squares_of(model, images, "images"), progress)]
        else:
            codes = tokenize_each(model, images, "images", seed if drawn else None, progress, original)
        return io.NodeOutput(Tokens(torch.cat(codes).to(host.intermediate_device()), model.drc.hash))
