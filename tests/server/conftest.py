import contextlib

import comfy.utils
import pytest
from PIL import Image

from scripts.lib.pictures import to_png
from scripts.lib.server import Server
from scripts.lib.tiny import write_tiny

SHOWS_ALL = not hasattr(comfy.utils, "PROGRESS_THROTTLE_MIN_INTERVAL")
"""Whether the host's bars show every step; those of newer hosts leave out what comes right behind another."""


def assert_shown(shown: list, told: list) -> None:
    """That a bar which was told so much has shown it, as far as the host does."""
    if SHOWS_ALL:
        assert shown == told
    else:
        rest = iter(told)
        assert all(one in rest for one in shown), shown
        assert (shown[0], shown[-1]) == (told[0], told[-1])


@pytest.fixture
def upload(client):
    """Uploads a picture of one colour; gives the name it has on the server."""

    def upload(name, size, colour="teal"):
        return client.upload(name, to_png(Image.new("RGB", size, colour)))

    return upload


@pytest.fixture
def of_a_tiny_model(monkeypatch):
    """Has a command that measures a server, a module, find a model called tiny.safetensors there."""

    @contextlib.contextmanager
    def with_a_tiny_model(*given, **named):
        with Server(*given, **named) as server:
            write_tiny(server.folder / "models" / "drc" / "tiny.safetensors")
            yield server

    return lambda command: monkeypatch.setattr(command, "Server", with_a_tiny_model)
