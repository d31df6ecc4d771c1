"""Which pictures of a folder go together, and what is held back."""

import time
import tracemalloc

import numpy as np
import pytest
from PIL import Image, ImageDraw

from drc.data.augment import Augmentations
from drc.data.folder import scan
from drc.data.pictures import Picture
from drc.train.config import Pairing
from drc.train.data import pairs
from drc.train.data.batches import Index, draw_rows, own_share_of
from drc.train.data.pairs import FolderPictures, indices, targets_of
from drc.train.data.preview import folder_triplets
from drc.train.errors import TrainingError

SIZE = 32
COLOURS = {"anna": (200, 30, 60), "ben": (20, 40, 160), "carla": (30, 150, 60)}


def paint(path, colour, number):
    """A bar that leans more with every number."""
    picture = Image.new("RGB", (SIZE, SIZE), "white")
    ImageDraw.Draw(picture).line((4, 4 + 3 * number, 28, 28 - 2 * number), fill=colour, width=5)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


@pytest.fixture
def make_folder(tmp_path):
    def make(users=3, pictures=4, table=False):
        for user in list(COLOURS)[:users]:
            for number in range(pictures):
                paint(tmp_path / user / f"{number}.png", COLOURS[user], number)
        if table:
            rows = [
                f"{user}/{number}.png,thing {number}" for user in list(COLOURS)[:users] for number in range(pictures)
            ]
            (tmp_path / "table.csv").write_text("image,semantics\n" + "\n".join(rows))
        return scan(tmp_path, "table.csv" if table else None)

    return make


def paired(folder, **pairing) -> FolderPictures:
    quick = {"restylings": ("palette", "line"), "restyled_views": 2, "validation_share": 0.25}
    return FolderPictures(folder, Pairing(**quick | pairing), SIZE)


def cases(pictures, index, second_view_share=0.5, count=400):
    """Rows (target, history, references) of many draws, as (user, number, view) each."""
    share = own_share_of(index, pictures.pairing.own_share)
    drawn = draw_rows(index, np.random.default_rng(0), count, 2, second_view_share, share)

    def told(row):
        number, view = divmod(int(row), pictures.views)
        entry = pictures.entries[number]
        return entry.user, int(entry.path.stem), view

    columns = zip(drawn.target, drawn.history, drawn.reference, drawn.second_view, strict=True)
    return [
        (told(target), [told(row) for row in history], [told(reference), told(second_view)])
        for target, history, reference, second_view in columns
    ]


def test_the_view_of_every_row(make_folder):
    pictures = paired(make_folder(users=2, pictures=2), augmentations=Augmentations())
    assert (pictures.views, len(pictures), pictures.disturbed) == (1 + 2 + 4, 28, 4)
    seen = pictures.read(np.arange(28))
    assert seen.shape == (28, SIZE, SIZE, 3)
    assert [len({view.tobytes() for view in views}) for views in np.split(seen, 4)] == [7] * 4
    order = np.random.default_rng(0).permutation(28)
    assert np.array_equal(pictures.read(order), seen[order])
    records = pictures.records()
    styles = [record.style for record in records[:7]]
    assert styles == ["own/anna", "program/0/anna", "program/1/anna", *(f"augmented/{number}" for number in range(4))]
    assert len({record.meaning for record in records[:7]}) == 1 and len({record.meaning for record in records}) == 4


def test_keys_tell_pictures_sizes_repaintings_and_augmentations_apart(make_folder):
    folder = make_folder(users=1, pictures=2)

    def keys(size=SIZE, **pairing):
        pictures = FolderPictures(folder, paired(folder, **pairing).pairing, size)
        return {row.tobytes() for row in pictures.keys()}  # noqa: SIM118

    assert len(keys()) == 6
    assert keys(validation_share=0.5, own_share=0.1) == keys()
    assert (
        len(keys() & keys(pair_seed=1)) == 2 and len(keys() & keys(restylings=("neon",))) == 2
    )  # the pictures as they are
    assert not keys() & keys(size=64)
    soft, strong = Augmentations(blur=0.1), Augmentations(blur=0.9)
    assert keys(augmentations=soft) & keys(augmentations=strong) == keys()


