"""The workflows for sets, from the template browser to the files: press Run, look at what comes."""

from drc.complete.svg import MISSING
from scripts.lib.pictures import from_bytes

from .conftest import assert_tidy_after_its_run


def drawn(page, client):
    """The pictures of a run, after which nothing is wrong on the page."""
    assert page.unknown_node_types() == []
    page.press_run()
    pictures = [from_bytes(client.fetch(image)) for image in page.pictures_in("Picture")]
    assert all(picture.size == (512, 512) for picture in pictures)
    assert page.alerts() == [] and page.errors == []
    return pictures


def finished(page, name):
    page.screenshot(f"{name}-done")
    assert_tidy_after_its_run(page)


def test_a_word_is_drawn(page, client):
    page.open_template("from_words")
    (picture,) = drawn(page, client)
    assert len(picture.getcolors(2**18)) > 16
    assert len(page.pictures_in("Drawings")) == 3
    finished(page, "from_words")


def test_a_mixed_style_is_drawn_in_and_kept(page, client, server):
    page.open_template("style_card")
    page.set_widgets("DRC_SaveStyle", name="from the page")
    assert len(drawn(page, client)) == 3
    (text,) = page.texts_in("Save Style Card")
    assert text.startswith("Saved as models/drc_styles/from the page.safetensors.")
    assert (server.folder / "models" / "drc_styles" / "from the page.safetensors").stat().st_size < 2**20
    finished(page, "style_card")


def test_a_set_is_completed_and_told(page, client, server):
    """The style is kept as a card.

    The host of the tests is a stock one, without the package for SVG: the rest of the graph runs.
    """
    page.open_template("complete_my_set")
    page.set_widgets("DRC_CompleteSet", words="key\ncloud", best_of=1)
    pictures = drawn(page, client)
    assert len(pictures) == 2
    assert (server.folder / "models" / "drc_styles" / "my icons.safetensors").is_file()
    if page.name == "vue":  # of a node that ends no graph the host says nothing again
        assert page.texts_in("Pictures to SVG") == [f"{MISSING}."]
    assert page.texts_in("My Pictures") == ["8 pictures."]
    (report,) = page.texts_in("Set Report")
    assert "key" in report and "cloud" in report
    assert page.pictures_in("Report")
    finished(page, "complete_my_set")
