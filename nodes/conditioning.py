"""Tokens To Conditioning: codes for the host's own KSampler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import host
from .guard import guarded
from .host import io
from .progress import Progress
from .sockets import Model, TokensSocket
from .widgets import model_input

if TYPE_CHECKING:
    from ..drc.lmm import Condition

SDXL, SD15 = 2048, 768  # what their UNets read, numbers a row
CONDITION_BYTES = 64 * 1024  # for each code: features of all blocks, generously


@guarded
class DRC_TokensToConditioning(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_TokensToConditioning",
            display_name="Tokens To Conditioning",
            category="DRC/LaVIT, Janus",
            description="Turns codes into what LaVIT's diffusion model draws from, for KSampler.",
            inputs=[
                model_input("It must be a LaVIT."),
                TokensSocket.Input("tokens", tooltip="From DRC-LMM-Generate or Tokenize Image."),
                io.Model.Input(
                    "diffusion_model",
                    tooltip="LaVIT's UNet from Load Diffusion Model, the one that you connect to KSampler. It tells "
                    "whether the high or the low resolution is drawn.",
                ),
                io.Int.Input(
                    "width",
                    default=1024,
                    min=64,
                    max=4096,
                    step=8,
                    tooltip="Width of the picture in pixels, the same as in Empty Latent Image.",
                ),
                io.Int.Input(
                    "height",
                    default=1024,
                    min=64,
                    max=4096,
                    step=8,
                    tooltip="Height of the picture in pixels, the same as in Empty Latent Image.",
                ),
            ],
            outputs=[
                io.Conditioning.Output("positive_out", display_name="positive", tooltip="For KSampler."),
                io.Conditioning.Output(
                    "negative_out", display_name="negative", tooltip="For KSampler: no picture at all."
                ),
            ],
            **host.newer(search_aliases=["detokenise", "SDXL", "LaVIT decode"]),
        )

    @classmethod
    def execute(cls, model, tokens, diffusion_model, width, height) -> io.NodeOutput:
        model.require_diffusion()
        low = is_low_resolution(model, host.context_width(diffusion_model))
        host.load([model.decoder], len(tokens.codes) * model.drc.lmm.picture_codes * CONDITION_BYTES)
        conditions = model.drc.lmm.condition(tokens.codes.to(model.device), low)
        Progress(1).step_to(1)
        return io.NodeOutput(*(as_conditioning(one, width, height) for one in conditions))


def is_low_resolution(model: Model, width: int | None) -> bool:
    """Whether a UNet whose cross-attention reads rows of `width` numbers is the one of the low resolution."""
    if width == SDXL:
        return False
    if width == SD15:
        if not model.drc.lmm.has_low_resolution:
            raise ValueError(
                "diffusion_model is of the layout of Stable Diffusion 1.5, but the low resolution of "
                f"'{model.name}' was not converted; connect LaVIT's large UNet, or convert the low resolution too"
            )
        return True
    raise ValueError(
        "diffusion_model is laid out neither as Stable Diffusion XL nor as Stable Diffusion 1.5, for which alone LaVIT "
        "has conditioning; connect the UNet that Convert LaVIT wrote"
    )


def as_conditioning(condition: Condition, width: int, height: int) -> list:
    """One entry, a batch of all pictures. High resolution is told the size of the picture, with nothing cut off."""
    device = host.intermediate_device()
    if condition.pooled is None:
        # The mask is the same for all pictures; the host's UNet takes none, and needs none without the rows.
        return [[condition.prompt[:, condition.mask[0]].to(device), {"pooled_output": NoPooledPrompt()}]]
    sizes = {"width": width, "height": height, "target_width": width, "target_height": height}
    extra = {"pooled_output": condition.pooled.to(device), **sizes, "crop_w": 0, "crop_h": 0}
    return [[condition.prompt.to(device), extra]]


class NoPooledPrompt:
    """In the place of the pooled prompt that the low resolution has not and its UNet does not ask for; that of Stable
    Diffusion XL does, and gets a sentence where it would fail on the width of the rows."""

    @property
    def shape(self):
        raise ValueError(
            "the conditioning at KSampler is of LaVIT's low resolution, but its model is of the layout of Stable "
            "Diffusion XL; connect the same diffusion model to Tokens To Conditioning and to KSampler."
        )
