"""The interface of large multimodal models: every class has every member, and each does what it says."""

import copy
import inspect

import pytest
import torch

from drc.checkpoint import load
from drc.instruction import InContext, Instruction
from drc.lmm import (
    LMM,
    Autoregressive,
    DiffusionLMM,
    EmbeddedConfig,
    EmbeddedWords,
    InContextLMM,
    PixelLMM,
    PretrainedConfig,
    PretrainedSet,
    Vision,
    Words,
)
from drc.lmm.generate import Sampling
from drc.lmm.lora import is_lora
from drc.lmm.registry import LMMS
from drc.lmm.words import encode_text
from drc.pretrained import description_in, set_at
from scripts.lib.tiny import write_tiny

COUNT, VECTORS, TEXT = 2, 4, "a red apple"


@pytest.fixture(scope="module", params=LMMS)
def file(request, tmp_path_factory):
    """What such a DRC is loaded from."""
    kind = request.param
    if not LMMS[kind].pretrained:
        return write_tiny(tmp_path_factory.mktemp(kind) / "tiny.safetensors")
    return request.getfixturevalue(f"tiny_{kind}") / "drc" / f"tiny-{kind}" / LMMS[kind].description


@pytest.fixture(scope="module")
def drc(file):
    return load(file).float().requires_grad_(False)


@pytest.fixture
def lmm(drc):
    """One to be changed."""
    return copy.deepcopy(drc.lmm)


@pytest.fixture(scope="module")
def squares(drc):
    """What it is shown, [COUNT, 3, size, size]."""
    pictures = torch.rand(COUNT, 40, 30, 3, generator=torch.Generator().manual_seed(0))
    return torch.stack([drc.lmm.prepare(picture, "it") for picture in pictures])


@pytest.fixture(scope="module")
def instruction(drc):
    vectors = torch.randn(1, VECTORS, drc.lmm.config.width, generator=torch.Generator().manual_seed(0))
    vectors *= drc.lmm.embedding_scale()
    return Instruction(vectors, drc.encode_text(TEXT)[None], torch.ones(1), drc.hash)


@pytest.fixture(scope="module")
def drawn(drc, instruction):
    return drc.lmm.draw(instruction, list(range(COUNT)), Sampling())


def members(protocol: type) -> dict[str, object]:
    """Of a protocol and those that it extends: name -> function, property, or None for a plain value."""
    found = {}
    for kind in reversed(protocol.__mro__):
        if kind.__module__ == LMM.__module__:
            named = {name: value for name, value in vars(kind).items() if not name.startswith("_")}
            found |= dict.fromkeys(vars(kind).get("__annotations__", ())) | named
    return found


def parts_of(drc, file) -> list[tuple[type, object]]:
    """Every protocol that it says it follows, with what follows it."""
    lmm = drc.lmm
    found = [(PixelLMM if lmm.draws_pixels else DiffusionLMM, lmm), (Vision, lmm.vision)]
    found += [(PretrainedConfig if lmm.pretrained else EmbeddedConfig, lmm.config)]
    found += [(Words if lmm.pretrained else EmbeddedWords, drc.words)]
    found += [(PretrainedSet, set_at(file))] if lmm.pretrained else []
    found += [(InContextLMM, lmm)] * lmm.interleaves
    return found + [(Autoregressive, lmm)] * lmm.draws_pixels


def test_every_class_has_every_member_with_its_signature(drc, file):
    for protocol, found in parts_of(drc, file):
        for name, asked in members(protocol).items():
            where = f"{protocol.__name__}.{name}"
            assert asked is None or inspect.getdoc(asked), where
            if name == "decode" and not drc.lmm.draws_pixels:
                continue
            assert hasattr(found, name), where
            if not inspect.isfunction(asked) and not isinstance(asked, staticmethod):
                assert not inspect.ismethod(getattr(found, name)), where
                continue
            wanted, given = (
                inspect.signature(one).parameters for one in (getattr(protocol, name), getattr(type(found), name))
            )
            assert list(given)[: len(wanted)] == list(wanted), where
            assert all(one.default is not one.empty for one in list(given.values())[len(wanted) :]), where
            assert [given[one].default for one in wanted] == [one.default for one in wanted.values()], where


