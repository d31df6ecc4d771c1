"""Pictures as they reach a node: lists of one history, and stickers whose transparency comes as a mask beside them."""

import asyncio

import numpy as np
import pytest
import torch
from comfy_extras import nodes_compositing, nodes_dataset
from PIL import Image, ImageDraw

from drc.data.picture_file import read
from scripts.lib.sentence import sentence_shown as sentence

SIZE = 32  # of the tiny model


@pytest.fixture
def input_folder(tmp_path, monkeypatch):
    import folder_paths

    monkeypatch.setattr(folder_paths, "input_directory", str(tmp_path))
    return tmp_path


def sticker(size, hidden=(0, 0, 0)):
    """A soft-edged disc on ground that is transparent and of a hidden colour."""
    picture = Image.new("RGBA", size, (*hidden, 0))
    large = Image.new("L", (size[0] * 4, size[1] * 4))
    ImageDraw.Draw(large).ellipse((8, 8, size[0] * 3, size[1] * 3), fill=200)
    disc = Image.new("RGBA", size, (190, 40, 90, 255))
    disc.putalpha(large.resize(size))
    picture.paste(disc, mask=large.resize(size).point(lambda shade: 255 * (shade > 0)))
    return picture


@pytest.fixture
def load_image(input_folder, stock):
    """The host's own Load Image, of a picture that is put into its input folder."""

    def load(name, picture):
        picture.save(input_folder / name)
        return stock["LoadImage"]().load_image(name)

    return load


@pytest.mark.filterwarnings("ignore:Palette images with Transparency")  # which the host converts all the same
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
@pytest.mark.parametrize("size", [(SIZE, SIZE), (61, 47)])
def test_a_sticker_is_the_same_to_the_nodes_and_to_image_dataset(pack, load_image, input_folder, mode, size):
    picture = sticker(size)
    if mode == "P":
        picture = picture.convert("RGB").quantize(16)
        picture.info["transparency"] = bytes(255 * (shade % 2) for shade in range(16))
    elif mode != "RGBA":
        picture = picture.convert(mode)
    image, mask = load_image("sticker.png", picture)
    given = torch.from_numpy(np.array(picture.convert("RGBA"))).float()
    loaded = 255 * torch.cat((image[0], 1 - mask[0, :, :, None]), dim=2)
    exact = torch.allclose(loaded, given, atol=0.01)  # some hosts read grey with alpha almost a level beside
    assert mask.max() == 1
    (seen,) = pack.nodes.pictures.pictures_of(image, mask, "history")
    square = (pack.drc.pixels.square(seen, SIZE, "it") * 255).round().permute(1, 2, 0)
    expected = torch.from_numpy(read(input_folder / "sticker.png", SIZE)).float()
    assert (square - expected).abs().max() <= (0 if exact and size == (SIZE, SIZE) else 1)


def inputs_of(graph, model, reference, name):
    """A node that takes pictures, and inputs for what else it needs."""
    return {
        "StyleTower": ("DRC_StyleTower", "history", {}),
        "SemanticTower": ("DRC_SemanticTower", "reference", {}),
        "Attention Map": ("DRC_AttentionMap", "history", {}),
        "Attention Map's reference": ("DRC_AttentionMap", "reference", {}),
        "Collapse Meter": ("DRC_CollapseMeter", "images", {"history": reference, "reference": reference}),
        "Collapse Meter's history": ("DRC_CollapseMeter", "history", {"images": reference, "reference": reference}),
        "Collapse Meter's reference": ("DRC_CollapseMeter", "reference", {"images": reference, "history": reference}),
        "Tokenize Image": ("DRC_TokenizeImage", "images", {}),
        "ComposeInContext": ("DRC_ComposeInContext", "history", {}),
        "ComposeInContext's reference": ("DRC_ComposeInContext", "reference", {}),
    }[name]


NODES = (
    "StyleTower", "SemanticTower", "Attention Map", "Attention Map's reference", "Collapse Meter",
    "Collapse Meter's history", "Collapse Meter's reference", "Tokenize Image", "ComposeInContext",
    "ComposeInContext's reference",
)  # fmt: skip


def same(one, other):
    """Whether all outputs are the same bytes."""
    for first, second in zip(one, other, strict=True):
        if isinstance(first, torch.Tensor):
            assert torch.equal(first, second)
        elif hasattr(first, "__dict__"):
            same(vars(first).values(), vars(second).values())
        else:
            assert first == second


@pytest.mark.parametrize("name", NODES)
def test_every_node_lays_a_sticker_on_white(graph, model, lavit, reference, load_image, name):
    node, place, others = inputs_of(graph, model, reference, name)
    model = lavit if node == "DRC_ComposeInContext" else model
    image, mask = load_image("sticker.png", sticker((40, 30), hidden=(0, 120, 0)))
    white = image * (1 - mask[..., None]) + mask[..., None]
    expected = graph.outputs(node, model=model, **others, **{place: white})
    same(graph.outputs(node, model=model, **others, **{place: image, f"{place}_mask": mask}), expected)
    with pytest.raises(AssertionError):
        same(graph.outputs(node, model=model, **others, **{place: image}), expected)


def test_masks_of_pictures_without_transparency_change_nothing(graph, model, history, load_image):
    _, none = load_image("photo.png", Image.new("RGB", (30, 30), "teal"))
    assert none.shape == (1, 64, 64)
    expected = graph.style(model, history).rows
    for masks in (
        none,
        torch.zeros(5, 40, 48),
        torch.zeros(3, 8, 8),
        torch.zeros(40, 48),
        torch.zeros(5, 1, 8, 8),
        torch.zeros(5, 8, 8).to(torch.float8_e4m3fn),
        [none] * 5,
    ):
        found = graph.run("DRC_StyleTower", model=model, history=history, history_mask=masks)
        assert torch.equal(found.rows, expected)


