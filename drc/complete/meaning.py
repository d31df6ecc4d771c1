"""What the items of a list mean to a model: what a reference shows, what other hands drew, or words alone."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from ..data.picture_file import read
from ..drawings import Drawings, semantics, words_in
from ..familiar import is_unfamiliar, unfamiliar_told
from ..instruction import Semantics
from ..lmm.pictures import codes_of
from ..model import DRC
from ..pixels import from_pixels
from .names import TOLD, Item, some_of


class Meanings:
    """`drawings` is how many of other hands say what a word means, where there are some; 0: none."""

    def __init__(self, drc: DRC, drawings: int):
        self.drc, self.drawings = drc, drawings
        index = Drawings() if drawings else None
        self.index = index if index and index.is_read_by(drc) else None
        self.unfamiliar: set[str] = set()  # names of items whose reference was seen to be

    def codes(self, item: Item) -> Tensor | None:
        """Codes [k, N] of pictures of one thing; None where there is none but words. ValueError for a reference that
        is no picture."""
        if item.reference is not None:
            return codes_of(self.drc.lmm, [self.square(item)], self.drc.device)
        meaning = self.drawn_meaning(item.text)
        return None if meaning is None else self.index.of(meaning).codes[: self.drawings].to(self.drc.device)

    def drawn_meaning(self, text: str) -> int | None:
        """Which of the meanings of the index a text names."""
        parts = parts_of(text) if self.index else []
        return self.index.named(parts) if parts else None

    def square(self, item: Item) -> Tensor:
        """The reference as the model reads it, [3, size, size]."""
        if isinstance(item.reference, Path):
            square = from_pixels([read(item.reference, self.drc.lmm.image_size)])[0]
        else:
            square = self.drc.lmm.prepare(item.reference, f"the reference of '{item.name}'")
        if not self.drc.lmm.pretrained and is_unfamiliar(square):
            self.unfamiliar.add(item.name)
        return square

    def notes_of_references(self, items: Sequence[Item]) -> list[str]:
        """What a user should know of the references that were seen."""
        shown = [item.name for item in items if item.reference is not None]
        told = unfamiliar_told(
            len(self.unfamiliar.intersection(shown)), len(shown), f"reference{'s' * (len(shown) > 1)}"
        )
        return [f"{told} ({some_of([name for name in shown if name in self.unfamiliar])})"] if told else []

    def semantics(self, codes: Tensor | None) -> Semantics | None:
        return None if codes is None else semantics(self.drc, codes)

    def notes(self, items: Sequence[Item]) -> list[str]:
        """What a user should know of the words. ValueError for the first that a model cannot read to its end."""
        for item in (item for item in items if item.text):
            try:
                self.drc.encode_text(item.text)
            except ValueError as error:
                raise ValueError(f"line {item.line} of words has '{item.text}', whose {error}") from error
        alone = [item.text for item in items if item.text and item.reference is None]
        undrawn = [text for text in alone if self.drawn_meaning(text) is None]
        notes = self.notes_of_drawings(undrawn)
        if unknown := list(dict.fromkeys(word for text in undrawn for word in self.drc.unknown_words(text))):
            notes.append(f"the model never saw {some_of(unknown)}, and does not know what that means")
        return notes

    def notes_of_drawings(self, undrawn: Sequence[str]) -> list[str]:
        """Of words without a drawing, which are all of them where there is no index."""
        if self.index is None:
            told = "words alone say what to draw, as the drawings of other hands are codes of another model"
            return [told] if undrawn and self.drawings else []
        told = [f"{text}{self.near(text)}" for text in undrawn[:TOLD]]
        return [f"no drawing is called {some_of(told + undrawn[TOLD:])}: words alone say what it is"] if undrawn else []

    def near(self, text: str) -> str:
        near = self.index.near(parts_of(text))
        return f" (near: {', '.join(near)})" if near else ""


def parts_of(text: str) -> list[str]:
    """The words of a text as the index has them; none where it is in another script."""
    try:
        return words_in(text)
    except ValueError:
        return []
