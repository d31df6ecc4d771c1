"""Set Report: real icons of one set against foreign ones, names, and what is shown."""

import pytest
import torch

from scripts.lib.sentence import sentence_shown as sentence


@pytest.fixture(scope="module")
def icons(graph):
    return [graph.outputs("DRC_ExamplePictures", example=f"icons {number}")[0] for number in (1, 2)]


def test_the_foreign_icon_is_named_first(graph, icons):
    images = torch.cat((icons[0][7:], icons[1][:1]))
    sheet, text, order = graph.outputs("DRC_SetReport", images=images, history=icons[0][:7], names="own\n<b>other")
    assert order == "<b>other" and text.startswith("1 of 2 do not fit the set of 7\n<b>other: does not fit")
    assert sheet.shape[0] == 1 and sheet.shape[2:] == (1024, 3)


def test_a_list_of_names_is_one_a_line(graph, icons):
    """As they come from Complete Icon Set."""
    given = {"images": icons[0][:2], "history": icons[1]}
    lines = graph.outputs("DRC_SetReport", **given, names="own\nother")
    assert graph.outputs("DRC_SetReport", **given, names=["own", "other"])[1:] == lines[1:]


def test_what_it_says_is_text_on_the_page(graph, icons, classes, pack, monkeypatch):
    said = []
    monkeypatch.setattr(pack.nodes.host, "show_text", lambda hidden, text: said.append(text))
    text = graph.outputs("DRC_SetReport", images=icons[0][:1], history=icons[0], names="<b>")[1]
    assert said == [text]


def test_pictures_of_any_size_and_without_names(graph, icons):
    small = torch.nn.functional.interpolate(icons[0].movedim(-1, 1), (100, 90)).movedim(1, -1)
    text = graph.outputs("DRC_SetReport", images=[small, icons[1]], history=icons[0])[1]
    assert len(text.splitlines()) == 1 + len(small) + len(icons[1])


def test_what_a_mask_covers_is_white(graph, icons):
    hidden, mask = icons[0][:1].clone(), torch.zeros(1, *icons[0].shape[1:3])
    hidden[:, :20, :], mask[:, :20, :] = torch.tensor([0.0, 0.5, 0.0]), 1
    white = hidden.clone()
    white[:, :20, :] = 1
    expected = graph.outputs("DRC_SetReport", images=white, history=icons[0])
    found = graph.outputs("DRC_SetReport", images=hidden, images_mask=mask, history=icons[0])
    assert torch.equal(found[0], expected[0]) and found[1:] == expected[1:]
    assert graph.outputs("DRC_SetReport", images=hidden, history=icons[0])[1] != expected[1]


@pytest.mark.parametrize(
    "names, history, told",
    [
        ("a\nb", slice(8), "names has 2 lines, but images has 1 pictures; give each a line or leave names empty"),
        ("x" * 201, slice(8), "line 1 of names has 201 letters, expected at most 200; shorten it"),
        ("", None, "history has nothing drawn in any of its pictures (2); give pictures of the set"),
        ("", [0] * 201, "history has 201 pictures, expected 1 to 200; choose some of the set"),
    ],
)
def test_bad_input_is_one_sentence(graph, icons, names, history, told):
    given = torch.ones(2, 64, 64, 3) if history is None else icons[0][history]
    text = sentence(graph.run, "DRC_SetReport", images=icons[0][:1], history=given, names=names)
    assert text == f"Set Report: {told}."
