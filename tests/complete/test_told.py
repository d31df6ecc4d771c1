"""What the command tells of a folder and of what it drew."""

import numpy as np
import pytest
from PIL import Image

import drc
from drc.complete.command import history_in
from drc.complete.report import Report
from drc.complete.summary import in_words


def test_pictures_of_a_history_that_cannot_be_read_are_told(tmp_path):
    for number in range(2):
        Image.fromarray(np.full((32, 32, 3), 90 * number, np.uint8)).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "0.png").read_bytes()[:40])
    entries, notes = history_in(tmp_path)
    assert len(entries) == 2 and len(notes) == 1
    assert notes[0].startswith("left out of the history: `broken.png` (")


def test_what_does_not_show_is_told_first():
    rows = [{"name": name, "style": 0.1, "meaning": meaning} for name, meaning in (("key", 0.25), ("flux", 0.002))]
    lines = list(in_words(Report([], 8, []), rows, ["a note"]))
    assert lines[:2] == ["a note", "what was asked for does not show in flux; give a reference, or another word"]


def test_a_word_is_no_reference():
    model = drc.load()
    with pytest.raises(ValueError, match="reference is the text 'bicycle', expected a picture"):
        model.draw(None, "bicycle", seeds=[1])
