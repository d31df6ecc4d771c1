"""What the tests of the training core share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from drc.train.data import training_data
from scripts.lib.tiny import write_tiny

from .tiny_training import USERS, TinyTraining, draw_pictures


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    return draw_pictures(tmp_path_factory.mktemp("pictures"), USERS)


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def tiny_training(tiny, pictures, cache) -> Iterator[TinyTraining]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_data, "VALIDATION_CASES", 4)  # enough of four pictures held back
        yield TinyTraining(tiny, pictures, cache)
