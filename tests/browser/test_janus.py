"""What a stranger does with the Janus workflows: open them, press Run, look at the picture.

The Janus, and the towers over it, are tiny and draw noise, under the names that the workflows use.
"""

import shutil
from dataclasses import replace

import pytest

from drc.checkpoint import load, save
from scripts.lib.janus_prompts import NAME, TOWERS, words
from scripts.lib.options import SEED
from scripts.lib.pictures import from_bytes
from scripts.lib.prompts import node_of, personalise
from scripts.lib.tiny_janus import write_tiny_janus

from .conftest import assert_open, assert_tidy_after_its_run, in_both_ways


def through_towers(definitions):
    prompt = personalise(definitions, seed=SEED, model_name=TOWERS)
    prompt[node_of(prompt, "DRC_ExamplePictures")]["inputs"]["example"] = "example 1"
    prompt[node_of(prompt, "SaveImage")]["inputs"]["filename_prefix"] = "drc-janus"
    return prompt


WORKFLOWS = {"janus_words": words, "janus_personalise": through_towers}


@pytest.fixture(scope="module", autouse=True)
def janus(server):
    """Among the server's models, as long as these tests run."""
    models = server.folder / "models"
    folder = write_tiny_janus(models, NAME)
    model = load(folder / "config.json")
    model.about = replace(model.about, stage=2)
    save(model, models / "drc" / TOWERS)
    yield
    shutil.rmtree(folder)
    (models / "drc" / TOWERS).unlink()


def test_without_towers_run_says_what_is_missing(page, server):
    """Nothing in the graph can be done without them, so that the page does not say that it was."""
    path = server.folder / "models" / "drc" / TOWERS
    kept = path.rename(path.with_suffix(".kept"))
    page.load_template("janus_personalise")
    page.press_run()
    page.tab.get_by_role("dialog").get_by_text(f"model_name is '{TOWERS}', but there is no such").wait_for()
    kept.rename(path)


@in_both_ways(WORKFLOWS)
def test_template_opens_and_draws(page, client, definitions, name):
    page.open_template(name)
    assert_open(page, WORKFLOWS[name](definitions))
    page.press_run()
    (image,) = page.pictures_in("Picture")
    assert from_bytes(client.fetch(image)).size == (8, 8)
    page.screenshot(f"{name}-done")
    assert page.errors == []
    assert page.alerts() == []
    assert_tidy_after_its_run(page)
