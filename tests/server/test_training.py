"""The training workflows on a real server: they train, tell how far they are, can be cancelled and gone on with."""

import json
import re
import time

import pytest
from PIL import Image, ImageDraw

from drc.train.config_file import read_config
from scripts.lib.client import Result
from scripts.lib.pictures import from_bytes
from scripts.lib.prompts import node_of, personalise
from scripts.lib.training_prompts import STAGE1, STAGE2, train_both, train_disentanglement, train_personalisation

from .conftest import assert_shown

TINY = "tiny.safetensors"
TIME_LEFT = r"about \d+ (s|min \d+ s) left( and \d validations?)?"
STATUS = re.compile(rf"step \d+ of 4, loss \d+\.\d{{3}}, \d+\.\d pictures a second, {TIME_LEFT}")


@pytest.fixture
def shortly(definitions):
    """A training prompt at its smallest; every training has a run of its own name."""

    def shortly(make, run_name, model_name=TINY, **widgets):
        widgets = {"steps": 4, "warm_up": 2, "batch_size": 2, "samples": 1, "run_name": run_name, **widgets}
        prompt = make(definitions, model_name, filename=run_name, **widgets)
        return with_inputs(prompt, "DRC_Triplets", restyled_views=2)

    return shortly


@pytest.fixture
def folder(server):
    """Makes a folder in the server's input folder, with pictures by name."""

    def folder(name, *pictures):
        root = server.folder / "input" / name
        root.mkdir()
        for number, picture in enumerate(pictures):
            (root / picture).parent.mkdir(exist_ok=True)
            image = Image.new("RGB", (48, 48), "white")
            ImageDraw.Draw(image).ellipse((8, 8, 20 + 3 * number, 40), (40 * number % 256, 90, 160))
            image.save(root / picture)
        return root

    return folder


def with_inputs(prompt, class_type, **inputs):
    prompt[node_of(prompt, class_type)]["inputs"].update(inputs)
    return prompt


def of_folder(prompt, name, **inputs):
    return with_inputs(prompt, "DRC_ImageDataset", source="folder", folder=name, **inputs)


def log_of(server, run):
    """The rows of a run's log without what the clock says."""
    rows = (server.folder / "output" / "drc" / run / "log.jsonl").read_text().splitlines()
    clock = ("seconds", "images_per_second", "waited")
    return [{key: value for key, value in json.loads(row).items() if key not in clock} for row in rows]


def drawn(client, result):
    assert result.error is None
    return from_bytes(client.fetch(result.images[-1]))


def test_stage_1_then_stage_2_then_pictures(client, definitions, shortly):
    first = shortly(train_disentanglement, "chain-1")
    result = client.run(first)
    assert result.error is None
    assert result.outputs[node_of(first, "DRC_SaveModel")]["text"][0].startswith(
        "Saved as models/drc/chain-1.safetensors."
    )

    second = shortly(train_personalisation, "chain-2", "chain-1.safetensors")
    result = client.run(second)
    assert result.error is None
    assert result.executed | result.cached == set(second)
    picture = max(second, key=int)  # of the group that draws with the trained model at once
    assert from_bytes(client.fetch(result.outputs[picture]["images"][0])).size == (128, 128)
    assert drawn(client, client.run(personalise(definitions, model_name="chain-2.safetensors"))).size == (32, 32)


def test_both_stages_wired_in_one_graph(client, definitions):
    prompt = train_both(definitions, TINY, steps=2, batch_size=2, samples=0)
    result = client.run(with_inputs(prompt, "DRC_Triplets", restyled_views=2))
    assert result.executed | result.cached == set(prompt)
    assert drawn(client, result).size == (128, 128)


def test_the_embedded_model_trains(client, definitions, shortly):
    prompt = shortly(train_disentanglement, "embedded", "embedded", steps=2, samples=0)
    assert client.run(with_inputs(prompt, "DRC_Triplets", restyled_views=1)).error is None
    picture = drawn(client, client.run(personalise(definitions, model_name="embedded.safetensors")))
    assert picture.size == (128, 128)
    assert len(picture.getcolors(picture.width * picture.height)) > 16


