"""Words that trainings taught a model, as its file lists them; many more can be spelled and mean nothing to it."""

from ..parsing import brief

LONGEST = 100  # letters of a word
MOST, MOST_LETTERS = 20_000, 2**18  # of a list: its words, and its letters with the blanks between them


def joined(former: frozenset[str] | None, words: frozenset[str]) -> frozenset[str] | None:
    """What was learned before and now; None, which claims nothing, where the former are not known or it is more than
    a file may list."""
    if former is None:
        return None
    learned = former | words
    fits = len(learned) <= MOST and len(listed(learned)) <= MOST_LETTERS
    return learned if fits else None


def listed(learned: frozenset[str]) -> str:
    """As a file has it: in order, with blanks between."""
    return " ".join(sorted(learned))


def read_learned(text: str) -> frozenset[str]:
    """The list in a file; ValueError with the rest of a sentence for one that is too long or in no order."""
    if len(text) > MOST_LETTERS or (count := text.count(" ") + 1) > MOST:
        found = f"{len(text)} letters" if len(text) > MOST_LETTERS else f"{count} words"
        raise ValueError(
            f"has a list of learned words of {found}, expected at most {MOST} words, {MOST_LETTERS} letters"
        )
    words = text.split(" ") if text else []
    for word in words:
        if not 0 < len(word) <= LONGEST or word != word.lower() or any("\ud800" <= one <= "\udfff" for one in word):
            raise ValueError(f"has {brief(repr(word))} among the learned words, which is no word in small letters")
    if words != sorted(set(words)):
        raise ValueError("has a list of learned words that is in no order")
    return frozenset(words)
