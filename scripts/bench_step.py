"""What a step of training costs against an earlier commit: the processor's time, and whether the losses are the same.

    python scripts/bench_step.py --before COMMIT [--batch 32] [--steps 12] [--stage 2] [--precision bfloat16]
        [--compile]     this commit's with torch's compiler, the earlier one's as it is without

Each commit trains the embedded model with its own `python -m drc.train` from the same settings on the shipped examples,
one thread, for 2 steps and for so many more; a step is the difference, so that what comes before and after cancels out.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc import EMBEDDED  # noqa: E402
from scripts.lib.earlier import unpacked  # noqa: E402

FIRST = 2  # steps of the shorter training
NOW = "now"


def settings(options: argparse.Namespace, steps: int, fuse: bool) -> str:
    """A CONFIG.toml; never validated or saved but at the end."""
    return f"""
[data]
folder = {json.dumps(str(ROOT / "nodes" / "examples"))}
pattern = "history-*.png"
[model]
file = {json.dumps(str(EMBEDDED))}
[training]
stage = {options.stage}
steps = {steps}
batch = {options.batch}
precision = "{options.precision}"
{"compile = true" if fuse else ""}
log_every = 1
samples = 0
save_every = 1000000
validate_every = 1000000
"""


def seconds_of(tree: Path, options: argparse.Namespace, steps: int, cache: Path) -> tuple[float, list[float]]:
    """The processor's time of a training of `steps` steps by the code in `tree`, and the losses of its steps."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        config.write_text(settings(options, steps, options.compile and tree == ROOT))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "drc.train", str(config), "--cache", str(cache), "--device", "cpu"]
        subprocess.run(
            command, cwd=tree, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        rows = [json.loads(line) for line in (Path(folder) / "log.jsonl").read_text().splitlines()]
    taken = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return taken, [row["loss"] for row in rows if "loss" in row]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", required=True, metavar="COMMIT", help="an earlier one")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--stage", type=int, default=2, choices=(1, 2))
    parser.add_argument("--precision", default="bfloat16")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    trees = {options.before: unpacked(options.before), NOW: ROOT}
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, tree in trees.items():
            cache = Path(folder) / name
            seconds_of(tree, options, FIRST, cache)  # makes the codes, and the compiler's files
            few, _ = seconds_of(tree, options, FIRST, cache)
            many, losses = seconds_of(tree, options, FIRST + options.steps, cache)
            found[name] = (many - few) / options.steps, losses
            print(
                f"{name}: {found[name][0]:.2f} s a step, {options.batch / found[name][0]:.1f} cases a second",
                flush=True,
            )
    (earlier, theirs), (now, ours) = found.values()
    apart = max(abs(a - b) for a, b in zip(theirs, ours, strict=True))
    print(f"{earlier / now:.2f} times as fast; losses are at most {apart:.4f} nats apart")


if __name__ == "__main__":
    main()
