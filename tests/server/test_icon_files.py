"""SVG in a stock host, where the package for it is missing: the rest of the graph runs, and the node says why."""

from drc.complete.svg import MISSING


def test_without_the_package_the_rest_of_the_graph_runs(client):
    prompt = {
        "1": {"class_type": "DRC_ExamplePictures", "inputs": {"example": "icons 2"}},
        "2": {
            "class_type": "DRC_PicturesToSVG",
            "inputs": {"images": ["1", 1], "history": ["1", 0], "colours": 0, "grid": 0, "ground": "transparent"},
        },
        "3": {"class_type": "SaveSVGNode", "inputs": {"svg": ["2", 0], "filename_prefix": "icons"}},
        "4": {
            "class_type": "DRC_LockPalette",
            "inputs": {"images": ["1", 1], "history": ["1", 0], "colours": 0, "size": 48},
        },
        "5": {"class_type": "PreviewImage", "inputs": {"images": ["4", 0]}},
    }
    result = client.run(prompt)
    assert result.error is None
    assert result.texts == [("2", f"{MISSING}.")]
    assert len(result.images) == 1 and "3" not in result.outputs
