"""What completing a long list takes of memory at most, against its first lines.

    build/venv/bin/python -m scripts.measure_list_memory [--lines 10,1000]

Runs `python -m drc.complete`, from the history to the report, in a process of its own for each number of lines. The
model is a tiny random one, as the embedded one takes an hour for a thousand lines: it holds less, so a list that grew
would show the more.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from .lib.environment import ROOT
from .lib.tiny import write_tiny

ICONS = ROOT / "nodes" / "examples" / "icons-1"


def taken(folder: Path, lines: int) -> int:
    """Bytes that the process held at most."""
    words, out = folder / f"{lines}.txt", folder / f"set of {lines}"
    words.write_text("\n".join(f"thing {number}" for number in range(lines)))
    given = {"history": ICONS, "words": words, "out": out, "model": folder / "tiny.safetensors", "drawings": 0}
    options = [text for name, value in given.items() for text in (f"--{name}", str(value))]
    process = subprocess.Popen([sys.executable, "-m", "drc.complete", *options, "--device", "cpu"], cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit("drc.complete failed; see above")
    pictures = len(list((out / "png").glob("*.png")))
    print(f"{lines} lines: {usage.ru_maxrss / 1024:.1f} MB, {pictures} pictures", flush=True)
    return usage.ru_maxrss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", default="10,1000", help="two numbers")
    few, many = map(int, parser.parse_args().lines.split(","))
    with tempfile.TemporaryDirectory() as folder:
        write_tiny(Path(folder) / "tiny.safetensors")
        least, most = (taken(Path(folder), lines) for lines in (few, many))
    print(f"{most / least:.3f} times")


if __name__ == "__main__":
    main()
