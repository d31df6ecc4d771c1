"""The titles of the posters: short words that name no subject, so that word and subject are free of each other."""

import numpy as np

WORDS = (
    "ALIBI", "ALOHA", "ANTHEM", "ATLAS", "AVANT", "BLISS", "BOLERO", "BRAVO", "CHAOS", "CIPHER", "CRUX", "DELTA",
    "DOGMA", "DRIFT", "DUSK", "ECHO", "EDEN", "EMPIRE", "ENIGMA", "EXODUS", "EXPO", "FABLE", "FEVER", "FOLK", "FURY",
    "GALA", "GAMBIT", "GLORY", "GROOVE", "HAVOC", "HAZE", "HUSH", "HYPE", "IDOL", "INDIGO", "JAZZ", "JOLT", "KARMA",
    "KITSCH", "LEGACY", "LIMBO", "LYRIC", "MANIA", "MIRAGE", "MYTH", "NEXUS", "NOIR", "NOMAD", "NOVA", "OASIS",
    "OMEN", "OPUS", "ORBIT", "PATROL", "PULSE", "QUEST", "RAGE", "REBEL", "RELIC", "RIDDLE", "RIVAL", "ROGUE",
    "SAGA", "SALON", "SIESTA", "SOLO", "SPARK", "SWING", "TABOO", "TANGO", "TEMPO", "UNITY", "UTOPIA",
    "VELVET", "VIGIL", "VOYAGE", "WALTZ", "WHIM", "WONDER", "YONDER", "YOUTH", "ZENITH", "ZEPHYR", "ZIGZAG",
)  # fmt: skip


def edits(first: str, second: str) -> int:
    """How many letters must be put in, taken out or changed (Levenshtein distance)."""
    row = list(range(len(second) + 1))
    for count, letter in enumerate(first, 1):
        before, row[0] = row[0], count
        for place, other in enumerate(second, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (letter != other))
    return row[-1]


def alike(names: list[str]) -> np.ndarray:
    """[names, names]: share of letters that stay, 1 for the same word."""
    return np.array([[1 - edits(first, second) / max(len(first), len(second)) for second in names] for first in names])
