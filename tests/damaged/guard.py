"""A file that came damaged is used, or refused in one sentence that names it, soon and in little memory."""

import contextlib
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SECONDS, BYTES = 2, 200 * 2**20  # seconds of this process, so that others on the machine do not count
LONGEST = 700  # letters of a sentence, a path of this machine among them


@dataclass(frozen=True)
class Case:
    """`damage(folder)` changes what lies whole in a folder, `use(folder)` does what a user would do with it; `named`
    is what a refusal must name. `refused`: whether using it would be a fault."""

    label: str
    damage: Callable[[Path], object]
    use: Callable[[Path], object]
    named: str
    refused: bool = True


def check(case: Case, folder: Path) -> None:
    case.damage(folder)
    with bounded():
        start, before = time.process_time(), reset_peak()
        try:
            case.use(folder)
            text = ""
        except ValueError as error:
            text = str(error)
        grown, took = peak() - before, time.process_time() - start
    assert text or not case.refused, "it was used"
    if text:
        assert case.named in text, text
        assert "\n" not in text and text.isprintable() and 20 < len(text) < LONGEST, text
        assert not text.startswith(("Traceback", "[Errno")) and ("; " in text or "expected" in text), text
    assert took < SECONDS, f"{took:.1f} s"
    assert grown < BYTES, f"{grown / 2**20:.0f} MB"


@contextlib.contextmanager
def bounded(seconds: int = 20, memory: int = 6 * 2**30) -> Iterator[None]:
    """What would take the machine with it ends here."""

    def late(number: int, frame) -> None:
        raise TimeoutError(f"{seconds} s")

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    former = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    resource.setrlimit(resource.RLIMIT_AS, (status("VmSize") + memory, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)


def reset_peak() -> int:
    """Bytes of memory that this process has; from now on the highest number is counted anew."""
    Path("/proc/self/clear_refs").write_text("5")
    return status("VmRSS")


def peak() -> int:
    return status("VmHWM")


def status(name: str) -> int:
    lines = Path(f"/proc/{os.getpid()}/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"{name}:")]
    return int(line.split()[1]) * 1024
