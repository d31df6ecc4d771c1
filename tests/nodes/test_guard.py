"""What reaches a node by a link, from an old host or from another client is what its widget allows, or a sentence."""

import dataclasses
import math
import os

import numpy
import pytest
import torch

from scripts.lib.sentence import sentence_shown as sentence

WRONG = {
    "INT": [-1, 2**64, 1.5, math.nan, math.inf, True, "5", None, [1], {"a": 1}, torch.ones(())],
    "FLOAT": [-0.5, 1e9, math.nan, -math.inf, 10**400, True, "0.5", None, [0.5], {}, torch.ones(())],
    "BOOLEAN": [None, 1, "true", [True]],
    "STRING": [None, 5, ["a"], {"a": "b"}, b"a", "half \ud800", "no\0thing"],
    "FILES": [
        None,
        5,
        {"a": "b"},
        b"a",
        "half \ud800",
        ["no\0thing"],
        [["a"]],
    ],  # a text is one name, a list are many
    "COMBO": [None, "no such choice", "", 0, ["train"], {"a": 1}],
}
NO_RECORDS = [{}, 5, [], "a text", torch.ones(2, 2), torch.ones(2, 2).to_sparse(), torch.ones(2, 2, device="meta")]
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


def test_records_with_tensors_that_are_none(graph, model, history, instruction):
    style, tokens = graph.style(model, history), graph.generate(model, instruction)
    codes = tokens.codes
    for call, name, record, broken in (
        (graph.compose, "rows", style, style.rows * math.nan),
        (graph.compose, "rows", style, style.rows[0]),
        (graph.compose, "weights", style, style.weights.to("meta")),
        (graph.compose, "weights", style, [1.0]),
        (graph.compose, "codes", style, style.codes.float()),
        (graph.compose, "codes", style, style.codes[0]),
        (graph.generate, "vectors", instruction, instruction.vectors.long()),
        (graph.generate, "text", instruction, instruction.text.float()),
        (graph.decode, "codes", tokens, codes[0]),
        (graph.decode, "codes", tokens, codes.float()),
        (graph.decode, "codes", tokens, codes.to_sparse()),
    ):
        text = sentence(call, model, dataclasses.replace(record, **{name: broken}))
        assert f" has {name} that are a " in text and "dimensions; connect the " in text


def test_records_whose_tensors_do_not_fit_each_other_or_the_model(graph, model, history, instruction):
    style, tokens = graph.style(model, history), graph.generate(model, instruction)
    for name in ("rows", "weights", "codes"):
        broken = dataclasses.replace(style, **{name: getattr(style, name)[:1]})
        text = sentence(graph.run, "DRC_MergeStyles", model=model, first=style, second=broken, ratio=0.5)
        assert f"second holds tensors for 1 and {len(style.rows)} pictures" in text
        assert "holds tensors for" in sentence(graph.compose, model, broken)
    for name in ("vectors", "text", "coefficients"):
        broken = dataclasses.replace(instruction, **{name: getattr(instruction, name)[:1]})
        assert "holds tensors for 1 and 3 streams" in sentence(graph.generate, model, broken)
    broken = dataclasses.replace(style, codes=style.codes + 10**6)
    assert "codes from 10" in sentence(graph.run, "DRC_MergeStyles", model=model, first=style, second=broken, ratio=0.5)
    assert "codes from 10" in sentence(graph.decode, model, dataclasses.replace(tokens, codes=tokens.codes + 10**6))


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