@pytest.mark.parametrize("augmentations", [None, Augmentations()])
def test_restyle_pairs_a_picture_with_itself_and_with_others_of_its_user(make_folder, augmentations):
    pictures = paired(make_folder(), pairing="restyle", augmentations=augmentations)
    training, _, note = indices(pictures)
    assert note == ""
    drawn = cases(pictures, training)
    for (user, number, view), history, references in drawn:
        assert view <= 2  # a disturbed picture is nobody's style
        for its_user, its_number, its_view in history:
            assert (its_user, its_view) == (user, view) and its_number != number
        for its_user, its_number, its_view in references:
            assert (its_user, its_number) == (user, number) and its_view != view
    views = {view for _, _, references in drawn for *_, view in references}
    assert views == set(range(pictures.views))
    own = np.mean([view == 0 for (_, _, view), _, _ in drawn])
    assert own == pytest.approx(0.5, abs=0.07)


def test_labels_pair_pictures_of_one_meaning_by_two_hands(make_folder):
    pictures = paired(make_folder(table=True), pairing="labels")
    assert pictures.repaints == [] and pictures.views == 1
    training, _, _ = indices(pictures)
    for (user, number, _), history, references in cases(pictures, training):
        assert all(its_user == user and its_number != number for its_user, its_number, _ in history)
        assert all(its_user != user and its_number == number for its_user, its_number, _ in references)


def test_automatic_takes_labels_where_there_are_any(make_folder):
    assert paired(make_folder()).kind == "restyle"
    assert paired(make_folder(table=True)).kind == "labels"
    assert paired(make_folder(table=True), pairing="restyle").kind == "restyle"


def test_labels_of_one_hand_are_no_pairs(make_folder):
    folder = make_folder(users=1, table=True)
    assert paired(folder).kind == "restyle"
    with pytest.raises(TrainingError) as error:
        paired(folder, pairing="labels")
    assert str(error.value) == (
        "pairing is 'labels', but no label of the dataset's table is drawn in two styles; fill in the columns style "
        "and semantics of the table, or set pairing to 'restyle'"
    )


def test_neighbours_look_alike_whoever_made_them(tmp_path, monkeypatch):
    """Two users who both draw in red and in blue: the neighbours of a red picture are red, and show other things."""
    monkeypatch.setattr(pairs, "NEIGHBOURS", 2)
    for number in range(6):
        paint(tmp_path / "dora" / f"{number}.png", COLOURS["anna" if number % 2 else "ben"], number)
        paint(tmp_path / "emil" / f"{number}.png", COLOURS["ben" if number % 2 else "anna"], number)
    pictures = paired(scan(tmp_path), pairing="neighbours", validation_share=0.0)
    training, _, _ = indices(pictures)
    same_user, alike = [], []
    for (user, number, view), history, references in cases(pictures, training):
        same_user += [its_user == user for its_user, _, _ in history]
        if view == 0:
            alike += [(its_user == user) == (its_number % 2 == number % 2) for its_user, its_number, _ in history]
        assert all(its_number != number and its_view == view for _, its_number, its_view in history)
        assert all(
            (its_user, its_number) == (user, number) and its_view != view
            for its_user, its_number, its_view in references
        )
    assert np.mean(alike) > 0.8
    assert {True, False} == set(same_user)


@pytest.mark.parametrize("pairing", ["restyle", "labels", "neighbours"])
@pytest.mark.parametrize("augmentations", [None, Augmentations()])
def test_what_is_held_back_is_never_seen_in_training(make_folder, pairing, augmentations):
    pictures = paired(make_folder(pictures=6, table=pairing == "labels"), pairing=pairing, augmentations=augmentations)
    training, validation, note = indices(pictures)
    assert note == ""

    def shown(told):
        user, number, _ = told
        return number if pairing == "labels" else (user, number)  # a label is held back in all hands

    seen = {shown(one) for target, *groups in cases(pictures, training) for one in (target, *sum(groups, []))}
    held = set()
    for target, _, references in cases(pictures, validation):
        held |= {shown(one) for one in (target, *references)}
    assert held and not held & seen
    everything = {shown((entry.user, int(entry.path.stem), 0)) for entry in pictures.entries}
    assert seen | held == everything
    assert len(held) == round(0.25 * len(everything))


