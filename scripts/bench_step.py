"""What a step of training costs against an earlier commit, in the processor's time.

    python scripts/bench_step.py --before COMMIT [--batch 32] [--steps 12] [--stage 2] [--precision bfloat16]
        [--compile]     this commit's with torch's compiler, the earlier one's as it is without

Each commit trains the embedded model with its own `python -m drc.train` from the same settings on the shipped examples,
one thread, for 2 steps and for so many more; a step is the difference, so that what comes before and after cancels out.
The commits may draw other batches, so that their losses agree in size alone.
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
        one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
        ran = subprocess.run(command, cwd=tree, capture_output=True, text=True, env=one_thread)
        if ran.returncode:
            raise SystemExit(ran.stderr)
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
    taken, losses = {name: [] for name in trees}, {}
    with tempfile.TemporaryDirectory() as folder:
        for steps in (FIRST, FIRST, FIRST + options.steps):  # the first one makes the codes and the compiler's files
            for name, tree in trees.items():
                seconds, losses[name] = seconds_of(tree, options, steps, Path(folder) / name)
                taken[name].append(seconds)
    found = {name: (many - few) / options.steps for name, (_, few, many) in taken.items()}
    for name, seconds in found.items():
        loss = sum(losses[name]) / len(losses[name])
        print(f"{name}: {seconds:.2f} s a step, {options.batch / seconds:.1f} cases a second, mean loss {loss:.3f}")
    print(f"{found[options.before] / found[NOW]:.2f} times as fast")


if __name__ == "__main__":
    main()
