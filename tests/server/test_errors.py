"""Bad input reaches the user as one sentence on the node that got it, and names the input."""

import pytest

from scripts.lib.client import PromptError
from scripts.lib.prompts import node_of, personalise


@pytest.fixture
def prompt(definitions):
    return personalise(definitions, model_name="tiny.safetensors")


def assert_sentence(result, prompt, class_type, *words):
    assert result.error, "the prompt ran"
    assert result.error["node_id"] == node_of(prompt, class_type)
    assert result.error["exception_type"] == "ValueError"
    message = result.error["exception_message"].strip()
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("weights", ["1, 2", "-1, 1, 1, 1, 1, 1", "0 0 0 0 0 0", "nan 1 1 1 1 1", "a lot"])
def test_weights_that_do_not_fit(client, prompt, weights):
    prompt[node_of(prompt, "DRC_StyleTower")]["inputs"]["weights"] = weights
    assert_sentence(client.run(prompt), prompt, "DRC_StyleTower", "weights")


def test_many_references(client, prompt):
    prompt[node_of(prompt, "DRC_SemanticTower")]["inputs"]["reference"] = [node_of(prompt, "DRC_ExamplePictures"), 0]
    assert_sentence(client.run(prompt), prompt, "DRC_SemanticTower", "reference", "8")


def test_text_that_does_not_fit(client, prompt):
    prompt[node_of(prompt, "DRC_ComposeInstruction")]["inputs"]["text"] = "a word and another " * 50
    assert_sentence(client.run(prompt), prompt, "DRC_ComposeInstruction", "text")


def test_towers_that_were_never_trained(client, definitions):
    prompt = personalise(definitions, text="cat", model_name="untrained.safetensors")
    assert_sentence(client.run(prompt), prompt, "DRC_StyleTower", "never trained")


def test_damaged_model(client, definitions):
    prompt = personalise(definitions, model_name="damaged.safetensors")
    assert_sentence(client.run(prompt), prompt, "DRC_LoadModel", "damaged.safetensors")


def test_instruction_of_another_model(client, prompt):
    prompt["other"] = {"class_type": "DRC_LoadModel", "inputs": {"model_name": "other.safetensors"}}
    prompt[node_of(prompt, "DRC_LMMGenerate")]["inputs"]["model"] = ["other", 0]
    assert_sentence(client.run(prompt), prompt, "DRC_LMMGenerate", "instruction", "other.safetensors")


@pytest.mark.parametrize(
    ("class_type", "name", "value"),
    [
        ("DRC_LoadModel", "model_name", "missing.safetensors"),
        ("DRC_ComposeInstruction", "style_strength", -1.0),
        ("DRC_LMMGenerate", "seed", -1),
        ("DRC_LMMGenerate", "batch_size", 0),
    ],
)
def test_widget_out_of_range_is_refused_before_anything_runs(client, prompt, class_type, name, value):
    number = node_of(prompt, class_type)
    prompt[number]["inputs"][name] = value
    with pytest.raises(PromptError, match=name) as refused:
        client.queue(prompt)
    assert list(refused.value.errors) == [number]


@pytest.mark.parametrize(
    ("class_type", "name", "primitive", "value"),
    [
        ("DRC_ComposeInstruction", "style_strength", "PrimitiveFloat", float("nan")),
        ("DRC_ComposeInstruction", "semantic_mask", "PrimitiveFloat", 5.0),
        ("DRC_LMMGenerate", "seed", "PrimitiveInt", -1),
        ("DRC_LMMGenerate", "batch_size", "PrimitiveInt", 2**40),
        ("DRC_LMMGenerate", "temperature", "PrimitiveFloat", -1.5),
    ],
)
def test_what_comes_by_a_link_is_checked_like_a_widget(client, prompt, class_type, name, primitive, value):
    prompt["linked"] = {"class_type": primitive, "inputs": {"value": value}}
    prompt[node_of(prompt, class_type)]["inputs"][name] = ["linked", 0]
    assert_sentence(client.run(prompt), prompt, class_type, f": {name} is ", "expected a")


def test_a_choice_that_there_is_not(client, prompt):
    """Some hosts leave the choices of such nodes to them, others refuse before anything runs."""
    number = node_of(prompt, "DRC_ExamplePictures")
    prompt[number]["inputs"]["example"] = "example 9"
    try:
        result = client.run(prompt)
    except PromptError as refused:
        assert list(refused.errors) == [number] and "example: 'example 9' not in" in str(refused)
    else:
        assert_sentence(result, prompt, "DRC_ExamplePictures", "example is 'example 9', expected one of")


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (8192, 8192)])
def test_extreme_sizes_are_drawn_from(client, definitions, upload, size):
    name = upload("extreme.png", size)
    result = client.run(personalise(definitions, [name], name, model_name="tiny.safetensors"))
    assert result.error is None
    assert result.images
