"""Text as a page shows it, whatever is in it: names of folders, cells of tables, captions.

A page reads what a running node says as HTML, or as Markdown where it draws nodes in its newer way. Character
references stand for the same letter in both, so text in which they replace all punctuation is text in both.
"""

import re

from ..drc.visible import visible

MEANINGFUL = re.compile(r"[!-+\--/:-@\[-`{-~]|(?<![^\n]) +")  # punctuation, and blanks at the start of a line


def as_markup(text: str) -> str:
    """What a page shows as exactly this text, in both ways of drawing nodes; two blanks end a line in Markdown."""
    return MEANINGFUL.sub(reference, visible(text)).replace("\n", "  \n")


def reference(found: re.Match) -> str:
    return "".join(f"&#{160 if letter == ' ' else ord(letter)};" for letter in found[0])
