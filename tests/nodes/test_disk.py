"""What stands in the way on a disk is one sentence that names the place and says what to do."""

import pytest
from PIL import Image

from scripts.lib.disk import full_disk, names
from scripts.lib.sentence import sentence_shown as sentence

from .test_training_nodes import QUICK, STAGES


def test_a_file_where_a_folder_belongs(execute, graph, model, triplets, host_folders):
    pairs, _ = triplets()
    (host_folders / "output" / "drc").write_text("a file")
    (host_folders / "models" / "drc").write_text("a file")
    texts = [
        sentence(execute, STAGES[0], model=model, triplets=pairs, **QUICK),
        sentence(execute, "DRC_SaveModel", model=model),
        sentence(execute, "DRC_Evaluate", model=model, dataset=pairs.dataset, cases=1),
    ]
    for text, node in zip(texts, ("Train Disentanglement", "Save DRC Model", "DRC Evaluate"), strict=True):
        assert text.startswith(f"{node}: ") and str(host_folders) in text and " could not be " in text


@pytest.mark.parametrize("name", ["config.toml", "log.jsonl"])
def test_a_folder_where_a_file_of_a_run_belongs(execute, model, triplets, host_folders, name):
    place = host_folders / "output" / "drc" / "mine_00001" / name
    place.mkdir(parents=True)
    (place / "kept").write_text("kept")
    text = sentence(execute, STAGES[0], model=model, triplets=triplets()[0], run_name="mine", **QUICK)
    assert text.startswith(f"Train Disentanglement: '{place}' could not be read or written (Is a directory); take that")
    assert (place / "kept").read_text() == "kept"


@pytest.mark.parametrize("node", ["DRC_SaveModel", "DRC_SaveStyle", *STAGES])
def test_a_full_disk_and_room_again(execute, graph, model, triplets, history, host_folders, node):
    """A sentence, nothing half, and what was there stays; with room again the same node does its work."""
    inputs = {"model": model}
    if node == "DRC_SaveStyle":
        inputs["style"] = graph.style(model, history)
    elif node in STAGES:
        inputs |= QUICK | {"triplets": triplets()[0], "run_name": "mine"}
    before = names(host_folders / "models")
    with full_disk(1000):
        text = sentence(execute, node, **inputs)
    assert " could not be read or written (File too large); " in text or "make room on that disk" in text, text
    assert names(host_folders / "models") in (before, ["drc"], ["drc_styles"])
    assert not [name for name in names(host_folders / "output") if name.endswith("whole")]
    assert execute(node, **inputs)[0]


def test_names_that_no_disk_takes(execute, host_folders):
    (host_folders / "input" / "mine").mkdir()
    Image.new("RGB", (8, 8)).save(host_folders / "input" / "mine" / "1.png")
    for inputs in ({"folder": "x" * 300}, {"folder": "mine", "table": "x" * 300}, {"folder": "/" + "x" * 300}):
        text = sentence(execute, "DRC_ImageDataset", source="folder", **inputs)
        assert text.startswith("Image Dataset: ") and "x" * 300 in text


def test_runs_that_somebody_numbered(execute, model, triplets, host_folders):
    runs = host_folders / "output" / "drc"
    for name in ("mine_\u00b2", "mine_7", "mine_00002x", "mine_00001"):
        (runs / name).mkdir(parents=True)
    result, _, _ = execute(STAGES[0], model=model, triplets=triplets()[0], run_name="mine", **QUICK)
    assert result.name.startswith("mine_00001/")
