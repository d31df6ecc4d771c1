"""What the documents tell a reader to type exists as it is written, and what they point at is there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))
DOCUMENTS = ["README.md", "AGENTS.md", "CHANGELOG.md", "CONTRIBUTING.md", "drc/METHOD.md", *DOCS]
COMPUTED = ("docs/janus.md", "docs/lavit.md")  # sizes of downloads, and memory by the commands beside it
MEASURED_NOWHERE = [name for name in ["README.md", *DOCS] if name not in COMPUTED]
MEASURED = re.compile(r"\d ?(?:%|ms|dB|[kM]B|seconds|minutes|hours)(?!\w)|times as (?:fast|many)")
HELP = sorted((ROOT / "web" / "docs").glob("*.md"))
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def code_lines(text: str) -> list[str]:
    """Indented lines, with what a backslash joins on one line."""
    joined = re.sub(r"\\\n\s+", " ", text)
    return [line.strip() for line in joined.splitlines() if line.startswith("    ")]


def commands(document: str) -> list[list[str]]:
    lines = map(shlex.split, filter(typed, code_lines((ROOT / document).read_text("utf-8"))))
    return [words for words in lines if called(words) is not None]


def typed(line: str) -> bool:
    return bool(re.match(r"(PYTHON=\S+ )?(bash|python|accelerate|\S*/python) ", line))


def called(words: list[str]) -> tuple[Path, list[str]] | None:
    """The file of ours that a command runs, and what stands after it."""
    for index, word in enumerate(words):
        if word.startswith("scripts/"):
            return ROOT / word, words[index + 1 :]
        if index and words[index - 1] == "-m" and word.split(".")[0] in ("drc", "scripts"):
            path = ROOT / word.replace(".", "/")
            return (path / "__main__.py" if path.is_dir() else path.with_suffix(".py")), words[index + 1 :]
    return None


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_exist_with_their_options(document):
    for words in commands(document):
        path, arguments = called(words)
        assert path.is_file(), words
        sources = [path, *path.parent.rglob("*.py"), *(ROOT / "scripts" / "lib").glob("*.py")]
        source = "".join(one.read_text("utf-8") for one in sources)
        for option in (word for word in arguments if word.startswith("--")):
            assert f'"{option}"' in source, (words, option)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document):
    here = ROOT / document
    for path, heading in LINK.findall(here.read_text("utf-8")):
        target = here.parent / path if path else here
        assert target.exists(), path
        if heading:
            headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.M)
            assert heading in {re.sub(r"[^a-z0-9 -]", "", name.lower()).replace(" ", "-") for name in headings}, heading


@pytest.mark.parametrize("document", MEASURED_NOWHERE)
def test_what_was_measured_stands_in_the_card(document):
    assert not MEASURED.findall((ROOT / document).read_text("utf-8"))


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 200


def test_every_node_has_its_row():
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|", (ROOT / "docs" / "nodes.md").read_text("utf-8"), re.M)
    source = "".join(path.read_text("utf-8") for path in (ROOT / "nodes").glob("*.py"))
    assert len(rows) > 20 and sorted(rows) == sorted(re.findall(r"node_id=\"\w+\",\s+display_name=\"(.+?)\"", source))


def test_the_python_of_the_readme_runs(tmp_path):
    block = (ROOT / "README.md").read_text("utf-8").split("## In Python")[1].split("##")[0]
    for name in ("drc", "nodes"):
        (tmp_path / name).symlink_to(ROOT / name)
    subprocess.run([sys.executable, "-c", "\n".join(code_lines(block))], cwd=tmp_path, check=True)
    assert all((tmp_path / f"drawn-{number}.png").stat().st_size > 1000 for number in (1, 2))


def test_help_pages_name_commands_that_users_have():
    """Scripts are not in the published archive."""
    found = 0
    for page in HELP:
        text = page.read_text("utf-8")
        assert "scripts" not in text, page.name
        for command in re.findall(r"`(python [^`]+)`", text):
            path, _ = called(shlex.split(command))
            found += 1
            assert path.is_file(), command
    assert found > 1


def test_help_pages_fit_into_the_panel():
    """It is 265 pixels wide: the last columns of a table would lie outside, and pictures are shown at that width."""
    shown = set()
    for page in HELP:
        text = page.read_text("utf-8")
        assert not re.findall(r"^\s*\|", text, re.M), f"{page.name} has a table; make it a list"
        shown |= set(re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text))
    pictures = {path.name: path.stat().st_size for path in HELP[0].parent.iterdir() if path.suffix != ".md"}
    assert shown == pictures.keys()
    assert len(shown) > 5 and max(pictures.values()) < 2**16
