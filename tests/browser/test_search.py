"""What a newcomer types into the searches of the page finds nodes and templates of ours, whatever the page searches in:
the oldest supported one looks at ids and names alone, and at no word that begins behind the 30th letter."""

import pytest

from scripts.lib.page import template_title

WORDS = {
    "icon": "Complete Icon Set",
    "emoji": "My Pictures (history: icons, emoji)",
    "history": "My Pictures (history: icons, emoji)",
    "sticker": "Style Transfer for Icons and Stickers",
    "style transfer": "Style Transfer for Icons and Stickers",
    "style": "StyleTower",
    "set": "Set Report",
    "svg": "Pictures to SVG",
    "personal": "Train Personalisation",
    "drc": "DRC Decode",
    "decode": "DRC Decode",
}


@pytest.mark.parametrize("page", ["canvas"], indirect=True)  # the search is the same in both
def test_words_find_nodes(page):
    page.show_only("DRC_LoadModel")
    for word, name in WORDS.items():
        page.search(word)
        page.found(name).wait_for(timeout=60_000)
    page.screenshot("search")


@pytest.mark.parametrize("page", ["vue"], indirect=True)
def test_words_find_templates(page):
    dialog = page.browse_templates()
    dialog.get_by_text(page.pack, exact=True).click()
    cards = dialog.locator("[data-testid^=template-workflow-]")
    cards.first.get_by_text(template_title("complete_my_set"), exact=True).wait_for()
    page.screenshot("templates")
    dialog.get_by_text("All Templates").first.click()
    for word in ("DRC", "style", "emoji", "icon set", "kept as a small card"):  # the last is of its sentence
        dialog.get_by_placeholder("Search").first.fill(word)
        dialog.get_by_text(template_title("style_card"), exact=True).wait_for()
    dialog.get_by_text(template_title("style_card"), exact=True).click()
    page.wait_until_open("style_card")
    dialog.wait_for(state="hidden")
    assert page.errors == []
