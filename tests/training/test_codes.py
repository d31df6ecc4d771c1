"""The code cache: what was encoded once, for whatever training and under whatever name, is not encoded again."""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from drc.data.folder import scan
from drc.lmm.mini.tokenizer import VisualTokenizer
from drc.lmm.nearest import nearest
from drc.pixels import from_pixels
from drc.train.config import Pairing
from drc.train.data import codes as codes_module
from drc.train.data.codes import CodeCache
from drc.train.data.pairs import FolderPictures
from drc.train.errors import TrainingError
from scripts.lib.disk import full_disk, names
from scripts.lib.tiny import CONFIG

SIZE = CONFIG.lmm.vision.image_size


class Random:
    """Pictures by number; notes which were read."""

    def __init__(self, *numbers: int):
        self.numbers, self.seen = numbers, []

    def __len__(self):
        return len(self.numbers)

    def keys(self) -> np.ndarray:
        return np.stack([np.full(32, number, np.uint8) for number in self.numbers])

    def read(self, rows: np.ndarray) -> np.ndarray:
        self.seen += [self.numbers[row] for row in rows]
        return np.stack([self.picture(self.numbers[row]) for row in rows])

    def picture(self, number: int) -> np.ndarray:
        return np.random.default_rng(number).integers(256, size=(SIZE, SIZE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def vision():
    torch.manual_seed(0)
    return VisualTokenizer(CONFIG.lmm.vision)


@pytest.fixture
def cache(tmp_path, vision):
    return CodeCache(tmp_path, vision)


def test_codes_are_those_of_the_picture_and_of_its_mirror_image(cache, vision):
    pictures = Random(3, 1, 2)
    found = cache.codes(pictures, "cpu")
    assert found.dtype == torch.int16 and found.shape == (3, 2, CONFIG.lmm.vision.grid**2)
    for row, number in enumerate(pictures.numbers):
        image = from_pixels(pictures.picture(number)[None])
        assert torch.equal(found[row, 0].long(), vision.encode(image)[0])
        assert torch.equal(found[row, 1].long(), vision.encode(image.flip(3))[0])
    assert len(found.flatten(1).unique(dim=0)) == 3


def test_only_what_is_missing_is_read(cache, vision, tmp_path):
    first = cache.codes(Random(3, 1, 2), "cpu")
    pictures = Random(9, 1, 7, 3, 7, 1)  # some known, one new one twice
    again = CodeCache(tmp_path, vision).codes(pictures, "cpu")
    assert pictures.seen == [9, 7]
    assert torch.equal(again[[1, 3, 5]], first[[1, 0, 1]]) and torch.equal(again[2], again[4])
    for row, number in enumerate(pictures.numbers):
        expected = CodeCache(tmp_path / "other", vision).codes(Random(number), "cpu")[0]
        assert torch.equal(again[row], expected), number


def test_a_renamed_or_repeated_file_is_not_encoded_again(tmp_path, vision):
    folder = tmp_path / "mine"
    for number, name in enumerate(("anna/a.png", "anna/b.png", "ben/a.png")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20), (number, 99, 200)).save(folder / name)
    cache, seen = CodeCache(tmp_path / "cache", vision), []

    def codes():
        pictures = FolderPictures(scan(folder), Pairing(restylings=("line",), restyled_views=2), SIZE)
        seen.clear()
        return cache.codes(pictures, "cpu", lambda done, total: seen.append((done, total))), pictures

    first, _ = codes()
    assert seen[-1] == (9, 9)
    (folder / "anna" / "b.png").rename(folder / "anna" / "z.png")
    (folder / "carla").mkdir()
    (folder / "carla" / "copy.png").write_bytes((folder / "ben" / "a.png").read_bytes())
    second, pictures = codes()
    assert seen == []
    named = [entry.name for entry in pictures.entries]
    assert named == ["anna/a.png", "anna/z.png", "ben/a.png", "carla/copy.png"]
    assert torch.equal(second, torch.cat((first, first[6:9])))


def test_another_tokeniser_has_another_file(cache, vision, tmp_path):
    cache.codes(Random(1), "cpu")
    torch.manual_seed(1)
    other = CodeCache(tmp_path, VisualTokenizer(CONFIG.lmm.vision))
    pictures = Random(1)
    other.codes(pictures, "cpu")
    assert pictures.seen == [1] and len(names(tmp_path)) == 2
    assert CodeCache(tmp_path, vision).path == cache.path != other.path


def spoil(path, how):
    whole = path.read_bytes()
    if how == "foreign":
        codes_module.write_safetensors({"keys": torch.zeros(2, 7, dtype=torch.uint8)}, path, {})
    else:
        path.write_bytes(whole[: len(whole) // 2] if how == "cut" else b"noise" if how == "noise" else b"")


@pytest.mark.parametrize("how", ["cut", "noise", "empty", "foreign"])
def test_a_damaged_file_is_built_again(cache, how):
    expected = cache.codes(Random(1, 2), "cpu")
    whole = cache.path.read_bytes()
    spoil(cache.path, how)
    pictures = Random(1, 2)
    assert torch.equal(cache.codes(pictures, "cpu"), expected)
    assert pictures.seen == [1, 2] and cache.path.read_bytes() == whole


def test_stopped_while_encoding_it_keeps_what_it_had(cache, tmp_path):
    cache.codes(Random(0), "cpu")
    told = []

    def stop(done, total):
        told.append((done, total))
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.codes(Random(*range(8)), "cpu", stop)
    assert told == [(2, 7), (4, 7)]
    rest = Random(*range(8))
    cache.codes(rest, "cpu")
    assert rest.seen == [5, 6, 7]
    assert names(tmp_path) == [cache.path.name]


def test_a_full_disk_keeps_the_codes_that_were_there(cache, tmp_path):
    cache.codes(Random(1, 2, 3), "cpu")
    with full_disk(1024), pytest.raises(TrainingError) as error:
        cache.codes(Random(*range(60)), "cpu")
    text = str(error.value)
    assert text.startswith(f"the codes of the pictures could not be kept in {tmp_path} (") and "\n" not in text
    assert text.endswith("); make room on that disk and start the training again")
    assert len(load_file(cache.path)["keys"]) == 3 and names(tmp_path) == [cache.path.name]


def test_codes_in_bfloat16_are_kept_apart_and_mostly_the_same(cache, vision, tmp_path):
    pictures = Random(*range(20))
    exact = cache.codes(pictures, "cpu")
    quick = CodeCache(tmp_path, vision, torch.bfloat16).codes(pictures, "cpu")
    assert 0.8 < (exact == quick).float().mean() < 1 and len(names(tmp_path)) == 2


@pytest.mark.parametrize("codes", [2, 7, 64, 399, 4096])
def test_the_nearest_of_equals_is_the_first(codes):
    random = torch.Generator().manual_seed(codes)
    directions = torch.randint(-1, 2, (codes, 3), generator=random).float()
    vectors = torch.randint(-2, 3, (2, 150, 3), generator=random).float()
    assert torch.equal(nearest(vectors, directions), (vectors @ directions.T).argmax(dim=-1))
