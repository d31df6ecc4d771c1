"""Where a model is saved is where it is found, whatever other model folders hold."""

import shutil
from pathlib import Path

import folder_paths
import pytest

from drc.files import file_hash
from scripts.lib.sentence import sentence_shown as sentence
from scripts.lib.tiny import write_tiny


@pytest.fixture
def folders(pack, load_extra_paths, tmp_path, monkeypatch):
    """models/drc, a folder that extra_model_paths.yaml calls drc, and output/drc, as a started host knows them."""
    own, extra, trained = (tmp_path / name / "drc" for name in ("models", "extra", "output"))
    for folder in (own, extra, trained):
        folder.mkdir(parents=True)
    monkeypatch.setattr(folder_paths, "models_dir", str(own.parent))
    monkeypatch.setattr(folder_paths, "output_directory", str(trained.parent))
    monkeypatch.delitem(folder_paths.folder_names_and_paths, "drc")
    (tmp_path / "extra_model_paths.yaml").write_text(f"mine:\n  base_path: {extra.parent}\n  drc: drc\n")
    load_extra_paths(str(tmp_path / "extra_model_paths.yaml"))
    pack.nodes.paths.register()
    return own, extra, trained


def offered(graph):
    return graph.classes["DRC_LoadModel"].GET_SCHEMA().inputs[0].options


@pytest.mark.parametrize("place", ["extra", "output"])
def test_what_was_saved_is_what_is_loaded(graph, model, folders, place):
    _, extra, trained = folders
    write_tiny((extra if place == "extra" else trained) / "mine.safetensors", seed=1)
    name = graph.run("DRC_SaveModel", model=model, filename="mine", precision="32 bit")
    assert name == "mine-2.safetensors" and name in offered(graph)
    assert graph.load(name).path == folders[0] / name
    assert graph.load("mine.safetensors").path.parents[0] in (extra, trained)


def test_where_a_file_lies_is_told_from_comfyui_on(graph, folders, pack):
    told = [pack.nodes.paths.below_comfyui(folder / "mine.safetensors") for folder in folders]
    assert told == ["models/drc/mine.safetensors", f"{folders[1]}/mine.safetensors", "output/drc/mine.safetensors"]


def test_a_large_model_that_is_not_there_is_to_be_downloaded(graph, folders, root):
    (folders[0] / "begun").mkdir()
    for name in ("Janus-Pro-1B", "LaVIT-7B-v2", "begun"):
        text = sentence(graph.load, name)
        assert f"has no folder of that name with a Janus or a LaVIT in it; download it first, as {root.name}/" in text
        documents = [root.parent / word.strip(",") for word in text.split() if word.strip(",").endswith(".md")]
        assert len(documents) == 2 and all(document.is_file() for document in documents)
    assert "there is no such safetensors file" in sentence(graph.load, "my-janus.safetensors")


def test_names_that_a_page_would_run_are_not_offered(graph, folders):
    harmful = "<img src=x onerror=alert(1)>", "<b>/a", "a\u202eb", "a\nb"
    for name in (*(f"{one}.safetensors" for one in harmful), "a & b.sft"):
        (folders[2] / name).parent.mkdir(exist_ok=True)
        write_tiny(folders[2] / name)
    (folders[2] / "<i>").mkdir()
    (folders[2] / "<i>" / "lavit.json").touch()
    assert offered(graph) == ["embedded", "a & b.sft"]
    assert "there is no such safetensors file" in sentence(graph.load, "<b>/a.safetensors")


def test_the_name_of_a_state_is_one_of_a_model_too(graph, model, folders):
    name = graph.run("DRC_SaveModel", model=model, filename="state")
    assert name in offered(graph) and graph.load(name).path == folders[0] / name


