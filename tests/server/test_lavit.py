"""LaVIT on a real server: a tiny one that draws noise, through the host's own loaders and sampler."""

import shutil

import pytest

from scripts.lib.client import Result
from scripts.lib.lavit_prompts import (
    convert,
    personalise_in_context,
    personalise_with_towers,
    reconstruct,
    train_and_personalise,
)
from scripts.lib.pictures import from_bytes, pictures_of
from scripts.lib.prompts import node_of
from scripts.lib.tiny_lavit import write_published
from scripts.lib.training_prompts import STAGE1, STAGE2

from .conftest import SHOWS_ALL

NAME = "tiny-lavit"
QUICK = {"lavit": NAME, "size": 64, "steps": 2}


@pytest.fixture(scope="module", autouse=True)
def lavit(server, tiny_lavit):
    """Among the server's models."""
    shutil.copytree(tiny_lavit, server.folder / "models", dirs_exist_ok=True)


def progress_of(result, number):
    return [(value, total) for node, value, total in result.progress if node == number]


def offered(client):
    return client.node_definitions()["DRC_LoadModel"]["input"]["required"]["model_name"][1]["options"]


def test_a_picture_is_drawn_again_from_its_codes(client, definitions):
    prompt = reconstruct(definitions, NAME, **QUICK)
    result = client.run(prompt)
    (picture,) = pictures_of(client, result)
    assert picture.size == (64, 64) and len(picture.getcolors(64 * 64)) > 16
    assert result.executed | result.cached == set(prompt)
    assert progress_of(result, node_of(prompt, "DRC_TokenizeImage"))[-1] == (1, 1)
    assert progress_of(result, node_of(prompt, "KSampler"))[-1] == (2, 2)
    assert result.previews  # of the host's sampler


def test_history_reference_and_words_in_one_prompt(client, definitions):
    def drawn(seed, batch_size=1):
        prompt = personalise_in_context(
            definitions, NAME, **QUICK, text="a red apple", seed=seed, batch_size=batch_size
        )
        return prompt, client.run(prompt)

    prompt, result = drawn(3, 2)
    assert len(pictures_of(client, result)) == 2
    steps = progress_of(result, node_of(prompt, "DRC_LMMGenerate"))
    assert steps[-1] == (25, 25) and steps == sorted(steps) and len(set(steps)) > (3 if SHOWS_ALL else 1)
    looked = progress_of(result, node_of(prompt, "DRC_ComposeInContext"))
    assert looked[-1][0] == looked[-1][1] == 7  # pictures of the example
    (alone,), (other,) = (pictures_of(client, drawn(seed)[1]) for seed in (3, 4))
    assert alone.tobytes() != other.tobytes()
    assert pictures_of(client, drawn(3)[1])[0].tobytes() == alone.tobytes()


def test_cancel_stops_while_it_draws_and_leaves_the_server_well(client, definitions):
    slow = personalise_in_context(definitions, NAME, **QUICK, text="apple " * 500, batch_size=64)
    generate = node_of(slow, "DRC_LMMGenerate")
    result = Result(client.queue(slow))
    for state in client.follow(result):
        if state.progress and state.progress[-1][0] == generate:
            seen = state.progress[-1][1]
            client.interrupt()
            break
    for _ in client.follow(result):
        pass
    assert result.interrupted and result.error is None and not result.images
    assert result.progress[-1][0] == generate and seen <= result.progress[-1][1] <= seen + 16
    assert result.progress[-1][1] < 25
    assert pictures_of(client, client.run(personalise_in_context(definitions, NAME, **QUICK)))


def test_towers_are_trained_and_then_drawn_with(client, definitions):
    training = {"steps": 4, "warm_up": 2, "batch_size": 2, "validate_every": 2, "run_name": "lavit", "resume": False}
    prompt = train_and_personalise(definitions, NAME, size=64, **training)
    prompt[node_of(prompt, "DRC_Triplets")]["inputs"]["restyled_views"] = 1
    result = client.run(prompt)
    assert pictures_of(client, result)[-1].size == (64, 64)
    for place, stage in enumerate((STAGE1, STAGE2), 1):
        number = node_of(prompt, stage)
        run = f"lavit_{place:05d}"
        texts = [text for node, text in result.texts if node == number]
        assert texts[-1] == f"learned 4 of 4 steps; the model is output/drc/{run}/step-000004/weights.safetensors"
        curve, samples = (one for one, node in prompt.items() if node["inputs"].get("images", [""])[0] == number)
        assert len(result.outputs[curve]["images"]) == 1
        ((grey, where),) = from_bytes(client.fetch(result.outputs[samples]["images"][0])).getcolors()
        assert grey == 1  # no sample was drawn
    names = ["my-lavit.safetensors", "lavit_00002/step-000004/weights.safetensors"]
    assert set(names) <= set(offered(client))
    for name in names:
        again = personalise_with_towers(definitions, name, **QUICK, text="a red apple")
        assert pictures_of(client, client.run(again))[0].size == (64, 64)


def test_a_download_is_converted_and_then_offered(client, server, definitions):
    folder = write_published(server.folder / "models" / "published")
    prompt = convert(definitions, str(folder), "converted")
    assert "converted" not in offered(client)
    result = client.run(prompt)
    assert result.error is None
    ((text,),) = (output["text"] for output in result.outputs.values())
    assert "drc/converted/vision.safetensors" in text and "diffusion_models/converted-unet.safetensors" in text
    assert "was there" not in text and "Llama 2" in text
    steps = progress_of(result, "1")
    assert steps[-1][0] == steps[-1][1] > 1_000_000
    assert result.texts[-1][1].startswith("Done. Press R, then choose converted in Load DRC Model.")
    assert "converted" in offered(client) and not any(name.startswith("converted/") for name in offered(client))
    assert pictures_of(client, client.run(reconstruct(definitions, "converted", **QUICK)))

    again = client.run(prompt)
    ((text,),) = (output["text"] for output in again.outputs.values())
    assert "written" not in text and "was there" in text


@pytest.mark.parametrize(
    ("model_name", "class_types", "words"),
    [
        (NAME, ("DRC_StyleTower", "DRC_SemanticTower"), "run the workflow train_disentanglement, then train_personali"),
        ("tiny.safetensors", ("DRC_TokensToConditioning",), "expected one over LaVIT; choose a converted LaVIT"),
    ],
)
def test_a_model_that_does_not_serve_is_a_sentence(client, definitions, model_name, class_types, words):
    error = client.run(personalise_with_towers(definitions, model_name, **QUICK)).error
    assert error["node_type"] in class_types and error["exception_type"] == "ValueError"
    message = error["exception_message"].strip()
    assert words in message and "\n" not in message and message.endswith(".")
