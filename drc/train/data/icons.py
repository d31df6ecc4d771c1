"""The icon matrix as something to train on: users, the pictures of each, and which of them go together.

A user is a style in one colouring and one width of lines: one-colour sets become as many colour styles as one likes,
with exact labels. Users are drawn by family, or a few large houses would stand for all. The reference of a target is
another hand's drawing of its meaning, or its own family's in another rendering: the first asks for redrawing, but with
it alone a model unlearns to follow the shape of the reference.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...data.colouring import Colouring, draw_colouring
from ...data.icons import IconCell, Icons
from ..errors import TrainingError

COLOURINGS = 2  # of a one-colour style
COLOURED = 48  # pictures of a style in each
ALIGNED = 0.5  # share of the references that are the family's own drawing in another rendering
REDRAWN = 0.75  # share of those that have another style, not just other colours, where there is one
SMALLEST = 9  # pictures of a user at least: a history of eight and a target
KEPT = {"train", "val"}  # splits of hands and meanings that are drawn at all


@dataclass(frozen=True)
class User:
    style: str
    family: str
    line: float
    colouring: Colouring | None


class IconPictures:
    """Pictures by row, painted when they are read: a `drc.train.data.codes.PictureSource`.

    `cell` [M] is the row in the build, `user` [M] that in `users`; `keep` says which cells there are.
    """

    def __init__(self, icons: Icons, keep: Callable[[IconCell], bool], seed: int = 0, colourings: int = COLOURINGS):
        self.icons, self.users = icons, []
        of = defaultdict(list)
        for row, cell in enumerate(icons.cells):
            if keep(cell):
                of[cell.style, cell.line].append(row)
        cells, users = [], []
        for (name, line), rows in sorted(of.items()):
            style, shown = icons.styles[name], {None: rows}
            if not style.colour and line == 1:
                random = np.random.default_rng([seed, *name.encode()])
                learned = [row for row in rows if icons.may_train(icons.cells[row])] or rows
                for _ in range(colourings):
                    some = random.permutation(learned)[:COLOURED].tolist()
                    shown[draw_colouring(random, style.tones)] = some
            for colouring, its in shown.items():
                cells += its
                users += [len(self.users)] * len(its)
                self.users.append(User(name, style.family, line, colouring))
        self.cell, self.user = np.array(cells, np.int64), np.array(users, np.int64)

    def __len__(self) -> int:
        return len(self.cell)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """uint8 [len(rows), size, size, 3]."""
        pictures = []
        for row in rows:
            picture, colouring = self.icons.images[self.cell[row]], self.users[self.user[row]].colouring
            pictures.append(picture if colouring is None else colouring.paint(picture))
        return np.stack(pictures)

    def keys(self) -> np.ndarray:
        """uint8 [M, 32], by names: the build is pinned."""
        texts = (
            f"icon {self.icons.cells[cell]} {self.users[user].colouring} {self.icons.size}"
            for cell, user in zip(self.cell, self.user, strict=True)
        )
        return np.frombuffer(b"".join(hashlib.sha256(text.encode()).digest() for text in texts), np.uint8).reshape(
            -1, 32
        )

    def meanings(self) -> list[str]:
        return [self.icons.cells[cell].meaning for cell in self.cell]


class IconIndex:
    """What `drc.train.data.batches` asks of an index, over IconPictures.

    `targets` and `references`, bool [M], say which rows may be either; histories are of the target's user.
    TrainingError where no row can be a target.
    """

    def __init__(self, pictures: IconPictures, targets: np.ndarray, references: np.ndarray, aligned: float = ALIGNED):
        self.user, self.aligned = pictures.user, aligned
        self.meaning = np.unique(pictures.meanings(), return_inverse=True)[1]
        self.family = np.unique([user.family for user in pictures.users], return_inverse=True)[1][self.user]
        self.style = np.unique([user.style for user in pictures.users], return_inverse=True)[1][self.user]
        self.of_user = {user: rows for user, rows in by(self.user).items() if len(rows) >= SMALLEST}
        self.of_meaning = {
            meaning: by(self.family[rows], rows)
            for meaning, rows in by(self.meaning[references], np.flatnonzero(references)).items()
        }
        self.targets_of: dict[int, dict[int, np.ndarray]] = defaultdict(dict)  # family -> user -> rows
        for user, rows in self.of_user.items():
            rows = rows[[bool(targets[row]) and self.has_reference(row) for row in rows]]
            if len(rows):
                self.targets_of[int(self.family[rows[0]])][user] = rows
        self.families = sorted(self.targets_of)
        if not self.families:
            raise TrainingError(
                f"the icon matrix lacks users with {SMALLEST} pictures, one of which another hand draws, too, to train "
                "on or to validate on; build all of it with 'python scripts/build_icons.py'"
            )
        sizes = [sum(map(len, self.targets_of[family].values())) for family in self.families]
        self.chances = np.sqrt(sizes) / np.sqrt(sizes).sum()
        self.own = np.concatenate([rows for users in self.targets_of.values() for rows in users.values()])
        self.repainted = self.own[:0]

    def has_reference(self, row: int) -> bool:
        return any(family != self.family[row] for family in self.of_meaning.get(self.meaning[row], {}))

    def targets(self, random: np.random.Generator, count: int, own_share: float) -> np.ndarray:
        """Rows [count]: a family by the square root of its size, one of its users, one of the user's pictures."""
        found = []
        for family in random.choice(self.families, count, p=self.chances):
            users = list(self.targets_of[family].values())
            found.append(random.choice(users[random.integers(len(users))]))
        return np.array(found)

    def others_of_style(self, random: np.random.Generator, row: int, count: int) -> np.ndarray:
        """`count` other pictures of the row's user, who draws each meaning once."""
        rows = self.of_user[self.user[row]]
        return random.choice(rows[rows != row], count, replace=len(rows) <= count)

    def other_of_meaning(self, random: np.random.Generator, row: int) -> int:
        hands = self.of_meaning[self.meaning[row]]
        if random.random() < self.aligned:
            family = hands.get(self.family[row], np.empty(0, np.int64))
            others = family[self.user[family] != self.user[row]]
            redrawn = others[self.style[others] != self.style[row]]
            if len(redrawn) and random.random() < REDRAWN:
                return random.choice(redrawn)
            if len(others):
                return random.choice(others)
        families = [family for family in hands if family != self.family[row]]
        return random.choice(hands[families[random.integers(len(families))]])


