"""Damaged DRC models: their bytes, their tensors, their sizes, their entries and their tokeniser."""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from drc.checkpoint import load
from drc.lmm.generate import Sampling
from drc.parsing import stored
from scripts.lib.tiny import CONFIG, write_tiny

from .bytes import Damage, Edit, edited, generic
from .guard import Case

NAME = "tiny.safetensors"
BOMBS = (2**62, 0, -1, 1.5, "8", None, [8])


def whole(folder: Path) -> None:
    write_tiny(folder / NAME)


def use(folder: Path) -> None:
    """Loads it, looks at a picture and draws a few codes."""
    model = load(folder / NAME)
    codes = torch.zeros(1, model.lmm.picture_codes, dtype=torch.long)
    style = model.style(codes, torch.ones(1))
    instruction = model.compose(style, model.semantics(codes[0]), "red apple")
    drawn = model.lmm.draw(instruction, [0], Sampling())
    assert model.lmm.detokenize(drawn).isfinite().all()


def change(edit: Edit) -> Damage:
    return edited(NAME, edit)


def set_size(part: str, name: str, value) -> Callable[[Path], None]:
    def edit(tensors: dict, header: dict) -> None:
        config = json.loads(header["config"])
        inner = config["lmm"]["vision"] if part == "vision" else config[part]
        inner[name] = value
        header["config"] = json.dumps(config)

    return change(edit)


def sizes() -> list[tuple[str, Callable]]:
    parts = {"lmm": CONFIG.lmm, "vision": CONFIG.lmm.vision, "tower": CONFIG.tower, "fusion": CONFIG.fusion}
    fields = [(part, name) for part, config in parts.items() for name in stored(config)]
    fields = [field for field in fields if field not in {("lmm", "vision"), ("lmm", "hears_spot")}]
    made = []
    for number, (part, name) in enumerate(fields):
        for bomb in (10**9, BOMBS[number % len(BOMBS)]):
            if not (name in ("places", "query_residual") and bomb is None):
                made.append((f"{part}.{name} is {bomb!r}", set_size(part, name, bomb)))
    return made + [
        ("two sizes that do not fit", set_size("tower", "heads", 3)),
        ("more text than any model reads", set_size("lmm", "text_slots", 1025)),
        ("an odd head", set_size("lmm", "heads", 32)),
        ("128 layers that are not there", set_size("lmm", "layers", 128)),
        ("128 layers of the fusion", set_size("fusion", "layers", 128)),
        ("wide layers that are not there", set_size("fusion", "feed_forward", 2**18)),
        ("a size nobody knows", set_size("tower", "depth", 3)),
        ("an LMM nobody knows", set_size("lmm", "kind", "large")),
        ("an LMM of a list", set_size("lmm", "kind", ["mini"])),
    ]


