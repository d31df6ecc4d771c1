"""Pictures and words on their way into a model: codes, the memory they take, the weights of a history, words that it
never saw."""

from collections.abc import Iterable, Iterator
from functools import partial

import torch
from torch import Tensor

from ..drc.interrupt import heard
from ..drc.lmm.pictures import PICTURES, codes_of
from . import host
from .progress import Progress
from .sockets import Model

TOLD_WORDS, TOLD_LETTERS = 5, 40  # of a text, in a message
MEMORY_PER_NUMBER = 32  # bytes for each number of the rows of a history: keys, values, queries and what is read


def squares_of(
    model: Model, images: list[Tensor], name: str, rows: Iterable[int] | None = None, original: bool = False
) -> Iterator[Tensor]:
    """The images [H, W, C] at the input `name`, or those of some `rows`, as the model reads them: [3, size, size].

    `original` is that of `prepare` of an LMM.
    """
    for row in range(len(images)) if rows is None else rows:
        work = partial(model.drc.lmm.prepare, images[row], f"picture {row + 1} of {name}", original)
        yield heard(work, host.check_interrupt)  # of a picture as large as there are some it takes seconds


class Unfamiliar:
    """Looks at squares on their way into a model, and tells of those that show nothing, and of those that are far from
    all that it learned; an LMM that was pretrained knows photographs."""

    def __init__(self, model: Model, name: str):
        self.looks, self.name, self.found, self.blank, self.count = not model.drc.lmm.pretrained, name, 0, 0, 0

    def look(self, squares: Iterable[Tensor]) -> Iterator[Tensor]:
        from ..drc.familiar import is_blank, is_unfamiliar

        for square in squares:
            self.count += 1
            self.found += self.looks and is_unfamiliar(square)
            self.blank += is_blank(square)
            yield square

    def sentences(self) -> tuple[str, str]:
        """Empty where all are familiar, and where all show something."""
        from ..drc.familiar import blank_told, unfamiliar_told

        return unfamiliar_told(self.found, self.count, self.name), blank_told(self.blank, self.count, self.name)


def tokenize(model: Model, squares: Iterable[Tensor], progress: Progress) -> Tensor:
    """Codes [n, N], on the load device, of what `squares_of` gives, a few at a time."""
    lmm = model.drc.lmm
    host.load([model.vision], lmm.vision.memory(PICTURES))
    return codes_of(lmm, squares, model.device, progress.step_to)


def tokenize_each(
    model: Model, images: list[Tensor], name: str, seed: int | None, progress: Progress, original: bool = True
) -> list[Tensor]:
    """Codes [1, N] of every picture; `seed` draws which parts get one, without it the likelier happens."""
    lmm, codes = model.drc.lmm, []
    if images:
        host.load([model.vision], lmm.vision.memory(1))
    for picture in squares_of(model, images, name, original=original):
        codes.append(lmm.tokenize(picture[None].to(model.device), None if seed is None else [seed]))
        progress.step_to(progress.bar.current + 1)
    return codes


def tower_bytes(model: Model, pictures: int) -> int:
    """Memory that the StyleTower takes for so many pictures beside its weights."""
    tower = model.drc.config.tower
    return pictures * tower.rows * tower.width * MEMORY_PER_NUMBER


def drawing_memory(model: Model, pictures: int) -> int:
    """Bytes that pictures take which become codes, and the drawing of so many others, beside the weights."""
    from ..drc.instruction import MOST_STREAMS, Instruction

    lmm, fusion = model.drc.lmm, model.drc.config.fusion
    vectors = torch.empty(MOST_STREAMS, fusion.instructions, fusion.output or fusion.width, device="meta")
    text = torch.empty(MOST_STREAMS, lmm.text_slots, device="meta")
    drawing = lmm.drawing_bytes(Instruction(vectors, text, torch.empty(MOST_STREAMS, device="meta"), ""), pictures)
    return lmm.vision.memory(PICTURES) + drawing


def read_weights(text: str, count: int) -> Tensor:
    """One number per picture -> [count]; empty text counts all the same."""
    from ..drc.data.folder import counted

    words = text.replace(",", " ").replace(";", " ").split()
    if not words:
        return torch.ones(count)
    try:
        weights = torch.tensor([float(word) for word in words])
    except ValueError:
        raise ValueError(
            f"weights is '{text}', expected numbers such as 1, 0.5, 2; correct it or leave it empty"
        ) from None
    if len(weights) != count:
        numbers, pictures = counted(len(weights), "number"), counted(count, "picture")
        raise ValueError(
            f"weights has {numbers}, but history has {pictures}; give one number per picture or leave it empty"
        )
    if not (weights.sum().isfinite() & (weights >= 0)).all():
        raise ValueError(f"weights is '{text}', expected numbers of 0 or more; use 0 to leave a picture out")
    if not weights.any():
        raise ValueError(
            f"weights is '{text}', which leaves every picture out; give one picture at least a number above 0"
        )
    return weights


def tell_unknown_words(hidden, model: Model, text: str) -> None:
    """Says on the node which words of a text the model never saw; whatever it draws, they mean nothing to it."""
    words = model.drc.unknown_words(text)
    if words:
        more = f" and {len(words) - TOLD_WORDS} more words" if len(words) > TOLD_WORDS else ""
        shown = ", ".join(word[:TOLD_LETTERS] for word in words[:TOLD_WORDS])
        host.show_text(hidden, f"The model never saw {shown}{more}, and does not know what that means")
