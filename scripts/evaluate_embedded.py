"""Measure the embedded model by retrieval of the true target: build/eval/results.json, results.md and contact sheets.

    python scripts/evaluate_embedded.py --model ours=drc/weights/drc-embedded.safetensors
        [--entangled build/train/entangled] [--tests P3,P1,T1,T2,T3,T4] [--limit 120]
        [--style-strength 1.5] [--semantic-strength 3] [--candidates 1] [--card drc/weights/README.md]

Needs the pictures (scripts/build_emoji.py, scripts/build_restyled.py) and the evaluator (scripts/train_evaluator.py).
What was drawn and what the judges saw is kept in the output folder, so a stopped run goes on where it was.
"""

import argparse
import hashlib
import json
import shutil
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.bench.artists import Artist, Chooser, DRCArtist, EntangledArtist, as_batch  # noqa: E402
from drc.bench.cases import Bench, Case  # noqa: E402
from drc.bench.evaluator import load_evaluator  # noqa: E402
from drc.bench.judges import EfficientNetJudge, EvaluatorJudge, Features, Judge, judge_images, judge_rows  # noqa: E402
from drc.bench.metrics import interval, nearest_in_history, scores  # noqa: E402
from drc.bench.report import contact_sheet, markdown, replace_block, training_table  # noqa: E402
from drc.checkpoint import load  # noqa: E402
from drc.data.splits import order  # noqa: E402
from drc.files import file_hash  # noqa: E402
from drc.lmm.generate import Sampling  # noqa: E402
from drc.model import DRC  # noqa: E402
from drc.train.checkpoints import STATE, RunFolder, part  # noqa: E402
from drc.train.entangled import EntangledDRC  # noqa: E402
from drc.train.objectives import Stage2  # noqa: E402
from drc.train.tokenizer import as_images  # noqa: E402
from drc.train.validation import gaps  # noqa: E402
from scripts.emoji_features import network  # noqa: E402

BATCH = 20
EXAMPLES = 512  # pictures that set the scale of EfficientNet's features
SHOWN = 24  # cases of a contact sheet: the first of the list
PARTS = {"tokeniser": "tokenizer", "stage 1": "stage1", "stage 2": "stage2", "entangled model": "entangled"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", required=True, metavar="NAME=PATH", help="the first is ours")
    parser.add_argument("--entangled", type=Path, help="folder of the comparison's training")
    parser.add_argument("--tests", default="P3,P1,T1,T2,T3,T4", type=lambda text: text.split(","))
    parser.add_argument("--limit", type=int, default=120, help="cases of a test")
    parser.add_argument("--style-strength", type=float, default=1.5)
    parser.add_argument("--semantic-strength", type=float, default=3.0)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--top-k", type=int, default=0)
    parser.add_argument("--top-p", type=float, default=1.0)
    parser.add_argument("--candidates", type=int, default=1, help="drawn for each case; EfficientNet picks one")
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "data")
    parser.add_argument("--packages", type=Path, default=ROOT / "build" / "packages")
    parser.add_argument("--evaluator", type=Path, default=ROOT / "build" / "evaluator" / "evaluator.safetensors")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "eval")
    parser.add_argument("--card", type=Path, help="model card whose results are replaced")
    parser.add_argument(
        "--train", type=Path, default=ROOT / "build" / "train", help="folder of the trainings, for the card"
    )
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def judges(options: argparse.Namespace, bench: Bench) -> list[Judge]:
    emoji = sorted(bench.part["emoji"], key=lambda row: order(bench.name(row)))[:EXAMPLES]
    examples = as_images(bench.pictures.read(np.array(emoji)))
    version = file_hash(options.evaluator)
    return [
        EvaluatorJudge(load_evaluator(options.evaluator), version),
        EfficientNetJudge(network(options.packages), examples),
    ]


