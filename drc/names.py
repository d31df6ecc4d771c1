"""Names of files and folders that every disk takes."""

import unicodedata

from .visible import visible, without_hidden

DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}
"""Names that Windows keeps for devices, with or without an ending."""
JOINERS = "\u200c\u200d"
LONGEST_NAME = 200  # bytes: disks take 255, with the number, the ending and the mark of what is not finished


def check_name(name: str, what: str) -> None:
    """ValueError unless a name, `what` it is in the message, is one of a file everywhere, without folders."""
    plain = visible(name) == name and all(is_of_a_word(letter) or letter in "-_ ." for letter in name)
    if not name or not plain or name.startswith(".") or name.endswith((".", " ")):
        raise ValueError(
            f"{what} is '{name}', expected letters, digits, spaces, dots, - and _, not beginning with a dot and not "
            "ending in a dot or a space; rename it"
        )
    if len(name.encode()) > LONGEST_NAME:
        raise ValueError(f"{what} takes {len(name.encode())} bytes, expected at most {LONGEST_NAME}; shorten it")
    if name.split(".")[0].rstrip().lower() in DEVICES:
        raise ValueError(f"{what} is '{name}', which Windows keeps for a device; choose another name")


def called(text: str) -> str:
    """The name of a file for a text: its words with hyphens between, and `picture` where it has none."""
    letters = unicodedata.normalize("NFC", text)
    plain = without_hidden("".join(letter if is_of_a_word(letter) or letter in "_." else "-" for letter in letters))
    name = (
        "-".join(filter(None, plain.split("-"))).encode()[:LONGEST_NAME].decode(errors="ignore").strip("-.")
        or "picture"
    )
    return f"_{name}" if name.split(".")[0].lower() in DEVICES else name


def is_of_a_word(letter: str) -> bool:
    """Also a mark that belongs to the letter before it, as vowels do in many scripts, and what joins or parts two."""
    return letter.isalnum() or unicodedata.category(letter).startswith("M") or letter in JOINERS
