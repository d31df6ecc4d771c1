"""My Pictures: a folder, or files, are the history that the pictures are, one after another; those of Example Pictures
stand in for them."""

import json
import math
from types import SimpleNamespace

import folder_paths
import numpy
import pytest
import torch
from PIL import Image

from drc.complete import svg
from drc.complete.history import history_in
from drc.pixels import from_image, to_pixels
from scripts.lib.sentence import sentence_shown as sentence


@pytest.fixture
def folder(host_folders, monkeypatch):
    monkeypatch.setattr(folder_paths, "temp_directory", str(host_folders / "temp"))
    place = host_folders / "input" / "mine"
    place.mkdir()
    generator = numpy.random.default_rng(1)
    for number, size in enumerate(((40, 30), (32, 32), (64, 64), (90, 21)), 1):
        Image.fromarray(generator.integers(0, 255, (*size, 3), numpy.uint8)).save(place / f"icon-{number}.png")
    return place


def pictures(graph, model, **given):
    with torch.inference_mode():
        return graph.classes["DRC_MyPictures"].execute(model=[model], **{"folder": ["mine"], "files": [""], **given})


@pytest.mark.parametrize("kind", ["model", "lavit"])
def test_the_style_is_that_of_the_pictures_loaded_one_by_one(graph, folder, request, lavit_towers, kind):
    model = request.getfixturevalue("model") if kind == "model" else graph.load("lavit-towers.safetensors")
    apart = [torch.from_numpy(numpy.array(Image.open(path)))[None].float() / 255 for path in sorted(folder.iterdir())]
    expected = graph.style(model, [*apart, apart[0]], [""])
    found = pictures(graph, model, images=[apart[0]])
    assert found[0].shape[:2] == (5, model.drc.lmm.image_size)
    assert torch.equal(graph.style(model, found[0]).rows, expected.rows)
    (picture,), (text,) = found.ui["images"], found.ui["text"]
    assert (folder.parents[1] / "temp" / picture["filename"]).is_file() and text.endswith("5 pictures.")
    assert "picture 1 of images` is the same picture as `icon-1.png`" in text


@pytest.mark.parametrize(("side", "handed_on"), [(24, 24), (200, 200), (600, 256)])
def test_squares_of_one_size_keep_it(graph, model, folder, side, handed_on):
    """So lock and SVG find in them what the command finds in the files: colours of fine lines, and the grid. Of what is
    much larger than the model's own squares, 32 here, a file is read smaller."""
    generator, place = numpy.random.default_rng(1), folder.parent / "alike"
    place.mkdir()
    for number in range(3):
        Image.fromarray(generator.integers(0, 255, (side, side, 3), numpy.uint8)).save(place / f"{number}.png")
    found = pictures(graph, model, folder=["alike"])[0]
    with torch.inference_mode():
        history = history_in(place, model.drc)
    assert found.shape == (3, handed_on, handed_on, 3)
    assert svg.grid_of([len(one) for one in found]) == history.look().grid
    read = to_pixels(from_image(found))
    same = [numpy.array_equal(*pair) for pair in zip(read, history.pictures(handed_on), strict=True)]
    assert side > handed_on or (all(same) and torch.equal(graph.style(model, found).rows, history.style.rows))
    more = pictures(graph, model, folder=["alike"], images=[torch.rand(1, side, 8, 3)])[0]
    assert more.shape[1:3] == (model.drc.lmm.image_size,) * 2


@pytest.mark.parametrize(("more", "side"), [(0, 48), (1, 24)])
def test_many_are_handed_on_smaller(graph, model, pack, folder, monkeypatch, more, side):
    monkeypatch.setattr(pack.nodes.my_pictures, "FULL", 48)
    count = pack.nodes.my_pictures.FEW + more
    assert pictures(graph, model, folder=[""], files=[["mine/icon-3.png"] * count])[0].shape == (count, side, side, 3)


def test_files_are_what_their_folder_is(graph, model, folder, host_folders):
    names = [f"mine/{path.name}" for path in sorted(folder.iterdir())]
    of_folder = pictures(graph, model)[0]
    assert torch.equal(pictures(graph, model, folder=[""], files=[names])[0], of_folder)
    assert torch.equal(pictures(graph, model, folder=[""], files=[names[1]])[0], of_folder[1:2])
    assert torch.equal(pictures(graph, model, files=[names[:1]])[0], torch.cat((of_folder, of_folder[:1])))
    (host_folders / "output").mkdir(exist_ok=True)
    (host_folders / "output" / "drawn.png").write_bytes((folder / "icon-2.png").read_bytes())
    assert torch.equal(pictures(graph, model, folder=[""], files=["drawn.png [output]"])[0], of_folder[1:2])


