"""Guidance Grid and Attention Map: what the dials do, and where the towers looked."""

import torch

from ..drc.pixels import from_image, to_pixels
from . import host
from .guard import guarded
from .host import io
from .personalize import MODEL_TOOLTIP, SQUARE_TOOLTIP, read_weights, require_one, tell_unknown_words, tokenize
from .pictures import mask, pictures_of
from .sockets import Model, ModelSocket, SemanticsSocket, StyleSocket, made_by, to
from .tokens import temperature

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
                ModelSocket.Input("model", tooltip=MODEL_TOOLTIP),
                StyleSocket.Input("style", tooltip="From StyleTower."),
                SemanticsSocket.Input("semantics", tooltip="From SemanticTower."),
                io.String.Input("text", multiline=True, default="", tooltip="As in ComposeInstruction."),
                io.String.Input(
                    "style_strengths",
                    default="0, 1, 2, 4",
                    tooltip="The style strengths to try, from left to right.",
                ),
                io.String.Input(
                    "semantic_strengths",
                    default="0, 1, 3",
                    tooltip="The semantic strengths to try, from top to bottom.",
                ),
                host.fixed_seed("The seed of all pictures."),
                host.advanced(temperature("As in DRC-LMM-Generate.")),
            ],
            outputs=[
                io.Image.Output("sheet", display_name="grid", tooltip="All pictures as one table."),
                io.Image.Output("pictures", display_name="IMAGE", tooltip="The pictures row by row, as a batch."),
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
        made_by(model, style=style, semantics=semantics)
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


def read_strengths(text: str, name: str) -> list[float]:
    words = text.replace(",", " ").replace(";", " ").split()
    try:
        strengths = [float(word) for word in words]
    except ValueError:
        strengths = []
    if not strengths or not all(0 <= strength <= 10 for strength in strengths):
        raise ValueError(f"{name} is '{text}', expected numbers from 0 to 10 such as 0, 1, 3; correct it")
    return strengths


def draw_grid(
    model: Model, style, semantics, text: str, strengths: list[tuple[float, float]], seed: int, temperature: float
) -> torch.Tensor:
    """IMAGE [cells, H, W, 3] for pairs of style and semantic strength."""
    from ..drc.lmm.generate import Sampling

    lmm, drawn = model.drc.lmm, []
    progress = host.Progress(len(strengths) * lmm.picture_codes)
    for first in range(0, len(strengths), CELLS):
        some = strengths[first : first + CELLS]
        host.load([model.disentangler], 0)
        made = [model.drc.compose(style, semantics, text, *pair, device=model.device) for pair in some]
        host.load([model.language, model.vision], 0)

        def on_code(count, codes, before=first * lmm.picture_codes, pictures=some):
            progress.step_to(before + count * len(pictures))

        pictures = model.drc.draw_each(made, [seed] * len(some), Sampling(temperature), on_code)
        drawn.append(pictures.to(host.intermediate_device()))
    return torch.cat(drawn)


@guarded
class DRC_AttentionMap(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_AttentionMap",
            display_name="Attention Map",
            category="DRC/looking closer",
            description="Shows which parts of which picture the towers looked at. What glows was read.",
            inputs=[
                ModelSocket.Input("model", tooltip=MODEL_TOOLTIP),
                io.Image.Input(
                    "history", optional=True, tooltip="The pictures that you give to StyleTower. " + SQUARE_TOOLTIP
                ),
                io.Image.Input("reference", optional=True, tooltip="The picture that you give to SemanticTower."),
                io.String.Input("weights", optional=True, default="", tooltip="As in StyleTower."),
                mask("history"),
                mask("reference"),
            ],
            outputs=[
                io.Image.Output(
                    "sheet",
                    display_name="map",
                    tooltip="Each picture, and below it where its tower looked, with the share of the whole history.",
                )
            ],
            is_input_list=True,
            **host.newer(search_aliases=["heat map", "explain", "saliency"]),
        )

    @classmethod
    def execute(
        cls, model, history=None, reference=None, weights="", history_mask=None, reference_mask=None
    ) -> io.NodeOutput:
        from ..drc.plots.sheet import contact_sheet

        model.require_own_pictures()
        model.drc.require_trained_towers()
        given = {"history": (history, history_mask), "reference": (reference, reference_mask)}
        given = {name: pictures_of(*some, name) for name, some in given.items() if some[0] is not None}
        if not given:
            raise ValueError("neither history nor reference is connected; connect one of them or both")
        history, reference = given.get("history", []), given.get("reference", [])
        require_one(reference)
        progress = host.Progress(len(history) + len(reference))
        columns = []
        if history:
            columns += of_history(model, history, read_weights(weights, len(history)), progress)
        if reference:
            columns += of_reference(model, reference, progress)
        heads, pictures, maps = zip(*columns, strict=True)
        return io.NodeOutput(host.as_images([contact_sheet([list(pictures), list(maps)], list(heads))]))


def of_history(model: Model, history, weights, progress) -> list[tuple]:
    """Head, picture and map of each picture of a history."""
    from ..drc.attention import style_attention

    codes = tokenize(model, history, list(range(len(history))), "history", progress)
    host.load([model.language, model.disentangler], 0)
    shares = style_attention(model.drc, codes, weights.to(model.device)).cpu()
    return columns_of(model, codes, shares, [f"{100 * share:.0f} %" for share in shares.sum(dim=1).tolist()])


def of_reference(model: Model, reference, progress) -> list[tuple]:
    from ..drc.attention import semantic_attention

    codes = tokenize(model, reference, [0], "reference", progress)
    host.load([model.language, model.disentangler], 0)
    return columns_of(model, codes, semantic_attention(model.drc, codes[0]).cpu()[None], ["reference"])


def columns_of(model: Model, codes, shares, heads: list[str]) -> list[tuple]:
    """Pictures as the model sees them, and their maps: dark where least was looked, glowing where most was."""
    from ..drc.attention import heat

    host.load([model.vision], 0)
    pictures = to_pixels(model.drc.lmm.detokenize(codes))
    ends = float(shares.min()), float(shares.max())
    maps = []
    for picture, share in zip(pictures, shares, strict=True):
        host.check_interrupt()
        maps.append(heat(picture, share.numpy(), *ends))
    return list(zip(heads, pictures, maps, strict=True))
