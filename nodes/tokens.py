"""DRC-LMM-Generate and Decode: from an instruction to codes, from codes to pictures."""

import torch

from ..drc.instruction import TEMPERATURE
from ..drc.pixels import to_image
from . import host
from .guard import guarded
from .host import io
from .personalize import CHUNK, MEMORY_PER_PIXEL, MODEL_TOOLTIP
from .sockets import InstructionSocket, ModelSocket, Tokens, TokensSocket, made_by, to


def temperature(tooltip: str) -> io.WidgetInput:
    return io.Float.Input("temperature", default=TEMPERATURE, min=0.0, max=2.0, step=0.05, tooltip=tooltip)


@guarded
class DRC_LMMGenerate(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_LMMGenerate",
            display_name="DRC-LMM-Generate",
            category="DRC",
            description="Lets the multimodal language model draw a picture as instructed, one code after another.",
            inputs=[
                ModelSocket.Input("model", tooltip=MODEL_TOOLTIP),
                InstructionSocket.Input("instruction", tooltip="From ComposeInstruction."),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=host.SEEDS - 1,
                    control_after_generate=True,
                    tooltip="The same seed draws the same picture; another seed draws another one.",
                ),
                io.Int.Input(
                    "batch_size",
                    default=1,
                    min=1,
                    max=64,
                    tooltip="How many pictures to draw. They use seed, seed + 1, seed + 2 and so on.",
                ),
                host.advanced(
                    temperature(
                        "Lower is tidier, higher is more surprising. 0 always takes the likeliest code, whatever the "
                        "seed."
                    )
                ),
                host.advanced(
                    io.Int.Input(
                        "top_k",
                        default=0,
                        min=0,
                        max=65536,
                        tooltip="Only the so many likeliest codes are drawn from. 0: all of them.",
                    )
                ),
                host.advanced(
                    io.Float.Input(
                        "top_p",
                        default=1.0,
                        min=0.01,
                        max=1.0,
                        step=0.01,
                        tooltip="Only the likeliest codes that together have this share of the chances are drawn from. "
                        "1: all of them.",
                    )
                ),
            ],
            outputs=[
                TokensSocket.Output("tokens_drawn", display_name="tokens", tooltip="The drawn codes, for Decode.")
            ],
            **host.newer(search_aliases=["sampler", "autoregressive", "LMM", "personalised generation"]),
        )

    @classmethod
    def execute(cls, model, instruction, seed, batch_size, temperature, top_k, top_p) -> io.NodeOutput:
        from ..drc.lmm.generate import Sampling

        lmm = model.drc.lmm
        progress = host.Progress(lmm.picture_codes)

        def on_code(drawn, codes):
            progress.step_to(drawn, (lambda: lmm.preview(codes[:1])[0]) if lmm.draws_pixels else None)

        made_by(model, instruction=instruction)
        parts = [model.language, model.vision] if lmm.draws_pixels else [model.language]
        host.load(parts, lmm.drawing_bytes(instruction, batch_size))
        there = to(instruction, model.device)
        seeds = [seed + index for index in range(batch_size)]
        graph = model.graph and host.is_resident(model.language)
        codes = lmm.draw(there, seeds, Sampling(temperature, top_k, top_p), on_code, graph)
        if lmm.variable_length:  # a picture may have fewer codes than there could be
            progress.step_to(lmm.picture_codes)
        return io.NodeOutput(Tokens(codes.to(host.intermediate_device()), model.drc.hash))


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
                ModelSocket.Input("model", tooltip=MODEL_TOOLTIP),
                TokensSocket.Input("tokens", tooltip="From DRC-LMM-Generate or Tokenize Image."),
            ],
            outputs=[io.Image.Output("pictures", display_name="IMAGE", tooltip="The pictures, as many as tokens.")],
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
        host.load([model.vision], CHUNK * lmm.image_size**2 * MEMORY_PER_PIXEL)
        progress = host.Progress(len(tokens.codes))
        images = []
        for codes in tokens.codes.split(CHUNK):
            images.append(lmm.detokenize(codes.to(model.device)).to(host.intermediate_device()))
            progress.step_to(len(images) * CHUNK)
        return io.NodeOutput(to_image(torch.cat(images)))
