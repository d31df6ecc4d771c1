"""Image Dataset as the host calls it."""

import itertools
import math
import os
import shutil

import pytest
from PIL import Image

real_scandir = os.scandir


@pytest.fixture(scope="module")
def node(classes):
    return classes["DRC_ImageDataset"]


@pytest.fixture
def input_folder(tmp_path, monkeypatch):
    import folder_paths

    folder = tmp_path / "input"
    folder.mkdir()
    monkeypatch.setattr(folder_paths, "input_directory", str(folder))
    return folder


@pytest.fixture
def pictures(input_folder):
    folder = input_folder / "mine"
    for number, name in enumerate(("anna/cat.png", "anna/dog.png", "ben/cat.png")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (number, 0, 0)).save(folder / name)
    return folder


def sentence(node, **inputs):
    with pytest.raises(ValueError) as error:
        node.execute(**inputs)
    text = str(error.value)
    assert text.startswith("Image Dataset: ") and text.endswith(".") and "\n" not in text
    return text


def test_untouched_it_reads_the_examples_without_their_references(node, classes):
    dataset, report = node.execute(source=node.GET_SCHEMA().inputs[0].default)
    examples = classes["DRC_ExamplePictures"].GET_SCHEMA().inputs[0].options
    emoji = [example.replace(" ", "-") for example in examples if example.startswith("example")]
    assert dataset.report.users == dict.fromkeys(emoji, 6)
    assert not any("reference" in entry.name for entry in dataset.entries)
    assert report.startswith("18 pictures of 3 users.\n") and "- `example-1`: 6\n" in report


def test_the_report_is_shown(node, pictures):
    output = node.execute(source="folder", folder="mine")
    assert output.ui.as_dict() == {"text": (output.result[1],)}
    assert output.result[1].startswith("3 pictures of 2 users")


def test_captions_that_are_cut_off_are_counted(node, pictures):
    (pictures / "anna" / "cat.txt").write_text("one,two,three," * 9)
    (pictures / "anna" / "dog.txt").write_text("a dog")
    report = node.execute(source="folder", folder="mine").result[1]
    assert "- 1 of 2 captions are cut off: the model of this pack reads 16 words and pieces of words at most" in report


def test_a_folder_by_name_by_path_and_as_windows_copies_it(node, pictures):
    by_name = node.execute(source="folder", folder="mine").result[0]
    assert [entry.name for entry in by_name.entries] == ["anna/cat.png", "anna/dog.png", "ben/cat.png"]
    for name in (str(pictures), f'"{pictures}"', " mine/ ", "mine/../mine"):
        assert node.execute(source="folder", folder=name).result[0].fingerprint == by_name.fingerprint


def test_a_table(node, pictures):
    (pictures / "labels.csv").write_text("image,semantics\nben/cat.png,cat\n")
    (entry,) = node.execute(source="folder", folder="mine", table="labels.csv").result[0].entries
    assert (entry.name, entry.semantics) == ("ben/cat.png", "cat")
    text = sentence(node, source="folder", folder="mine", table="../labels.csv")
    assert "table is '../labels.csv', which leads out of" in text


@pytest.mark.parametrize(
    ("folder", "part"),
    [
        ("", "folder is empty; write the name of a folder in"),
        ("yours", "folder is 'yours', but "),
        ("/no/such/folder", "folder is '/no/such/folder', expected the name of a folder in"),
        ("/", "let whoever runs the server list it as datasets in extra_model_paths.yaml"),
        ("/dev", "let whoever runs the server list it as datasets in extra_model_paths.yaml"),
        ("..", "folder is '..', which leads out of"),
        ("a" * 300, f"folder is '{'a' * 300}', but '"),
        ("link", "folder is 'link', which leads out of"),
        ("mine/anna/cat.png", "is a file; write the name of a folder"),
        ("empty", "holds no picture"),
    ],
)
def test_bad_folders(node, pictures, input_folder, folder, part):
    (input_folder / "empty").mkdir()
    (input_folder / "link").symlink_to("/usr", target_is_directory=True)
    assert part in sentence(node, source="folder", folder=folder)


