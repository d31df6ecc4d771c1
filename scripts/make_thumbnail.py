"""Runs the personalise workflow in the real server and makes its thumbnail, workflows/personalise.jpg."""

import json
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.lib.client import Client  # noqa: E402
from scripts.lib.environment import BUILD, demo_host  # noqa: E402
from scripts.lib.pictures import from_bytes  # noqa: E402
from scripts.lib.prompts import personalise  # noqa: E402
from scripts.lib.server import Server  # noqa: E402

SMALL, LARGE, GAP, LABEL = 144, 336, 16, 32


def draw(seed: int) -> Image.Image:
    """The picture that the workflow draws."""
    with Server(demo_host(), BUILD / "run" / "thumbnail", "--cpu") as server, Client(server.address) as client:
        result = client.run(personalise(client.node_definitions(), seed=seed))
        if result.error:
            sys.exit(result.error["exception_message"])
        return from_bytes(client.fetch(result.images[-1]))


def thumbnail(history: list[Image.Image], reference: Image.Image, drawn: Image.Image) -> Image.Image:
    """History in two columns, the reference beside it, and the drawn picture, large."""
    columns = [GAP + column * (SMALL + GAP) for column in range(3)]
    right = columns[2] + SMALL + 2 * GAP
    rows = (len(history) + 1) // 2
    height = LABEL + rows * (SMALL + GAP)
    sheet = Image.new("RGB", (right + LARGE + GAP, height), "#202226")
    for index, picture in enumerate(history):
        row, column = divmod(index, 2)
        sheet.paste(picture.resize((SMALL, SMALL), Image.LANCZOS), (columns[column], LABEL + row * (SMALL + GAP)))
    sheet.paste(reference.resize((SMALL, SMALL), Image.LANCZOS), (columns[2], LABEL))
    top = LABEL + (height - LABEL - LARGE) // 2
    sheet.paste(drawn.resize((LARGE, LARGE), Image.LANCZOS), (right, top))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(18)
    for x, y, text in ((columns[0], 4, "history"), (columns[2], 4, "reference"), (right, top - 28, "drawn")):
        pen.text((x, y), text, "white", font)
    return sheet


def main() -> None:
    workflow = json.loads((ROOT / "workflows" / "personalise.json").read_text())
    widgets = {node["type"]: node.get("widgets_values") for node in workflow["nodes"]}
    folder = ROOT / "nodes" / "examples" / widgets["DRC_ExamplePictures"][0].replace(" ", "-")
    history = [Image.open(path) for path in sorted(folder.glob("history-*.png"))]
    drawn = draw(seed=widgets["DRC_LMMGenerate"][0])
    thumbnail(history, Image.open(folder / "reference.png"), drawn).save(
        ROOT / "workflows" / "personalise.jpg", quality=90
    )


if __name__ == "__main__":
    main()
