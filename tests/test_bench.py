"""Measuring: known answers for made-up features, cases that leak nothing, an evaluator that learns."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from drc.bench.artists import Chooser, DRCArtist
from drc.bench.cases import HISTORY, Bench, Case
from drc.bench.evaluator import Evaluator, EvaluatorConfig, disturbed, load_evaluator
from drc.bench.judges import Features, judge_rows
from drc.bench.metrics import interval, nearest_in_history, scores
from drc.bench.report import contact_sheet, markdown, replace_block, training_table
from drc.checkpoint import load
from drc.data.pictures import Picture, Pictures
from drc.data.splits import Splits
from drc.files import write_safetensors
from drc.lmm.generate import Sampling
from drc.train.checkpoints import STATE, Checkpoint, RunFolder
from scripts.lib.tiny import write_tiny

STYLES, MEANINGS = 4, 5
GRID = [Picture(f"style {s}", f"drawing {m}", f"meaning {m}") for s in range(STYLES) for m in range(MEANINGS)]


def row(style: int, meaning: int) -> int:
    return style * MEANINGS + meaning


def grid_features() -> Features:
    styles, meanings = torch.tensor([[s, m] for s in range(STYLES) for m in range(MEANINGS)]).T
    return Features(F.one_hot(styles, STYLES).float(), F.one_hot(meanings, MEANINGS).float())


CASES = [
    Case(row(style, meaning), (row(style, (meaning + 1) % 5), row(style, (meaning + 2) % 5)), row(style + 1, meaning))
    for style in (0, 2)
    for meaning in (1, 3)
]


def means(drawn: Features) -> dict[str, float]:
    found = scores(drawn, grid_features(), CASES, range(len(GRID)), GRID)
    return {name: float(np.mean(values)) for name, values in found.items()}


def test_scores_of_known_answers():
    everything = grid_features()
    nothing = {"copies_reference": 0, "copies_history": 0}
    right = {"semantic_top1": 1, "semantic_top5": 1, "style_top1": 1, "joint_top1": 1}
    assert means(everything[[case.target for case in CASES]]) == right | nothing
    copied = means(everything[[case.reference for case in CASES]])
    assert copied == right | {"style_top1": 0, "joint_top1": 0, "copies_reference": 1, "copies_history": 0}
    old = means(everything[[case.history[0] for case in CASES]])
    assert old == right | {"semantic_top1": 0, "joint_top1": 0, "copies_reference": 0, "copies_history": 1}


def test_no_answer_is_a_wrong_answer():
    blank = Features(torch.zeros(len(CASES), STYLES), torch.zeros(len(CASES), MEANINGS))
    assert means(blank) == dict.fromkeys(means(blank), 0) | {"semantic_top5": 1}


def test_top5_counts_the_rivals_ahead():
    everything = grid_features()
    drawn = everything[[case.target for case in CASES]]
    drawn.meaning[0] = torch.tensor([0.4, 0.1, 0.3, 0.2, 0.5])  # the target, meaning 1, comes last of five
    drawn.meaning[1] = torch.tensor([0.5, 0.1, 0.0, 0.4, 0.2])  # the target, meaning 3, comes second
    found = scores(drawn, everything, CASES, range(len(GRID)), GRID)
    assert found["semantic_top1"].tolist() == [False, False, True, True]
    assert found["semantic_top5"].all()


def test_interval_resamples_groups():
    assert interval(np.ones(6), list("aabbcc")) == (1, 1, 1)
    assert interval(np.array([1, 0, 1, 0]), list("aabb")) == (0.5, 0.5, 0.5)
    mean, low, high = interval(np.array([1, 1, 0, 0]), list("aabb"))
    assert (mean, low, high) == (0.5, 0, 1)


def test_retrieval_takes_the_history_picture_nearest_in_meaning():
    everything = grid_features()
    everything.meaning[row(0, 3)] = torch.tensor([0, 0.5, 0, 0.5, 0])
    assert nearest_in_history(everything, [CASES[0]]) == [row(0, 3)]


CODES = [f"code {n}" for n in range(24)]


def toy_bench(reverse: bool = False) -> Bench:
    """Two meanings a cluster; the last eight codes are test meanings. Programs 1 and 2 draw what twemoji draws."""
    step = -1 if reverse else 1
    sets = ("twemoji", "noto", "noto-mono", "fluent-flat", "symbola", "openmoji")
    restyled = {"test": CODES[16:], "seen": CODES[:4], "history": CODES[:16], "val": CODES[16:18]}
    restyled["val_history"] = restyled["history"]
    parts = [[Picture(style, f"{style}/{code}", code) for style in sets for code in CODES]]
    for codes in restyled.values():
        parts.append([Picture(f"program/{p}", f"twemoji/{code}", code) for p in (1, 2) for code in codes])
    pixels = np.zeros((1, 8, 8, 3), np.uint8)
    pictures = Pictures([(pixels, np.zeros(len(part), int), part[::step]) for part in parts])
    split = {code: "train" if n < 16 else "test" for n, code in enumerate(CODES)}
    cluster = {code: CODES[n // 2] for n, code in enumerate(CODES)}
    return Bench(pictures, Splits(split, cluster, dict.fromkeys(CODES[:16], "noto"), frozenset(CODES)))


def named(bench: Bench, cases: list[Case]) -> list[tuple]:
    return [tuple(map(bench.name, (case.target, case.reference, *case.history))) for case in cases]


@pytest.mark.parametrize("test", ["P3", "P1", "V", "T1", "T2", "T3", "T4"])
def test_cases_are_fixed_and_leak_nothing(test):
    bench = toy_bench()
    cases = bench.cases(test, 100)
    assert named(bench, cases[:5]) == named(bench, bench.cases(test, 5))
    turned = toy_bench(reverse=True)
    assert named(bench, cases) == named(turned, turned.cases(test, 100))
    family = {"twemoji": "twemoji", "noto": "noto", "noto-mono": "noto", "fluent-flat": "fluent"}
    for case in cases:
        target, reference = bench.record(case.target), bench.record(case.reference)
        assert case.target in bench.gallery(test)
        assert len(set(case.history)) == HISTORY
        for picture in map(bench.record, case.history):
            assert picture.style == target.style
            assert bench.splits.meaning_split[picture.meaning] == "train"
            assert bench.splits.cluster[picture.meaning] != bench.splits.cluster[target.meaning]
        assert reference.meaning == target.meaning
        assert reference.style != target.style
        if test[0] in "PV":
            assert reference.drawing == target.drawing
        else:
            assert family[reference.style] != family.get(target.style)
        assert (bench.splits.meaning_split[target.meaning] == "test") == (test in ("P3", "V", "T2", "T4"))
    assert len(cases) == {"P3": 16, "P1": 8, "V": 4, "T1": 32, "T2": 32, "T3": 32, "T4": 16}[test]


def test_references_of_programs_are_originals_and_other_programs():
    bench = toy_bench()
    styles = {bench.record(case.reference).style for case in bench.cases("P3", 16)}
    assert styles == {"twemoji", "program/1", "program/2"}


def toy_pictures(count: int, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Four colours (styles) of four places of a square (meanings)."""
    styles, meanings = torch.from_numpy(random.integers(0, 4, (2, count)))
    images = torch.full((count, 3, 16, 16), 0.9)
    colours = torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.1, 0.2, 0.8], [0.2, 0.2, 0.2]])
    for image, style, meaning in zip(images, styles, meanings, strict=True):
        top, left = 2 + 6 * (int(meaning) // 2), 2 + 6 * (int(meaning) % 2)
        image[:, top : top + 5, left : left + 5] = colours[style][:, None, None]
    return images, styles, meanings


def test_evaluator_learns_and_survives_saving(tmp_path):
    torch.manual_seed(0)
    random, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    evaluator = Evaluator(EvaluatorConfig(styles=4, meanings=4, size=16, width=8, features=8))
    optimizer = torch.optim.AdamW(evaluator.parameters(), lr=1e-2)
    before = accuracy(evaluator, random)
    for _ in range(60):
        images, styles, meanings = toy_pictures(32, random)
        loss, _ = evaluator.loss(disturbed(images, generator), styles, meanings)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    after = accuracy(evaluator, random)
    assert max(before) < 0.8 and min(after) > 0.95
    write_safetensors(evaluator.state_dict(), tmp_path / "evaluator.safetensors", evaluator.metadata())
    images, *_ = toy_pictures(8, random)
    kept = load_evaluator(tmp_path / "evaluator.safetensors")
    torch.testing.assert_close(kept(images), evaluator.eval()(images))


@torch.no_grad()
def accuracy(evaluator: Evaluator, random: np.random.Generator) -> list[float]:
    images, *labels = toy_pictures(64, random)
    classes = evaluator.style_classes, evaluator.meaning_classes
    found = evaluator.eval()(images)
    evaluator.train()
    guesses = [(vectors @ F.normalize(its, dim=1).T).argmax(1) for vectors, its in zip(found, classes, strict=True)]
    return [float((guess == label).float().mean()) for guess, label in zip(guesses, labels, strict=True)]


class MeanColour:
    """A judge that looks at brightness; it counts what it was shown."""

    name, version = "mean", "1"

    def __init__(self):
        self.seen = 0

    def __call__(self, images):
        self.seen += len(images)
        return Features(images.mean(dim=(2, 3)), images.mean(dim=(2, 3)))


def test_features_are_kept(tmp_path):
    pixels = np.arange(6, dtype=np.uint8)[:, None, None, None] + np.zeros((6, 8, 8, 3), np.uint8)
    pictures = Pictures([(pixels, np.arange(6), GRID[:6])])
    judge = MeanColour()
    found = judge_rows(judge, pictures, [[4], [1]], tmp_path)
    assert torch.equal(found.style[:, 0] * 255, torch.tensor([0.0, 1, 0, 0, 4, 0]))
    assert torch.equal(judge_rows(judge, pictures, [[4], [1]], tmp_path).style, found.style)
    assert judge.seen == 2


class Dabber:
    """Paints one shade after another."""

    def draw(self, history, reference, seeds):
        return torch.stack([torch.full_like(reference[0], seed / 10) for seed in seeds])


def test_chooser_keeps_what_its_judge_likes_best():
    history, reference = torch.ones(1, 2, 3, 8, 8), torch.ones(1, 3, 8, 8)
    assert Chooser(Dabber(), MeanColour(), 4).draw(history, reference, [3]).unique().item() == pytest.approx(0.6)


def test_a_case_is_drawn_the_same_in_any_batch(tmp_path):
    drc = load(write_tiny(tmp_path / "tiny.safetensors"))
    artist = DRCArtist(drc, 2.0, 3.0, Sampling())
    history, reference = torch.rand(3, 2, 3, 32, 32), torch.rand(3, 3, 32, 32)
    together = artist.draw(history, reference, [1, 2, 3])
    alone = artist.draw(history[1:2], reference[1:2], [2])
    torch.testing.assert_close(together[1:2], alone)
    assert not torch.equal(together[0], together[1])


def test_report_goes_between_the_markers(tmp_path):
    begin, end = "<!-- results: begin -->", "<!-- results: end -->"
    numbers = dict.fromkeys(means(grid_features()[[case.target for case in CASES]]), (0.5, 0.25, 0.75))
    gaps = {f"{feed}_{what}": 1.0 for feed in ("ar", "blind") for what in ("right", "wrong_reference", "wrong_history")}
    test = {"cases": 4, "judges": {"evaluator": {"ours": numbers}}, "gaps": {"ours": gaps}}
    text = markdown({"settings": {"top_k": 5}, "tests": {"P3": test}})
    assert "top k 5." in text and "| ours | 50 (25-75) |" in text and "| ours | 1.00 | +1.00 |" in text
    card = tmp_path / "card.md"
    card.write_text(f"before\n{begin}\nold\n{end}\nafter\n")
    replace_block(card, "results", text)
    replace_block(card, "results", text)
    assert card.read_text() == f"before\n{begin}\n\n{text.strip()}\n\n{end}\nafter\n"
    with pytest.raises(ValueError, match="add them"):
        replace_block(card, "training", text)


def test_training_table_reads_what_was_run(tmp_path):
    run = RunFolder(tmp_path / "stage1")
    run.save(1200, {STATE: Checkpoint({"x": torch.ones(1)}, {})})
    run.append_log({"step": 1200, "seconds": 150.0})
    states = {"stage 1": run.folder, "stage 2": tmp_path / "missing"}
    table = training_table(states, {"ours": "abc"})
    assert "| stage 1 | 1,200 | 2 |" in table and "stage 2" not in table and "| ours | `abc` |" in table


def test_contact_sheet_shows_every_column(tmp_path):
    from PIL import Image

    red = np.zeros((2, 1, 8, 8, 3), np.uint8)
    red[..., 0] = 255
    contact_sheet({"history": np.repeat(red * 0, 3, 1), "truth": red}, tmp_path / "sheet.png", side=8)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert (sheet == [255, 0, 0]).all(-1).sum() == 2 * 64
