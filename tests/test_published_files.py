"""What the registry gets: only what runs in a ComfyUI, and nothing that its scanner withholds a version for."""

import ast
import re
import zipfile
from pathlib import Path

import pytest

from scripts.pack import pack

NETWORK = {
    *("aiohttp", "ftplib", "http", "httpx", "imaplib", "paramiko", "poplib", "requests", "smtplib", "socket"),
    *("socketserver", "ssl", "telnetlib", "urllib", "urllib3", "webbrowser", "websockets", "xmlrpc"),
}
PROCESSES = {"asyncio", "ctypes", "multiprocessing", "pty", "subprocess"}
ANY_CODE = {"code", "codeop", "dill", "cloudpickle", "importlib", "joblib", "marshal", "pickle", "runpy", "shelve"}
OTHERS = {"cryptography", "shutil", "sqlite3", "tarfile", "zipfile"}
FORBIDDEN_MODULES = NETWORK | PROCESSES | ANY_CODE | OTHERS
FORBIDDEN_NAMES = {
    *("eval", "exec", "compile", "__import__", "print", "torch.load", "torch.hub.load", "yaml.load"),
    *("os.system", "os.popen", "os.startfile", "os.fork", "os.getenv", "os.putenv", "os.kill"),
    *("base64.b64decode", "bytes.fromhex", "codecs.decode", "zlib.decompress", "binascii.unhexlify"),
    *("allow_pickle=True", "shell=True", "trust_remote_code=True"),
}
FORBIDDEN_PREFIXES = ("os.environ", "os.exec", "os.spawn", "os.posix_spawn")
OURS = {"drc", "nodes", "scripts", "tests"}
KINDS = {".jpg", ".js", ".json", ".md", ".png", ".py", ".safetensors", ".toml"}
LARGEST_ARCHIVE = 45 * 2**20  # 40 MiB of it are the embedded model, one the pictures of workflows and help pages
LONGEST_LINE = 120  # of code; what is packed into one line is not meant to be read


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The files of the archive: path in it -> where it was unpacked."""
    folder = tmp_path_factory.mktemp("pack")
    archive = pack(folder / "pack.zip")
    assert archive.stat().st_size < LARGEST_ARCHIVE
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder / "files")
        return {Path(name): folder / "files" / name for name in file.namelist()}


@pytest.fixture(scope="module")
def code(published):
    return {name: path.read_text() for name, path in published.items() if name.suffix == ".py"}


def test_archive_has_what_a_node_pack_needs_and_no_more(published):
    assert {"__init__.py", "pyproject.toml", "workflows/personalise.json", "README.md"} <= set(map(str, published))
    assert {name.parts[0] for name in published if len(name.parts) > 1} == {
        "docs",
        "drc",
        "locales",
        "nodes",
        "subgraphs",
        "web",
        "workflows",
    }
    assert {name.suffix for name in published} == KINDS | {""}
    assert [str(name) for name in published if not name.suffix] == ["LICENSE"]


def test_the_page_is_given_little_to_run(published):
    """Lines to be read, which import from the page, and ask its own server alone."""
    scripts = {str(name): path.read_text() for name, path in published.items() if name.suffix == ".js"}
    names = {"files", "labels", "languages", "more_settings", "said", "several", "templates", "titles", "views"}
    assert scripts.keys() == {f"web/{name}.js" for name in names}
    for source in scripts.values():
        assert source.isascii() and max(map(len, source.splitlines())) <= LONGEST_LINE and source.count("\n") < 40
        assert set(re.findall(r"from (.+)", source)) <= {'"../../scripts/app.js"', '"../../scripts/api.js"'}
        assert not re.search(r"\beval\(|Function\(|import\(|https?:|innerHTML|XMLHttp|WebSocket|\bfetch\(", source)


def test_code_is_what_the_scanner_accepts(code):
    complaints = []
    for name, source in code.items():
        if not source.isascii() or max(map(len, source.splitlines()), default=0) > LONGEST_LINE:
            complaints.append(f"{name}: not ASCII, or a line too long to be read")
        complaints += [f"{name}:{line}: {what}" for line, what in forbidden(ast.parse(source))]
    assert complaints == []


@pytest.mark.parametrize(
    "source",
    [
        *("import urllib.request", "from os import environ", "from socket import socket", "import pickle as p"),
        *(
            "os.environ['A'] = '1'",
            "os.environ.get('A')",
            "x = os.getenv('A')",
            "exec('1')",
            "f = eval",
            "os.execv(a, b)",
        ),
        *("torch.load(path)", "numpy.load(path, allow_pickle=True)", "base64.b64decode(text)", "print(1)"),
    ],
)
def test_the_search_finds(source):
    assert list(forbidden(ast.parse(source)))


def forbidden(tree):
    """Lines that import or name what a published pack must not."""
    excused = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call) and reads_tensors_only(node)}
    for node in ast.walk(tree):
        modules, names = [], []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules, names = [node.module], [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):  # ours by the same name, such as a setting
            continue
        elif isinstance(node, (ast.Attribute, ast.Name, ast.keyword)) and node not in excused:
            names = [ast.unparse(node)]
        for module in modules:
            if module.split(".")[0] in FORBIDDEN_MODULES | OURS:
                yield node.lineno, f"import of {module}"
        for name in names:
            if name in FORBIDDEN_NAMES or name.startswith(FORBIDDEN_PREFIXES):
                yield node.lineno, f"use of {name}"


def reads_tensors_only(call):
    """`torch.load` with `weights_only=True`, by which the conversion of LaVIT reads what was published as pickles."""
    return ast.unparse(call.func) == "torch.load" and "weights_only=True" in map(ast.unparse, call.keywords)