def artists(options: argparse.Namespace, models: dict[str, DRC], chooser: Judge) -> dict[str, Artist]:
    sampling = Sampling(options.temperature, options.top_k, options.top_p)
    strengths = options.style_strength, options.semantic_strength
    found = {name: DRCArtist(drc, *strengths, sampling) for name, drc in models.items()}
    if options.entangled:
        ours = next(iter(models.values()))
        for name, drc in models.items():
            found[f"{name}, strengths 1"] = DRCArtist(drc, 1.0, 1.0, sampling)  # drawn as the comparison is
        found["entangled"] = EntangledArtist(load_entangled(options.entangled, ours), sampling)
    if options.candidates > 1:
        found = {name: Chooser(artist, chooser, options.candidates) for name, artist in found.items()}
    return found


def load_entangled(state: Path, ours: DRC) -> EntangledDRC:
    """The averages in a training's state, which holds what was trained: neither tokeniser nor the head of codes."""
    entangled = EntangledDRC(ours.config)
    missing, unexpected = entangled.load_state_dict(part(load_file(state), "average.model."), strict=False)
    missing = [name for name in missing if not name.startswith(("lmm.vision.", "lmm.language.lm_head."))]
    if missing or unexpected:
        raise ValueError(f"{state} is not of the comparison: {(missing + unexpected)[0]} is missing or unexpected")
    entangled.lmm.vision = ours.lmm.vision
    entangled.lmm.tie()
    return entangled.eval()


def draw(artist: Artist, bench: Bench, test: str, cases: list[Case], path: Path) -> Tensor:
    """What the artist draws for the cases, [cases, 3, S, S]; kept in `path`."""
    if not path.exists():
        drawn = []
        for first in tqdm(range(0, len(cases), BATCH), desc=f"{test} {path.stem.split('-')[1]}"):
            some = cases[first : first + BATCH]
            seeds = [int(order(f"{test} {bench.name(case.target)} seed")[:8], 16) for case in some]
            history = torch.stack([pixels(bench, case.history) for case in some])
            drawn.append(artist.draw(history, pixels(bench, [case.reference for case in some]), seeds))
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, as_bytes(torch.cat(drawn)))
    return as_images(np.load(path))


def pixels(bench: Bench, rows: list[int] | tuple[int, ...]) -> Tensor:
    return as_images(bench.pictures.read(np.array(rows)))


def as_bytes(images: Tensor) -> np.ndarray:
    return (images * 255).round().byte().permute(0, 2, 3, 1).numpy()


@torch.no_grad()
def through_tokenizer(drc: DRC, bench: Bench, rows: list[int]) -> Tensor:
    batches = [pixels(bench, rows[first : first + BATCH]) for first in range(0, len(rows), BATCH)]
    return torch.cat([drc.lmm.detokenize(drc.lmm.tokenize(images)) for images in batches])


def measure_gaps(drc: DRC, bench: Bench, cases: list[Case]) -> dict[str, float]:
    """Mean over batches; the wrong reference or history is that of the next case."""
    found, objective = [], Stage2(drc)
    for first in range(0, len(cases) - 1, BATCH):
        some = cases[first : first + BATCH]
        history = torch.stack([pixels(bench, case.history) for case in some])
        target, reference = (pixels(bench, [getattr(case, name) for case in some]) for name in ("target", "reference"))
        found.append(gaps(objective, as_batch(drc, target, history, reference), drc.lmm.blank, drc.config.tower.rows))
    return {name: float(np.mean([numbers[name] for numbers in found])) for name in found[0]}


def score(bench: Bench, everything: Features, gallery: list[int], cases: list[Case], drawn: Features) -> dict:
    groups = [bench.record(case.target).meaning for case in cases]
    found = scores(drawn, everything, cases, gallery, bench.pictures.records)
    return {name: interval(values, groups) for name, values in found.items()}


