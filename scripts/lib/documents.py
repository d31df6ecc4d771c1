"""What the documents tell a reader to type."""

import re
import shlex
from pathlib import Path

from scripts.lib.environment import ROOT

DOCS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))
DOCUMENTS = ["README.md", "AGENTS.md", "CHANGELOG.md", "CONTRIBUTING.md", "drc/METHOD.md", *DOCS]
HELP = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "web" / "docs").glob("*.md"))
CARD = "drc/weights/README.md"
COMMAND = re.compile(r"([A-Z_]+=\S+ )*(bash|python|accelerate|\S*/python) ")
AND_SO_ON = "..."  # in a command: more of the same kind


def code_lines(text: str) -> list[str]:
    """Indented lines, with what a backslash joins on one line."""
    joined = re.sub(r"\\\n\s+", " ", text)
    return [line.strip() for line in joined.splitlines() if line.startswith("    ")]


def commands(document: str) -> list[list[str]]:
    """The words of every command of ours that stands on a line of its own."""
    return ours(code_lines((ROOT / document).read_text("utf-8")))


def mentioned(document: str) -> list[list[str]]:
    """The words of those in the text that say how, and not only which."""
    spans = re.findall(r"`([^`]+)`", (ROOT / document).read_text("utf-8"))
    found = ours(" ".join(span.split()) for span in spans)
    return [words for words in found if any(word.startswith("-") for word in called(words)[1])]


def ours(lines) -> list[list[str]]:
    words = [shlex.split(line) for line in lines if COMMAND.match(line)]
    return [[word for word in some if word != AND_SO_ON] for some in words if called(some) is not None]


def called(words: list[str]) -> tuple[Path, list[str]] | None:
    """The file of ours that a command runs, and what stands after it."""
    for index, word in enumerate(words):
        if word.startswith("scripts/"):
            return ROOT / word, words[index + 1 :]
        if index and words[index - 1] == "-m" and word.split(".")[0] in ("drc", "scripts"):
            path = ROOT / word.replace(".", "/")
            return (path / "__main__.py" if path.is_dir() else path.with_suffix(".py")), words[index + 1 :]
    return None
