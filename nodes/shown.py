"""Text as a page shows it, whatever is in it: names of folders, cells of tables, captions.

A page reads what a running node says as Markdown where it draws nodes in its newer way, and on the canvas as HTML, or,
page 1.58, letter by letter. Character references stand for the same letter in the first two, so text in which they
replace what would mean something is text in both. The last shows them as they are written: so a sentence has none.
"""

import re

from ..drc.visible import visible

MEANINGFUL = re.compile(
    r"[<>&*~\\\[\]|@]"  # anywhere
    r"|(?<![^\W_])_"  # but in a word or behind it
    r"|:(?=//)|(?<=www)\."  # in an address
    r"|^[-+=#:]|^[0-9]+[.)](?!\S)|^ +",  # before the first word of a line
    re.IGNORECASE | re.MULTILINE,
)
ITEM = re.compile("^- ", re.MULTILINE)
"""As our reports begin one, and they quote in backticks: dash and marks that look alike mean nothing anywhere."""


def as_markup(text: str) -> str:
    """What a page shows as exactly this text, but for the dashes and quotation marks of a report; two blanks end a line
    in Markdown."""
    plain = ITEM.sub("\u2013 ", visible(text)).replace("`", "'")
    return MEANINGFUL.sub(reference, plain).replace("\n", "  \n")


def reference(found: re.Match) -> str:
    return "".join(letter if letter.isdigit() else f"&#{160 if letter == ' ' else ord(letter)};" for letter in found[0])
