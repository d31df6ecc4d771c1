"""The training of the embedded model on icons and emoji together, on tiny builds."""

import dataclasses
import json

import numpy as np
import pytest
import torch

import drc
from drc.checkpoint import save
from drc.data.built import IconMatrix
from drc.data.icons import Icons
from drc.data.pictures import Picture
from drc.data.splits import Splits
from drc.train.checkpoints import WEIGHTS, RunFolder
from drc.train.data.batches import Index, draw_rows
from drc.train.data.icons import icon_parts
from scripts import choose_icons, train_embedded
from scripts.lib.deeper import deeper
from scripts.lib.entangled import entangled
from scripts.lib.icon_mixture import MixedIndex, Part
from scripts.lib.tiny import write_tiny
from scripts.lib.tiny_benchmark import HANDS, ICONS


def test_a_training_on_both_runs_validates_and_resumes(train, tmp_path):
    write_tiny(tmp_path / "start.safetensors")
    train("icons", layers=3, fusion_layers=3, micro_batch=2)
    run = RunFolder(tmp_path / "icons")
    made = drc.load(run.last(WEIGHTS))
    assert (made.config.lmm.layers, made.config.fusion.layers, made.about.step) == (3, 3, 2)
    noted = set().union(*run.read_log())
    assert {"hand_ar_right", "vendor_ar_right", "procedural_ar_right", "validation_loss"} <= noted
    train("icons", layers=3, fusion_layers=3, micro_batch=2, steps=3)
    assert drc.load(run.last(WEIGHTS)).about.step == 3


def test_some_families_alone_need_no_emoji(train, data, tmp_path, in_this_process, capsys):
    write_tiny(tmp_path / "start.safetensors")
    families, some = sorted(set(HANDS.values())), tmp_path / "some"
    options = ["--families", ",".join(families), "--data", data, "--out", some, "--pictures", len(ICONS) - 1]
    assert in_this_process(choose_icons, *options)[0] is None
    whole, part = Icons(data / "icons"), Icons(some / "icons")
    assert len(part.cells) == len(HANDS) * (len(ICONS) - 1) and part.meaning_split == whole.meaning_split
    row = whole.cells.index(part.cells[-1])
    assert np.array_equal(part.images[-1], whole.images[row])
    for name in ("icons", "entangled-icons"):
        train(name, layers=3, fusion_layers=3, icon_share=1.0, data=some)
        assert "hand_ar_right" in set().union(*RunFolder(tmp_path / name).read_log())
    for refused, said in {
        ("--families", "jam,nobody", "--data", data): "--families has 'nobody', expected some of: ",
        ("--families", "jam", "--data", data, "--pictures", 0): "--pictures: 0 was given, expected at least 1",
        ("--families", "jam", "--data", data, "--out", data): "--out is the folder of --data, whose build it would",
        ("--families", "jam", "--data", tmp_path / "none"): "the icon matrix is not built",
        ("--families", "jam", "--data", data, "--out", some / "icons" / "icons.json"): "cannot be written: Not a dir",
    }.items():
        with pytest.raises(SystemExit) as stopped:
            in_this_process(choose_icons, *refused)
        assert said in f"{capsys.readouterr().err}{stopped.value}"


def test_what_cannot_be_trained_is_one_sentence(train, tmp_path, capsys):
    write_tiny(tmp_path / "start.safetensors")

    def said(**options) -> str:
        with pytest.raises(SystemExit) as stopped:
            train("icons", **options)
        return f"{capsys.readouterr().err}{stopped.value}"

    deep = {"layers": 3, "fusion_layers": 3}
    assert said(layers=1, fusion_layers=3).startswith("1 and 3 layers were asked for, expected at least 2")
    assert "--steps: 0 was given, expected at least 1" in said(**deep, steps=0)
    assert "--icon-share: 1.5 was given, expected 0 to 1" in said(**deep, icon_share=1.5)
    assert "the icon matrix is not built" in said(**deep, data=tmp_path / "none")
    assert said(**deep, icon_share=1.0, aligned=0.2).startswith("--aligned is 0.2, which only a mixture with emoji")
    assert "has 3 and 3 layers, but --layers is 4 and --fusion-layers 3; say the same" in said(
        layers=4, fusion_layers=3
    )


def test_stage_1_comes_first_where_it_is_asked_for(train, tmp_path):
    write_tiny(tmp_path / "start.safetensors")
    train("icons", layers=3, fusion_layers=3, stage1_steps=3)
    first, then = (drc.load(RunFolder(tmp_path / name).last(WEIGHTS)) for name in ("icons-stage1", "icons"))
    assert (first.about.stage, first.about.step, then.about.stage, then.about.step) == (1, 3, 2, 2)
    (config,) = (tmp_path / "icons").glob("config.toml")
    assert "icons-stage1" in config.read_text()


def test_the_comparison_learns_the_same_and_is_validated_alike(train, tmp_path):
    write_tiny(tmp_path / "start.safetensors")
    train("icons", layers=3, fusion_layers=3, anew=True)
    train("entangled-icons", layers=3, fusion_layers=3)
    logs = [set().union(*RunFolder(tmp_path / name).read_log()) for name in ("icons", "entangled-icons")]
    assert "hand_blind_wrong_reference" in logs[1] and {key for key in logs[1] if "hand" in key} <= logs[0]
    trained, untrained = drc.load(tmp_path / "start.safetensors"), drc.load(tmp_path / "icons-start.safetensors")
    fold = "disentangler.rows.fold.weight"
    assert not torch.equal(trained.state_dict()[fold], untrained.state_dict()[fold])


