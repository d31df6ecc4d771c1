"""How a graph lies on the open page, by what the page drew: boxes in pixels of the window, and what hides what."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from playwright.sync_api import Page as Tab

TO_WINDOW = """
    const {scale, offset} = app.canvas.ds, corner = app.canvas.canvas.getBoundingClientRect()
    const box = ([x, y, width, height]) => {
        const left = corner.left + (x + offset[0]) * scale, top = corner.top + (y + offset[1]) * scale
        return [left, top, left + width * scale, top + height * scale]
    }
"""
BOXES = f"() => {{ {TO_WINDOW} return app.graph.nodes.map(node => [node.title, box(node.boundingRect)]) }}"
GROUPS = f"() => {{ {TO_WINDOW} return app.graph.groups.map(group => [group.title, box(group.boundingRect)]) }}"
# Where a click would meet something else than the graph: 20 times 20 points of every node, as far as in the window.
# What page 1.58 says of a missing model can be closed.
COVERED = f"""() => {{
    {TO_WINDOW}
    const graph = "#graph-canvas, [data-node-id], .dom-widget, [data-testid=error-overlay]"
    const covers = ([left, top, right, bottom]) => {{
        for (let i = 0.5; i < 20; i++) for (let j = 0.5; j < 20; j++) {{
            const found = document.elementFromPoint(left + (right - left) * i / 20, top + (bottom - top) * j / 20)
            if (found && !found.closest(graph)) return true
        }}
    }}
    return app.graph.nodes.filter(node => covers(box(node.boundingRect))).map(node => node.title)
}}"""
# The page's own paths of links, asked along a line inside the edge of every node, but for the strip with the sockets.
BEHIND = """() => {
    const pen = document.createElement("canvas").getContext("2d"), paths = [...app.canvas.renderedPaths]
    const edge = ([x, y, width, height]) => {
        const points = [], left = x + 14, right = x + width - 14, top = y + 4, bottom = y + height - 4
        for (let across = left; across < right; across += 3) points.push([across, top], [across, bottom])
        for (let down = top; down < bottom; down += 3) points.push([left, down], [right, down])
        return points
    }
    pen.lineWidth = 5
    return app.graph.nodes.filter(node => {
        const points = edge(node.boundingRect)
        return paths.some(({path}) => points.some(point => pen.isPointInStroke(path, ...point)))
    }).map(node => node.title)
}"""
# The same paths, asked all over the words of the title of every group.
CROSSED = """() => {
    const pen = document.createElement("canvas").getContext("2d"), paths = [...app.canvas.renderedPaths]
    const words = ({title, font_size: size, pos: [x, y]}) => {
        pen.font = `${size}px Arial`
        const {width} = pen.measureText(title), points = []
        for (let across = 4; across < 4 + width; across += 2)
            for (let down = 4; down < 4 + size; down += 2) points.push([x + across, y + down])
        return points
    }
    return app.graph.groups.filter(group => {
        const points = words(group)
        pen.lineWidth = 3
        return paths.some(({path}) => points.some(point => pen.isPointInStroke(path, ...point)))
    }).map(group => group.title)
}"""
# Nodes have their size when what they show has come: the picture of a run is fetched after the run.
LOADED = """() => {
    const drawn = app.graph.nodes.flatMap(node => node.imgs ?? [])
    return [...drawn, ...document.querySelectorAll("[data-node-id] img")].every(picture => picture.complete)
}"""
SETTLE = "() => new Promise(done => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 100))"
ALL_IN_VIEW = """() => {
    const {ds} = app.canvas, boxes = app.graph.nodes.map(node => node.boundingRect)
    ds.scale = 0.2
    ds.offset = [100 - Math.min(...boxes.map(([x]) => x)), 100 - Math.min(...boxes.map(([, y]) => y))]
    app.canvas.setDirty(true, true)
}"""
CUT = """() => [...document.querySelectorAll("[data-node-id] .p-select-label, [data-testid=node-title] *")]
    .filter(text => text.scrollWidth > text.clientWidth).map(text => text.textContent)"""

CUT_LABELS = """() => [...document.querySelectorAll(".lg-node-widgets:has([node-type^=DRC_]) p.truncate")]
    .filter(text => text.scrollWidth > text.clientWidth).map(text => text.textContent)"""


SPARE = 60  # a group may be that much taller than what is in it


class Box(NamedTuple):
    """A node or a group."""

    title: str
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        beside = self.right <= other.left or other.right <= self.left
        return not (beside or self.bottom <= other.top or other.bottom <= self.top)

    def holds(self, other: Box) -> bool:
        across = self.left < other.left and other.right < self.right
        return across and self.top < other.top and other.bottom < self.bottom


def nodes(tab: Tab) -> list[Box]:
    return [Box(title, *sides) for title, sides in tab.evaluate(BOXES)]


def overlapping(tab: Tab) -> list[str]:
    pairs = combinations(nodes(tab), 2)
    return [f"{one.title} lies over {other.title}" for one, other in pairs if one.overlaps(other)]


def groups(tab: Tab) -> list[Box]:
    return [Box(title, *sides) for title, sides in tab.evaluate(GROUPS)]


def covered(tab: Tab) -> list[str]:
    """Titles of nodes that lie, in part, under a bar of the page."""
    return tab.evaluate(COVERED)


def settle(tab: Tab) -> None:
    """Until what was changed is drawn."""
    tab.wait_for_function(LOADED)
    tab.evaluate(SETTLE)


def before_links(tab: Tab) -> list[str]:
    """Titles of nodes behind which a link passes. Brings the whole graph into view: the page draws no other links."""
    tab.evaluate(ALL_IN_VIEW)
    settle(tab)
    return tab.evaluate(BEHIND)


def crossed(tab: Tab) -> list[str]:
    """Titles of groups whose words a link crosses, on a graph that is in view."""
    return tab.evaluate(CROSSED)


def cut(tab: Tab) -> list[str]:
    """What does not fit its box in Nodes 2.0: titles, and what is chosen in lists."""
    return tab.evaluate(CUT)


def cut_labels(tab: Tab) -> list[str]:
    """Those of settings of our nodes that do not fit beside them in Nodes 2.0."""
    return tab.evaluate(CUT_LABELS)


def faults(tab: Tab) -> Iterator[str]:
    """What is untidy in the graph that is open, in words, whether it has run or not. Brings it into view at last."""
    settle(tab)
    boxes, frames, scale = nodes(tab), groups(tab), tab.evaluate("app.canvas.ds.scale")
    yield from overlapping(tab)
    for group in frames:
        lowest = max((node.bottom for node in boxes if group.holds(node)), default=group.top)
        if group.bottom - lowest > SPARE * scale:
            yield f"{group.title} is taller than what is in it"
    for node in boxes:
        if node.title != "Read me" and not any(group.holds(node) for group in frames):
            yield f"{node.title} stands in no group"
    for text in cut(tab):
        if not text.endswith(".safetensors"):  # what a file is shows at the start of its name
            yield f"{text} is cut"
    for text in cut_labels(tab):
        yield f"the label {text} is cut"
    for title in before_links(tab):
        yield f"a link passes behind {title}"
    for title in crossed(tab):
        yield f"a link crosses the words {title}"
