"""The emoji styles: one style is one open-licensed set of drawings, one family is one vendor.

Sets of one family share their geometry, so a split never separates them and a reference is never taken from the family
of its target. The share-alike sets (CC BY-SA) serve evaluation only: shipped weights are never trained on them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """`package` is a folder of scripts/fetch_packages.py, `reader` a function of sources.py, `file` its argument.

    `newest` is the last emoji version a set keyed by names knows: its `cricket` is the game, the insect came later.
    `complete` styles draw every shared meaning.
    """

    name: str
    family: str
    package: str
    reader: str
    file: str
    licence: str
    author: str
    colour: bool = True
    complete: bool = True
    unseen: bool = False
    share_alike: bool = False
    newest: float = 99

    @property
    def seen(self) -> bool:
        """Whether training may use this style."""
        return not self.unseen


STYLES = {
    style.name: style
    for style in (
        Style("twemoji", "twemoji", "twemoji", "iconify", "", "CC BY 4.0", "Twitter and the Twemoji contributors"),
        Style("noto", "noto", "noto", "iconify", "", "Apache-2.0", "Google"),
        Style("noto-blob", "noto", "noto-v1", "iconify_by_name", "", "Apache-2.0", "Google", newest=5),
        Style(
            "noto-mono",
            "noto",
            "noto-emoji-font",
            "outline_font",
            "400Regular/NotoEmoji_400Regular.ttf",
            "OFL-1.1",
            "Google",
            colour=False,
        ),
        Style("fluent-3d", "fluent", "fluent-emoji-3d", "fluent_pictures", "assets", "MIT", "Microsoft"),
        Style("fluent-flat", "fluent", "fluent-emoji-flat", "iconify", "", "MIT", "Microsoft"),
        Style("fluent-hc", "fluent", "fluent-emoji-high-contrast", "iconify", "", "MIT", "Microsoft", colour=False),
        Style("emojione2", "emojione", "emojione", "iconify_by_name", "", "CC BY 4.0", "EmojiOne", newest=4),
        Style(
            "emojione-mono",
            "emojione",
            "emojione-monotone",
            "iconify_by_name",
            "",
            "CC BY 4.0",
            "EmojiOne",
            colour=False,
            newest=4,
        ),
        Style(
            "unifont",
            "unifont",
            "fonts-unifont",
            "pixel_font",
            "usr/share/fonts/opentype/unifont",
            "OFL-1.1 or GPL-2+ with font exception",
            "Unifoundry and the GNU Unifont contributors",
            colour=False,
        ),
        Style("fxemoji", "fxemoji", "fxemoji", "fxemoji", "", "CC BY 4.0", "Mozilla", complete=False, unseen=True),
        Style(
            "symbola",
            "symbola",
            "fonts-symbola",
            "outline_font",
            "usr/share/fonts/truetype/ancient-scripts/Symbola_hint.ttf",
            "free for any use",
            "George Douros",
            colour=False,
            unseen=True,
        ),
        Style(
            "openmoji",
            "openmoji",
            "openmoji",
            "svg_folder",
            "color/svg",
            "CC BY-SA 4.0",
            "the OpenMoji contributors",
            unseen=True,
            share_alike=True,
        ),
        Style(
            "openmoji-black",
            "openmoji",
            "openmoji",
            "svg_folder",
            "black/svg",
            "CC BY-SA 4.0",
            "the OpenMoji contributors",
            colour=False,
            unseen=True,
            share_alike=True,
        ),
    )
}

SEEN_FAMILIES = tuple(dict.fromkeys(style.family for style in STYLES.values() if style.seen))
