"""Users of the icon matrix: who is drawn, with which history, and whose drawing is the reference."""

import numpy as np
import pytest

from drc.data.icons import IconCell, IconStyle
from drc.train.data import training_data
from drc.train.data.batches import draw_rows
from drc.train.data.icons import COLOURED, IconIndex, IconPictures
from drc.train.errors import TrainingError

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


def test_an_index_without_a_target_is_a_sentence(pictures):
    for some in (pictures, IconPictures(TinyIcons(), lambda cell: False)):
        nothing = np.zeros(len(some), bool)
        with pytest.raises(TrainingError, match="^the icon matrix lacks users with 9 pictures, .* build all of it"):
            IconIndex(some, nothing, nothing)


def test_settings_alone_train_on_the_matrix_and_go_on_with_it(tiny_training, build, tmp_path, monkeypatch):
    """As `python -m drc.train` does: both stages ask an index for what they need."""
    monkeypatch.setattr(training_data, "VALIDATION_CASES", 4)
    settings = {"source": "icon matrix", "folder": str(build.data), "validate_every": 2}
    whole = tiny_training.train(tmp_path / "whole", stage=1, **settings)
    assert whole.step == 4 and {"hand_loss", "hand_ar_right"} <= whole.records[-1].keys()
    tiny_training.train(tmp_path / "parts", stage=2, **settings | {"steps": 2})
    assert tiny_training.train(tmp_path / "parts", stage=2, **settings).step == 4
    with pytest.raises(TrainingError, match="it was begun with another data set"):
        tiny_training.train(tmp_path / "parts", stage=2, **settings | {"steps": 6, "pair_seed": 1})
