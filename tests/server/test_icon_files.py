"""SVG in a real host: files where the package for it is there, a sentence and the rest of the graph where it is not."""

from pathlib import Path

import vtracer
from lxml import etree

from drc.complete.svg import MISSING
from scripts.lib.client import Client
from scripts.lib.environment import BUILD
from scripts.lib.server import Server

PROMPT = {
    "1": {"class_type": "DRC_ExamplePictures", "inputs": {"example": "icons 2"}},
    "2": {
        "class_type": "DRC_PicturesToSVG",
        "inputs": {"images": ["1", 1], "history": ["1", 0], "colours": 0, "grid": 0, "ground": "transparent"},
    },
    "3": {"class_type": "SaveSVGNode", "inputs": {"svg": ["2", 0], "filename_prefix": "icons"}},
    "6": {"class_type": "DRC_SaveSet", "inputs": {"svg": ["2", 0], "names": ["2", 1], "folder": "mine"}},
    "7": {"class_type": "DRC_SaveSet", "inputs": {"images": ["4", 0], "transparent": ["4", 1], "folder": "mine"}},
    "4": {
        "class_type": "DRC_LockPalette",
        "inputs": {"images": ["1", 1], "history": ["1", 0], "colours": 0, "size": 48},
    },
    "5": {"class_type": "PreviewImage", "inputs": {"images": ["4", 0]}},
}


def test_without_the_package_the_rest_of_the_graph_runs(client):
    result = client.run(PROMPT)
    assert result.error is None
    assert ("2", f"{MISSING}.") in result.texts and ("7", "1 file in output/mine") in result.texts
    assert len(result.texts) == 2 and result.outputs.keys() == {"2", "5", "7"}
    (shown,) = result.outputs["7"]["images"]
    assert (shown["filename"], shown["subfolder"], shown["type"]) == ("1.png", "mine", "output")


def test_with_the_package_the_hosts_own_node_saves_the_files(host, tmp_path, monkeypatch):
    (tmp_path / "vtracer").symlink_to(Path(vtracer.__file__).parent)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Server(host, BUILD / "run" / "svg", "--cpu") as server, Client(server.address) as client:
        result = client.run(PROMPT)
        assert result.error is None
        assert any(text.startswith("1 SVG, ") for _, text in result.texts)
        (saved,) = result.outputs["3"]["images"]
        root = etree.parse(server.folder / "output" / saved["filename"]).getroot()
        folder = server.folder / "output" / "mine"
        assert sorted(file.name for file in folder.iterdir()) == ["1.png", "1.svg"]
        clean = etree.parse(folder / "1.svg").getroot()
    assert [path.attrib["fill"] for path in root.iter("{*}path")] == ["#000000"]
    assert [path.attrib["fill"] for path in clean] == ["#000000"]  # and no workflow
