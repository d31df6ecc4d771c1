"""Hundreds of damaged files, each refused in one sentence or used, within two seconds and 200 MB.

Damage is the same on every run. What is whole is made once and copied for every case.
"""

import shutil

import pytest

from . import codes, janus, models, pictures, published, sets, styles, trainings
from .guard import check

KINDS = {
    kind.__name__.rpartition(".")[2]: kind
    for kind in (models, sets, janus, published, trainings, codes, styles, pictures)
}
CASES = [(name, case) for name, kind in KINDS.items() for case in kind.cases()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder of each kind with nothing wrong in it, used once: what only the first use takes does not count."""
    folders = {}
    for name, kind in KINDS.items():
        folders[name] = tmp_path_factory.mktemp(name)
        kind.whole(folders[name])
        kind.use(shutil.copytree(folders[name], tmp_path_factory.mktemp(name) / "used"))
    return folders


@pytest.mark.parametrize(("kind", "case"), CASES, ids=[f"{name}: {case.label}" for name, case in CASES])
def test_it_is_refused_or_used(kind, case, whole, tmp_path):
    check(case, shutil.copytree(whole[kind], tmp_path / "damaged"))


def test_there_are_enough_and_no_two_are_called_the_same():
    assert len(CASES) >= 300
    assert len({(name, case.label) for name, case in CASES}) == len(CASES)
