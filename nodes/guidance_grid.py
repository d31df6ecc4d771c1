"""Guidance Grid: what the two strengths do, as one table of pictures."""

import torch

from ..drc.pixels import from_image, to_pixels
from . import host
from .encode import tell_unknown_words
from .guard import guarded
from .host import io
from .progress import Progress
from .sockets import Model, SemanticsSocket, StyleSocket, to
from .widgets import AS_COMPOSED, STRONGEST, fixed_seed, line, lines, model_input, read_strengths, temperature

CELLS = 8  # of a grid, drawn at once
MOST_CELLS = 100


@guarded
class DRC_GuidanceGrid(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_GuidanceGrid",
            display_name="Guidance Grid",
            category="DRC/looking closer",
            description="Draws one picture for each pair of strengths, all from the same seed, as one table: to the "
            "right the style gets stronger, downwards the meaning.",
            inputs=[
                model_input(),
                StyleSocket.Input("style", tooltip="From StyleTower."),
                SemanticsSocket.Input("semantics", tooltip="From SemanticTower."),
                lines("text", AS_COMPOSED),
                line(
                    "style_strengths",
                    "0, 1, 2, 4",
                    f"The style strengths to try, from left to right: numbers from 0 to {STRONGEST:g}.",
                ),
                line(
                    "semantic_strengths",
                    "0, 2, 4",
                    f"The semantic strengths to try, from top to bottom: numbers from 0 to {STRONGEST:g}.",
                ),
                fixed_seed("The seed of all pictures."),
                host.advanced(temperature()),
            ],
            outputs=[
                io.Image.Output("grid_out", display_name="grid", tooltip="All pictures as one table."),
                io.Image.Output("image_out", display_name="IMAGE", tooltip="The pictures row by row, as a batch."),
            ],
            hidden=[io.Hidden.unique_id],
            **host.newer(search_aliases=["XY plot", "compare strengths", "guidance"]),
        )

    @classmethod
    def execute(
        cls, model, style, semantics, text, style_strengths, semantic_strengths, seed, temperature
    ) -> io.NodeOutput:
        from ..drc.plots.sheet import contact_sheet

        model.require_own_pictures()
        columns = read_strengths(style_strengths, "style_strengths")
        rows = read_strengths(semantic_strengths, "semantic_strengths")
        if len(rows) * len(columns) > MOST_CELLS:
            raise ValueError(
                f"the grid has {len(rows)} x {len(columns)} pictures, expected at most {MOST_CELLS}; name fewer "
                "strengths"
            )
        strengths = [(column, row) for row in rows for column in columns]
        given = to(style, model.device), to(semantics, model.device)
        tell_unknown_words(cls.hidden, model, text)
        pictures = draw_grid(model, *given, text, strengths, seed, temperature)
        cells = list(to_pixels(from_image(pictures)))
        table = [cells[first : first + len(columns)] for first in range(0, len(cells), len(columns))]
        heads = [f"style {strength:g}" for strength in columns]
        sheet = contact_sheet(table, heads, [f"semantics {strength:g}" for strength in rows])
        return io.NodeOutput(host.as_images([sheet]), pictures)


def draw_grid(
    model: Model, style, semantics, text: str, strengths: list[tuple[float, float]], seed: int, temperature: float
) -> torch.Tensor:
    """IMAGE [cells, H, W, 3] for pairs of style and semantic strength."""
    from ..drc.lmm.generate import Sampling

    lmm, drawn = model.drc.lmm, []
    progress = Progress(len(strengths) * lmm.picture_codes)
    for first in range(0, len(strengths), CELLS):
        some = strengths[first : first + CELLS]
        of_style, of_semantics = map(list, zip(*some, strict=True))
        host.load([model.disentangler, model.language, model.vision], 0)

        def on_code(count, codes, before=first * lmm.picture_codes, pictures=some):
            progress.step_to(before + count * len(pictures))

        seeds, sampling = [seed] * len(some), Sampling(temperature)
        pictures = model.drc.draw(style, semantics, text, of_style, of_semantics, seeds, sampling, on_code)
        drawn.append(pictures.to(host.intermediate_device()))
    return torch.cat(drawn)
