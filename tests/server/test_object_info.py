"""What workflows and prompts hold on to: inputs, their order, types and limits, and outputs, as the server tells them.

Once a version was published this file is only added to. After a change that is meant, write it anew:

    bash scripts/test.sh tests/server/test_object_info.py --write-object-info
"""

import json
from collections import defaultdict
from pathlib import Path

FILE = Path(__file__).with_name("object_info.json")
WORDS = ("tooltip",)  # may become better at any time
OF_THE_MACHINE = ("model_name", "style_name", "files")  # whose choices are files
OF_TWO_KINDS = {"history", "precision", "size"}  # pictures and how many; of a training and a file; a choice and pixels


def binding(definition: dict) -> dict:
    """Of what the server says of a node that which must stay."""
    inputs = {}
    for kind in ("required", "optional"):
        for name, (type_, settings) in definition["input"].get(kind, {}).items():
            left_out = (*WORDS, "options") if name in OF_THE_MACHINE else WORDS
            inputs[name] = {"kind": kind, "type": type_}
            inputs[name] |= {key: value for key, value in settings.items() if key not in left_out}
    order = {kind: names for kind, names in definition["input_order"].items() if kind != "hidden"}
    outputs = ("output", "output_is_list", "output_name", "output_node")
    return {"input": inputs, "input_order": order, **{key: definition[key] for key in outputs}}


def test_nothing_that_a_workflow_holds_on_to_has_changed(definitions, request):
    found = {name: binding(of_node) for name, of_node in definitions.items() if name.startswith("DRC_")}
    if request.config.getoption("--write-object-info"):
        FILE.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    kept = json.loads(FILE.read_text())
    assert found.keys() == kept.keys()
    for name, node in kept.items():
        assert found[name] == node, name


def test_an_input_id_is_of_one_kind_on_every_node():
    """Of one type and with the same choices; but for three, which are final."""
    kinds = defaultdict(set)
    for node in json.loads(FILE.read_text()).values():
        for name, settings in node["input"].items():
            kinds[name].add((str(settings["type"]), str(settings.get("options"))))
    assert {name for name, found in kinds.items() if len(found) > 1} == OF_TWO_KINDS