def test_what_lies_elsewhere_is_not_told(node, pictures, input_folder, downloads):
    """Whether it is there or not, and by whatever way: one and the same sentence."""
    hidden, listed = input_folder.parent / "hidden", downloads / "mine"
    shutil.copytree(pictures, hidden)
    shutil.copytree(pictures, listed)
    (downloads / "link").symlink_to(hidden, target_is_directory=True)
    assert len(node.execute(source="folder", folder=str(listed)).result[0].entries) == 3
    ways = (hidden, hidden / "anna", input_folder.parent / "nothing", downloads / "link", listed / "../../hidden")
    told = {sentence(node, source="folder", folder=str(way)).replace(str(way), "*") for way in ways}
    assert len(told) == 1 and "list it as datasets in extra_model_paths.yaml" in told.pop()
    assert all(math.isnan(node.fingerprint_inputs("folder", str(way))) for way in ways)


def test_a_folder_without_end_is_cancelled_while_it_is_looked_through(node, pack, pictures, monkeypatch):
    from comfy import model_management

    told = []

    def show_text(hidden, text):
        told.append(text)
        model_management.interrupt_current_processing()

    monkeypatch.setattr(pack.nodes.host, "show_text", show_text)
    monkeypatch.setattr(os, "scandir", lambda folder: Endless(pictures))
    with pytest.raises(model_management.InterruptProcessingException):
        node.execute(source="folder", folder="mine")
    assert told == ["looking through the folder: 1000 files so far"]


def test_rows_of_a_table_are_called_rows(node, pack, pictures, monkeypatch):
    told, name = [], next(pictures.rglob("*.png")).relative_to(pictures).as_posix()
    (pictures / "long.csv").write_text("image\n" + f"{name}\n" * 1000)
    monkeypatch.setattr(pack.nodes.host, "show_text", lambda hidden, text: told.append(text))
    node.execute(source="folder", folder="mine", table="long.csv")
    assert told[0] == "looking through the table: 1000 rows so far"


@pytest.mark.parametrize("cancelled", [True, False])
def test_a_prompt_never_waits_for_a_folder_without_end(node, pack, pictures, monkeypatch, cancelled):
    monkeypatch.setattr(pack.nodes.host, "is_cancelled", lambda: cancelled)
    monkeypatch.setattr(pack.drc.data.walk, "PATIENCE", 1e9 if cancelled else 0.0)
    monkeypatch.setattr(os, "scandir", lambda folder: Endless(pictures))
    assert math.isnan(node.fingerprint_inputs("folder", "mine"))


class Endless:
    """A folder in which one file comes after another."""

    def __init__(self, folder):
        self.files = itertools.cycle(real_scandir(folder / "ben"))

    def __enter__(self):
        return self.files

    def __exit__(self, *_):
        pass


@pytest.mark.parametrize("source", ["emoji benchmark", "icon matrix"])
def test_what_is_not_built(node, pack, monkeypatch, tmp_path, source):
    monkeypatch.setattr(pack.nodes.paths, "BUILT", tmp_path)
    assert f"the {source} is not built" in sentence(node, source=source)


def test_the_icon_matrix(node, pack, monkeypatch, build):
    monkeypatch.setattr(pack.nodes.paths, "BUILT", build.data)
    output = node.execute(source="icon matrix")
    dataset, report = output.result
    assert (dataset.source, dataset.folder) == ("icon matrix", build.data)
    assert report.startswith("Icon matrix: ") and output.ui.as_dict() == {"text": (report,)}
    damaged = build.data / "damaged"
    (damaged / "icons").mkdir(parents=True)
    for name in ("icons.json", "icons.npy"):
        (damaged / "icons" / name).write_bytes(b"{")
    monkeypatch.setattr(pack.nodes.paths, "BUILT", damaged)
    assert "icons.json is not readable JSON" in sentence(node, source="icon matrix")


def test_it_runs_again_when_a_file_has_changed(node, pictures):
    seen = [node.fingerprint_inputs("folder", "mine")]
    assert node.fingerprint_inputs("folder", "mine") == seen[0]
    (pictures / "anna" / "cat.txt").write_text("a cat")
    seen.append(node.fingerprint_inputs("folder", "mine"))
    os.utime(pictures / "ben" / "cat.png", (1, 1))
    seen.append(node.fingerprint_inputs("folder", "mine"))
    (pictures / "ben" / "cat.png").unlink()
    seen.append(node.fingerprint_inputs("folder", "mine"))
    seen.append(node.fingerprint_inputs("example pictures", "mine"))
    assert len(set(seen)) == len(seen)
    assert math.isnan(node.fingerprint_inputs("folder", None))  # never the same: another node will say which folder


def test_cancel_works_between_any_two_files(node, assert_cancelled):
    assert_cancelled(lambda: node.execute(source="example pictures"))


def test_a_table_whose_name_is_too_long(node, pictures):
    assert "table" in sentence(node, source="folder", folder="mine", table="a" * 300)
