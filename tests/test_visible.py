"""Text that other people wrote shows what it holds."""

import sys
import unicodedata

import pytest

from drc.visible import INVISIBLE, LONGEST, quoted, visible


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain words, 100 % & <b>", "plain words, 100 % & <b>"),
        (
            "caf\u00e9 \u5b57 \u0928\u092e\u0938\u094d\u0924\u0947",
            "caf\u00e9 \u5b57 \u0928\u092e\u0938\u094d\u0924\u0947",
        ),
        ("\U0001f469\u200d\U0001f4bb\ufe0f", "\U0001f469\u200d\U0001f4bb\ufe0f"),
        ("photo\u202egnp.exe", "photo\\u202egnp.exe"),
        ("\u2066a\u2069\u200f", "\\u2066a\\u2069\\u200f"),
        ("a\x00\x1b[31m\n\t", "a\\u0000\\u001b[31m\n\\u0009"),
        ("\ufeffa\u200bb\u2028", "\\ufeffa\\u200bb\\u2028"),
        ("\ud800", "\\ud800"),
        ("\u3164\u115f\u1160\uffa0\u034f\u2800", "\\u3164\\u115f\\u1160\\uffa0\\u034f\\u2800"),
        ("\ufff9a\ufffab\ufffb", "\\ufff9a\\ufffab\\ufffb"),
        ("a\U000e0061\U000e007f", "a\\U000e0061\\U000e007f"),
        ("a\ufe0f\u200db\u200c", "a\\ufe0f\\u200db\\u200c"),
        ("\U0001f600\ufe0f\ufe0f\u200d", "\U0001f600\ufe0f\\ufe0f\\u200d"),
        ("\u8fbb\U000e0101\U000e0101", "\u8fbb\U000e0101\\U000e0101"),
        ("1\ufe0f\u20e3 1\ufe0f", "1\ufe0f\u20e3 1\\ufe0f"),
    ],
)
def test_what_cannot_be_seen_is_told(given, shown):
    assert visible(given) == shown


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f468\U0001f3fd\u200d\U0001f9b0 \u2764\ufe0f\u200d\U0001f525 \U0001f3f3\ufe0f\u200d\u26a7\ufe0f",
        "\U0001f642\u200d\u2194\ufe0f \u00a9\ufe0e \U0001f1e9\U0001f1ea",
        "".join(chr(0xE0000 + ord(letter)) for letter in "gbsct").join(("\U0001f3f4", "\U000e007f")),
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u0915\u094d\u200d\u0937 \u0dc1\u0dca\u200d\u0dbb\u0dd3",
        "\u845b\U000e0100\u98fe\u533a \u82a6\ufe00 \ud55c\uae00 \u1820\u180b",
        "\u00e9 e\u0301 \u00a0 \u3000 \u0e2a\u0e35 \u05e9\u05c1",
    ],
)
def test_scripts_and_emoji_stay_as_they_are(text):
    assert visible(text) == text


def test_the_rule_is_that_of_unicode():
    """What is a control, a format, a separator or half a letter, but signs of Arabic and its kin that are seen."""
    signs = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, 0x0A}
    every = (
        code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    )
    assert not [hex(code) for code in every if code not in signs and not INVISIBLE.match(chr(code))]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("anna/cat 1.png", "`anna/cat 1.png`"),
        ("<img src=x> ![z](http://a.b)", "`<img src=x> ![z](http://a.b)`"),
        ("`a`\nb\r\u202e", "`\\u0060a\\u0060\\nb\\u000d\\u202e`"),
        ("x" * 5000, f"`{'x' * LONGEST}...`"),
    ],
)
def test_a_quote_is_one_piece_of_code(given, shown):
    assert quoted(given) == shown