def test_models_of_one_name_are_listed_apart(graph, folders):
    own, extra, trained = folders
    hashes = [file_hash(write_tiny(folder / "mine.safetensors", seed=seed)) for seed, folder in enumerate(folders)]
    write_tiny(extra / "only.safetensors")
    names = ["mine.safetensors", f"mine.safetensors (in {extra})", "mine.safetensors (in output/drc)"]
    assert offered(graph) == ["embedded", *names, "only.safetensors"]
    assert [graph.load(name).drc.hash for name in names] == hashes
    loader = graph.classes["DRC_LoadModel"]
    assert len({loader.fingerprint_inputs(name) for name in names}) == 3
    (own / "mine.safetensors").unlink()
    assert offered(graph) == ["embedded", "mine.safetensors", names[2], "only.safetensors"]
    assert graph.load(names[1]).drc.hash == hashes[1]  # what a workflow says goes on to mean the same
    for name in (f"mine.safetensors (in {own})", f"../drc/mine.safetensors (in {trained.parent})"):
        assert "no such safetensors file" in sentence(graph.load, name)


def test_a_link_to_a_model_folder_offers_nothing_twice(graph, folders, pack, tmp_path):
    own, extra, trained = folders
    for place, folder in (("linked", extra), ("again", trained)):
        (tmp_path / place).symlink_to(folder)
        folder_paths.add_model_folder_path("drc", str(tmp_path / place), is_default=True)
    write_tiny(extra / "mine.safetensors")
    write_tiny(trained / "mine_00001" / "step-000001" / "weights.safetensors")
    names = ["mine.safetensors", "mine_00001/step-000001/weights.safetensors"]
    assert offered(graph) == ["embedded", *names]
    assert pack.nodes.paths.called(names[1], trained) == names[1] and graph.load(names[1]).drc.hash


def test_a_training_that_shadows_is_listed_apart(graph, folders, pack):
    own, _, trained = folders
    name = "mine_00001/step-000003/weights.safetensors"
    for seed, folder in enumerate((own, trained)):
        write_tiny(folder / name, seed=seed)
        write_tiny((folder / name).with_name("state.safetensors"))
    assert offered(graph) == ["embedded", name, f"{name} (in output/drc)"]
    assert pack.nodes.paths.called(name, trained) == f"{name} (in output/drc)"
    assert graph.load(f"{name} (in output/drc)").path == trained / name


def test_what_is_kept_between_trainings_is_no_model_and_lies_apart_from_the_pictures(graph, folders, pack):
    *_, trained = folders
    write_tiny(trained / ".cache" / "codes.safetensors")  # where earlier versions kept it
    assert offered(graph) == ["embedded"]
    kept = pack.nodes.paths.code_cache()
    assert kept == Path(folder_paths.get_user_directory()) / "__drc" and trained.parent not in kept.parents


def test_converted_sets_of_one_name_are_listed_apart(graph, folders, tiny_lavit, tmp_path):
    own, extra, trained = folders
    for folder in (own, extra):
        shutil.copytree(tiny_lavit / "drc" / "tiny-lavit", folder / "mine")
    write_tiny(trained / "mine" / "step-000001" / "weights.safetensors")
    inner = "mine/step-000001/weights.safetensors"
    assert offered(graph) == ["embedded", "mine", f"mine (in {extra})", inner]
    assert [graph.load(name).path.parents[1] for name in ("mine", f"mine (in {extra})")] == [own, extra]
    assert graph.load(inner).path == trained / inner
    shutil.rmtree(own / "mine")
    for name, holder in (("mine", f"one in {extra}"), ("embedded", "that of this pack")):
        text = sentence(graph.run, "DRC_ConvertLaVIT", folder=str(tmp_path / "download"), name=name)
        assert text == (
            f"Convert LaVIT: name is '{name}', but Load DRC Model has a model of that name, {holder}; choose another "
            "name."
        )
    assert not list(own.iterdir())


@pytest.mark.parametrize("place", [1, 2])
def test_a_folder_that_its_user_deletes_is_no_longer_listed(graph, folders, place):
    write_tiny(folders[0] / "kept.safetensors")
    write_tiny(folders[place] / "gone.safetensors")
    assert "gone.safetensors" in offered(graph)
    shutil.rmtree(folders[place])
    assert "kept.safetensors" in offered(graph) and "gone.safetensors" not in offered(graph)
