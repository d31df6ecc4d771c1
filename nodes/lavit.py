"""What only LaVIT needs: pictures as tokens, tokens for the host's own KSampler, pictures and words in one prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from . import host
from .guard import guarded
from .host import io
from .personalize import MEMORY_PER_PIXEL, MODEL_TOOLTIP, require_one, tokenize
from .pictures import mask, pictures_of
from .sockets import InstructionSocket, Model, ModelSocket, Tokens, TokensSocket, made_by

if TYPE_CHECKING:
    from ..drc.lmm.lavit.conditioning import Condition

DECISIONS = ("drawn", "likeliest")
FITS = ("squeezed", "whole")
SDXL, SD15 = 2048, 768  # what their UNets read, numbers a row


@guarded
class DRC_ComposeInContext(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_ComposeInContext",
            display_name="ComposeInContext",
            category="DRC/LaVIT",
            description="Pictures and words one after another, as LaVIT itself takes them. Nothing here tells style "
            "from meaning: what comes out may copy either. To keep them apart, train the towers.",
            inputs=[
                ModelSocket.Input("model", tooltip=MODEL_TOOLTIP + " It must be a LaVIT."),
                io.Image.Input("history", optional=True, tooltip="Pictures to go on from. They come first."),
                io.Image.Input("reference", optional=True, tooltip="One more picture, after the history."),
                io.String.Input(
                    "text", multiline=True, default="", tooltip="English words, as many as you like. They come last."
                ),
                io.Float.Input(
                    "guidance",
                    default=5.0,
                    min=1.0,
                    max=20.0,
                    step=0.1,
                    tooltip="How firmly the picture holds to pictures and words. 1 is plain; LaVIT's authors take 4 "
                    "for words and 5 for pictures.",
                ),
                host.fixed_seed("Decides which parts of the pictures get a code."),
                mask("history"),
                mask("reference"),
            ],
            outputs=[
                InstructionSocket.Output(
                    "instruction_made", display_name="instruction", tooltip="For DRC-LMM-Generate."
                )
            ],
            is_input_list=True,
            **host.newer(search_aliases=["interleaved", "LaVIT prompt", "in-context"]),
        )

    @classmethod
    def execute(
        cls, model, text, guidance, seed, history=None, reference=None, history_mask=None, reference_mask=None
    ) -> io.NodeOutput:
        from ..drc.instruction import InContext

        model.require_interleaving()
        given = {"history": (history, history_mask), "reference": (reference, reference_mask)}
        given = {name: pictures_of(*some, name) for name, some in given.items() if some[0] is not None}
        require_one(given.get("reference", []))
        progress = host.Progress(max(1, sum(map(len, given.values()))))
        codes = {name: look(model, images, name, seed, progress) for name, images in given.items()}
        ids = model.drc.lmm.in_context(
            codes.get("history", []), codes.get("reference", []), model.drc.words.encode(text).ids
        )
        return io.NodeOutput(InContext(ids.to(host.intermediate_device()), guidance, model.drc.hash))


def look(
    model: Model, images: list[Tensor], name: str, seed: int | None, progress: host.Progress, original: bool = True
) -> list[Tensor]:
    """Codes [1, N] of every picture; `seed` draws which parts get one, without it the likelier happens."""
    lmm, codes = model.drc.lmm, []
    host.load([model.vision], lmm.image_size**2 * MEMORY_PER_PIXEL)
    for index, image in enumerate(images):
        picture = lmm.prepare(image, f"picture {index + 1} of {name}", original)
        codes.append(lmm.tokenize(picture[None].to(model.device), None if seed is None else [seed]))
        progress.step_to(progress.bar.current + 1)
    return codes


@guarded
class DRC_TokenizeImage(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_TokenizeImage",
            display_name="Tokenize Image",
            category="DRC/LaVIT",
            description="Turns pictures into codes. Drawn again from its codes a picture shows what the model sees of "
            "it: with LaVIT the test of a healthy installation.",
            inputs=[
                ModelSocket.Input("model", tooltip=MODEL_TOOLTIP),
                io.Image.Input("images", tooltip="Pictures of any size; LaVIT looks at 224 x 224 pixels of each."),
                io.Combo.Input(
                    "decision",
                    options=list(DECISIONS),
                    default=DECISIONS[0],
                    tooltip="For LaVIT: which parts of a picture get a code. drawn: by chance, each as often as LaVIT "
                    "thinks it is worth one, as the original does. likeliest: always the same.",
                ),
                host.fixed_seed("For the decision 'drawn': the same seed draws the same codes of a picture."),
                host.advanced(
                    io.Combo.Input(
                        "fit",
                        options=list(FITS),
                        default=FITS[0],
                        tooltip="For LaVIT: how a picture that is not square becomes one. squeezed: as the original "
                        "does. whole: centred on the colour of its own border, as the towers see it.",
                    )
                ),
                mask("images"),
            ],
            outputs=[
                TokensSocket.Output(
                    "tokens_seen", display_name="tokens", tooltip="For Tokens To Conditioning, or for Decode."
                )
            ],
            **host.newer(search_aliases=["encode", "VQ encode", "reconstruct"]),
        )

    @classmethod
    def execute(cls, model, images, decision, seed, fit, images_mask=None) -> io.NodeOutput:
        images = pictures_of(images, images_mask, "images")
        drawn, original, progress = decision == DECISIONS[0], fit == FITS[0], host.Progress(len(images))
        if not model.drc.lmm.variable_length:
            codes = [tokenize(model, images, list(range(len(images))), "images", progress)]
        else:
            codes = look(model, images, "images", seed if drawn else None, progress, original)
        return io.NodeOutput(Tokens(torch.cat(codes).to(host.intermediate_device()), model.drc.hash))


@guarded
class DRC_TokensToConditioning(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_TokensToConditioning",
            display_name="Tokens To Conditioning",
            category="DRC/LaVIT",
            description="Turns codes into what LaVIT's diffusion model draws from, for KSampler.",
            inputs=[
                ModelSocket.Input("model", tooltip=MODEL_TOOLTIP + " It must be a LaVIT."),
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
                io.Conditioning.Output("positive", display_name="positive", tooltip="For KSampler."),
                io.Conditioning.Output("negative", display_name="negative", tooltip="For KSampler: no picture at all."),
            ],
            **host.newer(search_aliases=["detokenise", "SDXL", "LaVIT decode"]),
        )

    @classmethod
    def execute(cls, model, tokens, diffusion_model, width, height) -> io.NodeOutput:
        model.require_diffusion()
        made_by(model, tokens=tokens)
        low = is_low_resolution(model, host.context_width(diffusion_model))
        host.load([model.decoder], len(tokens.codes) * model.drc.lmm.picture_codes * CONDITION_BYTES)
        conditions = model.drc.lmm.condition(tokens.codes.to(model.device), low)
        host.Progress(1).step_to(1)
        return io.NodeOutput(*(as_conditioning(one, width, height) for one in conditions))


CONDITION_BYTES = 64 * 1024  # for each code: features of all blocks, generously


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
