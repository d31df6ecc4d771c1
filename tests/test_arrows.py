"""Arrows run one way: no part of `drc` imports what stands above it, or beside it, and no node another node."""

import ast
from pathlib import Path

from scripts.lib.imports import modules

FLOORS = (
    {"visible", "progress"},
    {"parsing", "files", "names", "shapes", "seeds", "bar"}
    | {"pixels", "positions", "perceptual", "familiar", "plots"},
    {"tensor_file", "instruction", "interrupt"},
    {"lmm", "towers", "fusion", "sharpener"},
    {"data", "model"},
    {"pretrained", "attention_map", "closeness", "colours", "likelihood", "drawings"},
    {"records", "traits"},
    {"checkpoint", "style_card"},
    {"card_file"},
    {"train"},
    {"complete"},
    {"bench"},
    {"__init__"},
)
LEVEL = {name: level for level, floor in enumerate(FLOORS) for name in floor}


def imported(path: Path, folder: Path) -> set[str]:
    """The parts of a folder that a file imports: files and folders of the first level."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = path.parents[node.level - 1]
            names = [node.module] if node.module else [name.name for name in node.names]
            targets = [base / name.replace(".", "/") for name in names]
            found |= {target.relative_to(folder).parts[0] for target in targets if folder in target.parents}
    return {name for name in found if (folder / name).exists() or (folder / f"{name}.py").exists()}


def test_nothing_imports_what_stands_above_it(root):
    drc, arrows, parts = root / "drc", set(), set()
    for path in drc.rglob("*.py"):
        part = path.relative_to(drc).parts[0].removesuffix(".py")
        parts.add(part)
        arrows |= {(part, other) for other in imported(path, drc) if other != part}
    assert parts == LEVEL.keys()
    assert not {arrow for arrow in arrows if LEVEL[arrow[0]] <= LEVEL[arrow[1]]}
    assert ("model", "lmm") in arrows and ("bench", "train") in arrows


def test_the_method_knows_neither_nodes_nor_scripts(root):
    files, above = list((root / "drc").rglob("*.py")), ("nodes", "scripts", "tests", "comfy", "folder_paths")
    arrows = {(path, module) for path in files for module in modules(path, root) if module.split(".")[0] in above}
    assert len(files) > 150 and not arrows
    assert "drc.lmm.registry" in set().union(*(modules(path, root) for path in files))


def test_a_node_is_not_the_library_of_another(root):
    """But for loading: a training ends with the model that it made."""
    nodes, arrows = root / "nodes", set()
    makers = {path.stem for path in nodes.glob("*.py") if "\n@guarded\n" in path.read_text("utf-8")}
    for name in makers:
        arrows |= {(name, other) for other in imported(nodes / f"{name}.py", nodes) & makers}
    assert len(makers) > 15 and arrows == {("train", "load")}
