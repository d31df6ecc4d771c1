"""Fill the results of runs of the benchmark, and the facts of the training, into the embedded model's card.

    python -m drc.bench run --model ours=drc/weights/drc-embedded.safetensors --gaps --out build/bench/card
    python -m drc.bench run --model ours=drc/weights/drc-embedded.safetensors --domain icons --out build/bench/icons
    python scripts/write_card.py build/bench/card build/bench/icons [--card drc/weights/README.md]

Each domain has a block of its own. Puts the contact sheets of P3, T1 and I4 beside the card, and writes whose icons the
model learned from. Where both runs are given, and that of emoji has the model before, too, it also says which of the
aims for icons were reached.
"""

import argparse
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.bench.report.report import PICTURES, read_results  # noqa: E402
from drc.bench.report.summary import MODELS  # noqa: E402
from scripts.datasets.icons.matrix import read_manifest  # noqa: E402
from scripts.lib.aims import aims  # noqa: E402
from scripts.lib.attribution import icon_sets  # noqa: E402
from scripts.lib.card import markdown, replace_block, training_table  # noqa: E402

PARTS = {
    "tokeniser": "tokenizer",
    "stage 1": "stage1",
    "stage 2": "stage2",
    "stage 2, further": "further",
    "stage 2 on icons": "icons",
    "decoder on icons": "decoder",
    "entangled model": "entangled",
}
SHOWN = ("P3", "T1", "I4")
MODEL = "ours"
BLOCKS = {"emoji": "results", "icons": "results of icons"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="folders that runs wrote with --out")
    parser.add_argument("--card", type=Path, default=ROOT / "drc" / "weights" / "README.md")
    parser.add_argument("--train", type=Path, default=ROOT / "build" / "train", help="folder of the trainings")
    parser.add_argument("--evaluator", type=Path, default=ROOT / "build" / "evaluator", help="that of the evaluator's")
    options = parser.parse_args()
    found = {results["domain"]: (results, folder) for folder in options.runs for results in [read_results(folder)]}
    runs = {name: options.train / folder for name, folder in PARTS.items()} | {"evaluator": options.evaluator}
    files = {}
    for domain, (results, folder) in found.items():
        files |= results["files"] | {name: its for name, its in results["judges"].items() if name == "evaluator"}
        replace_block(options.card, BLOCKS[domain], markdown(results))
        for test in results["tests"].keys() & set(SHOWN):
            shutil.copy(folder / PICTURES / f"{test}.png", options.card.with_name(f"contact-sheet-{test}.png"))
    if options.train.is_dir():  # else its facts are not on this machine, and stay as they are
        replace_block(options.card, "training", training_table(runs, files))
    replace_block(options.card, "icon sets", icon_sets(read_manifest()))
    if found.keys() == BLOCKS.keys() and len(found["emoji"][0][MODELS]) > 1:
        replace_block(options.card, "aims", aims(found["icons"][0], found["emoji"][0], MODEL))


if __name__ == "__main__":
    main()
