"""Some families of the built icon matrix as a build of its own, for trainings that have an hour and not a night.

    python scripts/choose_icons.py --families heroicons,mynaui,carbon [--pictures 200] [--data build/data]
                                   [--out build/some]

Of every hand of these families so many pictures are taken by lot, as their designers drew them.
"""

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.data.built import IconMatrix  # noqa: E402
from drc.data.icons import FILES, Icons  # noqa: E402
from drc.files import replacing, write_bytes  # noqa: E402
from scripts.lib.bounds import at_least  # noqa: E402


def chosen(icons: Icons, families: set[str], pictures: int) -> list[int]:
    """Rows of the cells, in their order."""
    rows, random = defaultdict(list), np.random.default_rng(0)
    for row, cell in enumerate(icons.cells):
        if cell.line == 1 and icons.styles[cell.style].family in families:
            rows[cell.style].append(row)
    some = (its if len(its) <= pictures else random.permutation(its)[:pictures].tolist() for its in rows.values())
    return sorted(row for its in some for row in its)


def write(icons: Icons, rows: list[int], source: Path, out: Path) -> None:
    """Names last: they say that the pictures are whole."""
    names, pixels = FILES
    record = json.loads((source / names).read_text("utf-8"))
    cells = [record["cells"][row] for row in rows]
    hands = {style for style, *_ in cells}
    record |= {"cells": cells, "styles": [style for style in record["styles"] if style["name"] in hands]}
    with replacing(out / pixels) as unfinished, open(unfinished, "wb") as file:
        np.save(file, icons.images[rows])
        (out / names).unlink(missing_ok=True)
    write_bytes(json.dumps(record, ensure_ascii=False).encode(), out / names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", required=True, help="names, with commas between them")
    parser.add_argument("--pictures", type=at_least(1), default=200, help="of a hand at most")
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "some")
    options = parser.parse_args()
    if options.out.resolve() == options.data.resolve():
        parser.error("--out is the folder of --data, whose build it would replace; choose another folder")
    try:
        icons = IconMatrix.open(options.data).icons
    except ValueError as error:
        sys.exit(str(error))
    families = set(options.families.split(","))
    known = {style.family for style in icons.styles.values()}
    if not families <= known:
        parser.error(f"--families has {sorted(families - known)[0]!r}, expected some of: {', '.join(sorted(known))}")
    rows = chosen(icons, families, options.pictures)
    try:
        write(icons, rows, options.data / "icons", options.out / "icons")
    except OSError as error:
        sys.exit(f"{error.filename or options.out} cannot be written: {error.strerror}")
    print(f"{len(rows)} pictures of {len({icons.cells[row].style for row in rows})} hands in {options.out / 'icons'}")


if __name__ == "__main__":
    main()
