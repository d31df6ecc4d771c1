"""How large a drawing becomes once every `use`, clip, mask and pattern shows its target: a kilobyte of SVG can ask for
more than any memory."""

import re
from collections.abc import Iterator

from lxml import etree

LARGEST = 50_000  # elements; the largest of 5,500 emoji has 281
DEEPEST = 100  # elements within each other, where an emoji has at most 8; painting goes down by recursion


_SHOWN = re.compile(r"""url\(\s*["']?#([^)"'\s]+)""")


def shown_by(element: etree._Element) -> Iterator[str]:
    """The ids of what is painted in the place of an element, into it or through it."""
    if element.tag == "use":
        yield element.get("href", "")[1:]
    for value in element.attrib.values():
        yield from _SHOWN.findall(value)


def check_bounds(root: etree._Element) -> None:
    """Raises ValueError in one sentence where a drawing without namespaces is beyond LARGEST or DEEPEST."""
    named = {element.get("id"): element for element in root.iter() if element.get("id")}
    known: dict[etree._Element, tuple[int, int]] = {}

    def measure(element: etree._Element, depth: int) -> tuple[int, int]:
        """Elements and levels, this one included; each is measured once, and a circle ends where it closes."""
        if depth > DEEPEST:
            return 1, depth
        if element not in known:
            known[element] = 0, 0
            inside = [*element, *(named[name] for name in shown_by(element) if name in named)]
            parts = [measure(part, depth + 1) for part in inside]
            known[element] = 1 + sum(count for count, _ in parts), 1 + max((levels for _, levels in parts), default=0)
        return known[element]

    count, levels = measure(root, 1)
    if count > LARGEST or levels > DEEPEST:
        raise ValueError(
            f"The drawing has more than {LARGEST} elements, or {DEEPEST} within each other, once every <use> is drawn; "
            "give a simpler one."
        )