def evaluate(
    test: str, bench: Bench, models: dict[str, DRC], drawers: dict[str, Artist], jury: list[Judge], digest: str,
    options: argparse.Namespace,
) -> dict:  # fmt: skip
    cases, gallery = bench.cases(test, options.limit), bench.gallery(test)
    targets, references = [case.target for case in cases], [case.reference for case in cases]
    clock, drawn, seconds = time.monotonic(), {}, {}
    for name, artist in drawers.items():
        drawn[name] = draw(artist, bench, test, cases, options.out / "drawn" / f"{test}-{name}-{digest}.npy")
        seconds[name], clock = round(time.monotonic() - clock, 1), time.monotonic()
    ceiling = through_tokenizer(next(iter(models.values())), bench, targets)
    rest = {*references, *(row for case in cases for row in case.history)} - set(gallery)
    tables = {}
    for judge in jury:
        bar = partial(tqdm, desc=f"{test} {judge.name}")
        everything = judge_rows(judge, bench.pictures, [gallery, sorted(rest)], options.out / "features", bar)
        answers = {
            "ceiling: target through the tokeniser": judge_images(judge, ceiling),
            "copy the reference": everything[references],
            "nearest history picture": everything[nearest_in_history(everything, cases)],
            **{name: judge_images(judge, images) for name, images in drawn.items()},
        }
        tables[judge.name] = {name: score(bench, everything, gallery, cases, found) for name, found in answers.items()}
    show, shown = cases[:SHOWN], {next(iter(models)), "entangled"} & drawn.keys()
    columns = {
        "history": np.stack([bench.pictures.read(np.array(case.history)) for case in show]),
        "reference": bench.pictures.read(np.array(references[: len(show)]))[:, None],
        **{name: as_bytes(images[: len(show)])[:, None] for name, images in drawn.items() if name in shown},
        "truth": bench.pictures.read(np.array(targets[: len(show)]))[:, None],
    }
    contact_sheet(columns, options.out / f"sheet-{test}.png")
    return {
        "cases": len(cases),
        "gallery": len(gallery),
        "seconds": seconds,
        "judges": tables,
        "gaps": {name: measure_gaps(drc, bench, cases) for name, drc in models.items()},
    }


def write_card(options: argparse.Namespace, results: dict) -> None:
    """Fills the results and the facts of the training into a model card and puts two contact sheets beside it."""
    runs = {name: options.train / folder for name, folder in PARTS.items()} | {"evaluator": options.evaluator.parent}
    files = results["models"] | {"evaluator": file_hash(options.evaluator)}
    replace_block(options.card, "training", training_table(runs, files))
    replace_block(options.card, "results", markdown(results))
    for test in set(options.tests) & {"P3", "T1"}:
        shutil.copy(options.out / f"sheet-{test}.png", options.card.with_name(f"contact-sheet-{test}.png"))


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    bench = Bench.load(options.data)
    paths = {name: Path(path) for name, path in (text.split("=", 1) for text in options.model)}
    models = {name: load(path) for name, path in paths.items()}
    jury = judges(options, bench)
    if options.entangled:
        paths["entangled"] = options.entangled = RunFolder(options.entangled).last(STATE)
    drawers = artists(options, models, jury[1])
    settings = {
        name: getattr(options, name)
        for name in ("limit", "style_strength", "semantic_strength", "temperature", "top_k", "top_p", "candidates")
    }
    hashes = {name: file_hash(path) for name, path in paths.items()}
    versions = {judge.name: judge.version for judge in jury}
    results = {"settings": settings, "models": hashes, "judges": versions, "tests": {}}
    digest = hashlib.sha256(json.dumps([settings, hashes]).encode()).hexdigest()[:16]
    for test in options.tests:
        results["tests"][test] = evaluate(test, bench, models, drawers, jury, digest, options)
        (options.out / "results.json").write_text(json.dumps(results, indent=1))
        (options.out / "results.md").write_text(markdown(results))
    print(markdown(results))
    if options.card:
        write_card(options, results)


if __name__ == "__main__":
    main()
