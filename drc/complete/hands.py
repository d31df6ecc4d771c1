"""Is a picture by the hand that drew a set? How much likelier its marks are of another hand than of the set's own.

Marks of pictures are taken as normal around the mean of their hand, and hands as normal around the mean of all (the
two-covariance model of speaker recognition: N. Brummer, E. de Villiers, "The speaker partitioning problem", 2010).
Eight pictures hardly tell a set's own spread, so that of many sets counts as `PICTURES` more, and tails are those of
Student's t. A picture that is judged may come from a model, which blurs what a set's own files have sharp: what its
codes change in the marks is added. Whoever draws for a set in colours, or locks its palette, takes its colours, which
are rare: so another hand is also thought of as one that took them. scripts/measure_set_report.py of the source
repository fits all numbers and says what they are worth.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ..tensor_file import read_tensors, require_shapes
from .marks import GROUPS, MARKS

COLOURS = len(GROUPS["colours"])  # of the marks, the first
WEIGHTS = Path(__file__).resolve().parents[1] / "weights" / "hands.safetensors"
AGAIN = "install this pack again"
PICTURES = 30  # as many of a set count as the spread of all sets does
FREEDOM = 20  # of Student's t
FARTHEST = 3.5  # standard deviations from the mean of all pictures: what is beyond is no farther


@dataclass(frozen=True)
class Hands:
    """`mean` and `spread` [M] of all pictures; of marks in those units, covariances [M, M] `within` hands and `between`
    them, the mean `middle` [M] of hands, and what the codes of a model change, `coded` [M, M]. `taken` [C, C] is how
    far the marks of colours are from the mean of a set whose colours another hand took. Above `line` [2] a picture is
    called another hand's: a number, and one over the pictures of the set, as few tell less than they seem to."""

    mean: np.ndarray
    spread: np.ndarray
    middle: np.ndarray
    within: np.ndarray
    between: np.ndarray
    coded: np.ndarray
    taken: np.ndarray
    line: np.ndarray

    def scaled(self, marks: np.ndarray) -> np.ndarray:
        """Marks [..., M] in units of the spread of all pictures, from the middle of hands; what was not read is 0."""
        units = np.clip((marks - self.mean) / self.spread, -FARTHEST, FARTHEST)
        return np.nan_to_num(units - self.middle)

    def misfits(self, drawn: np.ndarray, history: np.ndarray) -> np.ndarray:
        """Marks [k, M] of pictures and [n, M] of a set -> [k], above 0 where another hand is likelier than `line`.

        Of the two other hands, any and one that took the set's colours, the likelier counts.
        """
        every = list(range(len(MARKS)))
        shapes = self.ratios(drawn, history, every[COLOURS:])
        colours = self.ratios(drawn, history, every) - shapes
        return shapes + np.maximum(colours, self.taken_ratios(drawn, history)) - self.line @ (1, 1 / len(history))

    def taken_ratios(self, drawn: np.ndarray, history: np.ndarray) -> np.ndarray:
        """log p(drawn | a hand that took the colours of the history) / p(drawn | its own hand) by the marks of colours
        alone, [k]."""
        drawn, history = self.scaled(drawn)[:, :COLOURS], self.scaled(history)[:, :COLOURS]
        mean, coded = history.mean(axis=0), self.coded[:COLOURS, :COLOURS]
        own = self.own(history, self.within[:COLOURS, :COLOURS]) * (1 + 1 / len(history))
        return log_student(drawn - mean, self.taken + coded) - log_student(drawn - mean, own + coded)

    def group_ratios(self, drawn: np.ndarray, history: np.ndarray) -> dict[str, np.ndarray]:
        """The same by one group of marks alone, without a line, [k] each."""
        ends = np.cumsum([len(group) for group in GROUPS.values()])
        places = [list(range(end - len(group), end)) for end, group in zip(ends, GROUPS.values(), strict=True)]
        return {name: self.ratios(drawn, history, some) for name, some in zip(GROUPS, places, strict=True)}

    def ratios(self, drawn: np.ndarray, history: np.ndarray, some: list[int]) -> np.ndarray:
        """log p(drawn | any hand) / p(drawn | the hand of the history) by `some` of the marks, [k]."""
        square = np.ix_(some, some)
        within, between, coded = self.within[square], self.between[square], self.coded[square]
        drawn, history = self.scaled(drawn)[:, some], self.scaled(history)[:, some]
        mean, count, own = history.mean(axis=0), len(history), self.own(history, within)
        known = np.linalg.solve(between + own / count, between).T  # how much of its mean is the hand's, not chance
        rest = own + between - known @ between + coded
        return log_student(drawn, between + within + coded) - log_student(drawn - known @ mean, rest)

    @staticmethod
    def own(history: np.ndarray, within: np.ndarray) -> np.ndarray:
        """The covariance within the hand of a history, scaled [n, m], for that within all hands [m, m]."""
        away = history - history.mean(axis=0)
        return (PICTURES * within + away.T @ away) / (PICTURES + len(history) - 1)


def log_student(away: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Density of Student's t at [k, M] from its centre, but for a constant that all with one M share, [k]."""
    factor = cho_factor((scale + scale.T) / 2)
    squared = (away * cho_solve(factor, away.T).T).sum(axis=1)
    return -np.log(np.diag(factor[0])).sum() - (FREEDOM + len(scale)) / 2 * np.log1p(squared / FREEDOM)


def load_hands(path: Path = WEIGHTS) -> Hands:
    """ValueError, in one sentence, for a file that does not hold them."""
    tensors = read_tensors(path, again=AGAIN)
    count = len(MARKS)
    shapes = dict.fromkeys(("mean", "spread", "middle"), (count,)) | {"line": (2,)}
    shapes |= dict.fromkeys(("within", "between", "coded"), (count, count)) | {"taken": (COLOURS, COLOURS)}
    require_shapes(path, "what is known of hands", {k: tuple(v.shape) for k, v in tensors.items()}, shapes, AGAIN)
    return Hands(**{name: tensor.double().numpy() for name, tensor in tensors.items()})
