"""What is published imports nothing but the standard library, itself, and what a stock host has."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from scripts.pack import published

HOST_MODULES = {"comfy", "comfy_api", "comfy_execution", "comfy_extras", "folder_paths", "server"}
"""Of ComfyUI itself; only `nodes` may know them."""
OPTIONAL = {
    "accelerate": "for training on many processes, where another way is a sentence that asks for it",
    "tomli": "reads a training's settings where Python 3.10 has no tomllib; a sentence asks for it",
    "vtracer": "traces pictures as SVG; a sentence asks for it",
}
"""What users may add to their host; imported inside a function that says so where it is missing."""


@pytest.fixture(scope="module")
def code(root) -> dict[str, ast.Module]:
    """Every published Python file, by its path."""
    return {name: ast.parse((root / name).read_text()) for name in published() if name.endswith(".py")}


@pytest.fixture(scope="module")
def required(host) -> set[str]:
    """The distributions that the host's requirements name, in the spelling that all spellings share."""
    lines = (host.folder / "requirements.txt").read_text().splitlines()
    return {normal(re.match(r"[\w.-]+", line)[0]) for line in lines if re.match(r"\w", line)}


def normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def absolute(tree: ast.AST) -> set[str]:
    """The packages that are imported by name, wherever in the file."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module)
    return {module.split(".")[0] for module in found}


def relative(name: str, tree: ast.AST) -> Iterator[Path]:
    """The modules that a file imports from beside itself, without suffix; wherever in the file, so lazy ones, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = Path(name).parents[node.level - 1]
            names = [node.module.replace(".", "/")] if node.module else [alias.name for alias in node.names]
            yield from (folder / module for module in names)


def names_in(tree: ast.Module) -> set[str]:
    """The functions, classes and values that a module defines."""
    values = {target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets}
    return values | {node.name for node in tree.body if hasattr(node, "name")}


def test_only_what_a_stock_host_has(code, required):
    distributions, strangers = packages_distributions(), {}
    for name, tree in code.items():
        ours = HOST_MODULES if name.startswith("nodes/") else set()
        for module in absolute(tree) - sys.stdlib_module_names - ours - set(OPTIONAL):
            if not required & set(map(normal, distributions.get(module, ()))):
                strangers.setdefault(module, []).append(name)
    assert strangers == {}


def test_optional_modules_are_imported_where_they_are_needed(code):
    for name, tree in code.items():
        at_once = [node for node in tree.body if not isinstance(node, (ast.FunctionDef, ast.ClassDef))]
        assert absolute(ast.Module(at_once, [])).isdisjoint(OPTIONAL), name


def test_what_is_published_reaches_only_what_is_published(code):
    packages = {Path(name).parent: tree for name, tree in code.items() if name.endswith("__init__.py")}
    defined = {folder / name for folder, tree in packages.items() for name in names_in(tree)}
    there = {Path(name).with_suffix("") for name in code} | set(packages) | defined
    missing = {(name, module) for name, tree in code.items() for module in relative(name, tree) if module not in there}
    assert missing == set()
