"""Whose icons the embedded model learned from, as the licences ask to be told."""

from collections import defaultdict

from drc.data.icons import CHOOSING

from .card import table


def icon_sets(manifest: dict) -> str:
    """A row for every set of the icon matrix: author, licence, how many styles and pictures, and what they served."""
    sets = defaultdict(list)
    for row in manifest["styles"].values():
        sets[row["set"]].append(row)
    lines = table(["set", "by", "licence", "styles", "pictures", "used for"])
    for name, rows in sorted(sets.items()):
        first, pictures = rows[0], sum(len(row["icons"]) for row in rows)
        link = f"[{name}]({first['url']})" if first["url"] else name
        cells = [link, plain(first["author"]), first["licence"], str(len(rows)), f"{pictures:,}", use_of(first)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def use_of(style: dict) -> str:
    if style["unseen"]:
        return "measuring only"
    return "choosing settings" if style["family"] in CHOOSING else "training"


def plain(text: str) -> str:
    """Without what a table would take for its own."""
    return " ".join(text.replace("|", "/").split())
