"""The demo of the README, on the server of the tests in place of its own, which starts in the same way."""

import contextlib
import os

import pytest
from PIL import Image

from scripts.lib import demo, options, personalise
from scripts.lib.documents import called, commands

GIVEN = [given for words in commands("README.md") for path, given in [called(words)] if path.name == "demo.sh"]


@pytest.fixture
def draw(server, host, monkeypatch, tmp_path):
    """Both halves of the demo, one after the other, in an empty folder; gives the exit code."""
    for name in ("history", "my-pictures"):
        (tmp_path / name).mkdir()
    for name in ("my-pictures/one.png", "my-pictures/two.png", "cat.png"):
        Image.new("RGB", (64, 48), "teal").save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setattr(demo, "demo_host", lambda: host)
    monkeypatch.setattr(options, "BUILD", tmp_path)
    monkeypatch.setattr(personalise, "Server", lambda *_, **__: contextlib.nullcontext(server))
    monkeypatch.setattr(personalise.signal, "signal", lambda *_: None)
    codes = []

    def second_half(python, command):
        before = [str(host.python), "-m", "scripts.lib.personalise"]
        assert [str(python), *command[:3]] == [before[0], *before]
        codes.append(personalise.main(*command[3:]))

    monkeypatch.setattr(os, "execv", second_half)
    return lambda given: (demo.main(given), codes.pop())[1]


def test_it_draws_what_it_was_given(draw, tmp_path, capsys):
    for given in GIVEN:
        assert draw(given) == 0, capsys.readouterr().err
    plain, own = (tmp_path / name for name in ("picture.png", "cat-in-my-style.png"))
    assert capsys.readouterr().out == f"{plain}\n{own}\n"
    sizes, drawn = zip(*((picture.size, picture.tobytes()) for picture in map(Image.open, (plain, own))), strict=True)
    assert sizes == ((512, 512),) * 2 and drawn[0] != drawn[1]
