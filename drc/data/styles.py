"""The emoji styles: one style is one open-licensed set of drawings, one family is one vendor.

Sets of one family share their geometry, so a split never separates them and a reference is never taken from the family
of its target.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """`seen`: whether training may use it; the others serve evaluation only."""

    name: str
    family: str
    colour: bool = True
    seen: bool = True


STYLES = {
    style.name: style
    for style in (
        Style("twemoji", "twemoji"),
        Style("noto", "noto"),
        Style("noto-blob", "noto"),
        Style("noto-mono", "noto", colour=False),
        Style("fluent-3d", "fluent"),
        Style("fluent-flat", "fluent"),
        Style("fluent-hc", "fluent", colour=False),
        Style("emojione2", "emojione"),
        Style("emojione-mono", "emojione", colour=False),
        Style("unifont", "unifont", colour=False),
        Style("fxemoji", "fxemoji", seen=False),
        Style("symbola", "symbola", colour=False, seen=False),
        Style("openmoji", "openmoji", seen=False),
        Style("openmoji-black", "openmoji", colour=False, seen=False),
    )
}