@pytest.mark.parametrize(("make", "trainer"), [(train_disentanglement, STAGE1), (train_personalisation, STAGE2)])
def test_it_tells_how_far_it_is(client, shortly, make, trainer):
    prompt = shortly(make, f"progress-{trainer}", validate_every=2)
    with_inputs(prompt, "DRC_Triplets", shown=2 if trainer == STAGE1 else 3)  # a sheet that no cache holds
    number, order = node_of(prompt, trainer), []
    result = Result(client.queue(prompt))
    for state in client.follow(result):
        order += [one for one in state.executed if one not in order]
    assert result.error is None
    pairs = next(one for one, node in prompt.items() if node["class_type"] == "PreviewImage")
    assert order.index(pairs) < order.index(number)

    steps = [(value, total) for node, value, total in result.progress if node == number]
    begun = max(place for place, step in enumerate(steps) if step == (0, 4))
    assert_shown(steps[begun:], [(step, 4) for step in range(5)])
    texts = [text for node, text in result.texts if node == number]
    assert sum(bool(STATUS.fullmatch(text)) for text in texts) == 3
    file = f"output/drc/progress-{trainer}_00001/step-000004/weights.safetensors"
    assert texts[-1] == f"learned 4 of 4 steps; the model is {file}"
    assert from_bytes(result.previews[0][8:]).width > 256

    curve, samples = (one for one, node in prompt.items() if node["inputs"].get("images", [""])[0] == number)
    assert len(result.outputs[curve]["images"]) == 1
    assert len(result.outputs[samples]["images"]) == 2  # one for each validation


def test_cancel_keeps_what_was_learned_and_resume_goes_on(client, server, shortly):
    endless = shortly(train_personalisation, "cancelled", steps=100_000, save_every=100_000, validate_every=100_000)
    number = node_of(endless, STAGE2)
    result = Result(client.queue(endless))
    for state in client.follow(result):
        if state.progress and state.progress[-1][0] == number and state.progress[-1][1:] >= (3, 100_000):
            seen = state.progress[-1][1]
            client.interrupt()
            break
    for _ in client.follow(result):
        pass
    assert result.interrupted and result.error is None
    step = int(re.fullmatch(r"stopped after step (\d+) of 100000; Run goes on from there", result.texts[-1][1])[1])
    assert seen <= step <= seen + 10  # some steps pass while the server hears of the interrupt
    checkpoint = f"cancelled_00001/step-{step:06d}/weights.safetensors"
    deadline = time.monotonic() + 30  # it is written to its end while nobody waits
    while not (server.folder / "output" / "drc" / checkpoint).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    definitions = client.node_definitions()
    assert checkpoint in str(definitions["DRC_LoadModel"]["input"]["required"]["model_name"])
    assert "state.safetensors" not in str(definitions["DRC_LoadModel"])
    assert drawn(client, client.run(personalise(definitions, model_name=checkpoint))).size == (32, 32)

    on = client.run(shortly(train_personalisation, "cancelled", steps=step + 2, save_every=100_000))
    assert on.error is None
    steps = [value for node, value, total in on.progress if (node, total) == (number, step + 2)]
    assert_shown(steps, [step, step + 1, step + 2])
    anew = client.run(shortly(train_personalisation, "cancelled", resume=False))
    assert anew.error is None
    assert log_of(server, "cancelled_00002")[-1]["step"] == 4


def test_a_finished_training_gives_its_model_and_says_so(client, shortly):
    assert client.run(shortly(train_disentanglement, "finished")).error is None
    again = shortly(train_disentanglement, "finished", samples=0)
    result = client.run(again)
    assert result.error is None and node_of(again, "DRC_SaveModel") in result.outputs
    texts = [text for node, text in result.texts if node == node_of(again, STAGE1)]
    assert "the run finished_00001 is complete: it already took 4 of 4" in texts[-1]
    on = client.run(shortly(train_disentanglement, "finished", steps=5))
    assert on.error is None


