"""Text that other people wrote shows what it holds."""

import pytest

from drc.visible import LONGEST, quoted, visible


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
    ],
)
def test_what_cannot_be_seen_is_told(given, shown):
    assert visible(given) == shown


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
