"""Icons of the unpacked package as SVG text with a square view box."""

import json
import re
from functools import cache
from pathlib import Path

STROKE_WIDTH = re.compile(r'(stroke-width(?:="|:\s*))([0-9.]+)')


class Package:
    """The sets in `folder`, each read when it is first asked for."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.icons = cache(self.read)

    def read(self, name: str) -> dict:
        """ValueError for a set that is not there."""
        path = self.folder / "json" / f"{name}.json"
        if not path.is_file():
            raise ValueError(f"the matrix names the set '{name}', but {path} is not there; fetch the package again")
        return json.loads(path.read_text("utf-8"))

    def svg(self, set_name: str, icon_name: str, line: float = 1.0) -> str:
        """SVG text, centred in a square; what has no colour of its own is black. `line` multiplies stroke widths.

        ValueError for an icon that is not in the set.
        """
        icons = self.icons(set_name)
        if icon_name not in icons["icons"]:
            raise ValueError(
                f"the matrix names the icon '{set_name}:{icon_name}', which is not in {self.folder}; fetch the pinned "
                "package again"
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