def test_write_the_settings_only(client, server, shortly):
    prompt = shortly(train_disentanglement, "settings", what_to_do="write the settings only", learning_rate=0.003)
    result = client.run(prompt)
    assert result.error is None
    assert node_of(prompt, "DRC_SaveModel") not in result.outputs
    file = server.folder / "output" / "drc" / "settings_00001" / "config.toml"
    assert result.texts[-1] == (node_of(prompt, STAGE1), f"Nothing was trained; the settings are in {file}")
    config = read_config(file)
    assert (config.training.stage, config.training.steps, config.training.rate) == (1, 4, 0.003)
    assert config.model.file == str(server.folder / "models" / "drc" / TINY)


def test_two_trainings_do_not_see_each_other(client, server, shortly, folder):
    folder("ours", "anna/1.png", "anna/2.png", "ben/3.png", "ben/4.png")
    folder("theirs", "carl/9.png", "carl/8.png", "carl/7.png")
    for run, pictures in (("ours", "ours"), ("theirs", "theirs"), ("ours again", "ours")):
        prompt = of_folder(shortly(train_personalisation, run), pictures)
        assert client.run(prompt).error is None
    assert log_of(server, "ours_00001") == log_of(server, "ours again_00001") != log_of(server, "theirs_00001")


def assert_sentence(result, prompt, class_type, *words):
    assert result.error, "the prompt ran"
    assert result.error["node_id"] == node_of(prompt, class_type)
    assert result.error["exception_type"] == "ValueError"
    message = result.error["exception_message"].strip()
    assert "\n" not in message and message.endswith(".")
    for word in words:
        assert word in message


def test_pictures_that_do_not_serve(client, shortly, folder):
    folder("no pictures")
    folder("one picture", "anna/1.png")
    root = folder("a table", "anna/1.png", "anna/2.png", "ben/3.png")
    (root / "missing.csv").write_text("image,user\nanna/1.png,anna\nanna/9.png,anna\n")
    for class_type, words, inputs in (
        ("DRC_ImageDataset", ("folder is 'nowhere'", "not there"), {"folder": "nowhere"}),
        ("DRC_ImageDataset", ("no pictures", "holds no picture"), {"folder": "no pictures"}),
        ("DRC_ImageDataset", ("missing.csv", "anna/9.png"), {"folder": "a table", "table": "missing.csv"}),
        ("DRC_Triplets", ("1 usable picture of 1 user", "at least 2"), {"folder": "one picture"}),
    ):
        prompt = with_inputs(shortly(train_disentanglement, "bad"), "DRC_ImageDataset", source="folder", **inputs)
        assert_sentence(client.run(prompt), prompt, class_type, *words)


def test_settings_that_do_not_serve(client, shortly):
    prompt = with_inputs(shortly(train_disentanglement, "bad"), "DRC_Triplets", pairing="labels")
    assert_sentence(client.run(prompt), prompt, "DRC_Triplets", "pairing is 'labels'")
    prompt = with_inputs(shortly(train_disentanglement, "bad"), "DRC_Triplets", restylings="gold leaf")
    assert_sentence(client.run(prompt), prompt, "DRC_Triplets", "gold")
    for words, widgets in (
        (("never trained", "stage 1"), {"model_name": "untrained.safetensors"}),
        (("run_name is 'a/b'",), {"run_name": "a/b"}),
        (("learning_rate is 0",), {"learning_rate": 0.0}),
    ):
        prompt = shortly(train_personalisation, **{"run_name": "bad", **widgets})
        with_inputs(prompt, "DRC_SaveModel", filename="bad")
        assert_sentence(client.run(prompt), prompt, STAGE2, *words)
