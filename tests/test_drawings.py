"""The index of drawings: words find them, codes come back as they went in, and several of them copy none."""

import json
import shutil

import pytest
import torch

from drc import EMBEDDED
from drc.checkpoint import load
from drc.data.icons import CHOOSING, Icons
from drc.drawings import (
    DRAWINGS,
    Drawings,
    NotDrawnError,
    find,
    packed,
    semantics,
    singular,
    tokeniser_of,
    unpacked,
)
from drc.instruction import HANDS
from drc.tensor_file import header_in, look, metadata_of, read_plain, write_safetensors
from scripts.datasets.icons.matrix import read_manifest
from scripts.lib.tiny import write_tiny
from scripts.lib.tiny_drawings import write_tiny_drawings


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load(write_tiny(tmp_path_factory.mktemp("model") / "tiny.safetensors"))


@pytest.fixture(scope="module")
def small(tmp_path_factory, model):
    """An index of the tiny matrix, by the tiny tokeniser; the matrix lies beside it."""
    return write_tiny_drawings(tmp_path_factory.mktemp("drawings"), model)


def test_what_ships_is_of_the_embedded_tokeniser_and_of_hands_that_training_may_see():
    index, styles = Drawings(), read_manifest()["styles"]
    assert index.is_read_by(load(EMBEDDED))
    assert len(index.meanings) == len(read_manifest()["meanings"]) == len(set(index.meaning.tolist()))
    for hand in index.hands:
        style = styles[hand.style]
        assert not style["unseen"] and style["family"] not in CHOOSING and hand.licence == style["licence"]
    for meaning in range(len(index.meanings)):
        hands = index.hand[index.meaning == meaning].tolist()
        families = {index.hands[hand].family for hand in hands}
        assert 1 <= len(hands) == len(families) <= HANDS
    assert DRAWINGS.stat().st_size < 2.5e6


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("bicycle", "bicycle"),
        (" Bikes ", "bicycle"),
        ("a bicycle", "bicycle"),
        ("CYCLE", "bicycle"),
        ("shopping bag", "shopping bag"),
        ("Bag, shopping", "shopping bag"),
        ("add-user", "user plus"),
        ("glasses", "glasses"),
        ("light bulb", "lightbulb"),
        ("key boards", "keyboard"),
        ("mice", "mouse"),
        ("caf\u00e9", "coffee"),
    ],
)
def test_a_word_finds_its_meaning_however_it_is_written(words, meaning):
    found = find(words)
    assert found.meaning == meaning
    assert found.codes.shape == (len(found.hands), 256) and found.codes.dtype == torch.int64
    assert found.codes.min() >= 0 and found.codes.max() < 4096


def test_every_canonical_name_of_the_matrix_finds_a_drawing():
    index = Drawings()
    for meaning in read_manifest()["meanings"]:
        assert sorted(index.find(meaning).meaning.split()) == sorted(meaning.split()), meaning


