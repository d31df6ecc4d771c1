"""Whose icons the embedded model learned from, and whose stand in the index of drawings, as the licences ask to be
told."""

from collections import defaultdict

from drc.data.icons import CHOOSING
from drc.drawings import Hand

from .card import table


def icon_sets(manifest: dict) -> str:
    """A row for every set of the icon matrix: author, licence, how many styles and pictures, and what they served."""
    sets = defaultdict(list)
    for row in manifest["styles"].values():
        sets[row["set"]].append(row)
    lines = table(["set", "by", "licence", "styles", "pictures", "used for"])
    for name, rows in sorted(sets.items()):
        first, pictures = rows[0], sum(len(row["icons"]) for row in rows)
        cells = [
            link_to(name, first["url"]),
            plain(first["author"]),
            first["licence"],
            str(len(rows)),
            f"{pictures:,}",
            use_of(first),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def drawn_sets(hands: list[Hand], manifest: dict) -> str:
    """A row for every set in the index of drawings; links are those of the icon matrix."""
    sets = {hand.set: hand for hand in hands}
    links = {row["set"]: row["url"] for row in manifest["styles"].values()}
    lines = table(["set", "by", "licence"])
    for name, hand in sorted(sets.items()):
        lines.append(f"| {link_to(name, links[name])} | {plain(hand.author)} | {hand.licence} |")
    return "\n".join(lines)


def link_to(name: str, url: str) -> str:
    return f"[{name}]({url})"


def use_of(style: dict) -> str:
    if style["unseen"]:
        return "measuring only"
    return "choosing settings" if style["family"] in CHOOSING else "training"


def plain(text: str) -> str:
    """Without what a table would take for its own."""
    return " ".join(text.replace("|", "/").split())
