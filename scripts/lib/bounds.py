"""Types for argparse that bound what is given, in a sentence of its own."""

import argparse
from collections.abc import Callable


def at_least(least: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} was given, expected at least {least}")
        return value

    return whole_number


def fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{value:g} was given, expected 0 to 1")
    return value
