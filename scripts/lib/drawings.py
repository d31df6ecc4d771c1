"""Which drawings of the icon matrix stand in the index of drawings, and under which names."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np
from scipy import ndimage

from drc.data.icons import Icons, IconStyle
from drc.drawings import key, singular, words_in
from drc.instruction import HANDS

STEP = 2  # every so many pixels are looked at when drawings are compared
BLUR = 2  # of these, so that lines of two hands meet
SPECIAL = {"pixel", "pixelarticons", "memory", "picon", "cyber", "freehand", "block", "thin", "light"}
"""In the names of styles: squares, effects, and lines so thin that codes lose them."""
CAREFUL = 100  # meanings that a family draws at least: large sets are the careful ones
KINDS = (False, True, None, None)  # whether the first drawing, and the next, is to be a filled one, if there is such
FILLED = 0.6  # of what its outline holds is ink in a filled drawing
SYNONYMS = {
    "aircraft": "airplane", "boat": "sailboat", "cycle": "bicycle", "pushbike": "bicycle", "dustbin": "trash",
    "rubbish bin": "trash", "lorry": "truck", "settee": "sofa", "rucksack": "backpack", "torch": "flashlight",
}  # fmt: skip
"""What no set calls it, but people do."""
MARKED = 0.5  # of the names of a style end in a word that says the style, not the thing


def is_plain(style: IconStyle) -> bool:
    """Of hands that training may see, in one colour without tones or effects."""
    odd = not SPECIAL.isdisjoint(re.split("[-/]", style.name))
    return style.split == "train" and not (style.colour or style.tones or odd)


def chosen(icons: Icons) -> dict[str, list[int]]:
    """Meaning to the rows of up to three drawings, each of another family: the most typical outlined one, the most
    typical filled one, then the most typical of the rest."""
    draws = defaultdict(set)  # family to its meanings
    rows = defaultdict(list)  # meaning to its rows
    for (name, meaning), row in icons.rows.items():
        style = icons.styles[name]
        if is_plain(style):
            draws[style.family].add(meaning)
            rows[meaning].append(row)
    careful = {family for family, meanings in draws.items() if len(meanings) >= CAREFUL}
    return {meaning: typical(icons, some, careful) for meaning, some in sorted(rows.items())}


def typical(icons: Icons, rows: list[int], careful: set[str]) -> list[int]:
    families = [icons.styles[icons.cells[row].style].family for row in rows]
    ink = np.stack([icons.images[row, ::STEP, ::STEP, 1] < 128 for row in rows])
    held = np.stack([ndimage.binary_fill_holes(one) for one in ink])
    is_filled = ink.sum(axis=(1, 2)) >= FILLED * held.sum(axis=(1, 2))
    likeness = likeness_of(ink, held, np.array(families))
    order = sorted(range(len(rows)), key=lambda one: (families[one] not in careful, -likeness[one]))
    found: list[int] = []
    for wanted in KINDS:
        others = {families[one] for one in found}
        fitting = (one for one in order if families[one] not in others and wanted in (None, is_filled[one]))
        found += [*fitting][:1]
    return [rows[one] for one in found[:HANDS]]


def likeness_of(ink: np.ndarray, held: np.ndarray, families: np.ndarray) -> np.ndarray:
    """How like each drawing [n, S, S] is to the mean of all families, seen from afar, lines and what they hold counting
    the same; one of another sense is like few."""
    shapes = ndimage.gaussian_filter((ink + held) / 2, (0, BLUR, BLUR))[:, :: STEP * 2, :: STEP * 2]
    shapes = shapes.reshape(len(shapes), -1) + 1e-6
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    mean = np.mean([shapes[families == family].mean(axis=0) for family in np.unique(families)], axis=0)
    return shapes @ mean


def names_of(manifest: dict, styles: Iterable[str]) -> dict[str, Counter]:
    """Meaning to what the sets call it, as words in their order, by the number of families that do."""
    found = defaultdict(lambda: defaultdict(set))
    for name in styles:
        style = manifest["styles"][name]
        for meaning, words in unmarked(style["icons"]).items():
            found[meaning][" ".join(words)].add(style["family"])
    return {meaning: Counter({name: len(its) for name, its in names.items()}) for meaning, names in found.items()}


def unmarked(icons: dict[str, str]) -> dict[str, list[str]]:
    """The words of a style's names without those that say the style, such as "filled" at the end of most."""
    names = {meaning: name.split("-") for meaning, name in icons.items()}
    for end in (-1, 0):
        while mark := mark_at(end, names.values()):
            for words in names.values():
                if len(words) > 1 and words[end] == mark:
                    del words[end]
    return names


def mark_at(end: int, names: Iterable[list[str]]) -> str:
    names = list(names)
    counts = Counter(words[end] for words in names if len(words) > 1)
    word, count = counts.most_common(1)[0] if counts else ("", 0)
    return word if count > MARKED * len(names) else ""


def shown(meaning: str, names: Counter) -> str:
    """The meaning with its words in the order in which most write them; as it is where nobody does."""
    for name, _ in names.most_common():
        if sorted(name.split()) == sorted(meaning.split()):
            return name
    return meaning


def keys(meanings: list[str], names: dict[str, Counter]) -> dict[str, int]:
    """Every key that finds a meaning; where two have one, the meaning's own name goes first, then what more families
    say."""
    asked: dict[str, tuple[int, int]] = {}

    def offer(name: str, votes: int, index: int) -> None:
        if name and votes > asked.get(name, (0, 0))[0]:
            asked[name] = votes, index

    for index, meaning in enumerate(meanings):
        for name, votes in [(meaning, 10_000), *sorted(names[meaning].items())]:
            parts = words_in(name)
            offer(key(parts), 3 * votes, index)
            offer("".join(parts), 3 * votes - 1, index)
            offer(key(map(singular, parts)), 3 * votes - 2, index)
    for name, meaning in SYNONYMS.items():
        if meaning in meanings:
            offer(key(name.split()), 1, meanings.index(meaning))
    return {name: index for name, (_, index) in asked.items()}
