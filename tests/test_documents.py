"""What the documents tell a reader to type exists as it is written, and what they point at is there."""

import re
import runpy

import pytest

from scripts.lib.documents import DOCS, DOCUMENTS, HELP, code_lines
from scripts.lib.environment import ROOT

COMPUTED = ("docs/janus.md", "docs/lavit.md")  # sizes of downloads, and memory by the commands beside it
MEASURED_NOWHERE = [name for name in ["README.md", *DOCS] if name not in COMPUTED]
MEASURED = re.compile(r"\d ?(?:%|ms|dB|[kM]B|seconds|minutes|hours)(?!\w)|times as (?:fast|many)")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


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


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    block = (ROOT / "README.md").read_text("utf-8").split("## In Python")[1].split("##")[0]
    (tmp_path / "nodes").symlink_to(ROOT / "nodes")
    (tmp_path / "lines.py").write_text("\n".join(code_lines(block)))
    monkeypatch.chdir(tmp_path)
    runpy.run_path("lines.py")
    assert all((tmp_path / f"drawn-{number}.png").stat().st_size > 1000 for number in (1, 2))


def test_help_pages_name_commands_that_users_have():
    """Scripts are not in the published archive."""
    assert not [page for page in HELP if "scripts" in (ROOT / page).read_text("utf-8")]


def test_help_pages_fit_into_the_panel():
    """It is 265 pixels wide: the last columns of a table would lie outside, and pictures are shown at that width."""
    shown = set()
    for page in HELP:
        text = (ROOT / page).read_text("utf-8")
        assert not re.findall(r"^\s*\|", text, re.M), f"{page} has a table; make it a list"
        shown |= set(re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text))
    pictures = {path.name: path.stat().st_size for path in (ROOT / "web" / "docs").iterdir() if path.suffix != ".md"}
    assert shown == pictures.keys()
    assert len(shown) > 5 and max(pictures.values()) < 2**16