@pytest.fixture
def linked_to(graph, pack, monkeypatch):
    """Makes the next run one whose images come from a node of that kind, as the host tells of a prompt."""

    def link(kind):
        prompt = {"1": {"class_type": kind}, "2": {"inputs": {"images": ["1", 0], "folder": "mine"}}}
        hidden = SimpleNamespace(unique_id="2", prompt=prompt)
        monkeypatch.setattr(graph.classes["DRC_MyPictures"], "hidden", hidden)
        host = pack.nodes.host
        monkeypatch.setattr(host, "show_text", lambda hidden, text: host.ui.PreviewText(text))  # there is no server

    return link


def test_the_example_stands_in_only_as_long_as_there_is_nothing_else(graph, model, folder, linked_to, pack):
    told = pack.nodes.my_pictures.LEFT_OUT
    example, own = graph.run("DRC_ExamplePictures"), pictures(graph, model)[0]
    both = pictures(graph, model, images=[example])  # nobody knows where they come from
    assert len(both[0]) == len(own) + len(example)
    linked_to("DRC_ExamplePictures")
    found, alone = pictures(graph, model, images=[example]), pictures(graph, model, images=[example], folder=[""])
    assert torch.equal(found[0], own) and torch.equal(alone[0], example)
    assert [*found.ui["text"], *alone.ui["text"]] == [f"{told}\n\n4 pictures.", "8 pictures."]
    files = [f"mine/{path.name}" for path in sorted(folder.iterdir())]
    assert torch.equal(pictures(graph, model, images=[example], folder=[""], files=[files])[0], own)
    linked_to("LoadImage")
    assert torch.equal(pictures(graph, model, images=[example])[0], both[0])


def test_the_template_draws_as_if_it_took_the_example_itself(graph, root):
    """In its place the same style, palette, grid and report come of the squares that My Pictures makes of it."""
    nodes = json.loads((root / "workflows" / "complete_my_set.json").read_text())["nodes"]
    (chosen,) = (node["widgets_values"][0] for node in nodes if node["type"] == "DRC_ExamplePictures")
    model, example = graph.load("embedded"), graph.run("DRC_ExamplePictures", example=chosen)
    squares, drawn = pictures(graph, model, folder=[""], images=[example])[0], graph.run("DRC_ExamplePictures")[:2]
    style, expected = graph.style(model, squares), graph.style(model, example)
    assert torch.equal(style.rows, expected.rows) and torch.equal(style.codes, expected.codes)
    for node in ("DRC_LockPalette", "DRC_SetReport"):
        found, same = (graph.outputs(node, images=drawn, history=one) for one in (squares, example))
        for one, other in zip(found, same, strict=True):
            assert torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other
    assert svg.grid_of([squares.shape[1]] * len(squares)) == svg.grid_of([example.shape[1]] * len(example))


def test_what_is_no_history_is_a_sentence(graph, model, folder, host_folders):
    def told(**given):
        text = sentence(pictures, graph, model, **given)
        assert text.startswith("My Pictures (history: icons, emoji): ")
        return text

    assert "folder is empty, and so are files and images; drop pictures onto the node" in told(folder=[""])
    assert "files has '../x.png', which leads out of" in told(files=[["../x.png"]])
    assert "files has 'x.png', which is not in" in told(files=["x.png"])
    assert "files is a dict, expected a text" in told(files=[[{}]])
    assert "the history holds 201 pictures" in told(files=[["x.png"] * 201])
    assert "leads out of" in told(folder=["../models"]) and "is not there" in told(folder=["other"])
    (host_folders / "input" / "none").mkdir()
    assert "holds no picture that can be read; put PNG" in told(folder=["none"])
    (host_folders / "input" / "none" / "a.svg").touch()
    assert "(`a.svg`: .svg files cannot be read; save it as PNG or JPEG)" in told(folder=["none"])
    assert "no picture can be used, first `none/a.svg`: .svg files cannot be read" in told(
        folder=[""], files=["none/a.svg"]
    )
    (host_folders / "input" / "none" / "b.png").touch()
    assert "no picture can be used, first `a.svg`: .svg files cannot be read" in told(folder=["none"])
    for number in range(197):
        (folder / f"more-{number}.png").write_bytes((folder / "icon-2.png").read_bytes())
    assert "holds 201 pictures, expected 1 to 200; choose those" in told()
    assert "the history holds 201 pictures" in told(folder=[""], images=[torch.rand(201, 8, 8, 3)])


def test_cancel_ends_it(graph, model, folder, assert_cancelled):
    assert_cancelled(lambda: pictures(graph, model))


def test_it_runs_again_when_the_folder_changed(graph, folder):
    stamp = graph.classes["DRC_MyPictures"].fingerprint_inputs
    before, of_one = stamp(None, ["mine"], [""]), stamp(None, [""], [["mine/icon-1.png"]])
    assert stamp([None], ["mine"], [[]]) == before and stamp(None, [""], ["mine/icon-1.png"]) == of_one
    (folder / "icon-1.png").write_bytes((folder / "icon-2.png").read_bytes())
    assert stamp(None, ["mine"], [""]) != before and stamp(None, [""], ["mine/icon-1.png"]) != of_one
    assert math.isnan(stamp(None, [""], [["mine/icon-1.png"] * 201]))  # more than are looked at
