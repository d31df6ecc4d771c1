"""Text that other people wrote, with nothing hidden in it."""

import re

IGNORED = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""What Unicode lets nobody draw (Default_Ignorable_Code_Point): soft hyphen, fillers, marks and overrides of direction,
joiners, selectors of variants, tags; and annotations."""
OTHERS = "\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u2800\U00013430-\U0001343f\U0001d159\ud800-\udfff"
"""Controls but for the line feed, separators, a Braille cell without dots, joiners of hieroglyphs, a note without a
head, halves of letters that no file can hold."""
INVISIBLE = re.compile(f"[{IGNORED}{OTHERS}]")

EMOJI = "\xa9\xae\u203c\u2049\u2122-\u27ff\u2900-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
JOINED = (
    "\u0620-\u0dff\u1000-\u109f\u1780-\u17ff\u1820-\u18aa\u1b00-\u1bff\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefc"
    "\U00010a00-\U00011fff\U0001e900-\U0001e95f"
)
"""Letters of scripts in which a joiner changes the shape of those beside it."""
IDEOGRAPHS = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
MEANT = re.compile(
    f"(?<=[{JOINED}])[\u200c\u200d]"
    f"|(?<=[{EMOJI}\ufe0f])\u200d(?=[{EMOJI}])"
    f"|(?<=[{EMOJI}])[\ufe0e\ufe0f]|(?<=[0-9#*])\ufe0f(?=\u20e3)"
    f"|(?<=[{IDEOGRAPHS}])[\ufe00-\ufe02\U000e0100-\U000e01ef]|(?<=[\u1820-\u18aa])[\u180b-\u180d\u180f]"
    "|(?<=\U0001f3f4)\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074"
    "|\U000e0077\U000e006c\U000e0073)\U000e007f"
)
"""Where one belongs to the letter before it, and is seen by what that looks like: joined letters, emoji of several
parts, keys, the flags of England, Scotland and Wales, variants of ideographs."""
HIDDEN = re.compile(f"({MEANT.pattern})|{INVISIBLE.pattern}")
LONGEST = 200  # letters of what is quoted


def visible(text: str) -> str:
    r"""The text with every character that nobody sees written out, such as \u202e."""
    return HIDDEN.sub(lambda found: found[1] or told(found[0]), text)


def without_hidden(text: str) -> str:
    """The text without them."""
    return HIDDEN.sub(lambda found: found[1] or "", text)


def told(letter: str) -> str:
    r"""As Python writes it down: \u and four digits, or \U and eight."""
    return f"\\u{ord(letter):04x}" if ord(letter) < 2**16 else f"\\U{ord(letter):08x}"


def quoted(text: object) -> str:
    """What others wrote, inside a report that a page may read as Markdown: a piece of code on one line, in which
    nothing is markup."""
    plain = visible(str(text)).replace("\n", "\\n").replace("`", "\\u0060")
    return f"`{plain if len(plain) <= LONGEST else plain[:LONGEST] + '...'}`"
