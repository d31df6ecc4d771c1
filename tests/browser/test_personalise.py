"""What a stranger does: open our template in a real page, press Run, look at the picture."""

from scripts.lib.pictures import from_bytes


def test_template_opens_and_draws(page, client):
    page.open_template("personalise")
    assert page.unknown_node_types() == []
    assert page.alerts() == []
    page.screenshot("personalise-open")

    images = page.run()
    picture = from_bytes(client.fetch(images[0]))
    assert min(picture.size) >= 64
    assert len(picture.getcolors(picture.width * picture.height)) > 16
    page.screenshot("personalise-done")
    assert page.errors == []
    assert page.alerts() == []
