"""HTML in which nothing that somebody else wrote can run: what is no `Html` is text, and is escaped wherever it stands.

Names of models, files, folders and styles come from users and from strangers' files.
"""

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from PIL import Image

from ...visible import visible

STYLE = """
body { background: #202226; color: #e6e7ea; font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1200px }
h1, h2 { font-weight: 600 } h2 { margin-top: 3rem } p, th { color: #a3a8b0; font-weight: 400 }
table { border-collapse: collapse; margin: 1rem 0 } td, th { border-bottom: 1px solid #363a41; padding: .2rem .8rem }
td, th { text-align: right; white-space: nowrap } td:first-child, th:first-child { text-align: left }
tr.model { color: #56b4f0; font-weight: 600 } tr.ceiling { color: #fff } b { color: #e6e7ea }
img { max-width: 100% } summary { cursor: pointer } div.wide { overflow-x: auto }
"""


class Html(str):
    """Text that is HTML already: made here, or written in this package."""


def safe(text: str) -> Html:
    """Text as HTML that shows it, hidden characters too; HTML as it is."""
    return text if isinstance(text, Html) else Html(escape(visible(text)))


def joined(parts: Iterable[str]) -> Html:
    return Html("".join(map(safe, parts)))


def element(tag: str, *parts: str, **attributes: str) -> Html:
    """`<tag attribute="...">parts</tag>`; `class_` is the attribute class."""
    told = "".join(f' {name.rstrip("_")}="{safe(value)}"' for name, value in attributes.items())
    return Html(f"<{tag}{told}>{joined(parts)}</{tag}>")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], classes: Sequence[str] | None = None) -> Html:
    """`classes` are those of the rows."""
    lines = [element("tr", *(element("th", head) for head in heads))]
    for place, row in enumerate(rows):
        cells = [element("td", cell) for cell in row]
        lines.append(element("tr", *cells, class_=classes[place]) if classes else element("tr", *cells))
    return element("div", element("table", *lines), class_="wide")


def figure(name: str, picture: np.ndarray, format: str) -> Html:
    """A picture within the page; contact sheets as JPEG, to keep the page small."""
    data = base64.b64encode(encoded(picture, format)).decode()
    return Html(f'<p><img alt="{safe(name)}" src="data:image/{format.lower()};base64,{data}"></p>')


def encoded(picture: np.ndarray, format: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format, quality=92)
    return file.getvalue()


def document(title: str, parts: Iterable[str]) -> str:
    """A whole page, which needs nothing beside it."""
    head = Html('<!doctype html><html lang="en"><meta charset="utf-8">')
    head = joined([head, element("title", title), element("style", Html(STYLE))])
    return f"{head}{element('body', element('h1', title), *parts)}</html>\n"
