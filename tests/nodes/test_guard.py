"""What reaches a node by a link, from an old host or from another client is what its widget allows, or a sentence."""

import dataclasses
import math
import os
import warnings

import numpy
import pytest
import torch

from scripts.lib.sentence import sentence_shown as sentence

WRONG = {
    "INT": [-1, 2**64, 1.5, math.nan, math.inf, True, "5", None, [1], {"a": 1}, torch.ones(())],
    "FLOAT": [-1.5, 1e9, math.nan, -math.inf, 10**400, True, "0.5", None, [0.5], {}, torch.ones(())],
    "BOOLEAN": [None, 1, "true", [True]],
    "STRING": [None, 5, ["a"], {"a": "b"}, b"a", "half \ud800", "no\0thing", "x" * (2**20 + 1)],
    "FILES": [
        None,
        5,
        {"a": "b"},
        b"a",
        "half \ud800",
        ["no\0thing"],
        [["a"]],
        ["a"] * 10_001,
    ],  # a text is one name, a list are many
    "COMBO": [None, "no such choice", "", 0, ["train"], {"a": 1}],
}
with warnings.catch_warnings(action="ignore"):
    NESTED = torch.nested.nested_tensor([torch.ones(2, 2), torch.ones(3, 2)])
NO_RECORDS = [{}, 5, [], "a text", torch.ones(2, 2), torch.ones(2, 2).to_sparse(), torch.ones(2, 2, device="meta")]
NO_RECORDS.append(NESTED)
NO_MASKS = [*NO_RECORDS[:4], *NO_RECORDS[5:], torch.ones(2, 2, dtype=torch.uint8)]
NO_PICTURES = [*NO_RECORDS, torch.ones(1, 8, 8, 3, dtype=torch.uint8), torch.ones(1, 8, 8, 3, dtype=torch.cfloat)]


def inputs_of(classes):
    for node in classes.values():
        schema = node.define_schema()
        yield from ((node, schema.display_name, one) for one in schema.inputs)


def wrong_values(one):
    kind = "FILES" if getattr(one, "upload", None) else one.get_io_type()
    values = (WRONG | {"IMAGE": NO_PICTURES, "MASK": NO_MASKS}).get(kind, NO_RECORDS)
    return [value for value in values if value is not None or not one.optional]


def test_every_input_of_every_node_refuses_what_does_not_fit(classes):
    count = 0
    for node, display_name, one in inputs_of(classes):
        for value in wrong_values(one):
            listed = node.GET_SCHEMA().is_input_list  # of which the host makes a list of every value
            text = sentence(node.execute, **{one.id: [value] if listed else value})
            assert text.startswith(f"{display_name}: {one.id} "), text
            assert (
                any(word in text for word in ("expected", "choose", "type it again"))
                and text.isprintable()
                and len(text) < 2000
            )
            count += 1
    assert count > 1000


def test_every_number_has_bounds(classes):
    for _, _, one in inputs_of(classes):
        if one.get_io_type() in ("INT", "FLOAT"):
            assert one.min <= one.default <= one.max


def test_every_seed_takes_what_the_pages_own_nodes_draw(classes):
    seeds = [one for _, _, one in inputs_of(classes) if one.id == "seed"]
    assert len(seeds) > 5 and {(one.min, one.max) for one in seeds} == {(0, 2**64 - 1)}


def test_an_input_that_there_is_not(graph, model):
    text = sentence(graph.run, "DRC_LoadModel", model_name="tiny.safetensors", strength=1.0)
    assert text.startswith("Load DRC Model: it has no input strength; take away what is connected to it")


def test_numbers_of_other_kinds_are_numbers(graph, model, instruction):
    tokens = graph.generate(model, instruction, seed=numpy.int64(3), batch_size=2.0, temperature=1)
    same = graph.generate(model, instruction, seed=3, batch_size=2, temperature=1.0)
    assert torch.equal(tokens.codes, same.codes)


def test_an_optional_input_that_gets_nothing_has_its_default(graph, model, history, reference):
    style = graph.style(model, history, None)
    assert torch.equal(style.rows, graph.style(model, history).rows)
    graph.compose(model, None, graph.semantics(model, reference))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_pictures_of_any_precision(graph, model, history, dtype):
    found, plain = graph.style(model, history.to(dtype)), graph.style(model, history.to(dtype).float())
    assert torch.equal(found.rows, plain.rows)


@pytest.fixture(scope="module")
def records(graph, model, history, reference, instruction):
    """Calls of a node by what it is given, and that."""
    style, semantics = graph.style(model, history), graph.semantics(model, reference)
    tokens = graph.generate(model, instruction)
    return {
        "style": (lambda style: graph.compose(model, style), style),
        "semantics": (lambda semantics: graph.compose(model, None, semantics), semantics),
        "second": (lambda two: graph.run("DRC_MergeStyles", model=model, first=style, second=two, ratio=0.5), style),
        "instruction": (lambda instruction: graph.generate(model, instruction), instruction),
        "tokens": (lambda tokens: graph.decode(model, tokens), tokens),
    }