def test_the_comparison_begins_with_the_trained_language_model(tmp_path):
    base = drc.load(write_tiny(tmp_path / "start.safetensors"))
    model = entangled(base, trained=True)
    embeddings = torch.randn(1, 4, base.config.lmm.width)
    assert torch.equal(base.lmm.language(embeddings), model.lmm.language(embeddings))


def test_what_is_tested_is_in_no_batch(data):
    icons = train_embedded.mixture(data, 0.6, 0.35, 0.5, 0)(drc.load())
    pictures, train = icons.pictures.sources[0], icons.train
    rows = train.index.targets(np.random.default_rng(0), 500, 1.0)
    drawn = [pictures.icons.cells[pictures.cell[row]] for row in rows[rows < len(pictures)]]
    assert drawn and all(pictures.icons.may_train(cell) for cell in drawn)
    assert "bell" not in pictures.meanings() and "new" not in {user.style for user in pictures.users}
    hold = icons.validation["hand"].index
    assert {pictures.users[pictures.user[row]].family for row in hold.own} == {"jam"}


def shown(data, splits):
    """Words of the icons' names and of the emoji's labels whose meanings are in such splits."""
    of_emoji, words = Splits.load().meaning_split, drc.load().words
    codes = [row["code"] for row in json.loads((data / "emoji.json").read_text())["meanings"]]
    names = [name for name, split in ICONS.items() if split in splits]
    return words.learned(names), words.learned([c for c in codes if of_emoji[c] in splits])


def test_words_that_are_tested_are_not_learned(data):
    words = train_embedded.mixture(data, 0.6, 0.35, 0.5, 0)(drc.load()).words
    icons, emoji = shown(data, {"train"})
    assert "thing" in icons and emoji and words == icons | emoji
    assert shown(data, {"val", "test"})[0] == {"dog", "bell"}


@pytest.mark.parametrize("stage", ["icons", "stage2"])
def test_what_is_exported_lists_what_was_learned(data, train, tmp_path, stage):
    model = drc.load()
    model.about = dataclasses.replace(model.about, learned=None)
    run = tmp_path / stage / "step-000001"
    run.mkdir(parents=True)
    save(model, run / WEIGHTS)
    train("export", stage=stage)
    made, (icons, emoji) = drc.load(tmp_path / "start.safetensors"), shown(data, {"train"})
    assert made.about.learned == (emoji | icons if stage == "icons" else emoji)
    assert made.unknown_words("dog") == ["dog"]
    model.about = dataclasses.replace(model.about, learned=frozenset({"dog"}))
    save(model, run / WEIGHTS)
    train("export", stage=stage)
    assert drc.load(tmp_path / "start.safetensors").about.learned == {"dog"}


def test_a_deeper_model_draws_what_it_drew(tmp_path):
    base = drc.load(write_tiny(tmp_path / "tiny.safetensors"))
    history, reference = torch.rand(3, 32, 32, 3), torch.rand(1, 32, 32, 3)
    made = deeper(base, 4, 3)
    assert sum(p.numel() for p in made.parameters()) > sum(p.numel() for p in base.parameters())
    assert torch.equal(made.draw(history, reference, seeds=[1, 2]), base.draw(history, reference, seeds=[1, 2]))
    with pytest.raises(ValueError, match="1 and 2 layers were asked for"):
        deeper(base, 1, 2)


def test_a_mixture_keeps_to_its_shares_and_crosses_over_by_name(data):
    matrix = IconMatrix.open(data)
    pictures, index, _ = icon_parts(matrix.icons, 0.5, 0)
    things = [meaning for meaning in matrix.texts() if meaning.startswith("thing")]
    records = [Picture(style, f"{style}/{name}", name) for style in ("noto", "twemoji") for name in things]
    records += [Picture(f"program/{n}", f"noto/{name}", name) for n in range(2) for name in things]
    emoji = Index(records, {name: name for name in things}, {"noto": "noto", "twemoji": "twemoji"})
    parts = [Part(index, 0, 0.75, 1.0, pictures.meanings())]
    parts.append(Part(emoji, len(pictures), 0.25, 0.5, [record.meaning for record in records]))
    mixed = MixedIndex(parts)
    rows = draw_rows(mixed, np.random.default_rng(0), 1200, 3, 0.0, 1.0)
    names = np.array(parts[0].meanings + parts[1].meanings)
    of_icons = rows.target < len(pictures)
    assert of_icons.mean() == pytest.approx(0.75, abs=0.05)
    assert ((rows.history < len(pictures)) == of_icons[:, None]).all()
    assert (names[rows.reference] == names[rows.target]).all()
    crossed = (rows.reference < len(pictures)) != of_icons
    assert 0.15 < crossed[of_icons].mean() < 0.35
    style = np.array([""] * len(pictures) + [record.style for record in records])[rows.target]
    painted = np.char.startswith(style, "program/")
    assert painted.any() and not crossed[painted].any(), "exact pairs stay exact"
