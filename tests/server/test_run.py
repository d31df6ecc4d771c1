"""The personalise workflow on a real server, over its websocket."""

import json

import pytest

from scripts.lib.client import Result
from scripts.lib.pictures import from_bytes
from scripts.lib.prompts import evaluate, look_closer, node_of, personalise

from .conftest import SHOWS_ALL


def test_example_pictures_give_a_picture_with_progress_and_previews(client, definitions):
    prompt = personalise(definitions, seed=1)
    generate = node_of(prompt, "DRC_LMMGenerate")
    prompt[generate]["inputs"]["batch_size"] = 4  # long enough for a preview, however fast the machine
    result = client.run(prompt)
    assert result.error is None
    assert result.executed | result.cached == set(prompt)
    drawn = from_bytes(client.fetch(result.images[0]))
    assert len(drawn.getcolors(drawn.width * drawn.height)) > 16

    steps = [(value, total) for number, value, total in result.progress if number == generate]
    assert steps[-1][0] == steps[-1][1]
    assert [value for value, _ in steps] == sorted({value for value, _ in steps})
    assert result.previews


def test_uploaded_pictures_of_mixed_sizes_and_text(client, definitions, upload):
    history = [upload(f"{number}.png", (64 + 9 * number, 80)) for number in range(3)]
    reference = upload("reference.png", (200, 50), "orange")
    result = client.run(personalise(definitions, history, reference, text="cat", model_name="tiny.safetensors"))
    assert result.error is None
    assert result.images


def test_words_that_the_model_never_saw_are_told_on_the_node(client, definitions):
    prompt = personalise(definitions, text="\u732b", model_name="tiny.safetensors")
    result = client.run(prompt)
    assert result.error is None
    told = "The model never saw \u732b, and does not know what that means"
    assert result.texts == [(node_of(prompt, "DRC_ComposeInstruction"), told)]


@pytest.mark.parametrize("seed", [0, 2**64 - 1])
def test_smallest_and_largest_seed(client, definitions, seed):
    result = client.run(personalise(definitions, seed=seed, model_name="tiny.safetensors"))
    assert result.error is None


def test_cancel_stops_between_two_codes_and_leaves_the_server_well(client, definitions):
    prompt = personalise(definitions, seed=3)
    generate = node_of(prompt, "DRC_LMMGenerate")
    result = Result(client.queue(prompt))
    for state in client.follow(result):
        if state.progress and state.progress[-1][0] == generate:
            seen = len(state.progress)
            client.interrupt()
            break
    for _ in client.follow(result):
        pass
    assert result.interrupted
    assert result.error is None
    assert not result.images
    # A message or two may be under way while the server hears of the interrupt.
    assert len(result.progress) <= seen + 10
    assert result.progress[-1][1] < result.progress[-1][2]

    again = client.run(prompt)
    assert again.error is None
    assert again.images


def test_every_node_has_a_help_page(client, definitions, server):
    nodes = [name for name in definitions if name.startswith("DRC_")]
    assert len(nodes) == 31
    for node in nodes:
        assert client.get(f"/extensions/{server.pack}/docs/{node}.md").startswith(b"#")


def test_a_closer_look(client, definitions):
    result = client.run(look_closer(definitions, model_name="tiny.safetensors"))
    assert result.error is None
    assert len(result.images) == 4


def test_evaluate_measures_the_shipped_model(client, definitions, server):
    prompt = evaluate(definitions, cases=4)
    result = client.run(prompt)
    assert result.error is None
    assert len(result.images) >= 4  # two tables, plots of two judges, a sheet
    steps = [value for number, value, _ in result.progress if number == node_of(prompt, "DRC_Evaluate")]
    assert steps == sorted(steps) and len(set(steps)) > (100 if SHOWS_ALL else 10)  # it moves while a batch is drawn

    report = server.folder / "output" / "drc" / "evaluations" / "evaluation"
    results = json.loads((report / "results.json").read_text())
    assert len(results["tests"]["R"]["cases"]) == 4
    for answers in results["tests"]["R"]["judges"].values():
        found = answers["5"]
        assert found["the target itself"]["joint_top1"] == [1, 1, 1, 1]
        assert found["copy the reference"]["style_top1"] == [0, 0, 0, 0]
        assert len(found["embedded"]["joint_top1"]) == 4
    assert (report / "index.html").stat().st_size > 10_000

    pictures = {path: path.stat().st_mtime_ns for path in (report / "drawn").rglob("*.png")}
    assert client.run(evaluate(definitions, cases=4, tests="R")).error is None
    assert {path: path.stat().st_mtime_ns for path in (report / "drawn").rglob("*.png")} == pictures  # none again