@pytest.mark.parametrize(("words", "near"), [("bycicle", "bicycle"), ("red bicycle", "bicycle"), ("gutar", "guitar")])
def test_what_nobody_drew_is_told_with_what_is_near(words, near):
    with pytest.raises(NotDrawnError, match=rf"no drawing is called '{words}' \(near: ") as caught:
        find(words)
    assert near in caught.value.near and len(caught.value.near) <= 5
    assert set(caught.value.near) <= set(Drawings().meanings)  # not what files of sets are called, such as battery01


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "the words are '', expected the name of one thing"),
        (" ?! ", "expected the name of one thing"),
        ("\u0432\u0435\u043b\u043e\u0441\u0438\u043f\u0435\u0434", "expected English ones in Latin letters"),
        ("\u81ea\u8ee2\u8eca", "expected English ones in Latin letters"),
        ("bicycle " * 40, "the words have 320 letters, expected at most 100"),
    ],
)
def test_what_is_no_word_is_one_sentence(words, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        find(words)
    assert not isinstance(caught.value, NotDrawnError) and "\n" not in str(caught.value)


def test_plurals():
    words = {"buses": "buse", "boxes": "box", "cherries": "cherry", "glass": "glass", "bus": "bus", "gas": "gas"}
    words |= {"leaves": "leaf", "matches": "match", "iris": "iris", "apples": "apple"}
    assert {word: singular(word) for word in words} == words


def test_codes_are_kept_in_12_bits():
    codes = torch.randint(4096, (5, 256), generator=torch.Generator().manual_seed(0))
    codes[0, :3] = torch.tensor([0, 4095, 2748])
    data = packed(codes)
    assert data.shape == (5, 384) and torch.equal(unpacked(data), codes)


def test_an_index_gives_back_what_the_tokeniser_said(small, model):
    index = Drawings(small)
    assert index.is_read_by(model) and not Drawings().is_read_by(model)
    icons, found = Icons(small.with_name("icons")), index.find("thing 7")
    assert {hand.family for hand in found.hands} == {"able", "baker"} and len(found.hands) == 2
    for codes, hand in zip(found.codes, found.hands, strict=True):
        picture = torch.from_numpy(icons.images[icons.rows[hand.style, "thing 7"]].copy()).permute(2, 0, 1)[None] / 255
        assert torch.equal(model.lmm.tokenize(picture)[0], codes)


def test_one_drawing_is_what_the_semantic_tower_gives(small, model):
    codes = Drawings(small).find("dog").codes
    alone = semantics(model, codes[:1])
    assert torch.equal(alone.rows, model.semantics(codes[0]).rows) and alone.model == model.hash


@torch.no_grad()
def test_of_several_drawings_each_has_its_share_whatever_their_order(small, model):
    codes = Drawings(small).find("dog").codes
    one, both, turned = (
        model.compose(None, semantics(model, some)).vectors for some in (codes[:1], codes, codes.flip(0))
    )
    torch.testing.assert_close(both, turned, atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(model.compose(None, semantics(model, codes[[0, 0, 0]])).vectors, one)
    other = model.compose(None, semantics(model, codes[1:])).vectors
    assert min(float((both - single).abs().max()) for single in (one, other)) > 1e-3
    hidden = model.compose(None, semantics(model, codes), semantic_mask=1.0).vectors
    torch.testing.assert_close(hidden[-1], model.compose(None, None).vectors[0])


def rewritten(path, folder, change_header=None, change=None):
    """A copy of an index with other contents."""
    contents, tensors = look(path), read_plain(path, ("codes", "meaning", "hand"))
    header = header_in(path, contents.metadata)
    about = json.loads(header["contents"])
    if change_header:
        change_header(header, about)
    if change:
        change(tensors)
    other = folder / "other.safetensors"
    write_safetensors(tensors, other, metadata_of(header | {"contents": json.dumps(about)}))
    return other


def without(name):
    return lambda tensors: tensors.pop(name)


DAMAGES = [
    ({"change_header": lambda header, about: header.update(architecture="drc-mini-1")}, "is of the architecture"),
    ({"change_header": lambda header, about: about.update(names={"dog": 10**6})}, "has names"),
    ({"change_header": lambda header, about: about.update(names=[])}, "has names"),
    ({"change_header": lambda header, about: about.update(meanings=[1])}, "has meanings"),
    ({"change_header": lambda header, about: about.update(hands=[{"style": "x"}])}, "lacks an entry of hands"),
    ({"change_header": lambda header, about: header.pop("tokeniser")}, "has tokeniser None"),
    ({"change": without("codes")}, "does not hold an index"),
    ({"change": lambda tensors: tensors.update(hand=tensors["hand"] + 1000)}, "has hand 'a number out of bounds'"),
    ({"change": lambda tensors: tensors.update(meaning=tensors["meaning"].long())}, "has meaning torch.int64"),
    ({"change": lambda tensors: tensors.update(codes=tensors["codes"][:, :-1].clone())}, "has codes 23"),
]


@pytest.mark.parametrize(("changes", "sentence"), DAMAGES)
def test_a_damaged_index_is_one_sentence(small, tmp_path, changes, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        Drawings(rewritten(small, tmp_path, **changes))
    assert str(caught.value).endswith("install this pack again") and "\n" not in str(caught.value)


def test_a_file_that_is_none_or_cut_off_is_one_sentence(small, tmp_path):
    for size in (0, 5, 300, small.stat().st_size - 10):
        shutil.copy(small, tmp_path / "cut.safetensors")
        with open(tmp_path / "cut.safetensors", "r+b") as file:
            file.truncate(size)
        with pytest.raises(ValueError, match="cut.safetensors is not a readable safetensors file"):
            Drawings(tmp_path / "cut.safetensors")


def test_the_hash_is_of_what_makes_codes_alone(model):
    before = tokeniser_of(model)
    with torch.no_grad():
        model.lmm.vision.decoder.out.bias.add_(1)
        assert tokeniser_of(model) == before
        model.lmm.vision.decoder.out.bias.sub_(1)
        model.lmm.vision.codebook.weight.add_(1)
        assert tokeniser_of(model) != before
        model.lmm.vision.codebook.weight.sub_(1)
