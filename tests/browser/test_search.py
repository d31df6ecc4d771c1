"""What a newcomer types into the search of the page finds nodes of ours, whatever the page searches in: the oldest
supported one looks at ids and names alone."""

import pytest

WORDS = {
    "icon": "Complete Icon Set",
    "emoji": "My Pictures (icons, emoji, stickers)",
    "sticker": "My Pictures (icons, emoji, stickers)",
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
