"""Sharing out the fonts, palettes, layouts and words of the posters: what drc/data/poster_splits.json holds."""

from pathlib import Path

import numpy as np

from ..emoji.splits import clusters, split_meanings
from . import fonts, layouts, palettes, words

LEVELS = {
    "font": fonts.FONTS,
    "palette": tuple(palettes.PALETTES),
    "layout": tuple(layouts.LAYOUTS),
    "word": words.WORDS,
}
NEAR_DUPLICATE = {"font": 0.8, "palette": 0.8, "layout": 0.9, "word": 0.55}
"""Likeness above which two levels are one cluster; each module's `alike` says how it is measured."""


def likeness(factor: str, packages: Path) -> np.ndarray:
    """[levels, levels] of one of LEVELS; `packages` as for Studio, only fonts need it."""
    names = list(LEVELS[factor])
    if factor == "font":
        return fonts.alike(packages, names)
    return {"palette": palettes, "layout": layouts, "word": words}[factor].alike(names)


def share_out(factor: str, alike: np.ndarray) -> dict[str, tuple[str, str]]:
    """Level to split and cluster. Whole clusters, in the order of their hashes; what the file of the splits holds."""
    names = list(LEVELS[factor])
    cluster = clusters(alike, names, NEAR_DUPLICATE[factor])
    kinds = {name: palettes.PALETTES[name].kind if factor == "palette" else factor for name in names}
    split = split_meanings(cluster, kinds, names)
    return {name: (split[name], cluster[name]) for name in names}