def test_what_it_says_of_itself(drc):
    lmm, config = drc.lmm, drc.lmm.config
    for name in ("image_size", "picture_codes", "codebook_size"):
        assert getattr(lmm.vision, name) == getattr(lmm, name), name
    for name in ("text_slots", "pretrained", "variable_length"):
        assert getattr(config, name) == getattr(lmm, name), name
    assert type(config) is LMMS[config.kind] and config.grid**2 == lmm.picture_codes
    more = {"decoder": not lmm.draws_pixels, "understanding": lmm.encodes_meaning}
    assert lmm.parts().keys() == {"vision", "language", *(name for name, there in more.items() if there)}
    assert lmm.codebook_size <= lmm.blank_code and lmm.vision.memory(2) > lmm.vision.memory(1) > 0
    first = next(module for module in lmm.modules() if type(module).__name__ == "Layer")
    assert isinstance(next(iter(lmm.layers())), type(first))  # FSDP shards what has this name, see docs/training.md
    if not lmm.pretrained:
        assert len(list(lmm.layers())) == config.layers and config.local_conditioning in (True, False)


def test_text_becomes_ids(drc):
    lmm, words = drc.lmm, drc.words
    ids = words.encode(TEXT)
    assert type(ids) is list and min(ids) > 0 and max(ids) < lmm.text_ids
    assert words.encode("") == [] and not encode_text(words, "", lmm.text_slots).any()
    assert drc.encode_text(TEXT).tolist() == ids + [0] * (lmm.text_slots - len(ids))
    with pytest.raises(ValueError, match=f"reads at most {lmm.text_slots}"):
        drc.encode_text("apple " * (lmm.text_slots + 1))


def test_what_words_mean_to_it(drc):
    words, cat = drc.words, "\u043a\u043e\u0442"
    assert words.readable(TEXT) == TEXT and not words.says_nothing(TEXT) and not words.says_nothing("")
    learned = words.learned([TEXT, cat])
    if drc.lmm.pretrained:
        assert learned == frozenset() and not words.says_nothing(cat)
        assert words.readable("z" * 200) == "z" * 200 and words.unknown(f"{TEXT} {cat}", frozenset({"b"})) == []
    else:
        assert learned == set(TEXT.split()) and words.says_nothing(cat)
        assert words.readable("z" * 200) == f"{'z' * 100} {'z' * 100}"
        assert words.unknown(f"{TEXT} {cat} car", learned) == [cat, "car"] and words.unknown(TEXT, learned) == []
        assert drc.lmm.config.read_words(words.to_json()).to_json() == words.to_json()


def test_pictures_become_codes_and_rows(drc, squares):
    lmm = drc.lmm
    assert squares.shape == (COUNT, 3, lmm.image_size, lmm.image_size) and 0 <= squares.min() <= squares.max() <= 1
    with pytest.raises(ValueError, match="it "):
        lmm.prepare(torch.full((4, 4, 3), 9.0), "it")
    codes = lmm.tokenize(squares, [1, 2])
    assert codes.shape == (COUNT, lmm.picture_codes) and codes.dtype == torch.int64
    assert -lmm.variable_length <= codes.min() and codes.max() < lmm.codebook_size
    assert torch.equal(lmm.tokenize(squares), lmm.vision.encode(squares))
    rows, means = lmm.embed(codes), lmm.meaning(codes)
    assert rows.shape == means.shape == (*codes.shape, lmm.config.width)
    assert torch.equal(rows, means) != lmm.encodes_meaning
    table = lmm.code_table()
    assert table.shape == (lmm.codebook_size, lmm.config.width)
    assert torch.equal(lmm.embed(torch.arange(lmm.codebook_size)), table)
    assert 0 < lmm.embedding_scale() < 10


def test_it_draws_by_an_instruction(drc, instruction, drawn):
    lmm, told = drc.lmm, []
    again = lmm.draw(instruction, [1], Sampling(), lambda count, codes: told.append((count, codes.shape)))
    assert drawn.shape == (COUNT, lmm.picture_codes) and torch.equal(again[0], drawn[1])
    assert told[:2] == [(1, (1, 1)), (2, (1, 2))]
    empty = Instruction(*(getattr(instruction, name).to("meta") for name in ("vectors", "text", "coefficients")), "")
    assert lmm.drawing_bytes(empty, 2) > lmm.drawing_bytes(empty, 1) > 0
    given = drc.encode_text(TEXT).expand(COUNT, -1), instruction.vectors.expand(COUNT, -1, -1)
    losses = lmm.token_losses(*given, drawn, drawn)
    assert losses.shape == (COUNT,) and (losses > 0).all()
    blank = torch.full_like(drawn, lmm.blank_code).where(drawn >= 0, drawn)
    assert not torch.equal(lmm.token_losses(*given, blank, drawn), losses)
    if lmm.draws_pixels:
        likely = lmm.log_likelihoods(*given, drawn)
        assert likely.shape == drawn.shape and torch.allclose(-likely.mean(dim=1), losses, atol=1e-4)


