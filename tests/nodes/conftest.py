"""The pack's nodes on tiny models."""

import asyncio
import importlib
import shutil
from dataclasses import replace

import pytest
import torch
from PIL import Image, ImageDraw

from drc.checkpoint import load, save
from scripts.lib.tiny import write_tiny


@pytest.fixture(scope="session")
def classes(pack):
    """Node id -> class."""
    extension = asyncio.run(pack.comfy_entrypoint())
    return {node.GET_SCHEMA().node_id: node for node in asyncio.run(extension.get_node_list())}


@pytest.fixture(scope="session")
def models(classes, tmp_path_factory):
    """A model folder that the host knows, with two tiny models and one whose towers were never trained."""
    import folder_paths

    folder = tmp_path_factory.mktemp("drc")
    write_tiny(folder / "tiny.safetensors")
    write_tiny(folder / "other.safetensors", seed=1)
    write_tiny(folder / "untrained.safetensors", stage=0)
    folder_paths.add_model_folder_path("drc", str(folder))
    return folder


@pytest.fixture(autouse=True)
def downloads(tmp_path, monkeypatch):
    """What the server's owner lists, so that nodes may read it."""
    import folder_paths

    folder = tmp_path / "download"
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "datasets", ([str(folder)], set()))
    return folder


class Graph:
    """The nodes as functions, under the host's inference mode, with the schema's defaults."""

    def __init__(self, classes):
        self.classes = classes

    def run(self, node_id, **inputs):
        return self.outputs(node_id, **inputs)[0]

    def outputs(self, node_id, **inputs):
        node = self.classes[node_id]
        defaults = {widget.id: widget.default for widget in node.GET_SCHEMA().inputs if hasattr(widget, "default")}
        with torch.inference_mode():
            return node.execute(**{**defaults, **inputs})[:]

    def load(self, name="tiny.safetensors"):
        return self.run("DRC_LoadModel", model_name=name)

    def style(self, model, history, weights=""):
        return self.run("DRC_StyleTower", model=model, history=history, weights=weights)

    def semantics(self, model, reference):
        return self.run("DRC_SemanticTower", model=model, reference=reference)

    def compose(self, model, style=None, semantics=None, **widgets):
        return self.run("DRC_ComposeInstruction", model=model, style=style, semantics=semantics, **widgets)

    def generate(self, model, instruction, **widgets):
        return self.run("DRC_LMMGenerate", model=model, instruction=instruction, **widgets)

    def decode(self, model, tokens, **widgets):
        return self.run("DRC_DecodeTokens", model=model, tokens=tokens, **widgets)


@pytest.fixture(scope="session")
def graph(classes, models):
    return Graph(classes)


@pytest.fixture(scope="session")
def model(graph):
    return graph.load()


@pytest.fixture(scope="session")
def lavit(graph, models, tiny_lavit):
    """A converted LaVIT with nothing trained on top."""
    shutil.copytree(tiny_lavit / "drc" / "tiny-lavit", models / "tiny-lavit")
    return graph.load("tiny-lavit")


@pytest.fixture(scope="session")
def lavit_towers(lavit, models):
    """The file of towers over it, as they are when a training begins."""
    drc = load(lavit.path)
    drc.about, path = replace(drc.about, stage=2), models / "lavit-towers.safetensors"
    save(drc, path)
    return path


@pytest.fixture(scope="session")
def history():
    return torch.rand(5, 40, 48, 3, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="session")
def reference():
    return torch.rand(1, 32, 32, 3, generator=torch.Generator().manual_seed(2))


@pytest.fixture(scope="session")
def instruction(graph, model, history, reference):
    return graph.compose(model, graph.style(model, history), graph.semantics(model, reference), text="red apple")


@pytest.fixture
def host_folders(models, tmp_path, monkeypatch):
    """The host's folders, empty but for the tiny models."""
    import folder_paths

    for name in ("input", "output", "models", "user"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(folder_paths, "user_directory", str(tmp_path / "user"))
    monkeypatch.setattr(folder_paths, "input_directory", str(tmp_path / "input"))
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path / "output"))
    monkeypatch.setattr(folder_paths, "models_dir", str(tmp_path / "models"))
    drc = [str(models), str(tmp_path / "models" / "drc")]
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "drc", (drc, {".safetensors"}))
    return tmp_path


@pytest.fixture
def execute(classes, host_folders, pack, monkeypatch):
    """Runs a node with its defaults and gives all its outputs."""
    importlib.import_module(f"{pack.__name__}.drc.train.data.training_data")
    monkeypatch.setattr(pack.drc.train.data.training_data, "VALIDATION_CASES", 4)  # enough of two pictures held back

    def run(node_id, **inputs):
        node = classes[node_id]
        defaults = {widget.id: widget.default for widget in node.GET_SCHEMA().inputs if hasattr(widget, "default")}
        with torch.inference_mode():
            return node.execute(**defaults | inputs).result

    return run


@pytest.fixture
def assert_cancelled(pack, monkeypatch):
    """Runs what tells a bar of every step; somebody presses cancel at the third."""

    def run(call):
        from comfy import model_management

        steps = []

        class Bar:
            def update_absolute(self, value, preview=None):
                steps.append(value)
                if value == 3:
                    model_management.interrupt_current_processing()

        monkeypatch.setattr(pack.nodes.host.comfy.utils, "ProgressBar", lambda total: Bar())
        with pytest.raises(model_management.InterruptProcessingException):
            call()
        assert steps == [1, 2, 3]

    return run


@pytest.fixture
def make_pictures(host_folders):
    def make(name="mine", users=("anna", "ben"), count=3, shade=40):
        for place, user in enumerate(users):
            folder = host_folders / "input" / name / user
            folder.mkdir(parents=True)
            for number in range(count):
                picture = Image.new("RGB", (36, 32), "white")
                colour = (220 - 90 * place, shade, 60 * number)
                ImageDraw.Draw(picture).ellipse((4 * number, 5, 4 * number + 12, 12 + 6 * number), fill=colour)
                picture.save(folder / f"{number}.png")
        return name

    return make


@pytest.fixture
def triplets(execute, make_pictures):
    """Of three pictures of each of two users."""

    def make(name="mine", table="", shade=40, **settings):
        dataset, _ = execute("DRC_ImageDataset", source="folder", folder=make_pictures(name, shade=shade), table=table)
        return execute("DRC_Triplets", dataset=dataset, restyled_views=2, validation_share=0.34, shown=2, **settings)

    return make
