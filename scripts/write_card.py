"""Fill the results of a run of the benchmark, and the facts of the training, into the embedded model's card.

    python -m drc.bench run --model ours=drc/weights/drc-embedded.safetensors --gaps --out build/bench/card
    python scripts/write_card.py build/bench/card [--card drc/weights/README.md]

Puts the contact sheets of P3 and T1 beside the card.
"""

import argparse
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.bench.report.report import PICTURES, read_results  # noqa: E402
from scripts.lib.card import markdown, replace_block, training_table  # noqa: E402

PARTS = {
    "tokeniser": "tokenizer",
    "stage 1": "stage1",
    "stage 2": "stage2",
    "stage 2, further": "further",
    "entangled model": "entangled",
}
SHOWN = ("P3", "T1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder that the run wrote with --out")
    parser.add_argument("--card", type=Path, default=ROOT / "drc" / "weights" / "README.md")
    parser.add_argument("--train", type=Path, default=ROOT / "build" / "train", help="folder of the trainings")
    parser.add_argument("--evaluator", type=Path, default=ROOT / "build" / "evaluator", help="that of the evaluator's")
    options = parser.parse_args()
    results = read_results(options.run)
    runs = {name: options.train / folder for name, folder in PARTS.items()} | {"evaluator": options.evaluator}
    files = results["files"] | {name: version for name, version in results["judges"].items() if name == "evaluator"}
    replace_block(options.card, "training", training_table(runs, files))
    replace_block(options.card, "results", markdown(results))
    for test in results["tests"].keys() & set(SHOWN):
        shutil.copy(options.run / PICTURES / f"{test}.png", options.card.with_name(f"contact-sheet-{test}.png"))


if __name__ == "__main__":
    main()
