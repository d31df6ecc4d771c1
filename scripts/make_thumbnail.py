"""Runs a workflow in the real server and makes its thumbnail:  make_thumbnail.py NAME [widget=value ...]

NAME is that of a file in workflows/. Widgets are those of the training node, such as steps=40: on a machine without a
graphics card a training with the workflow's own numbers takes long. Without the weights of LaVIT and Janus nothing can
be shown that they drew: the thumbnails of their workflows are the graphs themselves, as the page draws them. It needs
what scripts/test.sh installs.
"""

import argparse
import io
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.lib.client import Client, Result  # noqa: E402
from scripts.lib.environment import BUILD, demo_host  # noqa: E402
from scripts.lib.lavit_prompts import NAME  # noqa: E402
from scripts.lib.page import Page, chromium, open_page  # noqa: E402
from scripts.lib.pictures import from_bytes  # noqa: E402
from scripts.lib.prompts import evaluate, look_closer, node_of, personalise  # noqa: E402
from scripts.lib.server import Server  # noqa: E402
from scripts.lib.training_prompts import STAGE1, STAGE2, train_disentanglement, train_personalisation  # noqa: E402

SMALL, LARGE, GAP, LABEL, HEIGHT = 144, 336, 16, 32, 420
GRAPH = 900  # width of the picture of a graph
GROUND = "#202226"


def thumbnail(history: list[Image.Image], reference: Image.Image, drawn: Image.Image) -> Image.Image:
    """History in two columns, the reference beside it, and the drawn picture, large."""
    columns = [GAP + column * (SMALL + GAP) for column in range(3)]
    right = columns[2] + SMALL + 2 * GAP
    rows = (len(history) + 1) // 2
    height = LABEL + rows * (SMALL + GAP)
    sheet = Image.new("RGB", (right + LARGE + GAP, height), GROUND)
    for index, picture in enumerate(history):
        row, column = divmod(index, 2)
        sheet.paste(picture.resize((SMALL, SMALL), Image.LANCZOS), (columns[column], LABEL + row * (SMALL + GAP)))
    sheet.paste(reference.resize((SMALL, SMALL), Image.LANCZOS), (columns[2], LABEL))
    top = LABEL + (height - LABEL - LARGE) // 2
    sheet.paste(drawn.resize((LARGE, LARGE), Image.LANCZOS), (right, top))
    label(sheet, {(columns[0], 4): "history", (columns[2], 4): "reference", (right, top - 28): "drawn"})
    return sheet


def side_by_side(pictures: dict[str, Image.Image]) -> Image.Image:
    """Pictures of one height with their names above."""
    sized = {
        name: picture.resize((round(HEIGHT * picture.width / picture.height), HEIGHT), Image.LANCZOS)
        for name, picture in pictures.items()
    }
    width = GAP + sum(picture.width + GAP for picture in sized.values())
    sheet, x, places = Image.new("RGB", (width, LABEL + HEIGHT + GAP), GROUND), GAP, {}
    for name, picture in sized.items():
        sheet.paste(picture, (x, LABEL))
        places[x, 4] = name
        x += picture.width + GAP
    label(sheet, places)
    return sheet


def label(sheet: Image.Image, places: dict[tuple[int, int], str]) -> None:
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(18)
    for place, text in places.items():
        pen.text(place, text, "white", font)


def of_personalise(client: Client, workflow: dict, widgets: dict) -> Image.Image:
    values, folder = widgets_of(workflow), example_of(workflow)
    prompt = personalise(client.node_definitions(), seed=values["DRC_LMMGenerate"][0], sharp=True)
    pictures = pictures_of(client, run(client, prompt))
    return thumbnail(history_in(folder), Image.open(folder / "reference.png"), pictures[-1])


def widgets_of(workflow: dict) -> dict[str, list]:
    return {node["type"]: node.get("widgets_values") for node in workflow["nodes"]}


def example_of(workflow: dict) -> Path:
    """The folder of its Example Pictures."""
    return ROOT / "nodes" / "examples" / widgets_of(workflow)["DRC_ExamplePictures"][0].replace(" ", "-")


def history_in(folder: Path) -> list[Image.Image]:
    return [Image.open(path) for path in sorted(folder.glob("*-[0-9].png"))]


def of_look_closer(client: Client, workflow: dict, widgets: dict) -> Image.Image:
    values = widgets_of(workflow)
    prompt = look_closer(client.node_definitions(), seed=values["DRC_LMMGenerate"][0])
    result = run(client, prompt)
    names = {"DRC_GuidanceGrid": "what the dials do", "DRC_CollapseMeter": "meter", "DRC_AttentionMap": "attention"}
    sheets = {names[node]: shown(client, prompt, result, node, 0) for node in names}
    grid = sheets.pop("what the dials do")
    narrow = [sheet.resize((grid.width, round(grid.width * sheet.height / sheet.width))) for sheet in sheets.values()]
    column = Image.new("RGB", (grid.width, sum(sheet.height for sheet in narrow) + GAP), GROUND)
    column.paste(narrow[0], (0, 0))
    column.paste(narrow[1], (0, narrow[0].height + GAP))
    return side_by_side({"what the dials do": grid, " and ".join(sheets): column})


def of_evaluate(client: Client, workflow: dict, widgets: dict) -> Image.Image:
    prompt = evaluate(client.node_definitions(), **widgets)
    result = run(client, prompt)
    return side_by_side({"drawn and true": shown(client, prompt, result, "DRC_Evaluate", 2)})