def test_each_picture_has_its_mask(pack, history):
    masks = torch.zeros(5, 20, 24)
    masks[3] = 1
    seen = pack.nodes.pictures.pictures_of(history, masks, "history")
    white = [bool((pack.drc.pixels.laid_on_white(image, "it") == 1).all()) for image in seen]
    assert white == [False, False, False, True, False]
    listed = pack.nodes.pictures.pictures_of(
        *map(pack.nodes.pictures.Several, (history.split(2), masks.split(4))), "history"
    )
    assert all(torch.equal(one, other) for one, other in zip(seen, listed, strict=True))


@pytest.mark.parametrize(
    ("masks", "told"),
    [
        (
            torch.ones(2, 8, 8),
            "history_mask has 2 masks, but history has 5 pictures; give each picture its own, or put",
        ),
        (torch.ones(1, 8, 8), "history_mask has 1 mask, but history has 5 pictures; give each"),
        (torch.ones(5, 8, 8) * 5, "history_mask holds numbers from 5 to 5, expected 0 to 1"),
        (torch.full((5, 8, 8), float("nan")), "history_mask holds numbers from nan to nan, expected 0 to 1"),
        (torch.ones(5, 8, 8, 3), "history_mask has the shape 5 x 8 x 8 x 3, expected masks x height x width"),
        (torch.ones(0, 8, 8), "history_mask has the shape 0 x 8 x 8, expected masks x height x width"),
    ],
)
def test_masks_that_do_not_serve(graph, model, history, masks, told):
    text = sentence(graph.run, "DRC_StyleTower", model=model, history=history, history_mask=masks)
    assert text.startswith(f"StyleTower: {told}")


def test_several_stickers_through_the_hosts_own_nodes(graph, model, stock, load_image):
    """As the help says: Join Image with Alpha behind each Load Image, then Batch Images."""
    loaded = [load_image(f"{number}.png", sticker((40, 40), (number, 0, 0))) for number in (0, 90)]
    joined = [nodes_compositing.JoinImageWithAlpha.execute(*one)[0] for one in loaded]
    (batch,) = stock["ImageBatch"]().batch(*joined)
    white = [image * (1 - mask[..., None]) + mask[..., None] for image, mask in loaded]
    torch.testing.assert_close(graph.style(model, batch).rows, graph.style(model, torch.cat(white)).rows)


def hosted(node, **inputs):
    """What the host makes of a node whose inputs are these lists."""
    import execution

    call = execution._async_map_node_over_list("prompt", "1", node, inputs, node.FUNCTION)
    with torch.inference_mode():
        outputs, _, _ = execution.get_output_from_returns(asyncio.run(call), node)
    return outputs


@pytest.mark.parametrize("name", [name for name in NODES if "Tok" not in name and "Sem" not in name])
def test_a_list_is_one_history(graph, model, lavit, history, reference, name):
    """A batch of n is a list of n, to the last byte, and gives one of each output."""
    node, place, others = inputs_of(graph, model, reference, name)
    model = lavit if node == "DRC_ComposeInContext" else model
    batch = reference if place == "reference" else history
    expected = graph.outputs(node, model=model, **others, **{place: batch})
    defaults = {one.id: [one.default] for one in graph.classes[node].GET_SCHEMA().inputs if hasattr(one, "default")}
    lists = {"model": [model], **{other: [value] for other, value in others.items()}}
    for pictures in ([*batch.split(1)], [*batch.split(2)], [batch]):
        outputs = hosted(graph.classes[node], **defaults | lists | {place: pictures})
        assert [len(output) for output in outputs] == [1] * len(expected)
        same([output[0] for output in outputs], expected)


def test_a_folder_through_the_hosts_loader_is_one_history(graph, model, input_folder):
    """Pictures of any sizes; each is squared on its own."""
    folder = input_folder / "mine"
    folder.mkdir()
    for number, size in enumerate(((40, 30), (30, 40), (64, 64), (20, 50), (33, 32))):
        Image.new("RGB", size, (50 * number, 90, 120)).save(folder / f"{number}.png")
    listed = list(nodes_dataset.LoadImageDataSetFromFolderNode.execute("mine")[0])
    assert len({image.shape for image in listed}) == 5
    ((style,),) = hosted(graph.classes["DRC_StyleTower"], model=[model], history=listed, weights=[""])
    alone = [graph.style(model, image) for image in listed]
    assert style.rows.shape[0] == 5 and all(one.rows.shape[0] == 1 for one in alone)
    assert "weights has 2 numbers, but history has 5 pictures" in sentence(
        hosted, graph.classes["DRC_StyleTower"], model=[model], history=listed, weights=["1 2"]
    )


def test_a_list_where_one_is_meant(graph, model, history, reference):
    style, listed = graph.classes["DRC_StyleTower"], [*history.split(1)]
    assert sentence(hosted, style, model=[model], history=listed, weights=["", "1"]) == (
        "StyleTower: weights is a list of 2, expected one; choose what it gets."
    )
    assert sentence(hosted, style, model=[model], history=[], weights=[""]) == (
        "StyleTower: history is a list of 0, expected one or more; choose what it gets."
    )
    meter = graph.classes["DRC_CollapseMeter"]
    text = sentence(hosted, meter, model=[model], images=[reference], history=listed, reference=listed, text=[""])
    assert text.startswith("Collapse Meter: reference has 5 pictures, expected 1; pick one of them")
