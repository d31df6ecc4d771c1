"""What the documents tell a reader to type."""

import re
import shlex
from pathlib import Path

from scripts.lib.environment import ROOT

DOCS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))
DOCUMENTS = ["README.md", "AGENTS.md", "CHANGELOG.md", "CONTRIBUTING.md", "drc/METHOD.md", *DOCS]


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
