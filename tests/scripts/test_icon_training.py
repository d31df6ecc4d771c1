"""Users of the icon matrix: who is drawn, with which history, and whose drawing is the reference."""

import numpy as np
import pytest

from drc.data.icons import IconCell, IconStyle
from drc.data.pictures import Picture
from drc.train.batches import Index, draw_rows
from scripts.lib.icon_training import COLOURED, IconIndex, IconPictures, MixedIndex, Part

MEANINGS = [f"thing {number}" for number in range(20)]
FAMILIES = {"thin": "able", "bold": "able", "round": "baker", "flat": "charlie"}


class TinyIcons:
    """As many pictures as cells, each a shade of its own."""

    size = 4
    styles = {
        name: IconStyle(name, name, family, "MIT", "A", "", name == "flat", False, False, name == "bold")
        for name, family in FAMILIES.items()
    }
    cells = [IconCell(style, meaning, 1.0) for style in FAMILIES for meaning in MEANINGS]
    images = np.stack([np.full((4, 4, 3), shade, np.uint8) for shade in range(len(cells))])

    def may_train(self, cell):
        return True


@pytest.fixture(scope="module")
def pictures():
    return IconPictures(TinyIcons(), lambda cell: True)


@pytest.fixture(scope="module")
def index(pictures):
    every = np.ones(len(pictures), bool)
    return IconIndex(pictures, every, every)


def test_one_colour_styles_become_users_in_colours(pictures):
    users = [(user.style, user.colouring is None) for user in pictures.users]
    assert users.count(("thin", True)) == 1 and users.count(("thin", False)) == 2
    assert users.count(("flat", True)) == 1 and ("flat", False) not in users
    assert all(user.colouring.tone is not None for user in pictures.users if user.style == "bold" and user.colouring)
    assert len(pictures) == 4 * 20 + 3 * 2 * min(20, COLOURED)


def test_a_picture_is_painted_in_its_users_colours(pictures):
    painted = [row for row in range(len(pictures)) if pictures.users[pictures.user[row]].colouring is not None]
    shades = pictures.read(np.array(painted[:8]))
    plain = TinyIcons.images[pictures.cell[painted[:8]]]
    assert not np.array_equal(shades, plain)
    assert len(set(map(bytes, pictures.keys()))) == len(pictures)


def test_histories_are_of_the_user_and_references_of_others(pictures, index):
    rows = draw_rows(index, np.random.default_rng(0), 400, 8, 0.5, 1.0)
    user, meaning = pictures.user, np.array(pictures.meanings())
    family = np.array([pictures.users[number].family for number in user])
    assert (user[rows.history] == user[rows.target][:, None]).all()
    assert (meaning[rows.history] != meaning[rows.target][:, None]).all()
    for shown in (rows.reference, rows.second_view):
        assert (meaning[shown] == meaning[rows.target]).all() and (user[shown] != user[rows.target]).all()
    aligned = family[rows.reference] == family[rows.target]
    has_another = family[rows.target] != "charlie"  # whose one style is in colour
    assert not aligned[~has_another].any() and aligned[has_another].mean() == pytest.approx(0.5, abs=0.1)


def test_families_are_drawn_by_the_root_of_their_size(pictures, index):
    found = index.targets(np.random.default_rng(0), 3000, 1.0)
    family = np.array([pictures.users[pictures.user[row]].family for row in found])
    sizes = {"able": 120, "baker": 60, "charlie": 20}
    total = sum(size**0.5 for size in sizes.values())
    for name, size in sizes.items():
        assert (family == name).mean() == pytest.approx(size**0.5 / total, abs=0.04)


def test_what_may_be_neither_target_nor_reference_is_not(pictures):
    family = np.array([pictures.users[user].family for user in pictures.user])
    index = IconIndex(pictures, family != "able", family != "charlie")
    rows = draw_rows(index, np.random.default_rng(0), 300, 4, 0.5, 1.0)
    assert "able" not in family[rows.target] and "charlie" not in family[rows.reference]


def test_a_mixture_keeps_to_its_shares_and_crosses_over_by_name(pictures, index):
    records = [Picture(style, f"{style}/{name}", name) for style in ("noto", "twemoji") for name in MEANINGS]
    records += [Picture(f"program/{n}", f"noto/{name}", name) for n in range(2) for name in MEANINGS]
    emoji = Index(records, {name: name for name in MEANINGS}, {"noto": "noto", "twemoji": "twemoji"})
    parts = [Part(index, 0, 0.75, 1.0, pictures.meanings())]
    parts.append(Part(emoji, len(pictures), 0.25, 0.5, [record.meaning for record in records]))
    mixed = MixedIndex(parts)
    rows = draw_rows(mixed, np.random.default_rng(0), 1200, 3, 0.0, 1.0)
    names = np.array(parts[0].meanings + parts[1].meanings)
    of_icons = rows.target < len(pictures)
    assert of_icons.mean() == pytest.approx(0.75, abs=0.05)
    assert ((rows.history < len(pictures)) == of_icons[:, None]).all()
    assert (names[rows.reference] == names[rows.target]).all()
    crossed = (rows.reference < len(pictures)) != of_icons
    assert 0.15 < crossed[of_icons].mean() < 0.35
    style = np.array([""] * len(pictures) + [record.style for record in records])[rows.target]
    painted = np.char.startswith(style, "program/")
    assert painted.any() and not crossed[painted].any(), "exact pairs stay exact"
