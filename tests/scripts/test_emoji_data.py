"""The emoji benchmark: the promises of the committed manifest, the readers on small made sets, one real small build."""

import json
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drc.data.splits import TESTS, Splits
from drc.data.styles import STYLES
from scripts.datasets import raster
from scripts.datasets.emoji import build, meanings, sources, splits
from scripts.datasets.emoji.sets import SETS

ROOT = Path(__file__).resolve().parents[2]
CIRCLE = '<circle cx="8" cy="8" r="6" fill="#f00"/>'
BOXED = '<rect width="16" height="16"/>'


@pytest.fixture(scope="module")
def manifest():
    return json.loads(build.MANIFEST.read_text())


@pytest.fixture(scope="module")
def table():
    return Splits.load()


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


@pytest.fixture
def packages(tmp_path):
    """Five emoji, a set keyed by code point, an older one keyed by name, two of the fluent family, one of files."""
    rows = [
        ("1F431", "cat face", 0.6, 1),
        ("1F697", "automobile", 0.6, 1),
        ("1F997", "cricket", 5, 1),
        ("1F3CF", "cricket game", 1, 1),
        ("1F550", "one o'clock", 0.6, 1),
        ("2764-FE0F", "red heart", 0.6, 2),
    ]
    write(
        tmp_path / "emojibase-data/en/data.json",
        [
            {"hexcode": code, "label": label, "version": version, "group": group, "subgroup": 0, "tags": ["tag"]}
            for code, label, version, group in rows
        ],
    )
    write(
        tmp_path / "emojibase-data/en/messages.json",
        {
            "groups": [{"key": "objects", "order": 1}, {"key": "symbols", "order": 2}],
            "subgroups": [{"key": "thing", "order": 0}],
        },
    )
    icons = {
        "width": 16,
        "height": 16,
        "icons": {"cat-face": {"body": CIRCLE}, "car": {"body": BOXED, "height": 8}},
        "aliases": {"automobile": {"parent": "car"}, "car-left": {"parent": "car", "hFlip": True}},
    }
    for package in meanings.KEYED_PACKAGES:
        write(tmp_path / package / "icons.json", icons)
        write(tmp_path / package / "chars.json", {"1f431": "cat-face", "1f697": "car"})
    write(
        tmp_path / "emojione/icons.json",
        {
            "width": 16,
            "height": 16,
            "aliases": {"cricket-game": {"parent": "cricket"}},
            "icons": {name: {"body": CIRCLE} for name in ("cat-face", "car", "cricket", "nobody-knows")},
        },
    )
    write(tmp_path / "emojione/chars.json", {})
    write(
        tmp_path / "fxemoji/icons.json",
        {"icons": {"catface": {"body": CIRCLE}, "auto": {"body": BOXED}, "automobile": {"body": BOXED}}},
    )
    (tmp_path / "fluent-emoji-3d/assets").mkdir(parents=True)
    for code in ("1f431", "1f1e6-1f1e9"):
        picture = Image.new("RGBA", (8, 8), (0, 0, 255, 128))
        picture.save(tmp_path / f"fluent-emoji-3d/assets/{code}.webp", lossless=True)
    return tmp_path


def test_key_has_one_spelling():
    assert meanings.key("2716-fe0f") == "2716"
    assert meanings.key("1f468-200d-1f680") == "1F468-200D-1F680"


def test_meanings_leave_out_symbols_and_clock_faces(packages):
    assert set(meanings.meanings(packages)) == {"1F431", "1F697", "1F997", "1F3CF"}


def test_names_find_their_code_by_vote_and_age(packages):
    found = sources.drawings(packages, "emojione2")
    assert set(found) == {"1F431", "1F697", "1F3CF"}  # the insect is younger than the set: its cricket is the game


def test_fxemoji_takes_exact_names_only(packages):
    assert set(sources.drawings(packages, "fxemoji")) == {"1F431", "1F697"}


def test_fluent_pictures_need_a_flat_sibling(packages):
    assert set(sources.drawings(packages, "fluent-3d")) == {"1F431"}


def test_svg_is_square_and_mirrored_aliases_are_mirrored(packages):
    flat = sources.drawings(packages, "fluent-flat")["1F697"]
    assert 'viewBox="0 -4 16 16"' in flat
    icons = meanings.read_json(packages / "twemoji/icons.json")
    assert "scale(-1 1)" in sources.iconify_svg(icons, "car-left")
    assert "scale" not in sources.iconify_svg(icons, "automobile")


def test_sources_hand_out_vector_drawings_only(packages):
    listed = list(sources.sources(packages, ("twemoji", "fluent-3d")))
    assert [(style, code) for style, code, _ in listed] == [("twemoji", "1F431"), ("twemoji", "1F697")]


def test_raster_is_on_white_fitted_and_centred(packages):
    picture = raster.rasterise(sources.square_svg(BOXED, 0, 0, 16, 8), 32)
    assert picture.shape == (32, 32, 3) and picture.dtype == np.uint8
    assert (picture[:7] == 255).all() and (picture[9:23] == 0).all()
    glass = raster.rasterise(packages / "fluent-emoji-3d/assets/1f431.webp", 4)
    assert (glass == [127, 127, 255]).all()


