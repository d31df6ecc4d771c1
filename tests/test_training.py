"""Training: it goes on as if it had never stopped, its batches give nothing away, and it learns."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from drc.data.pictures import Picture
from drc.lmm.mini.tokenizer import VisualTokenizer
from drc.model import DRC
from drc.train import tokenizer as tokenizer_training
from drc.train.batches import Batches, Index
from drc.train.entangled import EntangledDRC, EntangledObjective
from drc.train.importance import COMBINATIONS, ImportanceSampler
from drc.train.loop import Schedule, Trainer
from drc.train.objectives import Conditioning, Stage1, Stage2, blanked, even_bias, gaps, language_share
from drc.train.tokenizer import TokenizerObjective
from scripts.lib.tiny import CONFIG

N, CODES, SLOTS = CONFIG.lmm.vision.grid**2, CONFIG.lmm.vision.codes, CONFIG.lmm.text_slots
PROGRAMS, VENDORS, MEANINGS = 6, 4, 12
CLUSTER = {f"m{meaning}": f"c{meaning // 2}" for meaning in range(MEANINGS)}  # two meanings look alike
FAMILY = {f"vendor{vendor}": f"family{vendor // 2}" for vendor in range(VENDORS)}  # two sets of one maker


def make_batches(size=64, vendor_share=0.5, seed=0) -> tuple[Batches, list[Picture]]:
    """Codes that say what they show: 0..11 the meaning, 12.. the style, mirrored ones in the other order."""
    records = [
        Picture(f"program/{program}", f"vendor{meaning % VENDORS}/m{meaning}", f"m{meaning}")
        for program in range(PROGRAMS)
        for meaning in range(MEANINGS)
    ] + [
        Picture(f"vendor{vendor}", f"vendor{vendor}/m{meaning}", f"m{meaning}")
        for vendor in range(VENDORS)
        for meaning in range(MEANINGS)
    ]
    styles = sorted({record.style for record in records})
    shown = torch.tensor([[int(r.meaning[1:]), MEANINGS + styles.index(r.style)] for r in records])
    codes = torch.stack((shown, shown.flip(1)), dim=1).repeat(1, 1, N // 2).to(torch.int16)
    text = torch.arange(1, MEANINGS + 1).view(-1, 1, 1).expand(-1, 2, SLOTS)
    text_row = torch.tensor([int(record.meaning[1:]) for record in records])
    return Batches(codes, Index(records, CLUSTER, FAMILY), text, text_row, size, vendor_share, seed), records


def shown_by(codes, records):
    """The (style, meaning, mirrored) that codes [..., N] show."""
    styles = sorted({record.style for record in records})
    pairs = codes[..., :2].flatten(0, -2).tolist()
    return [(styles[max(p) - MEANINGS], f"m{min(p)}", p[0] > p[1]) for p in pairs]


def make_drc(seed=0):
    torch.manual_seed(seed)
    drc = DRC(CONFIG)
    drc.lmm.initialise()
    drc.disentangler.initialise()
    drc.lmm.vision.requires_grad_(False)
    return drc


def log_rows(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("draw", ["triplets", "personal"])
def test_batches_leak_nothing(draw):
    batches, records = make_batches()
    for step in range(20):
        batch = getattr(batches, draw)(step)
        count = batch.history.shape[1]
        history = iter(shown_by(batch.history, records))
        cases = torch.stack((batch.target, batch.reference, batch.partner), dim=1)
        for (style, meaning, mirrored), *references in (shown_by(views, records) for views in cases):
            for its_style, its_meaning, its_mirrored in (next(history) for _ in range(count)):
                assert its_style == style and CLUSTER[its_meaning] != CLUSTER[meaning] and its_mirrored == mirrored
            for its_style, its_meaning, its_mirrored in references:
                assert its_style != style and its_meaning == meaning and its_mirrored == mirrored
                assert FAMILY.get(its_style, "procedural") != FAMILY.get(style, "programs")


def test_text_names_the_target():
    batches, records = make_batches()
    batch = batches.personal(3)
    meanings = [int(meaning[1:]) for _, meaning, _ in shown_by(batch.target, records)]
    assert batch.text[:, 0].tolist() == [meaning + 1 for meaning in meanings]


def test_a_batch_depends_on_seed_and_step_alone():
    def contents(batches, step):
        return [tensor.tolist() for tensor in dataclasses.astuple(batches.personal(step))]

    batches, _ = make_batches()
    batches.personal(7)
    assert contents(batches, 3) == contents(make_batches()[0], 3)
    assert contents(batches, 3) != contents(batches, 4)
    assert contents(batches, 3) != contents(make_batches(seed=1)[0], 3)


def test_vendor_share():
    batches, records = make_batches(size=2000, vendor_share=0.25)
    vendor = [style in FAMILY for style, *_ in shown_by(batches.triplets(0).target, records)]
    assert np.mean(vendor) == pytest.approx(0.25, abs=0.04)
    for share in (0.0, 1.0):
        batches, _ = make_batches(vendor_share=share)
        assert {style in FAMILY for style, *_ in shown_by(batches.triplets(0).target, records)} == {share == 1.0}


def test_histories_of_every_length_and_two_views_half_of_the_time():
    batches, _ = make_batches()
    drawn = [batches.personal(step, history=4) for step in range(60)]
    assert {batch.history.shape[1] for batch in drawn} == {1, 2, 3, 4}
    other_view = torch.cat([(batch.partner != batch.reference).any(dim=1) for batch in drawn]).float().mean()
    assert 0.3 < other_view < 0.5  # half of the time a second draw, which may give the same picture again


@pytest.mark.parametrize(
    ("all_blank", "some_blank", "blank_share"), [(1.0, 0.0, 1.0), (0.0, 0.0, 0.0), (0.0, 1.0, 0.5), (0.3, 0.4, 0.5)]
)
def test_blanking(all_blank, some_blank, blank_share):
    torch.manual_seed(0)
    codes, blank = torch.randint(CODES, (4000, 64)), CODES + 1
    fed = blanked(codes, blank, Conditioning(all_blank=all_blank, some_blank=some_blank))
    is_blank = fed == blank
    assert torch.equal(fed[~is_blank], codes[~is_blank])
    assert is_blank.float().mean().item() == pytest.approx(blank_share, abs=0.02)
    by_sample = is_blank.float().mean(dim=1)
    assert (by_sample == 1).float().mean().item() == pytest.approx(all_blank, abs=0.05)
    assert (by_sample == 0).float().mean().item() == pytest.approx(1 - all_blank - some_blank, abs=0.05)


def test_importance_sampling():
    sampler = ImportanceSampler(warm_up=10)
    assert sampler.chances(9).tolist() == [0.25] * 4
    for _ in range(50):
        sampler.update(torch.tensor([0, 0, 1, 3]), torch.tensor([1.0, 3.0, 2.5, 4.0]))
    assert sampler.difficulty.tolist() == pytest.approx([2.0, 2.5, 0.0, 4.0], abs=1e-3)  # the third was never drawn
    chances = sampler.chances(10)
    assert chances.sum().item() == pytest.approx(1.0)
    assert chances.argsort().tolist() == [2, 0, 1, 3] and chances.min() >= sampler.floor
    torch.manual_seed(0)
    shares = torch.bincount(sampler.draw(5000, 10), minlength=4) / 5000
    torch.testing.assert_close(shares, chances, atol=0.03, rtol=0)


def test_difficulty_is_a_running_mean():
    sampler = ImportanceSampler(keep=0.75)
    sampler.update(torch.tensor([1]), torch.tensor([4.0]))
    sampler.update(torch.tensor([1]), torch.tensor([8.0]))
    assert sampler.difficulty.tolist() == [0.0, 5.0, 0.0, 0.0]


def objective_and_batches(kind):
    batches, _ = make_batches(size=16)
    if kind is EntangledObjective:
        torch.manual_seed(0)
        model = EntangledDRC(CONFIG)
        model.initialise()
        model.lmm.vision.requires_grad_(False)
        return EntangledObjective(model, Conditioning()), batches.personal
    return kind(make_drc(), Conditioning()), batches.triplets if kind is Stage1 else batches.personal


@pytest.mark.parametrize("kind", [Stage1, Stage2, EntangledObjective])
def test_gradient_reaches_every_trained_parameter(kind):
    objective, draw = objective_and_batches(kind)
    torch.manual_seed(1)
    for step in range(4):
        loss, _ = objective(draw(step), step)
        loss.backward()
    trained = {name: p for name, p in objective.named_parameters() if p.requires_grad}
    assert not any("vision" in name for name in trained)
    assert [name for name, p in trained.items() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize(("step", "samples"), [(0, 4), (3, 4), (4, 16), (9, 16)])
def test_the_language_model_reads_a_quarter_at_first(step, samples, monkeypatch):
    objective, draw = Stage2(make_drc(), Conditioning(), steps=10), make_batches(size=16)[0].personal
    counted = []
    forward = objective.drc.lmm.language.hidden
    monkeypatch.setattr(objective.drc.lmm.language, "hidden", lambda x: counted.append(len(x)) or forward(x))
    objective(draw(step), step)
    assert counted == [samples] and language_share(step, 10) * 16 == samples


def test_training_starts_from_a_copier():
    """Before the first step, every instruction vector already tells the reference's codes of its spot."""
    torch.manual_seed(0)
    batch = make_batches(size=32)[0].personal(0, 1)
    reference = torch.randint(CODES, (32, N))
    drc = make_drc()
    objective = Stage2(drc, Conditioning())
    read = [
        instructed(objective, dataclasses.replace(batch, reference=shown, partner=shown), target=reference)
        for shown in (reference, reference.roll(1, 0))
    ]
    assert read[0] < read[1] - 0.05, read  # of log 24 = 3.18 for guessing