def shown(client: Client, prompt: dict, result: Result, class_type: str, output: int) -> Image.Image:
    """What the preview that is linked to an output shows last."""
    link = [node_of(prompt, class_type), output]
    preview = next(number for number, node in prompt.items() if node["inputs"].get("images") == link)
    return from_bytes(client.fetch(result.outputs[preview]["images"][-1]))


def of_training(make: Callable[..., dict], trainer: str) -> Callable[..., Image.Image]:
    def draw(client: Client, workflow: dict, widgets: dict) -> Image.Image:
        prompt = make(client.node_definitions(), **widgets)
        result = run(client, prompt)

        places = ("DRC_Triplets", 1), (trainer, 1), (trainer, 2)
        pairs, curve, samples = (shown(client, prompt, result, *place) for place in places)
        return side_by_side({"pairs": pairs, "loss curve": curve, "samples": cut(samples)})

    return draw


def cut(samples: Image.Image) -> Image.Image:
    """The last four columns of a sheet of samples: one picture of the history, reference, drawn, true."""
    cell, gap = 128, 8
    return samples.crop((samples.width - 4 * (cell + gap) - gap, 0, samples.width, samples.height))


def of_graph(name: str, missing: str = "") -> Callable[..., Image.Image]:
    """All groups of the graph, without a note beside them. The page first tells of a `missing` file."""

    def draw(client: Client, workflow: dict, widgets: dict) -> Image.Image:
        with chromium() as browser, open_page(browser, client.address, "canvas", 2400, 1400) as page:
            page.tab.evaluate("app.extensionManager.setting.set('Comfy.Minimap.Visible', false)")
            page.load_template(name)
            if missing:
                page.dismiss(missing)
            page.fit_view()
            boxes = [group["bounding"] for group in workflow["groups"]]
            left, top = (min(box[axis] for box in boxes) for axis in (0, 1))
            right, bottom = (max(box[axis] + box[axis + 2] for box in boxes) for axis in (0, 1))
            scale, (across, down) = page.tab.evaluate("() => [app.canvas.ds.scale, [...app.canvas.ds.offset]]")
            area = {
                "x": (left + across) * scale,
                "y": (top + down) * scale,
                "width": (right - left) * scale,
                "height": (bottom - top) * scale,
            }
            picture = Image.open(io.BytesIO(page.tab.screenshot(clip=area))).convert("RGB")
        return picture.resize((GRAPH, round(GRAPH * picture.height / picture.width)), Image.LANCZOS)

    return draw


def of_page(name: str, **titles: str) -> Callable[..., Image.Image]:
    """What nodes of those titles show after a run in the page, each with what it is called in the picture; of Example
    Pictures, which show nothing, the history."""

    def draw(client: Client, workflow: dict, widgets: dict) -> Image.Image:
        def found(page: Page, title: str) -> list[Image.Image]:
            if title == "Example Pictures":
                return history_in(example_of(workflow))
            return [from_bytes(client.fetch(one)) for one in page.pictures_in(title)]

        with chromium() as browser, open_page(browser, client.address, "canvas") as page:
            page.load_template(name)
            page.press_run()
            page.pictures_in("Picture")
            return side_by_side({label: in_rows(found(page, title)) for label, title in titles.items()})

    return draw


def in_rows(pictures: list[Image.Image]) -> Image.Image:
    """Three rows of them, or one of them alone."""
    if len(pictures) == 1:
        return pictures[0].convert("RGB")
    columns = math.ceil(len(pictures) / 3)
    sheet = Image.new("RGB", (columns * (SMALL + GAP) - GAP, 3 * (SMALL + GAP) - GAP), GROUND)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        sheet.paste(picture.resize((SMALL, SMALL), Image.LANCZOS), (column * (SMALL + GAP), row * (SMALL + GAP)))
    return sheet


def run(client: Client, prompt: dict) -> Result:
    result = client.run(prompt)
    if result.error:
        sys.exit(result.error["exception_message"])
    return result


def pictures_of(client: Client, result: Result) -> list[Image.Image]:
    return [from_bytes(client.fetch(image)) for image in result.images]


DRAWN = {
    "personalise": of_personalise,
    "from_words": of_page("from_words", history="History", word="Drawings", drawn="Picture"),
    "style_card": of_page("style_card", **{"first hand": "First", "second hand": "Second", "drawn": "Picture"}),
    "complete_my_set": of_page("complete_my_set", history="Example Pictures", drawn="Picture"),
    "look_closer": of_look_closer,
    "evaluate": of_evaluate,
    "train_disentanglement": of_training(train_disentanglement, STAGE1),
    "train_personalisation": of_training(train_personalisation, STAGE2),
    "lavit_reconstruct": of_graph("lavit_reconstruct", f"{NAME}-unet.safetensors"),
    "lavit_personalise": of_graph("lavit_personalise", f"{NAME}-unet.safetensors"),
    "janus_words": of_graph("janus_words"),
    "janus_personalise": of_graph("janus_personalise"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=DRAWN)
    parser.add_argument("widgets", nargs="*", metavar="widget=value")
    options = parser.parse_args()
    widgets = {name: json.loads(value) for name, value in (word.split("=") for word in options.widgets)}
    workflow = json.loads((ROOT / "workflows" / f"{options.name}.json").read_text())
    with Server(demo_host(), BUILD / "run" / "thumbnail", "--cpu") as server, Client(server.address) as client:
        picture = DRAWN[options.name](client, workflow, widgets)
    picture.save(ROOT / "workflows" / f"{options.name}.jpg", quality=90)


if __name__ == "__main__":
    main()
