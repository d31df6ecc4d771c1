"""Text that other people wrote, with nothing hidden in it."""

import re

# What shows nothing or turns the letters after it around: controls but for the line feed, soft hyphen, marks and
# overrides of direction, blanks without width, separators, halves of letters that no file can hold.
INVISIBLE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


LONGEST = 200  # letters of what is quoted


def visible(text: str) -> str:
    r"""The text with every invisible character written out, such as \u202e."""
    return INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def quoted(text: object) -> str:
    """What others wrote, inside a report that a page may read as Markdown: a piece of code on one line, in which
    nothing is markup."""
    plain = visible(str(text)).replace("\n", "\\n").replace("`", "\\u0060")
    return f"`{plain if len(plain) <= LONGEST else plain[:LONGEST] + '...'}`"
