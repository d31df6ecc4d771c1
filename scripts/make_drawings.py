"""The index of drawings, from a build of the icon matrix and the tokeniser of the embedded model.

    python scripts/build_icons.py
    python scripts/make_drawings.py [--data build/data] [--out drc/weights/drawings.safetensors]

Of every meaning up to three drawings, each by another family that training may see, plain black on white; see
scripts/lib/drawings.py for how they are chosen. Also writes whose they are into the embedded model's card.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc import EMBEDDED  # noqa: E402
from drc.checkpoint import load  # noqa: E402
from drc.data.icons import Icons  # noqa: E402
from drc.drawings import DRAWINGS, Hand, header_for, packed, tokeniser_of  # noqa: E402
from drc.files import file_hash  # noqa: E402
from drc.model import DRC  # noqa: E402
from drc.tensor_file import metadata_of, write_safetensors  # noqa: E402
from drc.train.data.codes import CodeCache  # noqa: E402
from drc.train.data.icons import IconPictures, User  # noqa: E402
from scripts.datasets.icons.matrix import read_manifest  # noqa: E402
from scripts.lib.attribution import drawn_sets  # noqa: E402
from scripts.lib.bar import bar  # noqa: E402
from scripts.lib.card import replace_block  # noqa: E402
from scripts.lib.drawings import chosen, keys, names_of, shown  # noqa: E402

FACTS = ("set", "family", "author", "licence", "url")


class Drawn(IconPictures):
    """Some rows of the build, as they are: what a training that saw them encoded is not encoded again."""

    def __init__(self, icons: Icons, rows: list[int]):
        self.icons, self.users = icons, [User("", "", 1.0, None)]
        self.cell, self.user = np.array(rows), np.zeros(len(rows), np.int64)


def make(icons: Icons, manifest: dict, model: DRC, path: Path, cache: Path, progress=None) -> list[Hand]:
    """Writes the index, by the codes that are in `cache`; progress(drawings encoded, those that are missing there).
    Returns the hands in it."""
    rows = chosen(icons)
    meanings, drawn = list(rows), [row for some in rows.values() for row in some]
    styles = sorted({icons.cells[row].style for row in drawn})
    hands = [Hand(name, **{fact: getattr(icons.styles[name], fact) for fact in FACTS}) for name in styles]
    codes = CodeCache(cache, model.lmm.vision).codes(Drawn(icons, drawn), "cpu", progress)[:, 0].long()
    tensors = {
        "codes": packed(codes),
        "meaning": torch.tensor([meanings.index(icons.cells[row].meaning) for row in drawn], dtype=torch.int16),
        "hand": torch.tensor([styles.index(icons.cells[row].style) for row in drawn], dtype=torch.int16),
    }
    seen = [name for name, style in icons.styles.items() if style.split == "train"]
    names = names_of(manifest, seen)
    called = [shown(meaning, names[meaning]) for meaning in meanings]
    header = header_for(tokeniser_of(model), called, hands, keys(meanings, names))
    write_safetensors(tensors, path, metadata_of(header))
    return hands


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "data")
    parser.add_argument("--model", type=Path, default=EMBEDDED)
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "codes", help="where codes are kept")
    parser.add_argument("--out", type=Path, default=DRAWINGS)
    options = parser.parse_args()
    with bar("drawing") as progress:
        try:
            icons, model = Icons(options.data / "icons"), load(options.model)
            hands = make(icons, read_manifest(), model, options.out, options.cache, progress)
        except ValueError as error:
            sys.exit(str(error))
    if options.out == DRAWINGS:
        replace_block(DRAWINGS.with_name("README.md"), "drawings", drawn_sets(hands, read_manifest()))
    print(f"{options.out}  sha256 {file_hash(options.out)}")


if __name__ == "__main__":
    main()
