"""What a stranger does: open our template in a real page, press Run, look at the picture."""

from scripts.lib import layout
from scripts.lib.options import SEED
from scripts.lib.pictures import from_bytes
from scripts.lib.prompts import personalise

from .conftest import assert_open


def test_template_opens_and_draws(page, client, definitions):
    page.open_template("personalise")
    assert_open(page, personalise(definitions, seed=SEED, sharp=True))
    page.screenshot("personalise-open")

    page.press_run()
    (image,) = page.pictures_in("Picture")
    assert page.alerts() == []
    picture = from_bytes(client.fetch(image))
    assert min(picture.size) >= 64
    assert len(picture.getcolors(picture.width * picture.height)) > 16
    page.screenshot("personalise-done")
    assert layout.overlapping(page.tab) == []
    assert page.errors == []
    assert page.alerts() == []
