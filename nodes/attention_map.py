"""Attention Map: what the towers read in the pictures."""

from ..drc.pixels import to_pixels
from . import host
from .encode import read_weights, squares_of, tokenize
from .guard import guarded
from .host import io
from .pictures import history_and_reference, mask
from .progress import Progress
from .sockets import Model
from .widgets import SQUARE_TOOLTIP, line, model_input

LEGEND = "dark: read least, glowing: read most; percent: of all that was read of the history"


@guarded
class DRC_AttentionMap(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_AttentionMap",
            display_name="Attention Map",
            category="DRC/looking closer",
            description="Shows which parts of which picture the towers read. What glows got the most attention.",
            inputs=[
                model_input(),
                io.Image.Input(
                    "history", optional=True, tooltip="The pictures that you give to StyleTower. " + SQUARE_TOOLTIP
                ),
                io.Image.Input("reference", optional=True, tooltip="The picture that you give to SemanticTower."),
                line("weights", "", "As in StyleTower.", optional=True),
                mask("history"),
                mask("reference"),
            ],
            outputs=[
                io.Image.Output(
                    "map_out",
                    display_name="map",
                    tooltip="Each picture with its share of the attention, and below it what its parts got.",
                )
            ],
            is_input_list=True,
            **host.newer(search_aliases=["heat map", "explain", "saliency"]),
        )

    @classmethod
    def execute(
        cls, model, history=None, reference=None, weights="", history_mask=None, reference_mask=None
    ) -> io.NodeOutput:
        from ..drc.plots.sheet import contact_sheet, status_strip

        model.require_own_pictures()
        model.drc.require_trained_towers()
        history, reference = history_and_reference(history, history_mask, reference, reference_mask)
        if not history and not reference:
            raise ValueError("neither history nor reference is connected; connect one of them or both")
        progress = Progress(len(history) + len(reference))
        columns = []
        if history:
            columns += of_history(model, history, read_weights(weights, len(history)), progress)
        if reference:
            columns += of_reference(model, reference, progress)
        heads, pictures, maps = zip(*columns, strict=True)
        sheet = contact_sheet([list(pictures), list(maps)], list(heads))
        return io.NodeOutput(host.as_images([status_strip(sheet, LEGEND)]))


def of_history(model: Model, history, weights, progress) -> list[tuple]:
    """Head, picture and map of each picture of a history."""
    from ..drc.attention_map import style_attention

    codes = tokenize(model, squares_of(model, history, "history"), progress)
    host.load([model.language, model.disentangler], 0)
    shares = style_attention(model.drc, codes, weights.to(model.device)).cpu()
    return columns_of(model, codes, shares, [f"{100 * share:.0f} %" for share in shares.sum(dim=1).tolist()])


def of_reference(model: Model, reference, progress) -> list[tuple]:
    from ..drc.attention_map import semantic_attention

    codes = tokenize(model, squares_of(model, reference, "reference"), progress)
    host.load([*model.seeing, model.disentangler], 0)
    return columns_of(model, codes, semantic_attention(model.drc, codes[0]).cpu()[None], ["reference"])


def columns_of(model: Model, codes, shares, heads: list[str]) -> list[tuple]:
    """Pictures as the model sees them, and their maps: dark where there was the least attention, glowing where most."""
    from ..drc.attention_map import heat

    host.load([model.vision], 0)
    pictures = to_pixels(model.drc.lmm.detokenize(codes))
    ends = float(shares.min()), float(shares.max())
    maps = []
    for picture, share in zip(pictures, shares, strict=True):
        host.check_interrupt()
        maps.append(heat(picture, share.numpy(), *ends))
    return list(zip(heads, pictures, maps, strict=True))