def test_what_is_held_back_does_not_depend_on_names(make_folder, tmp_path):
    def held(folder):
        pictures = paired(folder)
        rows = targets_of(indices(pictures)[1])
        return {pictures.entries[row // pictures.views].digest for row in rows}

    before = held(make_folder())
    (tmp_path / "anna" / "0.png").rename(tmp_path / "anna" / "zebra.png")
    assert held(scan(tmp_path)) == before != set()


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_too_few_to_hold_any_back(make_folder, share):
    """Two pictures of one user: each is the only other one of its style."""
    pictures = paired(make_folder(users=1, pictures=2), validation_share=share)
    training, validation, note = indices(pictures)
    assert note == "validation uses pictures of the training" and validation is training
    assert {target[1] for target, *_ in cases(pictures, training)} == {0, 1}


@pytest.mark.parametrize(
    ("users", "pictures", "pairing", "sentence"),
    [
        (
            1,
            1,
            {},
            "dataset holds 1 usable picture of 1 user, but training needs a user with at least 2 different pictures; "
            "add pictures",
        ),
        (
            3,
            1,
            {"pairing": "restyle"},
            "dataset holds 3 usable pictures of 3 users, but training needs a user with at least 2 different pictures; "
            "add pictures",
        ),
        (
            1,
            4,
            {"restyled_views": 0},
            "dataset holds 4 usable pictures of 1 user and shows nothing in a second style, but a batch needs at least "
            "2 styles; choose restylings, or say in a table which pictures of two users mean the same",
        ),
    ],
)
def test_too_few_pictures_or_styles(make_folder, users, pictures, pairing, sentence):
    with pytest.raises(TrainingError) as error:
        indices(paired(make_folder(users, pictures), **pairing))
    assert str(error.value) == sentence


@pytest.mark.parametrize("labelled", [False, True])
def test_many_pictures_are_paired_in_time_and_room_that_grow_with_them(labelled):
    """Comparing each with each took 20,000 pictures more than a minute, or more than a gigabyte."""
    styles = ("own/anna", "own/ben") if labelled else ("own/anna", "program/1/anna")
    records = [Picture(styles[row % 2], f"{row // 2}", "cat" if labelled else f"{row // 2}") for row in range(20_000)]
    cluster = {record.meaning: f"{record.meaning} {record.drawing if labelled else ''}" for record in records}
    tracemalloc.start()
    start = time.monotonic()
    index = Index(records, cluster, {style: style for style in styles} if labelled else {})
    took, room = time.monotonic() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took < 20 and room < 100 * 2**20, (took, room)
    assert len(targets_of(index)) == (0 if labelled else 20_000)
    others = {index.other_of_meaning(np.random.default_rng(seed), 0) % 2 for seed in range(9)}
    assert others == {1}  # never one of its own style


def test_comparing_tells_how_far_it_is_and_can_be_stopped(make_folder):
    told = []
    indices(paired(make_folder(), pairing="neighbours"), lambda *now: told.append(now))
    assert told == [(done, 24) for done in range(1, 25)]  # each of 12 is described, then compared

    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        indices(paired(make_folder(), pairing="neighbours"), stop)


def test_a_sheet_tells_of_every_picture(make_folder):
    told, pairing = [], paired(make_folder()).pairing
    sheet = folder_triplets(make_folder(), pairing, SIZE, 3, lambda *now: told.append(now))
    assert told == [(done, 9) for done in range(1, 10)]
    assert np.array_equal(sheet, folder_triplets(make_folder(), pairing, SIZE, 3))


def test_too_few_for_neighbours(make_folder):
    with pytest.raises(ValueError, match="too few to look for neighbours in style, expected at least 3; add pictures"):
        indices(paired(make_folder(1, 2), pairing="neighbours"))


def test_an_unknown_restyling(make_folder):
    with pytest.raises(ValueError, match="glitter"):
        paired(make_folder(), restylings=("glitter",))


def test_the_same_file_with_two_users_is_one_meaning(make_folder, tmp_path):
    make_folder(users=2)
    (tmp_path / "ben" / "0.png").write_bytes((tmp_path / "anna" / "0.png").read_bytes())
    records = paired(scan(tmp_path)).records()
    assert len({record.meaning for record in records}) == 7


def test_a_pairing_is_known_by_the_words_that_older_runs_were_begun_with():
    """Their checkpoints hold a hash of them."""
    assert Pairing(restylings=("line",), pair_seed=3, augmentations=Augmentations(0.1, 0, 0, 0, 0, 0)).fingerprint == (
        "Pairing(pairing='automatic', restylings=('line',), restyled_views=12, own_share=0.5, validation_share=0.1, "
        "augmentations=Augmentations(crop=0.1, colour=0, grey=0, blur=0, rotate=0, mirror=0), seed=3)"
    )
