"""Icons of the unpacked package as SVG text with a square view box."""

import re
from functools import cache
from pathlib import Path

from drc.parsing import brief, parse

STROKE_WIDTH = re.compile(r'(stroke-width(?:="|:\s*))([0-9.]+)')


AGAIN = "fetch the pinned package again"


class Package:
    """The sets in `folder`, each read when it is first asked for."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.icons = cache(self.read)

    def require(self, pinned: str) -> None:
        """ValueError unless it is the pinned package, such as "@iconify/json 2.2.535"."""
        facts = self.json("package.json")
        found = f"{facts.get('name')} {facts.get('version')}"
        if found != pinned:
            raise ValueError(f"{self.folder} holds {brief(found)}, but the matrix was made of {pinned}; {AGAIN}")

    def read(self, name: str) -> dict:
        """ValueError for a set that is not there."""
        found = self.json(f"json/{name}.json")
        if not isinstance(found.get("icons"), dict):
            raise ValueError(f"{self.folder / 'json' / name}.json holds no icons; {AGAIN}")
        return found

    def json(self, name: str) -> dict:
        """A file of names and values; ValueError for one that is not there, or damaged."""
        path = self.folder / name
        if not path.is_file():
            raise ValueError(f"the matrix needs {path}, which is not there; {AGAIN}")
        try:
            return parse(path.read_bytes())
        except ValueError as error:
            raise ValueError(f"{path} {error}; {AGAIN}") from error

    def svg(self, set_name: str, icon_name: str, line: float = 1.0) -> str:
        """SVG text, centred in a square; what has no colour of its own is black. `line` multiplies stroke widths.

        ValueError for an icon that is not in the set.
        """
        icons = self.icons(set_name)
        if icon_name not in icons["icons"]:
            raise ValueError(
                f"the matrix names the icon '{set_name}:{icon_name}', which is not in {self.folder}; {AGAIN}"
            )
        icon = icons["icons"][icon_name]
        left, top = (icon.get(side, icons.get(side, 0)) for side in ("left", "top"))
        width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
        body, side = icon["body"], max(width, height)
        if line != 1:
            body = STROKE_WIDTH.sub(lambda found: f"{found[1]}{float(found[2]) * line:.3f}", body)
        box = f"{left - (side - width) / 2:g} {top - (side - height) / 2:g} {side:g} {side:g}"
        xlink = ' xmlns:xlink="http://www.w3.org/1999/xlink"' if "xlink:" in body else ""
        return f'<svg xmlns="http://www.w3.org/2000/svg"{xlink} viewBox="{box}" color="#000">{body}</svg>'