def test_codes_become_pictures_or_conditions(drc, drawn):
    lmm = drc.lmm
    if lmm.draws_pixels:
        for images in (lmm.detokenize(drawn), lmm.preview(drawn[:, :3])):
            assert images.shape == (COUNT, 3, lmm.image_size, lmm.image_size) and 0 <= images.min() <= images.max() <= 1
        assert torch.equal(lmm.vision.decode(drawn), lmm.detokenize(drawn))
        return
    for low in {False, lmm.has_low_resolution}:
        for one in lmm.condition(drawn, low):
            assert one.prompt.ndim == 3 and one.prompt.isfinite().all()
            assert one.pooled is None or one.pooled.ndim == 2
            assert one.mask is None or one.mask.shape == one.prompt.shape[:2]
    with pytest.raises(ValueError):
        lmm.condition(torch.full_like(drawn, -1))


def test_pictures_and_words_in_one_prompt(drc):
    lmm = drc.lmm
    if not lmm.interleaves:
        return
    ids = lmm.in_context([], [], drc.words.encode(TEXT))
    assert ids.ndim == 1 and len(ids) in lmm.prompt_lengths and ids.max() < lmm.prompt_ids
    prompt = InContext(ids, 3.0, drc.hash)
    assert lmm.draw(prompt, [1], Sampling()).shape == (1, lmm.picture_codes) and lmm.drawing_bytes(prompt, 1) > 0
    with pytest.raises(ValueError, match="shorten the text"):
        lmm.in_context([], [], [1] * (lmm.prompt_lengths.stop + 1))


def test_steps_of_the_loop_that_all_may_share(drc, instruction, drawn):
    lmm = drc.lmm
    if not lmm.draws_pixels:
        return
    vectors = instruction.vectors.expand(COUNT, -1, -1)
    prompt = lmm.prompt(instruction.text.expand(COUNT, -1), vectors)
    inputs = torch.cat((prompt, lmm.follow(drawn[:, :2], 0, lmm.places(vectors))), dim=1)
    assert inputs.shape == (COUNT, prompt.shape[1] + 2, lmm.config.width)
    cache = lmm.cache(COUNT, inputs.shape[1], prompt)
    stepped = [lmm.logits(some, cache) for some in (prompt, inputs[:, -2:-1], inputs[:, -1:])]
    assert stepped[0].shape == (COUNT, lmm.codebook_size)
    assert torch.allclose(stepped[-1], lmm.logits(inputs), atol=1e-4)


def test_what_is_to_learn_of_it(lmm):
    assert lmm.trainable_parts("automatic") == ("LoRA" if lmm.pretrained else "everything")
    assert [lmm.trainable_parts(wish) for wish in ("LoRA", "frozen")] == ["LoRA", "frozen"]
    if lmm.pretrained:
        with pytest.raises(ValueError, match="train_language is 'everything'"):
            lmm.trainable_parts("everything")
    before = set(lmm.requires_grad_(True).state_dict())
    lmm.learn("LoRA", 2, 4.0, torch.float32)
    names = {name for name, parameter in lmm.named_parameters() if parameter.requires_grad}
    assert names and all(map(is_lora, names)) and all(one.ndim for one in lmm.state_dict().values())
    lmm.tie()
    vision = lmm.vision
    lmm.drop_vision()
    assert lmm.vision is None
    kept = set(lmm.exported(lmm.state_dict(), vision))
    assert all(map(is_lora, kept)) and lmm.config.lora_rank == 2 if lmm.pretrained else kept == before


def test_a_lora_becomes_part_of_it(lmm, instruction, drawn):
    given = instruction.text.expand(COUNT, -1), instruction.vectors.expand(COUNT, -1, -1), drawn, drawn
    plain = lmm.token_losses(*given)
    lmm.learn("LoRA", 2, 4.0, torch.float32)
    for name, parameter in lmm.named_parameters():
        if is_lora(name):
            torch.nn.init.normal_(parameter)
    if lmm.pretrained:
        learned, parts = lmm.token_losses(*given), []
        assert not torch.allclose(learned, plain)
        lmm.merge(lambda: parts.append(1))
        assert torch.allclose(lmm.token_losses(*given), learned, atol=1e-3)
        assert len(parts) == len(list(lmm.layers())) and lmm.config.lora_rank == 0
        assert lmm.store_in(torch.bfloat16) == torch.bfloat16
    lmm.initialise()
    lmm.compute_in(torch.bfloat16)
    assert lmm.store_in(None) == torch.bfloat16


def test_a_set_of_files(drc, file):
    if not drc.lmm.pretrained:
        return
    found, folder = set_at(file), file.parent
    assert description_in(folder) == file and type(drc.config.lmm).is_description(file)
    assert found.folder == folder and found.hash == drc.hash and found.licence == drc.about.licence
    assert found.config() == drc.config.lmm and found.words().encode(TEXT) == drc.words.encode(TEXT)
    with pytest.raises(ValueError):
        type(drc.config.lmm).open_set(folder.parent)
