"""DRC-LMM-Generate and Decode: from an instruction to codes, from codes to pictures."""

import torch

from . import host
from .host import io
from .personalize import CHUNK, MEMORY_PER_PIXEL, MODEL_TOOLTIP
from .sockets import InstructionSocket, ModelSocket, Tokens, TokensSocket, errors_of, made_by, to

SEEDS = 2**64


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
                    max=SEEDS - 1,
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
                    io.Float.Input(
                        "temperature",
                        default=0.8,
                        min=0.0,
                        max=2.0,
                        step=0.05,
                        tooltip="Lower is tidier, higher is more surprising. 0 always takes the likeliest code, "
                        "whatever the seed.",
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
        from ..drc.lmm.generate import Sampling, generate
        from ..drc.pixels import unfinished

        with errors_of("DRC-LMM-Generate"):
            made_by(model, instruction=instruction)
        lmm = model.drc.lmm
        host.load([model.language, model.vision], cache_bytes(lmm, instruction, batch_size))
        progress = host.Progress(lmm.picture_codes)

        def on_code(drawn, codes):
            progress.step_to(drawn, lambda: unfinished(lmm, codes[:1])[0])

        there = to(instruction, model.device)
        seeds = [(seed + index) % SEEDS for index in range(batch_size)]
        sampling = Sampling(temperature, top_k, top_p)
        codes = generate(lmm, there.text, there.vectors, there.coefficients, seeds, sampling, on_code)
        return io.NodeOutput(Tokens(codes.to(host.intermediate_device()), model.drc.hash))


def cache_bytes(lmm, instruction, batch_size: int) -> int:
    """Memory of the keys and values of a whole drawing, measured on the device that takes none."""
    length = instruction.text.shape[1] + instruction.vectors.shape[1] + lmm.picture_codes + 1
    like = torch.empty(0, dtype=instruction.vectors.dtype, device="meta")
    return lmm.cache(batch_size * len(instruction.coefficients), length, like).tensor.nbytes


class DRC_DecodeTokens(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_DecodeTokens",
            display_name="Decode",
            category="DRC",
            description="Turns drawn codes into pictures.",
            inputs=[
                ModelSocket.Input("model", tooltip=MODEL_TOOLTIP),
                TokensSocket.Input("tokens", tooltip="From DRC-LMM-Generate."),
            ],
            outputs=[io.Image.Output("pictures", display_name="IMAGE", tooltip="The pictures, one per seed.")],
            **host.newer(search_aliases=["detokenise", "VQ decode"]),
        )

    @classmethod
    def execute(cls, model, tokens) -> io.NodeOutput:
        with errors_of("Decode"):
            made_by(model, tokens=tokens)
        lmm = model.drc.lmm
        host.load([model.vision], CHUNK * lmm.image_size**2 * MEMORY_PER_PIXEL)
        progress = host.Progress(len(tokens.codes))
        images = []
        for codes in tokens.codes.split(CHUNK):
            images.append(lmm.detokenize(codes.to(model.device)).to(host.intermediate_device()))
            progress.step_to(len(images) * CHUNK)
        return io.NodeOutput(torch.cat(images).permute(0, 2, 3, 1).contiguous())
