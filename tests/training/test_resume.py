"""A training that was interrupted ends with the same bytes as one that was not; what does not fit is not resumed."""

import dataclasses
import re

import pytest
import torch
from safetensors.torch import load_file, save_file

from drc.checkpoint import load
from drc.data.folder import ImageFolder
from drc.tensor_file import metadata_of
from drc.train.checkpoints import STATE, WEIGHTS, RunFolder
from drc.train.errors import TrainingError
from drc.train.loop import CLOCKED
from drc.train.machine import memory
from drc.train.objectives.stages import Stage1, Stage2
from drc.train.run import Hooks
from scripts.lib.disk import full_disk, names
from scripts.lib.tiny import CONFIG, write_tiny

from .tiny_training import USERS, draw_pictures


class PowerCutError(Exception):
    pass


class Cut:
    """Hooks that cut the power: before a step, or before the second part of a step, or when samples were drawn."""

    def __init__(self, before_step=None, within_step=None, at_samples=False):
        self.before_step, self.within_step, self.at_samples = before_step, within_step, at_samples
        self.step, self.parts = -1, 0

    def on_step(self, trainer):
        self.step, self.parts = trainer.step, 0
        if self.step == self.before_step:
            raise PowerCutError

    def on_part(self):
        self.parts += 1
        if self.step == self.within_step and self.parts == 2:
            raise PowerCutError

    def on_samples(self, sheet):
        if self.at_samples:
            raise PowerCutError

    def hooks(self) -> Hooks:
        return Hooks(on_step=self.on_step, on_part=self.on_part, on_samples=self.on_samples)


LONG = {"steps": 7, "save_every": 3, "validate_every": 4, "samples": 1, "micro_batch": 2}
CUTS = (
    Cut(within_step=0),  # before there is anything to save
    Cut(before_step=1),
    Cut(within_step=2),
    Cut(at_samples=True),  # in the validation of step 4
    Cut(within_step=4),  # after that validation was made up for
)


def unclocked(rows):
    return [{name: value for name, value in row.items() if name not in (*CLOCKED, "seconds")} for row in rows]


@pytest.mark.parametrize("stage", [1, 2])
def test_an_interrupted_training_ends_with_the_same_bytes(tiny_training, tmp_path, stage):
    straight = tiny_training.train(tmp_path / "straight", stage=stage, **LONG)
    reached = []
    for cut in CUTS:
        with pytest.raises(PowerCutError):
            tiny_training.train(tmp_path / "cut", cut.hooks(), stage=stage, **LONG)
        reached.append(max(RunFolder(tmp_path / "cut").steps(), default=0))
    assert reached == [0, 1, 2, 4, 4]
    resumed = tiny_training.train(tmp_path / "cut", stage=stage, **LONG)
    assert resumed.step == straight.step == 7
    for name in (WEIGHTS, STATE):
        files = [tmp_path / run / "step-000007" / name for run in ("straight", "cut")]
        assert files[0].read_bytes() == files[1].read_bytes(), name
    assert unclocked(resumed.records) == unclocked(straight.records)
    kept = load_file(files[0])  # by the names of a model whose layers are apart
    for kind in ("weights", "average", "step", "exp_avg", "exp_avg_sq"):
        assert f"{kind}.drc.lmm.language.model.layers.1.self_attn.k_proj.weight" in kept
        assert f"{kind}.drc.lmm.language.model.layers.1.mlp.up_proj.weight" in kept
    for name in ("config.toml", "samples/step-000004.png", "samples/step-000007.png"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "straight" / name).read_bytes(), name


def test_a_disk_that_is_full_ends_it_with_a_sentence_and_room_lets_it_go_on(tiny_training, tmp_path):
    """However much still fits, and when it is tried again without room, too: nothing hangs, and nothing is lost."""
    short = LONG | {"steps": 3, "save_every": 2, "validate_every": 2}
    straight = tiny_training.train(tmp_path / "straight", **short)
    for room in (64, 2000, 8000, 100_000):  # codes, settings, log or checkpoint
        cut, said = dataclasses.replace(tiny_training, cache=tmp_path / f"cache {room}"), []
        run = tmp_path / f"cut {room}"
        for _ in range(2):
            with full_disk(room), pytest.raises((TrainingError, OSError)) as error:
                cut.train(run, **short)
            said.append(str(error.value))
        assert all("make room" in one or "File too large" in one for one in said), said
        assert cut.train(run, **short).step == 3
        for name in (WEIGHTS, STATE):
            assert straight.file.with_name(name).read_bytes() == (run / "step-000003" / name).read_bytes(), name
        assert set(names(tmp_path / "straight")) <= set(names(run))


