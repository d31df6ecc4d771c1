"""Which pictures of a folder go together: the same style, the same meaning, held back for validation.

With labels the pairs are the user's own. Otherwise what shows the same as a picture is itself, repainted; and since a
repainting of all pictures of a user is a new user, even one artist's folder teaches what a style is.
"""

import hashlib
from collections.abc import Iterator

import numpy as np

from ...data.augment import augment
from ...data.descriptors import meaning_descriptor, style_descriptor, style_neighbours
from ...data.folder import Entry, ImageFolder, counted, read
from ...data.pictures import AUGMENTED, PROGRAM, Picture
from ...data.repaint import Repaint, draw_repaints, repaint
from ...progress import OnCount, OnPart, OnShare
from ..config import Pairing
from ..errors import TrainingError
from .batches import Index, numbered

OWN = "own/"  # begins the name of a user's style, so that it is taken for nothing else
NEIGHBOURS = 8  # pictures that stand for a picture's style where nobody said whose they are
DISTURBED = 4  # augmented views of a picture


class FolderPictures:
    """Every picture of a folder in all its views: as it is, repainted, and disturbed for stage 2.

    Row i * views + v is view v of picture i, so that reading in order opens every file once. `on_part` is called often
    while a picture is read; it may raise to stop.
    """

    def __init__(self, folder: ImageFolder, pairing: Pairing, size: int, on_part: OnPart | None = None):
        self.entries, self.size, self.pairing, self.on_part = folder.entries, size, pairing, on_part
        self.kind = kind_of(folder, pairing)
        self.repaints: list[Repaint] = []
        if self.kind != "labels" and pairing.restyled_views:
            self.repaints = draw_repaints(pairing.restylings, pairing.restyled_views, pairing.pair_seed)
        self.disturbed = DISTURBED if pairing.augmentations else 0
        self.views = 1 + len(self.repaints) + self.disturbed
        self.last: tuple[int, np.ndarray] = -1, np.empty(0)

    def __len__(self) -> int:
        return len(self.entries) * self.views

    def read(self, rows: np.ndarray) -> np.ndarray:
        """uint8 [len(rows), size, size, 3]."""
        return np.stack([self.view(*divmod(int(row), self.views)) for row in rows])

    def view(self, number: int, view: int) -> np.ndarray:
        entry = self.entries[number]
        if self.last[0] != number:
            self.last = number, read(entry.path, self.size, self.on_part)
        picture = self.last[1]
        if view == 0:
            return picture
        if view <= len(self.repaints):
            return repaint(picture, self.repaints[view - 1])
        return augment(picture, self.pairing.augmentations, self.augment_seed(entry, view))

    def augment_seed(self, entry: Entry, view: int) -> int:
        return int(entry.digest[:12], 16) + view - len(self.repaints)

    def keys(self) -> np.ndarray:
        """uint8 [M, 32], see `drc.train.data.codes`."""
        names = ["", *(f"{one.family} {one.seed}" for one in self.repaints)]
        digests = []
        for entry in self.entries:
            views = [*names]
            for view in range(len(names), self.views):
                views.append(f"{self.pairing.augmentations} {self.augment_seed(entry, view)}")
            digests += [hashlib.sha256(f"{entry.digest} {self.size} {view}".encode()).digest() for view in views]
        return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)

    def records(self) -> list[Picture]:
        records = []
        for entry in self.entries:
            styles = [f"{OWN}{entry.style}"]
            styles += [f"{PROGRAM}{number}/{entry.style}" for number in range(len(self.repaints))]
            styles += [f"{AUGMENTED}{number}" for number in range(self.disturbed)]
            records += [Picture(style, entry.digest, meaning_of(entry)) for style in styles]
        return records

    def neighbours(self, on_picture: OnShare) -> dict[int, np.ndarray]:
        """For every row the rows of its nearest in style, in the same repainting; none of its own meaning."""
        captions = [entry.caption for entry in self.entries]
        meanings = numbered(meaning_of(entry) for entry in self.entries)
        count = len(self.entries)
        style, meaning = self.descriptors(lambda done: on_picture(done, 2 * count))
        nearest = style_neighbours(
            style, meaning, NEIGHBOURS, captions, lambda done, _: on_picture(count + done, 2 * count)
        )
        painted = 1 + len(self.repaints)
        return {
            number * self.views + view: others[meanings[others] != meanings[number]] * self.views + view
            for number, others in enumerate(nearest)
            for view in range(painted)
        }

    def descriptors(self, on_picture: OnCount) -> tuple[np.ndarray, np.ndarray]:
        """Of style and of meaning [n, d], of every picture as it is; one picture is in memory at a time."""
        meaning = []

        def plain() -> Iterator[np.ndarray]:
            for number in range(len(self.entries)):
                picture = self.view(number, 0)
                meaning.append(meaning_descriptor([picture])[0])
                on_picture(number + 1)
                yield picture

        return style_descriptor(plain()), np.stack(meaning)


