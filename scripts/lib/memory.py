"""What a process holds in memory (Linux)."""

import os
from pathlib import Path

PROBE = Path(__file__).with_name("memory_probe")
"""A node pack without nodes that tells what only the server itself knows."""


def resident(process: int) -> int:
    """Bytes of a running process that are in memory now."""
    return held(process, "VmRSS")


def begin_peak() -> int:
    """Bytes of this process that are in memory now; from here on `peak` counts anew."""
    Path("/proc/self/clear_refs").write_text("5")
    return resident(os.getpid())


def peak() -> int:
    """The most bytes that this process held since."""
    return held(os.getpid(), "VmHWM")


def held(process: int, name: str) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(process)
