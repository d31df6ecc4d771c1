"""StyleTower: from the pictures of a history to their style."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from . import host
from .encode import Unfamiliar, read_weights, squares_of, tokenize, tower_bytes
from .guard import guarded
from .host import io
from .pictures import history_and_reference, mask
from .progress import Later, Progress
from .sockets import Model, StyleSocket, to
from .widgets import SQUARE_TOOLTIP, line, model_input

AUTO = "auto"


@guarded
class DRC_StyleTower(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_StyleTower",
            display_name="StyleTower",
            category="DRC",
            description="Finds the style that the pictures of a history have in common.",
            inputs=[
                model_input(),
                io.Image.Input(
                    "history",
                    tooltip="Pictures in the style you like, as one batch or one list of any length. Their order does "
                    "not matter. " + SQUARE_TOOLTIP,
                ),
                line(
                    "weights",
                    "",
                    "How much each picture counts, one number per picture, for example 1, 0.5, 2. "
                    "0 leaves a picture out. Empty: all count the same. auto: those that show something close to the "
                    "reference count more, and the node says how much.",
                    optional=True,
                ),
                mask("history"),
                io.Image.Input(
                    "reference",
                    optional=True,
                    tooltip="Only for the weights auto: the picture that you give to SemanticTower.",
                ),
                mask("reference"),
            ],
            outputs=[
                StyleSocket.Output("style_out", display_name="style", tooltip="The style, for ComposeInstruction.")
            ],
            hidden=[io.Hidden.unique_id],
            is_input_list=True,
            **host.newer(search_aliases=["style reference", "style transfer", "IP adapter", "history", "icon"]),
        )

    @classmethod
    def execute(
        cls, model, history, weights="", history_mask=None, reference=None, reference_mask=None
    ) -> io.NodeOutput:
        model.drc.require_trained_towers()
        history, reference = history_and_reference(history, history_mask, reference, reference_mask)
        auto = weights.strip().casefold() == AUTO
        if auto and not reference:
            raise ValueError(
                f"weights is '{weights}', but no picture is at reference; connect the one that SemanticTower gets"
            )
        numbers = read_weights("" if auto else weights, len(history))
        kept = numbers.nonzero().flatten().tolist()
        progress = Progress((3 if auto else 2) * len(kept))  # each becomes codes, then attends to the others
        unfamiliar, small = Unfamiliar(model, "history"), []
        squares = unfamiliar.look(squares_of(model, history, "history", kept))
        codes = tokenize(model, seen_small(squares, small) if weights.strip() else squares, progress)
        host.load([model.language, model.disentangler], tower_bytes(model, len(kept)))
        shares = by_closeness(model, codes, reference, progress) if auto else numbers[kept].to(model.device)
        done = progress.total - len(kept)
        style = model.drc.style(codes, shares, lambda pictures: progress.step_to(done + pictures))
        text = host.show_lines(cls.hidden, weights_told(shares) if auto else "", *unfamiliar.sentences())
        shown = ({} if text is None else text.as_dict()) | weights_shown(small, kept, shares)
        return io.NodeOutput(to(style, host.intermediate_device()), ui=shown or None)


def by_closeness(model: Model, codes: Tensor, reference: list[Tensor], progress: Progress) -> Tensor:
    """Weights of a history's codes [n, N] by how close they are to the reference."""
    from ..drc.closeness import closeness, weights_of

    lmm = model.drc.lmm
    host.load([model.vision], lmm.vision.memory(1))
    (square,) = squares_of(model, reference, "reference")
    (code,) = lmm.tokenize(square[None].to(model.device))
    host.load([*model.seeing, model.disentangler], tower_bytes(model, len(codes)))
    later = Later(progress, len(codes))
    return weights_of(closeness(model.drc, codes, code, later.step_to))


def seen_small(squares: Iterable[Tensor], small: list) -> Iterator[Tensor]:
    """The same; `small` gets each as pixels of a thumbnail."""
    from ..drc.pixels import resized, to_pixels
    from ..drc.style_card import THUMBNAIL

    for square in squares:
        small.append(to_pixels(resized(square[None], min(THUMBNAIL, square.shape[-1])))[0])
        yield square


def weights_shown(small: list, kept: list[int], weights: Tensor) -> dict:
    """For a node's `ui` a grid of thumbnails, each with its number in the history and its weight; those that count most
    where there are very many."""
    from ..drc.plots.sheet import numbered_sheet
    from ..drc.style_card import MOST_PICTURES, labels

    if not small:
        return {}
    every = weights.new_zeros(max(kept) + 1).index_copy(0, torch.tensor(kept, device=weights.device), weights)
    most = sorted(weights.argsort(descending=True, stable=True)[:MOST_PICTURES].tolist())
    names = labels(every)
    return host.show_picture(numbered_sheet([small[n] for n in most], [names[kept[n]] for n in most])).as_dict()


def weights_told(weights: Tensor) -> str:
    from ..drc.style_card import labels

    return f"Weights, by closeness to the reference: {', '.join(labels(weights))}"