def meaning_of(entry: Entry) -> str:
    return entry.semantics or entry.digest


def kind_of(folder: ImageFolder, pairing: Pairing) -> str:
    """The pairing that is really used; TrainingError where the folder lacks what it needs."""
    hands = {}
    for entry in folder.entries:
        hands.setdefault(entry.semantics, set()).add(entry.style)
    labelled = any(len(styles) > 1 for label, styles in hands.items() if label)
    if pairing.pairing == "labels" and not labelled:
        raise TrainingError(
            "pairing is 'labels', but no label of the dataset's table is drawn in two styles; fill in the columns "
            "style and semantics of the table, or set pairing to 'restyle'"
        )
    if pairing.pairing == "automatic":
        return "labels" if labelled else "restyle"
    return pairing.pairing


def indices(pictures: FolderPictures, on_picture: OnShare | None = None) -> tuple[Index, Index, str]:
    """What training and what validation draws from, and a note where too few pictures are there to hold any back.

    `on_picture(done, total)` is told of pictures that are compared with the others; it may raise to stop. Raises
    TrainingError when no picture has both others of its style and of its meaning.
    """
    records = pictures.records()
    meanings = sorted({record.meaning for record in records}, key=lambda text: hashlib.sha256(text.encode()).digest())
    held_back = set(meanings[: round(pictures.pairing.validation_share * len(meanings))])
    family = {}
    if pictures.kind == "labels":
        family = {record.style: record.style for record in records}
    neighbours = pictures.neighbours(on_picture or (lambda done, total: None)) if pictures.kind == "neighbours" else {}
    cluster = {meaning: meaning for meaning in meanings}

    def index(targets: np.ndarray, seen: np.ndarray) -> Index:
        """Over all rows, so that one table of codes serves; rows that are not `seen` are paired with none."""
        hidden = [
            record if seen[row] else Picture(f"{AUGMENTED}hidden", f"hidden {row}", record.meaning)
            for row, record in enumerate(records)
        ]
        near = {row: others[seen[others]] for row, others in neighbours.items() if seen[row]}
        return Index(hidden, cluster, family, targets, near)

    back = np.array([record.meaning in held_back for record in records])
    everything = np.ones(len(records), bool)
    training = index(np.flatnonzero(~back), ~back)
    if not len(targets_of(training)):
        back = ~everything
        training = index(np.arange(len(records)), everything)
    if not len(targets_of(training)):
        raise TrainingError(too_few(pictures))
    validation = index(np.flatnonzero(back), everything)
    if not len(targets_of(validation)):
        return training, training, "validation uses pictures of the training"
    return training, validation, ""


def targets_of(index: Index) -> np.ndarray:
    return np.concatenate((index.own, index.repainted))


def too_few(pictures: FolderPictures) -> str:
    """Why no picture can be a target."""
    meanings: dict[str, set[str]] = {}
    for entry in pictures.entries:
        meanings.setdefault(entry.style, set()).add(meaning_of(entry))
    count, users = counted(len(pictures.entries), "usable picture"), counted(len(meanings), "user")
    if all(len(its) < 2 for its in meanings.values()):
        return (
            f"dataset holds {count} of {users}, but training needs a user with at least 2 different pictures; "
            "add pictures"
        )
    return (
        f"dataset holds {count} of {users} and shows nothing in a second style, but a batch needs at least 2 styles; "
        "choose restylings, or say in a table which pictures of two users mean the same"
    )
