"""Where the drawings are: SVG text or a picture file for every code point of a style.

All SVG text handed out has a square view box and no size of its own, so that whoever draws or restyles it need not ask
about its shape. Drawings of fonts are outlines in black.
"""

from collections.abc import Iterator
from pathlib import Path

from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont

from .meanings import codes_of_names, key, labels, meanings, name_votes, read_json, slug, unicode_name, versions
from .sets import SETS, EmojiSet

# Names that mean another code point in fxemoji than in Unicode (`mouse` is the computer mouse there, and so on).
FXEMOJI_DENIED = {
    "cat",
    "construction",
    "dog",
    "keyboard",
    "kiss",
    "mouse",
    "pig",
    "sparkle",
    "star",
    "sunglasses",
    "tiger",
    "umbrella",
    "window",
}


def square_svg(body: str, left: float, top: float, width: float, height: float) -> str:
    """SVG text whose square view box holds the given box in its centre."""
    side = max(width, height)
    box = (left - (side - width) / 2, top - (side - height) / 2, side, side)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{" ".join(f"{value:g}" for value in box)}">{body}</svg>'
    )


def iconify_svg(icons: dict, name: str) -> str:
    """SVG text of one icon of an Iconify collection; an alias may mirror its parent."""
    alias = icons.get("aliases", {}).get(name, {})
    icon = icons["icons"][alias.get("parent", name)]
    left, top, width, height = (
        icon.get(field, icons.get(field, default))
        for field, default in (("left", 0), ("top", 0), ("width", 16), ("height", 16))
    )
    body = icon["body"]
    if alias.get("hFlip"):
        body = f'<g transform="translate({2 * left + width} 0) scale(-1 1)">{body}</g>'
    return square_svg(body, left, top, width, height)


def iconify(packages: Path, emoji_set: EmojiSet) -> dict[str, str]:
    folder = packages / emoji_set.package
    icons = read_json(folder / "icons.json")
    return {key(code): iconify_svg(icons, name) for code, name in read_json(folder / "chars.json").items()}


def iconify_by_name(packages: Path, emoji_set: EmojiSet) -> dict[str, str]:
    icons = read_json(packages / emoji_set.package / "icons.json")
    names = {name: [] for name in icons["icons"]}
    for alias, entry in icons.get("aliases", {}).items():
        if len(entry) == 1:
            names[entry["parent"]].append(alias)
    known = {code for code, version in versions(packages).items() if version <= emoji_set.newest}
    return {code: iconify_svg(icons, name) for code, name in codes_of_names(names, name_votes(packages), known).items()}


def fxemoji(packages: Path, emoji_set: EmojiSet) -> dict[str, str]:
    """Only exact matches of the squeezed Unicode name or CLDR label: looser matching was wrong too often."""
    icons = read_json(packages / emoji_set.package / "icons.json")
    result = {}
    for code, label in labels(packages).items():
        for name in (slug(label).replace("-", ""), slug(unicode_name(code)).replace("-", "")):
            if name in icons["icons"] and name not in FXEMOJI_DENIED:
                result.setdefault(code, iconify_svg(icons, name))
    return result


def svg_folder(packages: Path, emoji_set: EmojiSet) -> dict[str, str]:
    return {
        key(path.stem): path.read_text(encoding="utf-8")
        for path in sorted((packages / emoji_set.package / emoji_set.file).glob("*.svg"))
    }


def fluent_pictures(packages: Path, emoji_set: EmojiSet) -> dict[str, Path]:
    """WebP files; only those whose code is also in the flat set, the origin of the others is unclear."""
    flat = {key(code) for code in read_json(packages / "fluent-emoji-flat" / "chars.json")}
    paths = {key(path.stem): path for path in sorted((packages / emoji_set.package / emoji_set.file).glob("*.webp"))}
    return {code: path for code, path in paths.items() if code in flat}


