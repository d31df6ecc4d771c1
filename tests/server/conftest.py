import comfy.utils
import pytest
from PIL import Image

from scripts.lib.pictures import to_png

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
