"""What a file imports, read from its text."""

import ast
from pathlib import Path


def modules(path: Path, root: Path) -> set[str]:
    """Wherever in the file, by full names from `root` on: modules, and what is taken from them, which may be one."""
    found, package = set(), path.relative_to(root).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            found |= {module} | {f"{module}.{name.name}".strip(".") for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return found - {""}
