"""The icon matrix: what is drawn, how, and what training may see of it."""

import json

import numpy as np
import pytest

from drc.data.icons import HELD_OUT, IconCell, is_held_out
from scripts.datasets.icons.build import build, digests
from scripts.datasets.icons.matrix import LINES, read_manifest
from scripts.datasets.icons.package import Package

BAR = '<path stroke="currentColor" stroke-width="2" d="M2 6h8"/>'
PINNED = "@iconify/json 1.2.3"
MEANINGS = {"minus": {"split": "train", "families": 2}, "wide": {"split": "test", "families": 1}}


def manifest_of(styles):
    return {"package": PINNED, "meanings": MEANINGS, "styles": styles}


def style(set_name, icons, **facts):
    row = {"set": set_name, "family": set_name, "licence": "MIT", "author": "A", "url": "", "colour": False}
    return row | {"unseen": False, "icons": icons} | facts


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "package"
    (folder / "json").mkdir(parents=True)
    icons = {
        "bar": {"body": BAR},
        "wide": {"body": '<path fill="red" d="M0 0h24v6H0z"/>', "width": 24, "height": 6},
    }
    (folder / "json" / "lines.json").write_text(json.dumps({"width": 12, "height": 12, "icons": icons}))
    (folder / "package.json").write_text(json.dumps({"name": "@iconify/json", "version": "1.2.3"}))
    return folder


def test_a_build_is_what_the_matrix_names(package, tmp_path):
    manifest = manifest_of({"lines/thin": style("lines", {"minus": "bar"})})
    icons = build(package, tmp_path / "out", 24, manifest, processes=1)
    assert icons.cells == [IconCell("lines/thin", "minus", line) for line in (1.0, *LINES)]
    assert icons.rows == {("lines/thin", "minus"): 0}
    black = (255 - np.asarray(icons.images)[..., 0].astype(int)).sum(axis=(1, 2))
    assert black[1] < black[0] < black[2], "thinner and thicker lines"
    assert set(digests(icons)) == {"lines/thin"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"icons.json", "icons.npy"}


def test_a_drawing_is_centred_in_a_square(package):
    assert 'viewBox="0 -9 24 24"' in Package(package).svg("lines", "wide")


@pytest.mark.parametrize(
    "names, said",
    [
        (("none", "bar", "minus"), "the matrix needs .*none.json, which is not there; fetch the pinned package again$"),
        (("lines", "none", "minus"), "the matrix names the icon 'lines:none', which is not in .*; fetch the pinned"),
        (("lines", "bar", "plus"), "style lines/thin of the matrix draws 'plus', which is no meaning; correct it$"),
    ],
)
def test_what_the_package_lacks_is_a_sentence_and_leaves_nothing(package, tmp_path, names, said):
    set_name, icon, meaning = names
    with pytest.raises(ValueError, match=said):
        manifest = manifest_of({"lines/thin": style(set_name, {meaning: icon})})
        build(package, tmp_path / "out", 24, manifest, processes=1)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name, text, said",
    [
        ("package.json", None, "the matrix needs .*package.json, which is not there; fetch the pinned package again$"),
        ("package.json", "{}", "holds None None, but the matrix was made of @iconify/json 1.2.3; fetch the pinned"),
        ("package.json", '{"name": "@iconify/json", "version": "1.2.4"}', "holds @iconify/json 1.2.4, but the matrix"),
        ("json/lines.json", '{"icons": {"ba', "lines.json is not readable JSON .*; fetch the pinned package again$"),
        ("json/lines.json", '{"icons": []}', "lines.json holds no icons; fetch the pinned package again$"),
    ],
)
def test_another_package_or_a_damaged_one_is_a_sentence_and_leaves_nothing(package, tmp_path, name, text, said):
    (package / name).unlink() if text is None else (package / name).write_text(text)
    with pytest.raises(ValueError, match=said):
        build(package, tmp_path / "out", 24, manifest_of({"lines/thin": style("lines", {"minus": "bar"})}), processes=1)
    assert not (tmp_path / "out").exists()


def test_a_build_that_is_cut_off_leaves_nothing_and_an_earlier_one_whole(package, tmp_path):
    class CutError(Exception):
        pass

    def cut(done, total):
        raise CutError

    styles, out = {"lines/thin": style("lines", {"minus": "bar"})}, tmp_path / "out"
    with pytest.raises(CutError):
        build(package, out, 24, manifest_of(styles), processes=1, progress=cut)
    assert not list(out.iterdir())
    build(package, out, 24, manifest_of(styles), processes=1)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(CutError):
        build(package, out, 24, manifest_of({"wide": style("lines", {"wide": "wide"})}), processes=1, progress=cut)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_training_sees_no_unseen_hand_no_test_meaning_and_no_held_out_cell(package, tmp_path):
    styles = {"lines/thin": style("lines", {"minus": "bar", "wide": "wide"})}
    styles["lines/unseen"] = style("lines", {"minus": "bar"}, unseen=True)
    icons = build(package, tmp_path / "out", 24, manifest_of(styles), processes=1)
    allowed = {(cell.style, cell.meaning) for cell in icons.cells if icons.may_train(cell)}
    assert allowed == (set() if is_held_out("lines", "minus") else {("lines/thin", "minus")})


def test_one_family_in_twelve_is_held_out():
    manifest = read_manifest()
    families = {row["family"] for row in manifest["styles"].values()}
    held = [is_held_out(family, meaning) for family in families for meaning in list(manifest["meanings"])[:200]]
    assert 0.8 / HELD_OUT < np.mean(held) < 1.2 / HELD_OUT


def test_the_manifest_holds_the_matrix():
    manifest = read_manifest()
    assert (len(manifest["meanings"]), len(manifest["styles"])) == (1472, 241)
    unseen = {row["family"] for row in manifest["styles"].values() if row["unseen"]}
    seen = {row["family"] for row in manifest["styles"].values() if not row["unseen"]}
    assert len(unseen) == 11 and not unseen & seen, "no hand is on both sides"
    assert {"solar", "pepicons", "tdesign", "teenyicons"} <= unseen
    for name, row in manifest["styles"].items():
        assert set(row["icons"]) <= set(manifest["meanings"]), name
        assert row["licence"] and row["author"], name
        assert not {"GPL", "SA"} & set(row["licence"].replace("-", " ").split()), name
        assert len(row["rasters"]) >= 8 * len(row["icons"]), name
