"""Nobody outside `drc/lmm/` reaches behind the interface of large multimodal models, or asks which one there is."""

import ast
from pathlib import Path

import pytest
from torch.nn import Module

from drc import lmm as interface
from drc.lmm.registry import LMMS
from scripts.lib.imports import modules

OF_ONE = {"mini": {"drc/train/objectives/tokenizer.py"}, "lavit": {"nodes/convert.py"}, "janus": set()}
"""Who may know one of them: what trains the tokeniser that ships, and a converter."""
INSIDE = {"scripts/bench_embedded.py", "scripts/lib/janus_pair.py", "scripts/train_large_decoder.py"}
"""Share weights with another implementation."""


def members(*protocols: str) -> set[str]:
    """What these name, and those that they extend."""
    kinds = {
        kind
        for protocol in protocols
        for kind in getattr(interface, protocol).__mro__
        if kind.__module__ == interface.__name__
    }
    named = {name for kind in kinds for name in (*vars(kind), *vars(kind).get("__annotations__", ()))}
    return {name for name in named if not name.startswith("_")}


KNOWN = {
    "lmm": members("PixelLMM", "DiffusionLMM", "InContextLMM", "Autoregressive") - {"language"} | set(dir(Module)),
    "vision": members("Vision") | set(dir(Module)),
    "words": members("EmbeddedWords"),
    "config": members("EmbeddedConfig", "PretrainedConfig"),
}


def outside(root: Path, *folders: str, of: str = "drc/lmm/") -> dict[str, Path]:
    """All files but those of the LMMs, or `of` one."""
    files = [path for folder in folders for path in (root / folder).rglob("*.py")]
    found = {path.relative_to(root).as_posix(): path for path in files}
    return {name: path for name, path in found.items() if not name.startswith(of)}


def names_in(node: ast.AST) -> list[str]:
    """`a.b.c` -> a, b, c; of what is no such chain, its end."""
    found = []
    while isinstance(node, ast.Attribute):
        found.append(node.attr)
        node = node.value
    return [*([node.id] if isinstance(node, ast.Name) else []), *reversed(found)]


def part_named(node: ast.AST, host: bool) -> str | None:
    """Which part of an LMM a chain of names ends at, if it does; what nodes call vision may be the `host`'s."""
    owner, last = ["", "", *(name.lower() for name in names_in(node))][-2:]
    if last == "lmm":
        return "config" if owner.endswith("config") else "lmm"
    if last == "config":
        return "config" if owner == "lmm" else None
    if last == "vision":
        return "vision" if owner == "lmm" or owner in ("self", "") and not host else None
    if last == "words":
        return "words" if owner in ("drc", "model", "base") else None
    return None


def asked_of_parts(path: Path) -> set[tuple[str, str]]:
    """All that a file asks of an LMM, of its config, vision and words, or changes in a config: part and member."""
    found, host = set(), path.parent.name == "nodes"
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and (part := part_named(node.value, host)):
            found.add((part, node.attr))
        elif isinstance(node, ast.Call) and node.args and names_in(node.func)[-1:] == ["replace"]:
            part = part_named(node.args[0], host)
            found |= {(part, keyword.arg) for keyword in node.keywords if part}
    return found


def kinds_known(path: Path, root: Path) -> set[str]:
    """Whose modules a file imports, or whose name is a string in it, as one compares with."""
    parts = (name.split(".") for name in modules(path, root))
    imported = {name[2] for name in parts if name[:2] == ["drc", "lmm"] and name[2:3]}
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    strings = {node.value.lower() for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return (imported | strings) & LMMS.keys()


def classes_asked_for(path: Path, root: Path) -> set[str]:
    """Classes of LMMs, or of vocabularies, of which a file asks whether something is one."""
    foreign, found = set(), set()
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            package = path.relative_to(root).parent.parts
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            if module.startswith("drc.lmm") or module.split(".")[0] in ("tokenizers", "sentencepiece"):
                foreign |= {name.asname or name.name for name in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and names_in(node.func) in (["isinstance"], ["issubclass"]):
            found |= {one.id for one in ast.walk(node.args[1]) if isinstance(one, ast.Name)} & foreign
    return found


@pytest.mark.parametrize("kind", LMMS)
def test_nobody_else_knows_one_of_them(root, kind):
    """What all ask of it is in the interface, so another needs a line of the registry and no other file."""
    files = outside(root, "drc", "nodes", of=f"drc/lmm/{kind}/")
    known = {name for name, path in files.items() if kind in kinds_known(path, root)}
    assert known == {"drc/lmm/registry.py"} | OF_ONE[kind]


def test_nobody_reaches_behind_it(root):
    """Scripts that build or compare one LMM, and say so by what they import, know its sizes."""
    asked, behind = set(), {}
    for name, path in outside(root, "drc", "nodes", "scripts").items():
        found = asked_of_parts(path)
        asked |= found
        builds = name.startswith("scripts/") and kinds_known(path, root)
        names = {(part, one) for part, one in found if one not in KNOWN[part] and not (builds and part == "config")}
        if names and name not in INSIDE:
            behind[name] = names
    assert not behind
    assert asked >= {
        ("lmm", "draw"), ("lmm", "pretrained"), ("vision", "memory"), ("config", "kind"), ("config", "layers"),
        ("config", "local_conditioning"), ("words", "encode"), ("words", "to_json"),
    }  # fmt: skip


def test_nobody_asks_for_a_class(root):
    files = outside(root, "drc", "nodes")
    assert not {name: found for name, path in files.items() if (found := classes_asked_for(path, root))}
    libraries = {"tokenizers", "sentencepiece"}
    assert not {name for name, path in files.items() if {one.split(".")[0] for one in modules(path, root)} & libraries}


def test_whether_it_was_pretrained_is_asked_of_it_alone(root):
    """A file's header names what it was trained over, for whoever reads and writes files."""
    files = outside(root, "drc", "nodes", "scripts")
    assert {name for name, path in files.items() if "base_lmm" in path.read_text("utf-8")} == {
        "drc/model.py", "drc/checkpoint.py"
    }  # fmt: skip
