"""Janus on a real server: a tiny one that draws noise, from words, through its codes, and with trained towers."""

import shutil

import pytest

from scripts.lib.janus_prompts import reconstruct, train_and_personalise, words
from scripts.lib.pictures import pictures_of
from scripts.lib.prompts import node_of, personalise

NAME = "tiny-janus"


@pytest.fixture(scope="module", autouse=True)
def janus(server, tiny_janus):
    """Among the server's models."""
    shutil.copytree(tiny_janus, server.folder / "models", dirs_exist_ok=True)


def test_a_picture_is_drawn_again_from_its_codes(client, definitions):
    (picture,) = pictures_of(client, client.run(reconstruct(definitions, NAME)))
    assert picture.size == (8, 8) and len(picture.getcolors()) > 8


def test_words_draw_a_picture_for_each_seed(client, definitions):
    prompt = words(definitions, NAME, seed=3, batch_size=2)
    result = client.run(prompt)
    first, second = (picture.tobytes() for picture in pictures_of(client, result))
    steps = [(value, total) for node, value, total in result.progress if node == node_of(prompt, "DRC_LMMGenerate")]
    assert steps[-1] == (16, 16) and steps == sorted(steps)
    (alone,) = pictures_of(client, client.run(words(definitions, NAME, seed=4)))
    assert alone.tobytes() == second != first


def test_towers_are_trained_and_then_drawn_with(client, definitions):
    training = {"steps": 4, "warm_up": 2, "batch_size": 2, "validate_every": 2, "run_name": "janus", "resume": False}
    prompt = train_and_personalise(definitions, NAME, **training)
    prompt[node_of(prompt, "DRC_Triplets")]["inputs"]["restyled_views"] = 1
    result = client.run(prompt)
    assert pictures_of(client, result)[-1].size == (8, 8)
    again = personalise(definitions, model_name="my-janus.safetensors")
    assert pictures_of(client, client.run(again))[0].size == (8, 8)
