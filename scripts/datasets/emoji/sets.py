"""The sets of drawings behind the emoji styles: where each lies, how it is read, whose it is.

The share-alike sets (CC BY-SA) serve evaluation only: shipped weights are never trained on them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class EmojiSet:
    """`package` is a folder of scripts/fetch_packages.py, `reader` a function of sources.py, `file` its argument.

    `newest` is the last emoji version a set keyed by names knows: its `cricket` is the game, the insect came later.
    `complete` sets draw every shared meaning.
    """

    package: str
    reader: str
    file: str
    licence: str
    author: str
    complete: bool = True
    share_alike: bool = False
    newest: float = 99


SETS = {
    "twemoji": EmojiSet("twemoji", "iconify", "", "CC BY 4.0", "Twitter and the Twemoji contributors"),
    "noto": EmojiSet("noto", "iconify", "", "Apache-2.0", "Google"),
    "noto-blob": EmojiSet("noto-v1", "iconify_by_name", "", "Apache-2.0", "Google", newest=5),
    "noto-mono": EmojiSet(
        "noto-emoji-font", "outline_font", "400Regular/NotoEmoji_400Regular.ttf", "OFL-1.1", "Google"
    ),
    "fluent-3d": EmojiSet("fluent-emoji-3d", "fluent_pictures", "assets", "MIT", "Microsoft"),
    "fluent-flat": EmojiSet("fluent-emoji-flat", "iconify", "", "MIT", "Microsoft"),
    "fluent-hc": EmojiSet("fluent-emoji-high-contrast", "iconify", "", "MIT", "Microsoft"),
    "emojione2": EmojiSet("emojione", "iconify_by_name", "", "CC BY 4.0", "EmojiOne", newest=4),
    "emojione-mono": EmojiSet("emojione-monotone", "iconify_by_name", "", "CC BY 4.0", "EmojiOne", newest=4),
    "unifont": EmojiSet(
        "fonts-unifont",
        "pixel_font",
        "usr/share/fonts/opentype/unifont",
        "OFL-1.1 or GPL-2+ with font exception",
        "Unifoundry and the GNU Unifont contributors",
    ),
    "fxemoji": EmojiSet("fxemoji", "fxemoji", "", "CC BY 4.0", "Mozilla", complete=False),
    "symbola": EmojiSet(
        "fonts-symbola",
        "outline_font",
        "usr/share/fonts/truetype/ancient-scripts/Symbola_hint.ttf",
        "free for any use",
        "George Douros",
    ),
    "openmoji": EmojiSet(
        "openmoji", "svg_folder", "color/svg", "CC BY-SA 4.0", "the OpenMoji contributors", share_alike=True
    ),
    "openmoji-black": EmojiSet(
        "openmoji", "svg_folder", "black/svg", "CC BY-SA 4.0", "the OpenMoji contributors", share_alike=True
    ),
}
"""By the names of drc.data.styles.STYLES, in their order."""