def test_build_names_every_row(packages, tmp_path):
    seen = []
    made = build.build(packages, tmp_path / "out", 16, ["twemoji", "fluent-3d"], lambda done, total: seen.append(done))
    assert seen == [1, 2, 3] and made.images.shape == (3, 16, 16, 3)
    assert all(raster.digest(image) == cell.sha256 for image, cell in zip(made.images, made.cells, strict=True))
    assert made.meanings["1F431"].label == "cat face"
    assert (made.image("twemoji", "1F431")[8, 8] == [255, 0, 0]).all()


def test_clusters_follow_chains():
    alike = np.eye(4)
    alike[0, 1] = alike[1, 2] = alike[1, 0] = alike[2, 1] = 0.6
    assert splits.clusters(alike, ["A", "B", "C", "D"]) == {"A": "A", "B": "A", "C": "A", "D": "D"}


def test_split_keeps_clusters_whole_and_shares_of_each_group():
    codes = [f"{number:03}" for number in range(200)]
    cluster = {code: codes[int(code) // 2 * 2] for code in codes}
    split = splits.split_meanings(cluster, {code: code[0] for code in codes}, codes)
    assert all(split[code] == split[cluster[code]] for code in codes)
    for group in "01":
        assert Counter(split[code] for code in codes if code[0] == group) == {"train": 70, "val": 10, "test": 20}


def test_seen_styles_are_whole_families_without_share_alike():
    seen, unseen = ({style.family for style in STYLES.values() if style.seen == value} for value in (True, False))
    assert not seen & unseen and set(splits.SEEN_FAMILIES) == seen
    assert list(SETS) == list(STYLES)
    assert not any(SETS[name].share_alike for name, style in STYLES.items() if style.seen)
    assert all(("SA" in emoji_set.licence) == emoji_set.share_alike for emoji_set in SETS.values())


def test_manifest_splits_no_cluster(table):
    by_cluster = defaultdict(set)
    for code, split in table.meaning_split.items():
        by_cluster[table.cluster[code]].add(split)
    assert all(len(found) == 1 for found in by_cluster.values())


def test_manifest_counts(table):
    counts = Counter(table.meaning_split[code] for code in table.shared)
    whole = sum(counts.values())
    assert 770 <= whole <= 800
    assert 0.17 <= counts["test"] / whole <= 0.2 and 0.08 <= counts["val"] / whole <= 0.1
    assert len(table.meaning_split) > 1050


def test_manifest_holds_out_one_family_of_every_shared_training_meaning(table):
    assert set(table.held_out_family) == {code for code in table.shared if table.meaning_split[code] == "train"}
    assert all(family == splits.held_out_family(code) for code, family in table.held_out_family.items())
    share = Counter(table.held_out_family.values())
    assert set(share) == set(splits.SEEN_FAMILIES) and min(share.values()) > 80


def test_manifest_names_a_raster_of_every_cell(manifest, table):
    assert manifest["styles"] == list(STYLES)
    for code, row in manifest["meanings"].items():
        digests = dict(zip(STYLES, row["rasters"].split(), strict=True))
        if code in table.shared:
            assert all(digests[style] != "-" for style in splits.complete_styles())
    for column in zip(*(row["rasters"].split() for row in manifest["meanings"].values()), strict=True):
        drawn = [digest for digest in column if digest != "-"]
        assert len(set(drawn)) == len(drawn), "two meanings with the same pixels"


def test_training_and_tests_share_nothing(manifest, table):
    class Build:
        rows = {
            cell: number
            for number, cell in enumerate(
                (style, code)
                for code, row in manifest["meanings"].items()
                for style, digest in zip(manifest["styles"], row["rasters"].split(), strict=True)
                if digest != "-"
            )
        }

    cells = list(Build.rows)
    training = {cells[row] for row in table.training_rows(Build)}
    tests = {name: {cells[row] for row in table.test_rows(Build, name)} for name in TESTS}
    assert all(training.isdisjoint(found) for found in tests.values())
    assert sum(map(len, tests.values())) == len(set().union(*tests.values()))
    drawn_by = {(STYLES[style].family, code) for style, code in training}
    assert not any((STYLES[style].family, code) in drawn_by for found in tests.values() for style, code in found)
    assert len(training) > 6000 and len(tests["cells"]) > 1000 and len(tests["both"]) > 300


@pytest.mark.skipif(shutil.which("npm") is None, reason="the packages come from npm, which is not installed")
def test_real_package_gives_the_pictures_of_the_manifest(tmp_path, manifest):
    fetch = [sys.executable, ROOT / "scripts/fetch_packages.py", "--out", tmp_path / "packages"]
    subprocess.run([*fetch, "--only", "emojibase-data", "twemoji"], check=True)
    build.build(tmp_path / "packages", tmp_path / "out", manifest["size"], ["twemoji"])
    assert build.verify(tmp_path / "out") == []
