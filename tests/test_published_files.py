"""What the registry gets: only what runs in a ComfyUI, and nothing that its scanner withholds a version for."""

import ast
import subprocess

import pytest

FORBIDDEN_MODULES = {
    "ctypes",
    "ftplib",
    "http",
    "importlib",
    "marshal",
    "pickle",
    "requests",
    "shelve",
    "shutil",
    "socket",
    "sqlite3",
    "subprocess",
    "tarfile",
    "urllib",
    "zipfile",
}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "print", "os.system", "torch.load"}
FORBIDDEN_NAMES = {"os.environ", "os.putenv"}
OURS = {"drc", "nodes", "scripts", "tests"}
LARGEST_ARCHIVE = 100 * 2**20


@pytest.fixture(scope="module")
def published(root):
    """The files that `comfy node pack` would take: what git knows less what .comfyignore names."""
    lines = (root / ".comfyignore").read_text().splitlines()
    ignored = tuple(line for line in lines if line and not line.startswith("#"))
    known = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout.split("\n")
    return [root / name for name in known if name and not name.startswith(ignored)]


def test_archive_is_small_and_has_what_a_node_pack_needs(root, published):
    names = {str(path.relative_to(root)) for path in published}
    assert {"__init__.py", "pyproject.toml", "workflows/personalise.json", "README.md", "LICENSE"} <= names
    assert not any(name.startswith(("tests/", "scripts/", ".ci/", "build/")) for name in names)
    assert sum(path.stat().st_size for path in published) < LARGEST_ARCHIVE


def test_code_is_what_the_scanner_accepts(root, published):
    complaints = []
    for path in published:
        if path.suffix == ".py":
            source = path.read_text()
            name = path.relative_to(root)
            if not source.isascii():
                complaints.append(f"{name}: not ASCII")
            complaints += [f"{name}:{line}: {what}" for line, what in forbidden(ast.parse(source))]
    assert complaints == []


def forbidden(tree):
    """Lines that import, call or name what a published pack must not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules = [node.module.split(".")[0]]
        else:
            modules = []
        for module in modules:
            if module in FORBIDDEN_MODULES | OURS:
                yield node.lineno, f"import of {module}"
        if isinstance(node, ast.Call) and ast.unparse(node.func) in FORBIDDEN_CALLS and not reads_tensors_only(node):
            yield node.lineno, f"call of {ast.unparse(node.func)}"
        if isinstance(node, ast.Attribute) and ast.unparse(node) in FORBIDDEN_NAMES:
            yield node.lineno, f"use of {ast.unparse(node)}"


def reads_tensors_only(call):
    """`torch.load` with `weights_only=True`, by which the conversion of LaVIT reads what was published as pickles."""
    return ast.unparse(call.func) == "torch.load" and "weights_only=True" in map(ast.unparse, call.keywords)


def test_the_method_does_not_know_the_host(root, published):
    for path in published:
        if path.suffix == ".py" and path.relative_to(root).parts[0] == "drc":
            tree = ast.parse(path.read_text())
            imports = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
            imports |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
            assert not {name.split(".")[0] for name in imports} & {"comfy", "comfy_api", "folder_paths", "server"}
