"""The interface of large multimodal models: every class has every member, and nobody reaches behind it."""

import ast
import inspect

import pytest
from torch.nn import Module

from drc.lmm import LMM, Autoregressive, Config, DiffusionLMM, InContextLMM, PixelLMM, PretrainedSet, Vision
from drc.lmm.registry import LMMS
from drc.pretrained import description_in, set_at
from scripts.lib import tiny, tiny_janus, tiny_lavit
from scripts.lib.imports import modules

CONFIGS = {"mini": tiny.CONFIG.lmm, "lavit": LMMS["lavit"](tiny_lavit.SIZES), "janus": LMMS["janus"](tiny_janus.SIZES)}
OF_LAVIT = {"nodes/convert.py"}  # its converter
INSIDE = {"scripts/bench_embedded.py", "scripts/lib/janus_pair.py"}  # share weights with another implementation


def members(protocol: type) -> dict[str, object]:
    """Of a protocol and those that it extends: name -> function, property, or None for a plain value."""
    found = {}
    for kind in reversed(protocol.__mro__):
        if kind.__module__ == LMM.__module__:
            named = {name: value for name, value in vars(kind).items() if not name.startswith("_")}
            found |= dict.fromkeys(vars(kind).get("__annotations__", ())) | named
    return found


def protocols(lmm) -> list[type]:
    kinds = [LMM, PixelLMM if lmm.draws_pixels else DiffusionLMM]
    kinds += [InContextLMM] * lmm.interleaves
    return kinds + [Autoregressive] * lmm.draws_pixels


MODELS = {name: config.build() for name, config in CONFIGS.items()}
CASES = [
    (name, protocol, member)
    for name, model in MODELS.items()
    for protocol in protocols(model)
    for member in members(protocol)
]


@pytest.mark.parametrize(("name", "protocol", "member"), CASES, ids=lambda case: getattr(case, "__name__", case))
def test_every_class_has_every_member_with_its_signature(name, protocol, member):
    model, asked = MODELS[name], members(protocol)[member]
    assert hasattr(model, member)
    if inspect.isfunction(asked):
        wanted, found = (inspect.signature(one).parameters for one in (asked, getattr(type(model), member)))
        assert list(found) == list(wanted)
        assert [one.default for one in found.values()] == [one.default for one in wanted.values()]
    else:
        assert not inspect.ismethod(getattr(model, member))


@pytest.fixture(params=LMMS)
def lmm(request):
    return CONFIGS[request.param].build()


def test_there_is_no_member_without_a_word(lmm):
    for protocol in protocols(lmm):
        for name, member in members(protocol).items():
            assert member is None or inspect.getdoc(member), name


def test_properties_say_what_they_are(lmm):
    for name in vars(Vision)["__annotations__"]:
        assert getattr(lmm.vision, name) == getattr(lmm, name), name
    assert callable(lmm.vision.encode) and hasattr(lmm.vision, "decode") == lmm.draws_pixels
    for name, member in {**vars(Config), **vars(Config)["__annotations__"]}.items():
        if not name.startswith("_"):
            assert hasattr(lmm.config, name) or (name, lmm.draws_pixels) == ("kind", True), (name, member)
    more = {"decoder": not lmm.draws_pixels, "understanding": lmm.encodes_meaning}
    assert lmm.parts().keys() == {"vision", "language", *(name for name, there in more.items() if there)}
    assert len(lmm.code_table()) == lmm.codebook_size <= lmm.blank_code
    assert len(list(lmm.layers())) > 0 and lmm.trainable_parts("frozen") == "frozen"
    lmm.drop_vision()
    assert lmm.vision is None
    first = next(module for module in lmm.modules() if type(module).__name__ == "Layer")
    assert isinstance(next(iter(lmm.layers())), type(first))  # FSDP shards what has this name, see docs/training.md


@pytest.mark.parametrize("kind", ["lavit", "janus"])
def test_a_set_of_files_has_every_member(kind, request):
    folder = request.getfixturevalue(f"tiny_{kind}") / "drc" / f"tiny-{kind}"
    found = LMMS[kind].open_set(folder)
    for name, member in members(PretrainedSet).items():
        assert hasattr(found, name)
        if inspect.isfunction(member):
            assert list(inspect.signature(getattr(type(found), name)).parameters) == list(
                inspect.signature(member).parameters
            )
    assert found.config().kind == kind and 0 not in found.words().encode("a red apple").ids
    assert (
        description_in(folder) == folder / LMMS[kind].description and set_at(description_in(folder)).hash == found.hash
    )


@pytest.mark.parametrize(("kind", "expected"), [("lavit", OF_LAVIT), ("janus", set())])
def test_nobody_else_knows_a_pretrained_one(root, kind, expected):
    """What all ask of it is in the interface, so another needs a line of the registry and no other file."""
    files = [path for folder in ("drc", "nodes") for path in (root / folder).rglob("*.py")]
    files = {path.relative_to(root).as_posix(): path for path in files if "drc/lmm/" not in path.as_posix()}
    know = {
        name for name, path in files.items() if any(one.startswith(f"drc.lmm.{kind}") for one in modules(path, root))
    }
    assert know == expected


def reached(path) -> set[str]:
    """What the code in a file asks of something that is called `lmm`, but for the configuration of one."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            before = getattr(owner, "value", None)
            of = getattr(before, "attr", getattr(before, "id", ""))
            if name == "lmm" and of not in ("config", "CONFIG", "base_config"):
                found.add(node.attr)
    return found


def test_nobody_reaches_behind_it(root):
    known = set(dir(Module)).union(*map(members, (PixelLMM, DiffusionLMM, InContextLMM, Autoregressive)))
    files = [path for folder in ("drc", "nodes", "scripts") for path in (root / folder).rglob("*.py")]
    files = [path for path in files if "drc/lmm/" not in path.as_posix()]
    behind = {path.relative_to(root).as_posix(): reached(path) - known for path in files}
    assert {path for path, names in behind.items() if names} <= INSIDE, {p: n for p, n in behind.items() if n}
    asked = set().union(*map(reached, files))
    assert {"draw", "tokenize", "token_losses", "draws_pixels"} <= asked