def by(keys: np.ndarray, rows: np.ndarray | None = None) -> dict[int, np.ndarray]:
    """Key -> the rows that have it; without rows their numbers."""
    if not len(keys):
        return {}
    rows = np.arange(len(keys)) if rows is None else rows
    order = np.argsort(keys, kind="stable")
    found, starts = np.unique(keys[order], return_index=True)
    return dict(zip(found.tolist(), np.split(rows[order], starts[1:]), strict=True))


def icon_parts(icons: Icons, aligned: float, seed: int) -> tuple[IconPictures, IconIndex, IconIndex]:
    """Pictures of hands and meanings to train on and to choose by, and what is asked of either."""

    def is_kept(cell: IconCell) -> bool:
        splits = {icons.styles[cell.style].split, icons.meaning_split[cell.meaning]}
        return icons.may_train(cell) or (cell.line == 1 and "val" in splits and splits <= KEPT)

    pictures = IconPictures(icons, is_kept, seed)
    cells = [icons.cells[row] for row in pictures.cell]
    hand = np.array([icons.styles[cell.style].split for cell in cells])
    meaning = np.array([icons.meaning_split[cell.meaning] for cell in cells])
    known = (hand == "train") & (meaning == "train")
    new = (hand == "val") & (meaning == "val")
    index = IconIndex(pictures, known, known, aligned)
    return pictures, index, IconIndex(pictures, new, (hand == "train") & (meaning == "val"), aligned=0.0)
