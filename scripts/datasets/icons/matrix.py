"""Which icon of which set stands for which meaning: the manifest, and the drawings that it names.

`manifest.json.gz` holds

    package = its name and version
    meanings[meaning] = {split, families}
    styles[style] = {set, family, licence, author, url, colour, unseen, icons: {meaning: icon name}, rasters}

where `rasters` are digests of the pictures in the order of `drawings`. Nothing that it does not name is ever drawn.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from drc.data.icons import IconCell, IconStyle

from .package import Package

MANIFEST = Path(__file__).with_name("manifest.json.gz")
LINES = (0.6, 1.5)  # other widths of the lines of one-colour styles that are strokes: hands that nobody has
LINE_CELLS = 64  # meanings that are drawn in each of them
FACTS = ("set", "family", "licence", "author", "url", "colour", "unseen")


def read_manifest() -> dict:
    return json.loads(gzip.decompress(MANIFEST.read_bytes()))


def write_manifest(manifest: dict) -> None:
    text = json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    MANIFEST.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def drawings(package: Package, manifest: dict) -> Iterator[tuple[IconStyle, dict[IconCell, str]]]:
    """Every style and the SVG text of its cells: the designer's own by meaning, then other line widths.

    ValueError for another package than the manifest's, or one without an icon that it names.
    """
    package.require(manifest["package"])
    for name, row in manifest["styles"].items():
        icons = dict(sorted(row["icons"].items()))
        if unknown := icons.keys() - manifest["meanings"].keys():
            raise ValueError(f"style {name} of the matrix draws '{min(unknown)}', which is no meaning; correct it")
        texts = {meaning: package.svg(row["set"], icon) for meaning, icon in icons.items()}
        strokes = sum("stroke-width" in text for text in texts.values()) > 0.9 * len(texts)
        tones = sum("opacity" in text for text in texts.values()) > 0.5 * len(texts)
        style = IconStyle(name, **{fact: row[fact] for fact in FACTS}, strokes=strokes, tones=tones)
        cells = {IconCell(name, meaning, 1.0): text for meaning, text in texts.items()}
        if strokes and not style.colour and not style.unseen:
            some = sorted(icons, key=lambda meaning: hashlib.sha256(f"{name} {meaning}".encode()).digest())[:LINE_CELLS]
            for line, meaning in product(LINES, some):
                cells[IconCell(name, meaning, line)] = package.svg(row["set"], icons[meaning], line)
        yield style, cells