@pytest.mark.parametrize("at", [1, 8])
def test_a_validation_tells_how_far_it_is_and_ends_where_it_is_told_to(tiny_training, tmp_path, at):
    told = []

    def on_validation(what, done, total):
        told.append((what, done, total))
        if len(told) == at:
            raise PowerCutError

    with pytest.raises(PowerCutError):
        tiny_training.train(tmp_path / "cut", Hooks(on_validation=on_validation), **LONG)
    assert RunFolder(tmp_path / "cut").steps() == [3, 4]
    passes = 7  # one for the loss, six for the gaps: all cases are one chunk
    expected = [("validating", done, passes) for done in range(1, passes + 1)]
    assert told == (expected + [("drawing samples", done, 16) for done in range(1, 17)])[:at]
    tiny_training.train(tmp_path / "cut", **LONG)
    straight = tiny_training.train(tmp_path / "straight", **LONG)
    assert unclocked(RunFolder(tmp_path / "cut").read_log()) == unclocked(straight.records)


def test_the_time_left_counts_validations(tiny_training, tmp_path):
    left = []

    def on_step(trainer):
        trainer.recent, trainer.validation_seconds = {"seconds": 2.0}, 30.0
        left.append(trainer.seconds_left())

    tiny_training.train(tmp_path / "run", Hooks(on_step=on_step), **LONG)  # 7 steps; validations after 4 and 7
    assert left == [74, 72, 70, 68, 36, 34, 32]


@pytest.fixture(scope="module")
def run(tiny_training, tmp_path_factory):
    """A run of two steps."""
    folder = tmp_path_factory.mktemp("runs") / "mine"
    tiny_training.train(folder, steps=2)
    return folder


@pytest.mark.parametrize("name", ["architecture", "model", "data set", "stage", "way to train the language model"])
def test_what_another_training_began_is_not_resumed(tiny_training, run, tmp_path, name):
    other = write_tiny(tmp_path / "other.safetensors", seed=1)
    settings = {
        "architecture": {"file": str(resized(tmp_path / "resized.safetensors"))},
        "model": {"file": str(other)},
        "data set": {"folder": str(draw_pictures(tmp_path / "pictures", USERS | {"carla": "green"}))},
        "stage": {"stage": 2},
        "way to train the language model": {"train_language": "LoRA"},
    }[name]
    before = contents(run)
    with pytest.raises(TrainingError) as error:
        tiny_training.train(run, steps=4, **settings)
    assert str(error.value) == (
        f"the run mine cannot be resumed: it was begun with another {name}; choose the former one, or turn resume off "
        "to begin a new run"
    )
    assert contents(run) == before


def resized(path):
    return write_tiny(path, config=dataclasses.replace(CONFIG, fusion=dataclasses.replace(CONFIG.fusion, layers=1)))


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_another_pairing_is_another_data_set(tiny_training, run):
    with pytest.raises(TrainingError, match="begun with another data set"):
        tiny_training.train(run, steps=4, validation_share=0.3)


def until(step, tiny_training, run, **settings):
    with pytest.raises(PowerCutError):
        tiny_training.train(run, Cut(before_step=step).hooks(), **settings)


@pytest.fixture
def flat(tmp_path):
    """A folder without sub-folders, whose pictures are those of a user by its own name."""
    folder = draw_pictures(tmp_path / "drawn", {"anna": "crimson"})
    return (folder / "anna").rename(tmp_path / "sketches")


def test_a_folder_by_another_name_is_the_same_data_set(tiny_training, flat, tmp_path):
    straight = tiny_training.train(tmp_path / "straight", folder=str(flat))
    until(2, tiny_training, tmp_path / "run", folder=str(flat))
    (tmp_path / "link").symlink_to(flat.rename(tmp_path / "drawings"))
    until(3, tiny_training, tmp_path / "run", folder=str(tmp_path / "drawings"))
    resumed = tiny_training.train(tmp_path / "run", folder=str(tmp_path / "link"))
    assert resumed.file.read_bytes() == straight.file.read_bytes()


