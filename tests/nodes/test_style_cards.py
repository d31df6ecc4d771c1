"""Style cards in the graph: saved where they are found, and drawing what their history draws."""

import folder_paths
import pytest
import torch

from drc import card_file
from drc.complete.palette import palette_of
from drc.complete.sizes import prepared
from drc.pixels import to_pixels
from scripts.lib.sentence import sentence_shown as sentence


@pytest.fixture(autouse=True)
def folders(pack, load_extra_paths, tmp_path, monkeypatch):
    """models/drc_styles, and a folder that extra_model_paths.yaml calls drc_styles."""
    own, extra = tmp_path / "models" / "drc_styles", tmp_path / "extra" / "drc_styles"
    own.mkdir(parents=True)
    extra.mkdir(parents=True)
    monkeypatch.setattr(folder_paths, "models_dir", str(own.parent))
    monkeypatch.setattr(folder_paths, "temp_directory", str(tmp_path / "temp"))
    monkeypatch.delitem(folder_paths.folder_names_and_paths, "drc_styles", raising=False)
    (tmp_path / "extra_model_paths.yaml").write_text(f"mine:\n  base_path: {extra.parent}\n  drc_styles: drc_styles\n")
    load_extra_paths(str(tmp_path / "extra_model_paths.yaml"))
    monkeypatch.setattr(pack.nodes.paths, "trainings", lambda: tmp_path / "output" / "drc")
    before = dict(folder_paths.folder_names_and_paths)
    pack.nodes.paths.register()
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "drc", before["drc"])
    return own, extra


@pytest.fixture
def style(graph, model, history):
    return graph.style(model, history, "1, 0, 2, 1, 0.5")


def save(graph, model, style, **given):
    return graph.run("DRC_SaveStyle", model=[model], style=[style], **given)


def offered(graph):
    return graph.classes["DRC_LoadStyle"].GET_SCHEMA().inputs[1].options


def test_what_is_saved_is_found_and_draws_the_same(graph, model, style, reference, folders):
    assert offered(graph) == ["none yet: Save Style Card makes one"]
    name, kept = graph.outputs("DRC_SaveStyle", model=[model], style=[style], licence="CC0-1.0")
    assert name == "my-style.safetensors" and offered(graph) == [name]
    found = graph.run("DRC_LoadStyle", model=model, style_name=name)
    assert torch.equal(found.rows, kept.rows) and torch.equal(found.weights, kept.weights)
    semantics = graph.semantics(model, reference)
    one, other = (graph.compose(model, each, semantics, text="red apple") for each in (style, found))
    assert torch.equal(one.vectors, other.vectors) and torch.equal(one.coefficients, other.coefficients)


def test_a_card_is_there_once(graph, model, style, history, folders):
    assert [save(graph, model, style) for _ in range(2)] == ["my-style.safetensors"] * 2
    names = [save(graph, model, graph.style(model, history[:2]), name=name) for name in ("my-style", "my-style-2")]
    assert names == ["my-style-2.safetensors", "my-style-2-2.safetensors"]
    assert save(graph, model, style) == "my-style.safetensors" and len(offered(graph)) == 3


def test_the_same_card_is_found_behind_a_folder_that_came_later(graph, model, style, history, folders, tmp_path):
    save(graph, model, style)
    folder_paths.add_model_folder_path("drc_styles", str(tmp_path / "later"), is_default=True)
    other = folders[0] / save(graph, model, graph.style(model, history[:2]), name="other")
    (tmp_path / "later").mkdir()
    other.rename(tmp_path / "later" / "my-style.safetensors")
    name, kept = graph.outputs("DRC_SaveStyle", model=[model], style=[style])
    assert name == f"my-style.safetensors (in {folders[0]})" and name in offered(graph)
    assert torch.equal(graph.run("DRC_LoadStyle", model=model, style_name=name).rows, kept.rows)


def test_it_shows_its_pictures_and_its_numbers(graph, model, style, folders):
    name = save(graph, model, style, name="Anns", licence="<img src=x onerror=alert(1)>")
    shown = graph.classes["DRC_LoadStyle"].execute(model=model, style_name=name).ui
    (text,), (picture,) = shown["text"], shown["images"]
    assert text.startswith("Style: Anns\nLicence: <img") and "Pictures: 4, each with its own weight" in text
    assert (folders[0].parents[1] / "temp" / picture["filename"]).is_file()


