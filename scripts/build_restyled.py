"""Paint training and test drawings under procedural styles, in parts below build/data/restyled.

    python scripts/build_restyled.py [--programs 1000] [--per-program 48]

`train`: training drawings under training programs. `test` and `val`: drawings of unseen meanings under held-out
programs, every drawing under every program, so that the true target of each case and all its rivals exist.
`seen` is the same with drawings of training meanings, `known` with the drawings of `test` under the first training
programs. `history`: training drawings under the same held-out programs, from which the users of a test take their
pictures; those of `known` take theirs from `train`.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.data.splits import Splits, order  # noqa: E402
from scripts.datasets.emoji.sources import sources  # noqa: E402
from scripts.datasets.restyled.build import build_restyled  # noqa: E402
from scripts.datasets.restyled.restyle import held_out_programs, train_programs  # noqa: E402
from scripts.lib.bar import bar  # noqa: E402

DRAWN_IN_COLOUR = ("twemoji", "noto", "noto-blob", "fluent-flat", "emojione2")
HELD_OUT = 40
TEST_DRAWINGS = 48
HISTORY = 24


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, default=ROOT / "build" / "packages")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "data" / "restyled")
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--per-program", type=int, default=48)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    splits = Splits.load()
    drawn = {"train": {}, "val": {}, "test": {}}
    for style, code, svg in sources(options.packages, DRAWN_IN_COLOUR):
        if code in splits.meaning_split and not splits.is_held_out(style, code):
            drawn[splits.meaning_split[code]][f"{style}/{code}"] = svg
    held_out = held_out_programs(2 * HELD_OUT)
    val_programs, test_programs = held_out[:HELD_OUT], held_out[HELD_OUT:]
    parts = {
        "val": (one_per_meaning(drawn["val"]), val_programs),
        "test": (one_per_meaning(drawn["test"]), test_programs),
        "val_history": (drawn["train"], val_programs, HISTORY),
        "seen": (one_per_meaning(drawn["train"]), test_programs),
        "history": (drawn["train"], test_programs, HISTORY),
        "known": (one_per_meaning(drawn["test"]), train_programs(min(HELD_OUT, options.programs))),
        "train": (drawn["train"], train_programs(options.programs), options.per_program),
    }
    for name, (drawings, programs, *count) in parts.items():
        folder = options.out / name
        if (folder / "restyled.json").exists():
            continue
        with bar("style", name) as progress:
            build_restyled(
                drawings,
                programs,
                *(count or [len(drawings)]),
                folder,
                processes=options.processes,
                progress=progress,
            )


def one_per_meaning(drawings: dict[str, str]) -> dict[str, str]:
    """At most TEST_DRAWINGS drawings, each of another near-duplicate cluster, chosen by hash."""
    cluster, chosen = Splits.load().cluster, {}
    for name in sorted(drawings, key=order):
        chosen.setdefault(cluster[name.split("/")[1]], name)
    names = sorted(chosen.values(), key=order)[:TEST_DRAWINGS]
    return {name: drawings[name] for name in names}


if __name__ == "__main__":
    main()