def glyphs(font: TTFont) -> dict[str, str]:
    """Code to glyph name: the character map and, for sequences, the ligatures of the GSUB table."""
    characters = font.getBestCmap()
    result = {f"{code:X}": name for code, name in characters.items()}
    code_of_glyph = {name: f"{code:X}" for code, name in characters.items()}
    lookups = font["GSUB"].table.LookupList.Lookup if "GSUB" in font else ()
    for table in (table for lookup in lookups for table in lookup.SubTable):
        table = getattr(table, "ExtSubTable", table)
        for first, ligatures in getattr(table, "ligatures", {}).items():
            for ligature in ligatures:
                parts = [code_of_glyph.get(name) for name in (first, *ligature.Component)]
                if all(parts):
                    result.setdefault(key("-".join(parts)), ligature.LigGlyph)
    return result


def glyph_path(glyph_set, name: str) -> tuple[str, tuple[float, float, float, float] | None]:
    """SVG path element of a glyph, y down, and its box (left, top, right, bottom), None where nothing is drawn."""
    pen, bounds = SVGPathPen(glyph_set, ntos=lambda value: f"{value:g}"), BoundsPen(glyph_set)
    for target in (pen, bounds):
        glyph_set[name].draw(TransformPen(target, (1, 0, 0, -1, 0, 0)))
    return f'<path d="{pen.getCommands()}"/>', bounds.bounds


def outline_font(packages: Path, emoji_set: EmojiSet) -> dict[str, str]:
    """Glyphs centred in a square a little larger than the em, so that their sizes keep the font's proportions."""
    font = TTFont(packages / emoji_set.package / emoji_set.file)
    glyph_set, side = font.getGlyphSet(), 1.06 * font["head"].unitsPerEm
    wanted, result = labels(packages), {}
    for code, name in glyphs(font).items():
        if code in wanted:
            path, box = glyph_path(glyph_set, name)
            if box:
                left, top, right, bottom = box
                side_here = max(side, right - left, bottom - top)
                result[code] = square_svg(
                    path, (left + right - side_here) / 2, (top + bottom - side_here) / 2, side_here, side_here
                )
    return result


def pixel_font(packages: Path, emoji_set: EmojiSet) -> dict[str, str]:
    """GNU Unifont: 16 x 16 pixels fill the em exactly, so a multiple of 16 pixels keeps every edge crisp."""
    wanted, result = labels(packages), {}
    for file in ("unifont_upper.otf", "unifont.otf"):
        font = TTFont(packages / emoji_set.package / emoji_set.file / file)
        glyph_set, side, ascent = font.getGlyphSet(), font["head"].unitsPerEm, font["hhea"].ascent
        for code, name in glyphs(font).items():
            if code in wanted and code not in result:
                path, box = glyph_path(glyph_set, name)
                if box:
                    result[code] = square_svg(path, (glyph_set[name].width - side) / 2, -ascent, side, side)
    return result


READERS = {
    reader.__name__: reader
    for reader in (iconify, iconify_by_name, fxemoji, svg_folder, fluent_pictures, outline_font, pixel_font)
}


def drawings(packages: Path, style: str) -> dict[str, str | Path]:
    """Code to drawing of every meaning that `style` draws: SVG text, or the path of a picture for fluent-3d."""
    entry = SETS[style]
    found = READERS[entry.reader](packages, entry)
    return {code: found[code] for code in meanings(packages) if code in found}


def sources(packages: Path, styles: tuple[str, ...] | None = None) -> Iterator[tuple[str, str, str]]:
    """(style, code, SVG text) of every drawing that is a vector drawing, in a fixed order.

    Args:
        packages: folder made by scripts/fetch_packages.py.
        styles: names out of SETS; all of them when left out. Share-alike sets are among them.
    """
    for style in available(packages) if styles is None else styles:
        for code, drawing in drawings(packages, style).items():
            if isinstance(drawing, str):
                yield style, code, drawing


def svg_source(packages: Path, style: str, code: str) -> str:
    """SVG text of one drawing. Reads the whole set: use `sources` or `drawings` for more than a few."""
    return drawings(packages, style)[code]


def available(packages: Path) -> list[str]:
    """The styles whose package has been fetched."""
    return [name for name, emoji_set in SETS.items() if (packages / emoji_set.package).is_dir()]
