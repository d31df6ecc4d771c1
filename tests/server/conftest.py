import pytest
from PIL import Image

from scripts.lib.pictures import to_png


@pytest.fixture
def upload(client):
    """Uploads a picture of one colour; gives the name it has on the server."""

    def upload(name, size, colour="teal"):
        return client.upload(name, to_png(Image.new("RGB", size, colour)))

    return upload
