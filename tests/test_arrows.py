"""Arrows run one way: no part of `drc` imports what stands above it, or beside it."""

import ast
from pathlib import Path

FLOORS = (
    {"settings", "seeds", "positions", "pixels", "perceptual", "interrupt", "visible", "files", "hollow", "plots"},
    {"tensor_file", "instruction"},
    {"lmm", "towers", "fusion"},
    {"data", "model"},
    {"pretrained", "attention", "traits"},
    {"checkpoint"},
    {"train"},
    {"bench"},
    {"__init__"},
)
LEVEL = {name: level for level, floor in enumerate(FLOORS) for name in floor}


def imported(path: Path, drc: Path) -> set[str]:
    """The parts of drc that a file imports: files and folders of the first level."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = path.parents[node.level - 1]
            names = [node.module] if node.module else [name.name for name in node.names]
            found |= {(base / name.replace(".", "/")).relative_to(drc).parts[0] for name in names}
    return {name for name in found if (drc / name).exists() or (drc / f"{name}.py").exists()}


def test_nothing_imports_what_stands_above_it(root):
    drc, arrows = root / "drc", set()
    for path in drc.rglob("*.py"):
        part = path.relative_to(drc).parts[0].removesuffix(".py")
        arrows |= {(part, other) for other in imported(path, drc) if other != part}
    assert {part for arrow in arrows for part in arrow} <= LEVEL.keys()
    assert not {arrow for arrow in arrows if LEVEL[arrow[0]] <= LEVEL[arrow[1]]}
    assert ("model", "lmm") in arrows and ("bench", "train") in arrows
