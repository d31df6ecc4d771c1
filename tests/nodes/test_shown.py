"""What a node says keeps its letters and loses every meaning that a page could see in it."""

import ast
import html
import re

import pytest

TEXTS = (
    "step 3 of 200, loss 0.123",
    "<img src=x onerror=alert(1)> & &lt;",
    "# head\n- item\n    code\n1. one\n\n| a | b |\n`x` *y* _z_ [l](http://a.b) www.a.b me@a.b [[a|http://b]]",
    "caf\xe9 \u65e5\u672c \U0001f600\u200d\U0001f600",
)


SENTENCES = (
    "Passed on as text: no drawing is called 'hyperdrive' (nothing is near it); choose another English word.",
    "step 3 of 200, loss 0.123, 1:05 left! Saved as models/drc_styles/my-icons.safetensors: 50 %?",
)
MARKUP = re.compile(
    r"[<>*`~\\\[\]|@]|&(?!#\d+;)|\b_|://|www\.|^(?:[-+=#:]| +\S|\d+[.)]\s)", re.IGNORECASE | re.MULTILINE
)


@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_is_sent_as_it_is(pack, text):
    """Page 1.58 shows what is sent on the canvas, with every reference in it."""
    assert pack.nodes.shown.as_markup(text) == text


@pytest.mark.parametrize("text", TEXTS)
def test_no_markup_is_sent(pack, text):
    sent = pack.nodes.shown.as_markup(text)
    assert not MARKUP.search(sent)
    assert read(sent) == text.replace("\n- ", "\n\u2013 ").replace("`", "'")


def test_a_report_is_sent_as_it_is(pack):
    sent = pack.nodes.shown.as_markup("Pictures of each user:\n- `anna`: 2")
    assert sent == "Pictures of each user:  \n\u2013 'anna': 2"


def read(sent):
    return html.unescape(sent).replace("  \n", "\n").replace("\xa0", " ")


def test_nothing_hidden_is_sent(pack):
    sent = pack.nodes.shown.as_markup("a\u202eb\x00\udcff\u2066")
    assert html.unescape(sent) == "a\\u202eb\\u0000\\udcff\\u2066"


def test_nothing_hidden_is_in_an_error(pack):
    with pytest.raises(ValueError) as error, pack.nodes.errors.errors_of("Image Dataset"):
        raise ValueError("folder is 'a\u202eb\nc\udcff'")
    assert str(error.value) == "Image Dataset: folder is 'a\\u202eb c\\udcff'."


def test_no_node_reaches_a_page_but_through_the_host(root):
    ways = {"PromptServer", "send_progress_text", "send_sync", "PreviewText", "PreviewMarkdown", "aiohttp"}
    for path in (root / "nodes").glob("*.py"):
        parts = list(ast.walk(ast.parse(path.read_text())))
        names = {getattr(part, kind, "") for part in parts for kind in ("attr", "id", "name")}
        assert path.name == "host.py" or not names & ways, path
        given = [part.value for part in parts if isinstance(part, ast.keyword) and part.arg == "ui"]
        assert all(ast.unparse(value).startswith(("shown", "host.show_")) for value in given), path
