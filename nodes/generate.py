"""DRC-LMM-Generate: from an instruction to codes."""

from ..drc.instruction import AUTOMATIC, OPEN_TEMPERATURE, TEMPERATURE
from ..drc.seeds import SEEDS
from . import host
from .guard import guarded
from .host import io
from .progress import Progress
from .sockets import InstructionSocket, Tokens, TokensSocket, to
from .widgets import model_input, temperature, whole_number

NOT_RECORDED = "cuda_graph is on, but not all of the language model lies on an NVIDIA card: no step is recorded."
NOT_COMPILED = "compile_step is on, but cuda_graph is off: nothing is compiled."


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
                model_input(),
                InstructionSocket.Input("instruction", tooltip="From ComposeInstruction."),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=SEEDS - 1,
                    control_after_generate=True,
                    tooltip="The same seed draws the same picture; another seed draws another one.",
                ),
                whole_number(
                    "batch_size",
                    1,
                    1,
                    64,
                    "How many pictures to draw. They use seed, seed + 1, seed + 2 and so on.",
                ),
                host.advanced(
                    temperature(
                        "Lower is tidier, higher is more surprising; 0 always takes the likeliest code. "
                        f"{AUTOMATIC:g} chooses: {TEMPERATURE:g} where a reference shows what to draw, "
                        f"{OPEN_TEMPERATURE:g} where none does, as lower would leave the picture empty."
                    )
                ),
                host.advanced(
                    whole_number(
                        "top_k",
                        0,
                        0,
                        65536,
                        "Each code is drawn from this many of the likeliest. 0: from all.",
                    )
                ),
                host.advanced(
                    io.Float.Input(
                        "top_p",
                        default=1.0,
                        min=0.01,
                        max=1.0,
                        step=0.01,
                        tooltip="Each code is drawn from the likeliest ones whose probabilities add up to this. "
                        "1: from all.",
                    )
                ),
            ],
            outputs=[
                TokensSocket.Output("tokens_out", display_name="tokens", tooltip="The drawn codes, for DRC Decode.")
            ],
            hidden=[io.Hidden.unique_id],
            **host.newer(search_aliases=["sampler", "autoregressive", "LMM", "personalised generation"]),
        )

    @classmethod
    def execute(cls, model, instruction, seed, batch_size, temperature, top_k, top_p) -> io.NodeOutput:
        from ..drc.lmm.generate import Sampling

        lmm = model.drc.lmm
        progress = Progress(lmm.picture_codes)

        def on_code(drawn, codes):
            progress.step_to(drawn, (lambda: lmm.preview(codes[:1])[0]) if lmm.draws_pixels else None)

        parts = [model.language, model.vision] if lmm.draws_pixels else [model.language]
        host.load(parts, lmm.drawing_bytes(instruction, batch_size))
        there = to(instruction, model.device)
        seeds = [seed + index for index in range(batch_size)]
        graph = model.graph and host.is_resident(model.language)
        if model.graph and not graph:
            host.show_text(cls.hidden, NOT_RECORDED)
        elif model.compiles and not model.graph:
            host.show_text(cls.hidden, NOT_COMPILED)
        sampling = Sampling(temperature, top_k, top_p).of(there)
        codes = lmm.draw(there, seeds, sampling, on_code, graph, model.compiles)
        if lmm.variable_length:  # a picture may have fewer codes than there could be
            progress.step_to(lmm.picture_codes)
        return io.NodeOutput(Tokens(codes.to(host.intermediate_device()), model.drc.hash))
