"""What a process holds in memory."""

from pathlib import Path


def resident(process: int) -> int:
    """Bytes of a running process that are in memory now (VmRSS, Linux)."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(process)