@pytest.mark.parametrize(
    ("what", "part", "broken", "told"),
    [
        ("style", "rows", lambda rows: rows * math.nan, "finite numbers in 3 dimensions"),
        ("style", "rows", lambda rows: rows[0], "finite numbers in 3 dimensions"),
        ("style", "rows", lambda rows: NESTED, "has a nested tensor of float32 as rows"),
        ("style", "rows", lambda rows: None, "has nothing as rows, expected finite numbers"),
        ("style", "weights", lambda weights: weights.to("meta"), "finite numbers in 1 dimension;"),
        ("style", "weights", lambda weights: [1.0], "has a list as weights"),
        ("style", "weights", lambda weights: -weights, "has weights that are none"),
        ("style", "weights", lambda weights: 0 * weights, "has weights that are none"),
        ("style", "weights", lambda weights: weights + 3e38, "has weights that are none"),
        ("style", "codes", lambda codes: codes.float(), "whole numbers in 2 dimensions"),
        ("style", "codes", lambda codes: codes[0], "whole numbers in 2 dimensions"),
        ("style", "codes", lambda codes: codes > 0, "has a strided tensor of bool"),
        ("style", "model", lambda model: None, "has nothing as model, expected a text"),
        ("style", "model", lambda model: "x", "was made by another model"),
        ("style", "padding_mask", lambda mask: True, "has True as padding_mask"),
        ("style", "padding_mask", lambda mask: torch.zeros(5, 4) > 0, "has a padding_mask that is not that"),
        ("style", "rows", lambda rows: rows[..., :7], "has 7 numbers in a row, expected 32"),
        ("style", "rows", lambda rows: rows[:, :3], "has 3 rows, expected 4"),
        ("style", "rows", lambda rows: rows * 1e30, "expected at most 32768"),
        ("style", "rows", lambda rows: rows[:1], "holds tensors for 1 and 5 pictures"),
        ("second", "weights", lambda weights: weights[:1], "holds tensors for 1 and 5 pictures"),
        ("second", "codes", lambda codes: codes[:1], "holds tensors for 1 and 5 pictures"),
        ("second", "codes", lambda codes: codes + 10**6, "has codes from 10"),
        ("second", "codes", lambda codes: codes[:, :7], "has 7 codes in a picture, expected 16"),
        ("semantics", "rows", lambda rows: None, "has nothing as rows"),
        ("semantics", "rows", lambda rows: rows[:, :7], "has 7 numbers in a row, expected 32"),
        ("semantics", "rows", lambda rows: rows[:3], "has 3 rows, expected 4 to 12"),
        ("semantics", "rows", lambda rows: rows[:0], "has 0 rows"),
        ("instruction", "vectors", lambda vectors: vectors.long(), "finite numbers in 3 dimensions"),
        ("instruction", "vectors", lambda vectors: vectors[:1], "holds tensors for 1 and 3 streams"),
        ("instruction", "vectors", lambda vectors: vectors[..., :7], "has 7 numbers in a vector, expected 32"),
        ("instruction", "vectors", lambda vectors: vectors[:, :3], "has 3 vectors in a stream, expected 4"),
        ("instruction", "vectors", lambda vectors: vectors * 1e30, "expected at most 32768"),
        ("instruction", "text", lambda text: text.float(), "whole numbers in 2 dimensions"),
        ("instruction", "text", lambda text: text[:, :5], "has 5 ids of text in a stream, expected 6"),
        ("instruction", "text", lambda text: text + 80, "expected 0 to 79"),
        ("instruction", "text", lambda text: text - 1, "ids of text from -1"),
        ("instruction", "coefficients", lambda coefficients: coefficients * 2, "that add up to 2, expected 1"),
        ("instruction", "coefficients", lambda coefficients: None, "has nothing as coefficients"),
        ("tokens", "codes", lambda codes: codes[0], "whole numbers in 2 dimensions"),
        ("tokens", "codes", lambda codes: codes.to_sparse(), "whole numbers in 2 dimensions"),
        ("tokens", "codes", lambda codes: codes[:0], "has no codes"),
        ("tokens", "codes", lambda codes: codes[:, :9], "has 9 codes in a picture, expected 16"),
        ("tokens", "codes", lambda codes: codes + 10**6, "has codes from 10"),
        ("tokens", "codes", lambda codes: 0 * codes - 1, "has codes from -1 to -1, expected 0 to 23"),
        ("tokens", "codes", lambda codes: codes - 99, "has codes that are none of a picture"),
    ],
)
def test_records_that_no_model_made(records, what, part, broken, told):
    call, record = records[what]
    text = sentence(call, dataclasses.replace(record, **{part: broken(getattr(record, part))}))
    assert f": {what} " in text and told in text and "; connect the " in text


def test_a_record_without_anything_in_it(records):
    for what, (call, record) in records.items():
        assert f": {what} has nothing as " in sentence(call, object.__new__(type(record)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64, torch.float8_e5m2])
