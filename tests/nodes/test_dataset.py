"""Image Dataset as the host calls it."""

import os

import pytest
from PIL import Image


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
    assert dataset.report.users == {example.replace(" ", "-"): 6 for example in examples}
    assert not any("reference" in entry.name for entry in dataset.entries)
    assert report.startswith("18 pictures of 3 users.\n") and "- example-1: 6\n" in report


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
        ("/no/such/folder", "folder is '/no/such/folder', but '/no/such/folder' is not there"),
        ("..", "folder is '..', which leads out of"),
        ("link", "folder is 'link', which leads out of"),
        ("mine/anna/cat.png", "is a file; write the name of a folder"),
        ("empty", "holds no picture"),
    ],
)
def test_bad_folders(node, pictures, input_folder, folder, part):
    (input_folder / "empty").mkdir()
    (input_folder / "link").symlink_to("/usr", target_is_directory=True)
    assert part in sentence(node, source="folder", folder=folder)


def test_a_benchmark_that_is_not_built(node, pack, monkeypatch, tmp_path):
    monkeypatch.setattr(pack.nodes.paths, "BENCHMARK", tmp_path)
    assert "the emoji benchmark is not built" in sentence(node, source="emoji benchmark")


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
    unknown = node.fingerprint_inputs("folder", None)
    assert unknown != unknown  # never the same: another node will say which folder


def test_cancel_works_between_any_two_files(node, pack, monkeypatch):
    from comfy import model_management

    steps = []

    class Bar:
        def update_absolute(self, value, preview=None):
            steps.append(value)
            if value == 3:
                model_management.interrupt_current_processing()

    monkeypatch.setattr(pack.nodes.host.comfy.utils, "ProgressBar", lambda total: Bar())
    with pytest.raises(model_management.InterruptProcessingException):
        node.execute(source="example pictures")
    assert steps == [1, 2, 3]
