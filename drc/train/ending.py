"""How a command ends: with nothing, or with a sentence on stderr and a number."""

import sys
from collections.abc import Callable

from ..visible import visible

UNFINISHED, FAILED, STOPPED = 1, 2, 130


class UnfinishedError(Exception):
    """Some of what was asked for is not there, and the rest is."""


def exit_code(command: Callable[[], None]) -> int:
    """Runs a command that goes on where it was when it is started again."""
    try:
        command()
    except UnfinishedError as error:
        return say(f"{error}", UNFINISHED)
    except ValueError as error:
        return say(f"{error}", FAILED)
    except OSError as error:
        file, reason = error.filename or "a file", error.strerror or error
        return say(f"{file} cannot be read or written: {reason}", FAILED)
    except KeyboardInterrupt:
        return say("Stopped; start it again and it goes on where it was", STOPPED)
    return 0


def say(sentence: str, code: int) -> int:
    sys.stderr.write(visible(f"{sentence}.\n"))
    return code