def test_a_card_keeps_the_look_of_the_pictures_or_of_what_its_codes_draw(graph, model, history, folders):
    style = graph.style(model, history)
    with_pictures, without = (
        card_file.load(folders[0] / save(graph, model, style, name=name, **given))
        for name, given in (("seen", {"history": [history]}), ("drawn", {}))
    )
    own = palette_of(to_pixels(prepared(picture, "it"))[0] for picture in history)
    assert with_pictures.look.palette.colours == pytest.approx(own.colours, abs=1e-6)
    assert with_pictures.look.grid == 48 and not with_pictures.drawn_again
    assert without.drawn_again and without.look.grid == 32 and len(without.marks) == len(history)


def test_nothing_is_overwritten_and_both_are_found(graph, model, style, folders):
    own, extra = folders
    save(graph, model, style)
    (own / "my-style.safetensors").rename(extra / "my-style.safetensors")
    assert save(graph, model, style) == "my-style-2.safetensors" and not (own / "my-style.safetensors").exists()
    (own / "my-style.safetensors").write_bytes((extra / "my-style.safetensors").read_bytes())
    names = {"my-style.safetensors", f"my-style.safetensors (in {extra})", "my-style-2.safetensors"}
    assert set(offered(graph)) == names
    for name in offered(graph):
        graph.run("DRC_LoadStyle", model=model, style_name=name)
    stamp = graph.classes["DRC_LoadStyle"].fingerprint_inputs
    before = stamp(model, "my-style-2.safetensors")
    (own / "my-style-2.safetensors").write_bytes(b"")
    assert stamp(model, "my-style-2.safetensors") != before


def test_merged_styles(graph, model, history, style):
    other = graph.style(model, history[:2])
    ends = [graph.run("DRC_MergeStyles", model=model, first=style, second=other, ratio=ratio) for ratio in (0.0, 1.0)]
    assert torch.equal(ends[0].rows, style.rows) and torch.equal(ends[1].rows, other.rows)
    mixed = graph.run("DRC_MergeStyles", model=model, first=style, second=other)
    name = save(graph, model, mixed)
    assert torch.equal(graph.run("DRC_LoadStyle", model=model, style_name=name).rows, mixed.rows)


def test_what_does_not_fit_is_a_sentence(graph, model, style, folders):
    name = save(graph, model, style)
    other = graph.load("other.safetensors")
    text = sentence(graph.run, "DRC_LoadStyle", model=other, style_name=name)
    assert text.startswith(f"Load Style Card: style_name is '{name}', which was made by another model")
    assert "load that model ('tiny.safetensors'), or make the card again from its pictures" in text
    assert sentence(save, graph, other, style).startswith("Save Style Card: style was made by another model")
    both = {"first": style, "second": style}
    assert sentence(graph.run, "DRC_MergeStyles", model=other, **both).startswith("Merge Styles: first was made by")
    (folders[0] / "bad.safetensors").write_bytes(b"no card")
    text = sentence(graph.run, "DRC_LoadStyle", model=model, style_name="bad.safetensors")
    assert text.startswith("Load Style Card: bad.safetensors is not a readable safetensors file")
    for wrong in ("../a", "a/b", "con"):
        assert sentence(save, graph, model, style, name=[wrong]).startswith("Save Style Card: name is '")
    text = sentence(save, graph, model, style, history=[torch.rand(2, 8, 8, 3)])
    assert "2 pictures are given for a style of 4; give those it came from" in text


def test_the_first_card_is_asked_for(graph, model):
    text = sentence(graph.run, "DRC_LoadStyle", model=model, style_name="none yet: Save Style Card makes one")
    assert "there is no such style card in" in text and "save one with Save Style Card, press R" in text


def test_over_a_lavit_pictures_are_given(graph, lavit_towers, history):
    lavit = graph.load("lavit-towers.safetensors")
    style = graph.style(lavit, history[:2])
    plain, shown = (save(graph, lavit, style, **given) for given in ({}, {"history": [history[:2]]}))
    node, found = graph.classes["DRC_LoadStyle"], {}
    for name in (plain, shown):
        found[name] = node.execute(model=lavit, style_name=name)
        assert torch.equal(found[name][0].rows, style.rows)
    assert "images" not in found[plain].ui and found[shown].ui["images"]