def instructed(objective, batch, target):
    """Loss of the read-out of `target` from style and semantics of a batch."""
    drc = objective.drc
    heart, embed = drc.disentangler, drc.lmm.embed
    style = heart.style(embed(batch.history), torch.ones(batch.history.shape[1])).flatten(1, 2)
    semantics = heart.semantics(embed(batch.reference), embed(batch.partner))
    vectors = heart.fusion(style, semantics, even_bias(style, semantics), torch.zeros(semantics.shape[:2]))
    return objective.read_out(drc, vectors, target).mean().item()


def test_every_combination_is_trained_and_logged():
    objective, draw = objective_and_batches(Stage1)
    torch.manual_seed(0)
    for step in range(3):
        _, numbers = objective(draw(step), step)
    assert all(numbers[f"loss_{style}{semantics}"] > 0 for style, semantics in COMBINATIONS)
    assert sum(float(numbers[f"p_{style}{semantics}"]) for style, semantics in COMBINATIONS) == pytest.approx(1.0)


class PowerCutError(Exception):
    pass


def train(folder, kind, stop_after=None):
    """Six steps; with `stop_after` the machine dies at the beginning of that step."""
    objective, draw = objective_and_batches(kind)
    schedule = Schedule(steps=6, rate=1e-2, warm_up=2, save_every=2, log_every=2)
    trainer = Trainer(objective, schedule, folder)

    def batch_loss(model, step):
        if step == stop_after:
            raise PowerCutError
        return model(draw(step), step)

    trainer.run(batch_loss)
    return trainer


