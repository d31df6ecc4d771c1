"""Which posters there are. Everything follows from the splits and from hashes of names.

`train`: training styles and meanings. `test`: seen and unseen styles, each with the same seen and unseen meanings, so
that the true target of each case and all its rivals exist. `history`: unseen styles with training meanings, from which
the users of a test take their pictures; those of a seen style are in `train`. `rivals`: for the first targets of every
test, posters that differ in one factor alone. `val` and `val_history` are like `test` and `history`.
"""

from drc.data.posters import FACTORS, MEANING_FACTORS, STYLE_FACTORS, TESTS, Poster, PosterSplits, one_apart
from drc.data.splits import order

TRAIN_STYLES = 320
TEST_STYLES, TEST_MEANINGS = 24, 24  # of each kind, seen and unseen
VAL_STYLES, VAL_MEANINGS = 16, 16
PER_STYLE = 24  # pictures of a user: a history of 16 and some to choose from
RIVAL_TARGETS = 64  # of each test

Meaning = tuple[str, str]


def plan(splits: PosterSplits) -> dict[str, list[Poster]]:
    """Part to its posters. The rows of a build are in this order."""
    seen, unseen = styles(splits, "train", TRAIN_STYLES), styles(splits, "test", TEST_STYLES)
    val = styles(splits, "val", VAL_STYLES)
    tested = [meaning for split in ("train", "test") for meaning in meanings(splits, split, TEST_MEANINGS)]
    test = [Poster(*style, *meaning) for style in seen[:TEST_STYLES] + unseen for meaning in tested]
    val_meanings = meanings(splits, "val", VAL_MEANINGS)
    return {
        "train": [poster for style in seen for poster in pictures(splits, style, tested)],
        "test": test,
        "history": [poster for style in unseen for poster in pictures(splits, style, tested)],
        "rivals": rivals(splits, test),
        "val": [Poster(*style, *meaning) for style in val for meaning in val_meanings],
        "val_history": [poster for style in val for poster in pictures(splits, style, tested)],
    }


def styles(splits: PosterSplits, split: str, count: int) -> list[tuple[str, ...]]:
    """Levels of STYLE_FACTORS. More styles begin with the same ones."""
    columns = (rounds(splits.levels(factor, split), f"{split} {factor}", count) for factor in STYLE_FACTORS)
    return list(zip(*columns, strict=True))


def meanings(splits: PosterSplits, split: str, count: int) -> list[Meaning]:
    """Word and subject; no two subjects are near-duplicates as long as they last."""
    columns = (rounds(splits.distinct(factor, split), f"{split} {factor}", count) for factor in MEANING_FACTORS)
    return list(zip(*columns, strict=True))


def pictures(splits: PosterSplits, style: tuple[str, ...], tested: list[Meaning]) -> list[Poster]:
    """Posters of training words and subjects in one style, none with a pair that is tested."""
    columns = (
        rounds(splits.levels(factor, "train"), f"{' '.join(style)} {factor}", PER_STYLE + TEST_MEANINGS)
        for factor in MEANING_FACTORS
    )
    pairs = [pair for pair in zip(*columns, strict=True) if pair not in tested]
    return [Poster(*style, *pair) for pair in pairs[:PER_STYLE]]


def rounds(levels: list[str], salt: str, count: int) -> list[str]:
    """`count` levels, each once in every round, in the order of their hashes."""
    turns = range(-(-count // len(levels)))
    return [
        level for turn in turns for level in sorted(levels, key=lambda name, turn=turn: order(f"{salt} {turn} {name}"))
    ][:count]


def targets(splits: PosterSplits, test: str, posters: list[Poster]) -> list[Poster]:
    """The targets of a test in the order in which cases are taken."""
    seen, split = TESTS[test]
    found = [
        poster
        for poster in posters
        if (splits.style_split(poster) == "train") == seen and splits.meaning_split(poster) == split
    ]
    return sorted(found, key=lambda poster: order(f"{test} {poster.style} {poster.drawing}"))


def rivals(splits: PosterSplits, posters: list[Poster]) -> list[Poster]:
    """Every rival once that is not among `posters` itself."""
    found = dict.fromkeys(
        rival
        for test in TESTS
        for target in targets(splits, test, posters)[:RIVAL_TARGETS]
        for factor in FACTORS
        for rival in one_apart(splits, target, factor)
    )
    there = set(posters)
    return [rival for rival in found if rival not in there]