def entries() -> list[tuple[str, Callable]]:
    def put(**values) -> Callable:
        return change(lambda tensors, header: header.update(values))

    def drop(name: str) -> Callable:
        return change(lambda tensors, header: header.pop(name))

    def raw(text: str) -> Callable[[Path], None]:
        def damage(folder: Path) -> None:
            with safe_open(folder / NAME, "pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            save_file(tensors, folder / NAME, {"drc": text})

        return damage

    return [
        *((f"without {name}", drop(name)) for name in ("architecture", "config", "stage", "step", "words")),
        ("a stage in words", put(stage="two")),
        ("a stage that is not there", put(stage="9")),
        ("a step below 0", put(step="-1")),
        ("a step of 5,000 digits", put(step="9" * 5000)),
        ("a licence of a megabyte", put(licence="free " * 200_000)),
        ("learned words of a megabyte", put(learned="a" * 2**20)),
        ("100,000 learned words", put(learned=" ".join(f"{number:05}" for number in range(100_000)))),
        ("a learned word of 101 letters", put(learned="a" * 101)),
        ("learned words in no order", put(learned="cat apple")),
        ("a learned word twice", put(learned="apple apple")),
        ("learned words with a gap", put(learned="apple  cat")),
        ("a learned word in capitals", put(learned="APPLE")),
        ("half a letter among the learned words", put(learned="apple \ud83d")),
        ("learned words in a list", put(learned=["apple"])),
        ("the architecture of a LaVIT", put(architecture="drc-lavit-1")),
        ("a LaVIT below it", put(lmm="0" * 64, lmm_name="x")),
        ("an architecture with a line feed", put(architecture="drc\n<img src=x onerror=alert(1)>" * 1000)),
        ("a config of a list", put(config="[]")),
        ("a config without parts", put(config="{}")),
        ("a config of text", put(config="yes")),
        ("a config 100,000 deep", put(config="[" * 100_000)),
        ("a config with a number of 5,000 digits", put(config='{"lmm": ' + "9" * 5000 + "}")),
        ("an entry that is no text", put(stage=2)),
        ("a header 100,000 deep", raw("[" * 100_000)),
        ("a header that is a list", raw("[]")),
        ("a header that is no JSON", raw("drc")),
    ]


def tensors() -> list[tuple[str, Callable]]:
    table = "lmm.language.model.embed_tokens.weight"

    def put(name: str, make: Callable[[torch.Tensor], torch.Tensor]) -> Callable:
        return change(lambda tensors, header: tensors.update({name: make(tensors.get(name, torch.zeros(2, 2)))}))

    def one_number(value: float) -> Callable[[torch.Tensor], torch.Tensor]:
        def make(tensor: torch.Tensor) -> torch.Tensor:
            tensor.view(-1)[-1] = value
            return tensor

        return make

    return [
        ("NaN", put(table, one_number(float("nan")))),
        ("infinite", put("disentangler.fusion.norm.bias", one_number(float("inf")))),
        ("minus infinity in 16 bits", put(table, lambda one: one_number(float("-inf"))(one.half()))),
        ("complex", put(table, lambda one: one.to(torch.complex64))),
        ("whole numbers", put(table, lambda one: one.to(torch.int64))),
        ("bytes", put(table, lambda one: one.to(torch.uint8))),
        ("true and false", put(table, lambda one: one > 0)),
        ("eight bits", put(table, lambda one: one.to(torch.float8_e4m3fn))),
        ("turned", put("lmm.places.weight", lambda one: one.T.contiguous())),
        ("of one number", put(table, lambda one: one[:1, :1].clone())),
        ("of none", put(table, lambda one: one[:0])),
        ("a tensor too many", put("more", lambda one: one)),
        ("a tensor with a long name", put("x\n" * 50_000, lambda one: one)),
        ("complex numbers in the auxiliary head", put("read_out.x", lambda one: one.to(torch.complex64))),
        ("NaN in the auxiliary head", put("read_out.x", one_number(float("nan")))),
        ("a tensor too few", change(lambda tensors, header: tensors.pop(table))),
        ("no tensor", change(lambda tensors, header: tensors.clear())),
        ("20,000 tensors", change(lambda found, header: found.update({f"{n}": torch.zeros(1) for n in range(20_000)}))),
    ]


def headers() -> list[tuple[str, Callable]]:
    """Of the safetensors format itself."""

    def length(number: int) -> Callable[[Path], None]:
        return lambda folder: (folder / NAME).write_bytes(
            number.to_bytes(8, "little") + (folder / NAME).read_bytes()[8:]
        )

    def text(header: str, data: int = 64) -> Callable[[Path], None]:
        return lambda folder: (folder / NAME).write_bytes(
            len(header).to_bytes(8, "little") + header.encode() + bytes(data)
        )

    def of(shape: list, end: int, dtype: str = "F32") -> str:
        return json.dumps({"a": {"dtype": dtype, "shape": shape, "data_offsets": [0, end]}})

    many = {f"{n}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(200_000)}
    return [
        ("a header of 2^63 bytes", length(2**63)),
        ("a header of 2^40 bytes", length(2**40)),
        ("a header of 90 MB", length(90 * 2**20)),
        ("a header of 8 MB, all of it there", text("{" + " " * 2**23 + "}")),
        ("200,000 tensors of nothing", text(json.dumps(many))),
        ("a shape of 2^60", text(of([2**30, 2**30], 64))),
        ("a shape that overflows", text(of([2**63, 2**63], 64))),
        ("a shape below 0", text(of([-1], 64))),
        ("an end before the beginning", text('{"a": {"dtype": "F32", "shape": [16], "data_offsets": [64, 0]}}')),
        ("a type that is none", text(of([16], 64, "F31"))),
        ("a header 100,000 deep", text("[" * 100_000)),
        ("bytes that nobody names", text(of([16], 64), 128)),
    ]


def tokenizers() -> list[tuple[str, Callable]]:
    def put(name: str, value) -> Callable:
        return edit(lambda words: words.update({name: value}))

    def edit(how: Callable[[dict], object]) -> Callable:
        def damage(tensors: dict, header: dict) -> None:
            words = json.loads(header["words"])
            how(words)
            header["words"] = json.dumps(words)

        return change(damage)

    def vocabulary(**values) -> Callable:
        return edit(lambda words: words["model"]["vocab"].update(values))

    grow = [{"type": "Replace", "pattern": {"String": "a"}, "content": "aa" * 1000}] * 4
    padding = {"strategy": {"Fixed": 2**40}, "direction": "Right", "pad_to_multiple_of": None}
    padding |= {"pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}
    cutting = {"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 1}
    special = {"id": 7, "content": "x", "single_word": False, "lstrip": False, "rstrip": False}
    special |= {"normalized": True, "special": True}
    split = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}
    return [
        ("a normaliser that grows", put("normalizer", {"type": "Sequence", "normalizers": grow})),
        ("a normaliser 500 deep", put("normalizer", json.loads("[" * 500 + "]" * 500))),
        ("a normaliser of regular expressions", put("normalizer", grow[0] | {"pattern": {"Regex": "(a+)+$"}})),
        ("no normaliser", put("normalizer", None)),
        ("another case", put("normalizer", {"type": "BertNormalizer", "lowercase": False})),
        ("a padding to 2^40", put("padding", padding)),
        ("a truncation that never ends", put("truncation", cutting)),
        ("another pre-tokenizer", put("pre_tokenizer", split)),
        ("added words", put("added_tokens", [special])),
        ("a post-processor", put("post_processor", {"type": "ByteLevel", "add_prefix_space": True})),
        ("another decoder", put("decoder", {"type": "ByteLevel"})),
        ("another model", put("model", {"type": "BPE", "vocab": {}, "merges": []})),
        ("a model without a kind", put("model", {"vocab": {"[PAD]": 0, "[UNK]": 1}})),
        ("no model", put("model", None)),
        ("a vocabulary of a list", edit(lambda words: words["model"].update(vocab=["a"]))),
        ("an empty vocabulary", edit(lambda words: words["model"].update(vocab={}))),
        ("a prefix of a megabyte", edit(lambda words: words["model"].update(continuing_subword_prefix="#" * 2**20))),
        ("words of any length", edit(lambda words: words["model"].update(max_input_chars_per_word=2**40))),
        ("an id of 2^40", vocabulary(apple=2**40)),
        ("an id below 0", vocabulary(apple=-1)),
        ("an id twice", vocabulary(apple=0)),
        ("an id of true", vocabulary(apple=True)),
        ("more words than rows", vocabulary(**{f"word{n}": 1000 + n for n in range(100)})),
        ("a word of a megabyte", edit(lambda words: long_word(words["model"]["vocab"]))),
        ("a lone surrogate", edit(lambda words: long_word(words["model"]["vocab"], "\ud800"))),
        ("no padding in the vocabulary", edit(lambda words: words["model"]["vocab"].pop("[PAD]"))),
        ("words 100,000 deep", change(lambda tensors, header: header.update(words="[" * 100_000))),
        ("words that are no JSON", change(lambda tensors, header: header.update(words="{"))),
    ]


def long_word(vocabulary: dict, letter: str = "a" * 2**20) -> None:
    vocabulary[letter] = vocabulary.pop(max(vocabulary, key=vocabulary.get))


def cases() -> list[Case]:
    kinds = {"size": sizes, "entry": entries, "tensor": tensors, "header": headers, "tokenizer": tokenizers}
    made = [Case(f"{kind}: {label}", damage, use, NAME) for kind, make in kinds.items() for label, damage in make()]
    return made + [
        Case(f"bytes: {label}", damage, use, NAME, kind in ("cut", "empty", "noise"))
        for label, kind, damage in generic(NAME, 0, cuts=6, flips=12)
    ]
