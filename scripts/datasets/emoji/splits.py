"""Sharing out the meanings of a complete emoji build: what drc/data/emoji_splits.json holds."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from drc.data.emoji import Emoji
from drc.data.splits import Splits, order
from drc.data.styles import STYLES

from .sets import SETS

SHARES = {"test": 0.2, "val": 0.1}  # of the shared meanings of a CLDR group; the rest is train
NEAR_DUPLICATE = 0.5  # cosine, mean over styles, above which two meanings are one cluster
SEEN_FAMILIES = tuple(dict.fromkeys(style.family for style in STYLES.values() if style.seen))


def complete_styles() -> list[str]:
    return [name for name, emoji_set in SETS.items() if emoji_set.complete]


def pixel_identical(emoji: Emoji) -> set[str]:
    """Codes that some style draws with exactly the pixels of another code."""
    same = defaultdict(set)
    for cell in emoji.cells:
        same[cell.style, cell.sha256].add(cell.code)
    return set().union(*(codes for codes in same.values() if len(codes) > 1))


def similarity(emoji: Emoji, features: np.ndarray, codes: list[str]) -> np.ndarray:
    """How alike two meanings are drawn: cosine of centred features, mean over the complete styles that draw both.

    Args:
        features: [cells, channels], row by row those of `emoji`.

    Returns:
        [codes, codes]; zero where fewer than three styles draw both.
    """
    total, count = np.zeros((2, len(codes), len(codes)))
    for style in complete_styles():
        here = [position for position, code in enumerate(codes) if (style, code) in emoji.rows]
        vectors = features[[emoji.rows[style, codes[position]] for position in here]].astype(np.float64)
        vectors -= vectors.mean(0)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        total[np.ix_(here, here)] += vectors @ vectors.T
        count[np.ix_(here, here)] += 1
    return np.where(count >= 3, total / np.maximum(count, 1), 0)


def clusters(alike: np.ndarray, codes: list[str], threshold: float = NEAR_DUPLICATE) -> dict[str, str]:
    """Code to the smallest code that a chain of near-duplicates leads to."""
    parent = {code: code for code in codes}

    def root(code: str) -> str:
        while parent[code] != code:
            code = parent[code]
        return code

    for first, second in np.argwhere(np.triu(alike > threshold, 1)):
        low, high = sorted((root(codes[first]), root(codes[second])))
        parent[high] = low
    return {code: root(code) for code in codes}


def split_meanings(cluster: dict[str, str], group: dict[str, str], shared: Iterable[str]) -> dict[str, str]:
    """Share out whole clusters, group by group, in the order of their hashes.

    A cluster too large for the test share of its group goes to training and does not count, so that the rest is still
    shared 70/10/20. So does a cluster without a shared meaning.
    """
    members = defaultdict(list)
    for code in shared:
        members[cluster[code]].append(code)
    by_group = defaultdict(list)
    for name, codes in members.items():
        ((most, _),) = Counter(sorted(group[code] for code in codes)).most_common(1)
        by_group[most].append(name)
    split = {}
    for names in by_group.values():
        limit = SHARES["test"] * sum(len(members[name]) for name in names)
        names = sorted((name for name in names if len(members[name]) <= limit), key=order)
        count = sum(len(members[name]) for name in names)
        room = {part: round(share * count) for part, share in SHARES.items()}
        for name in names:
            part = next((part for part in SHARES if len(members[name]) <= room[part]), "train")
            split[name] = part
            if part in room:
                room[part] -= len(members[name])
    return {code: split.get(name, "train") for code, name in cluster.items()}


def held_out_family(code: str) -> str:
    """The seen family that training never sees draw this meaning."""
    return SEEN_FAMILIES[int(order(f"held out {code}"), 16) % len(SEEN_FAMILIES)]


def compute(emoji: Emoji, features: np.ndarray) -> Splits:
    """The splits of a build with every style; what the file of the splits holds. `features` as for `similarity`."""
    identical = pixel_identical(emoji)
    codes = sorted(code for code in emoji.meanings if code not in identical)
    shared = frozenset(code for code in codes if all((style, code) in emoji.rows for style in complete_styles()))
    cluster = clusters(similarity(emoji, features, codes), codes)
    split = split_meanings(cluster, {code: emoji.meanings[code].group for code in codes}, sorted(shared))
    held_out = {code: held_out_family(code) for code in sorted(shared) if split[code] == "train"}
    return Splits(split, cluster, held_out, shared)