@pytest.mark.parametrize("kind", [Stage1, Stage2])
def test_a_resumed_training_goes_on_as_if_it_had_never_stopped(tmp_path, kind):
    train(tmp_path / "straight", kind)
    for stop in (1, 3, 5):
        with pytest.raises(PowerCutError):
            train(tmp_path / "interrupted", kind, stop_after=stop)
    trainer = train(tmp_path / "interrupted", kind)
    assert trainer.step == 6
    straight, resumed = (load_file(tmp_path / name / "state.safetensors") for name in ("straight", "interrupted"))
    assert straight.keys() == resumed.keys()
    assert [name for name in straight if not torch.equal(straight[name], resumed[name])] == []
    straight, resumed = (log_rows(tmp_path / name) for name in ("straight", "interrupted"))
    assert [row["step"] for row in straight] == [row["step"] for row in resumed] == [2, 4, 6]
    assert straight[-1]["loss"] == resumed[-1]["loss"]


def test_a_killed_run_logs_no_step_twice(tmp_path):
    train(tmp_path, Stage2)
    with open(tmp_path / "log.jsonl", "a") as file:
        file.write('{"step": 8}\n{"step": 1')
    train(tmp_path, Stage2)
    assert [row["step"] for row in log_rows(tmp_path)] == [2, 4, 6]


def test_a_finished_training_does_nothing_more(tmp_path):
    train(tmp_path, Stage2)
    train(tmp_path, Stage2, stop_after=6)


def test_the_average_follows_the_weights(tmp_path):
    model = nn.Linear(1, 1)
    seen = []

    def batch_loss(model, step):
        seen.append(model.weight.item())
        return model(torch.ones(1, 1)).square().sum(), {}

    trainer = Trainer(model, Schedule(steps=150, rate=0.05, average=0.9), tmp_path)
    trainer.run(batch_loss)
    average = trainer.average["weight"].item()
    assert min(seen[-50:]) <= average <= max(seen[-50:])
    assert model.state_dict()["weight"].item() != average


def test_stage_2_learns_style_from_the_history_and_meaning_from_the_reference(tmp_path):
    """A world of 12 meanings and 10 styles, told by the codes: wrong pictures must cost more than right ones."""
    batches, _ = make_batches(size=32)
    drc = make_drc()
    schedule = Schedule(steps=200, rate=5e-3, warm_up=20, save_every=1000)
    trainer = Trainer(Stage2(drc, Conditioning(), schedule.steps), schedule, tmp_path)
    trainer.run(lambda model, step: model(batches.personal(step, 3), step))
    losses = [row["loss"] for row in log_rows(tmp_path)]
    assert losses[-1] < 0.6 * losses[0]
    numbers = gaps(drc, batches.personal(1000, 3))
    assert numbers["blind_wrong_reference"] > 0.3 and numbers["blind_wrong_history"] > 0.3, numbers


def test_tokeniser_learns_and_its_codes_are_used(tmp_path, monkeypatch):
    monkeypatch.setattr(tokenizer_training, "FREE_STEPS", 20)
    torch.manual_seed(0)
    size = CONFIG.lmm.vision.image_size
    colours = torch.rand(8, 3, 2, 2)
    images = nn.functional.interpolate(colours, size)
    objective = TokenizerObjective(VisualTokenizer(CONFIG.lmm.vision), steps=120)
    trainer = Trainer(objective, Schedule(steps=120, rate=5e-3, warm_up=10, save_every=1000), tmp_path)
    trainer.run(lambda model, step: model(images, step))
    rows = log_rows(tmp_path)
    assert rows[-1]["psnr"] > rows[1]["psnr"] + 2
    tokenizer = objective.tokenizer
    with torch.no_grad():
        codes = tokenizer.encode(images)
        assert nn.functional.mse_loss(tokenizer.decode(codes), images) < 0.5 * images.var()
    assert len(codes.unique()) > 4