def test_records_in_other_types(records, model, dtype):
    """They are numbers and codes all the same."""
    for call, record in records.values():
        given = {name: part for name, part in vars(record).items() if isinstance(part, torch.Tensor)}
        call(
            dataclasses.replace(
                record, **{n: t.to(dtype) if t.is_floating_point() else t.short() for n, t in given.items()}
            )
        )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ids": torch.ones(3)}, "has a strided tensor of float32 (3) as ids"),
        ({"ids": torch.full((3,), 10**6)}, "has ids from 1000000"),
        ({"ids": torch.ones(10**5, dtype=torch.long)}, "has 100000 ids, expected 0 to "),
        ({"guidance": math.nan}, "has a guidance of nan"),
        ({"guidance": None}, "has nothing as guidance, expected a number"),
        ({"guidance": 1e300}, "has a guidance of 1e+300"),
    ],
)
def test_prompts_that_no_model_reads(graph, lavit, changes, told):
    prompt = graph.run("DRC_ComposeInContext", model=lavit, text="a red apple")
    assert told in sentence(graph.generate, lavit, dataclasses.replace(prompt, **changes))


def test_a_prompt_for_a_model_that_reads_none(graph, lavit, model):
    prompt = dataclasses.replace(graph.run("DRC_ComposeInContext", model=lavit, text="a"), model=model.drc.hash)
    assert "instruction is pictures and words in one prompt" in sentence(graph.generate, model, prompt)


def test_a_model_whose_parts_are_none(graph, model):
    for part in ("drc", "vision", "name"):
        broken = dataclasses.replace(model, **{part: None})
        assert f"model has nothing as {part}, expected " in sentence(graph.compose, broken)


def test_triplets_whose_parts_are_none(graph, model, triplets):
    made, _ = triplets()
    for part, broken in (("root", "/etc"), ("entries", []), ("entries", [None]), ("pattern", None), ("report", None)):
        dataset = dataclasses.replace(made.dataset, **{part: broken})
        assert f" as {part}, expected " in sentence(graph.run, "DRC_Augmentations", dataset=dataset)
    for part in ("dataset", "settings"):
        broken = dataclasses.replace(made, **{part: None})
        told = sentence(graph.run, "DRC_TrainDisentanglement", model=model, triplets=broken)
        assert f"triplets has nothing as {part}, expected " in told, told


def test_a_model_by_a_link_is_looked_for_when_it_runs(classes, graph, models):
    node = classes["DRC_LoadModel"]
    assert node.validate_inputs(None) is True
    before = node.fingerprint_inputs(None)
    assert before == node.fingerprint_inputs(None)
    os.utime(models / "tiny.safetensors", (1, 1))
    assert before != node.fingerprint_inputs(None)
    assert node.validate_inputs({"a": 1}).startswith("Load DRC Model: model_name is ")


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (
            PermissionError(13, "Permission denied", "a/b"),
            "'a/b' could not be read or written (Permission denied)",
        ),
        (OSError(36, "File name too long", "a"), "choose a shorter name"),
        (OSError(28, "No space left on device"), "make room on that disk"),
        (IsADirectoryError(21, "Is a directory", "part", None, "config.toml"), "'config.toml' could not"),
        (OSError("cannot identify image file"), "cannot identify image file"),
        (ValueError("a name like \udc80\nis none"), "a name like \\udc80 is none"),
        (
            ValueError(f"folder is '{'x' * 5000}', which is not there; rename it"),
            "xxx', which is not there; rename it.",
        ),
        (OSError(36, "File name too long", "x" * 5000), "xxx' could not be read or written (File name too long);"),
    ],
)
def test_what_a_disk_refuses_is_a_sentence(pack, error, part):
    def fail():
        with pack.nodes.errors.errors_of("Save"):
            raise error

    text = sentence(fail)
    assert text.startswith("Save: ") and part in text and text.isprintable() and len(text) < 1100


def test_faults_of_our_own_are_not_dressed_up(pack):
    for error in (TypeError, KeyError, AttributeError, IndexError, RuntimeError):
        with pytest.raises(error), pack.nodes.errors.errors_of("Save"):
            raise error("a fault")


@pytest.mark.parametrize("name", ["half \ud800", "no such file", "no\0thing", 5])
def test_a_fingerprint_never_fails(classes, name):
    """The host's worker would write down what it raises, and end for good at half a letter."""
    fingerprint = classes["DRC_LoadModel"].fingerprint_inputs
    assert math.isnan(fingerprint(name)) and math.isnan(fingerprint(model_name=name))
    assert math.isnan(classes["DRC_ImageDataset"].fingerprint_inputs("folder", name))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (math.nan, "not a number (NaN)"),
        (-math.inf, "-inf"),
        (1e300, "1e+300"),
        (10**400, "a number too large to write down"),
        (True, "True"),
        ("x" * 5000, f"'{'x' * 80}...'"),
    ],
)
def test_values_are_told_in_a_few_words(pack, value, words):
    assert pack.nodes.errors.told(value) == words


@pytest.mark.parametrize("text", ["no\0thing", "half \ud800"])
def test_a_text_is_no_file(classes, text):
    told = sentence(classes["DRC_ComposeInstruction"].execute, text=text)
    assert told.endswith("which has a letter that cannot be written; type it again.")
