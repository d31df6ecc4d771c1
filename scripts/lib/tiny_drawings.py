"""An index of drawings of the tiny icon matrix, for whatever model a test has."""

from pathlib import Path

from drc.data.icons import Icons
from drc.model import DRC
from scripts.lib.tiny_benchmark import write_tiny_icons
from scripts.make_drawings import make


def write_tiny_drawings(folder: Path, model: DRC) -> Path:
    """Below an empty folder; "thing 0" to "thing 23", "dog" and "bell" are in it, by the hands of training."""
    write_tiny_icons(folder)
    icons = Icons(folder / "icons")
    make(icons, manifest_of(icons), model, folder / "drawings.safetensors", folder / "codes")
    return folder / "drawings.safetensors"


def manifest_of(icons: Icons) -> dict:
    """As that of the icon matrix: what each style calls each meaning."""
    named = {style: {} for style in icons.styles}
    for cell in icons.cells:
        named[cell.style][cell.meaning] = f"{cell.meaning} {cell.style}".replace(" ", "-")
    return {"styles": {name: {"family": icons.styles[name].family, "icons": its} for name, its in named.items()}}