def test_a_run_of_before_goes_on_with_its_folder(tiny_training, flat, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(ImageFolder, "fingerprint", ImageFolder.former_fingerprint)
        tiny_training.train(tmp_path / "run", folder=str(flat), steps=2)
    assert tiny_training.train(tmp_path / "run", folder=str(flat), steps=3).step == 3
    flat.rename(tmp_path / "drawings")  # by now the run knows it by what it holds
    assert tiny_training.train(tmp_path / "run", folder=str(tmp_path / "drawings"), steps=4).step == 4


def test_what_was_put_into_a_run_by_hand_is_passed_over(tiny_training, tmp_path):
    straight = tiny_training.train(tmp_path / "straight", samples=1)
    run = tmp_path / "run"
    until(2, tiny_training, run, samples=1)
    for name in ("step-\u00b2", "step-9", "step-000099.png", "step-1000000x"):
        (run / name).mkdir()
    (run / "step-000098").write_text("a file")
    (run / "samples").mkdir()
    (run / "samples" / "step-000001.png").write_bytes(b"no picture")
    (run / "samples" / "step-00000x.png").mkdir()
    with open(run / "log.jsonl", "ab") as file:
        file.write(b'no row\n[1]\n{"step": "one"}\n{"loss": 1}\n\xff\xfe\n')
    resumed = tiny_training.train(run, samples=1)
    assert resumed.file.read_bytes() == straight.file.read_bytes()
    assert [sheet.shape for sheet in resumed.samples] == [sheet.shape for sheet in straight.samples]
    assert unclocked(resumed.records) == unclocked(straight.records)


def test_a_run_whose_log_has_former_names_goes_on_under_those_of_today(tiny_training, tmp_path):
    straight = tiny_training.train(tmp_path / "straight")
    run = RunFolder(tmp_path / "run")
    until(3, tiny_training, run.folder)
    log, state = run.folder / "log.jsonl", run.path(3) / STATE
    header = run.header(3) | {"seen": run.header(3)["seen"].replace("auxiliary", "read_out")}
    assert "read_out" in header["seen"]  # of the step since the last note
    save_file(load_file(state), state, metadata_of(header))
    log.write_text(log.read_text().replace("auxiliary", "read_out"))
    assert "auxiliary" in run.read_log()[0]
    assert unclocked(tiny_training.train(run.folder).records) == unclocked(straight.records)


@pytest.mark.parametrize("seed", [2**53, 2**64 - 1])
def test_any_seed_trains(tiny_training, tmp_path, seed):
    assert tiny_training.train(tmp_path, steps=2, seed=seed, pair_seed=seed).step == 2
    with pytest.raises(TrainingError, match="seed is 18446744073709551616, expected at most"):
        tiny_training.train(tmp_path, seed=2**64)


def test_a_damaged_state_is_named_and_the_step_before_serves(tiny_training, tmp_path):
    tiny_training.train(tmp_path, steps=5)
    state = tmp_path / "step-000005" / STATE
    whole = state.read_bytes()
    state.write_bytes(whole[:-1000])
    with pytest.raises(TrainingError) as error:
        tiny_training.train(tmp_path, steps=5)
    text = str(error.value)
    assert text.startswith(f"{state} is not a readable checkpoint (")
    assert text.endswith("); delete the folder step-000005 to go on from step 4") and "\n" not in text
    for path in (state, state.with_name(WEIGHTS), state.parent):
        path.unlink() if path.is_file() else path.rmdir()
    assert tiny_training.train(tmp_path, steps=5).step == 5
    assert state.read_bytes() == whole


def test_what_is_not_a_number_keeps_the_last_good_checkpoint(tiny_training, tmp_path, monkeypatch):
    forward = Stage1.forward
    cut = Cut()

    def broken(self, batch):
        losses = forward(self, batch)
        factor = float("nan") if cut.step == 3 else 1.0
        return type(losses)(losses.tokens * factor, losses.auxiliary)

    monkeypatch.setattr(Stage1, "forward", broken)
    with pytest.raises(TrainingError) as error:
        tiny_training.train(tmp_path, cut.hooks(), steps=6, save_every=100)
    assert re.fullmatch(
        r"the loss became not a number at step 3 in combination \(., .\)( and \(., .\))*; the checkpoint of step 3 is "
        "the last good one; lower the learning rate",
        str(error.value),
    )
    assert RunFolder(tmp_path).steps() == [3]
    state = RunFolder(tmp_path).load(3)
    assert all(tensor.isfinite().all() for name, tensor in state.tensors.items())
    drawn = load(tmp_path / "step-000003" / WEIGHTS)
    assert all(tensor.isfinite().all() for tensor in drawn.state_dict().values())
    monkeypatch.undo()
    assert tiny_training.train(tmp_path, steps=6, rate=1e-4).step == 6


def test_running_out_of_memory_changes_nothing_but_the_speed(tiny_training, tmp_path, monkeypatch):
    straight = tiny_training.train(tmp_path / "straight", stage=2, steps=3)
    forward = Stage2.forward

    def limited(self, batch):
        if self.training and torch.is_grad_enabled() and len(batch) > 2:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return forward(self, batch)

    monkeypatch.setattr(Stage2, "forward", limited)
    monkeypatch.setattr(memory, "FEW", 0)  # or the estimate, which is made before, would be limited, too
    short = tiny_training.train(tmp_path / "short", stage=2, steps=3)
    expected, found = load_file(straight.file), load_file(short.file)
    assert expected.keys() == found.keys()
    for name in expected:
        if name.endswith("key.bias"):  # its gradient is zero but for rounding, which the optimiser makes large
            continue
        torch.testing.assert_close(found[name], expected[name], atol=1e-4, rtol=1e-3, msg=name)
