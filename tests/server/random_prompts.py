"""Random prompts over the nodes of this pack and the host's own for pictures, some of whose values are none.

What a node needs is made by other nodes, to a small depth; a widget's value stands in it or comes by a link. Most are
good and cheap, so that prompts get far; one or two of a node may be anything at all.
"""

from __future__ import annotations

import math
import random
from typing import Any

HOST_NODES = (
    "EmptyImage", "GetImageSize", "ImageAddNoise", "ImageBatch", "ImageCrop", "ImageFlip", "ImageFromBatch",
    "ImageInvert", "ImageScale", "ImageToMask", "InvertMask", "JoinImageWithAlpha", "LoadImage", "MaskToImage",
    "PrimitiveBoolean", "PrimitiveFloat", "PrimitiveInt", "PrimitiveString", "PrimitiveStringMultiline",
    "RebatchImages", "RepeatImageBatch", "SolidMask", "SplitImageWithAlpha", "StringConcatenate", "StringLength",
)  # fmt: skip
PRIMITIVES = {
    "BOOLEAN": "PrimitiveBoolean", "FLOAT": "PrimitiveFloat", "INT": "PrimitiveInt", "STRING": "PrimitiveString",
}  # fmt: skip
SELDOM = {
    "DRC_TrainDisentanglement": 0.05, "DRC_TrainPersonalisation": 0.05, "DRC_Evaluate": 0.15, "DRC_CompleteSet": 0.3,
    "DRC_LockPalette": 0.3, "DRC_PicturesToSVG": 0.3, "DRC_ReferenceFromWords": 0.3, "DRC_Triplets": 0.4,
}  # fmt: skip
LEFT_OUT = {"compile"}
"""Inputs that no prompt sets: torch's compiler is silent for minutes on a busy machine, longer than the patience with a
prompt that hangs. That it can follow a training, tests/training/test_compiler.py asks."""
DEPTH = 5  # of nodes behind one another

# By the name of the input: what is good, and quickly done.
FEW = {
    "amount": (1, 3), "batch_index": (0, 2), "batch_size": (1, 2), "best_of": (1, 2), "cases": (1, 1),
    "colours": (0, 4), "drawings": (1, 2), "grid": (0, 24), "height": (1, 48),
    "history": (1, 3), "history_length": (1, 2), "length": (1, 3), "micro_batch": (0, 2), "restyled_views": (1, 2),
    "samples": (0, 1), "shown": (1, 2), "size": (16, 64), "steps": (1, 2), "width": (1, 48),
}  # fmt: skip
GOOD = {
    "filename": ["random", "random \u0928\u092e\u0938\u094d\u0924\u0947"],
    "folder": ["pictures"] * 6 + ["flat", "flat", "empty", "nowhere", ""],
    "files": ["random.png", "random.png", ""],
    "image": ["random.png"],
    "licence": ["", "CC0-1.0"],
    "model_name": ["tiny.safetensors"] * 12 + ["other.safetensors", "untrained.safetensors", "damaged.safetensors"],
    "name": ["random"],
    "names": [""] * 4 + ["one", "one\ntwo"],
    "reference_names": [""] * 4 + ["one", "one\ntwo"],
    "report_name": ["random"],
    "restylings": ["palette", "invert, duotone", "palette line silhouette"],
    "run_name": ["random", "random again"],
    "semantic_strengths": ["0, 1", "2"],
    "source": ["example pictures"] * 3 + ["folder"] * 3 + ["emoji benchmark"],
    "style_name": ["card.safetensors"] * 6 + ["damaged.safetensors"],
    "style_strengths": ["0 1", "1.5"],
    "table": ["", "", "", "labels.csv", "missing.csv"],
    "tests": ["", "own"],
    "text": ["", "cat", "red apple"],
    "weights": [""] * 6 + ["1", "1, 2", "1 2 3 4 5 6"],
    "words": ["bicycle", "cat", "apple\nhouse", "qwertz"],
}  # fmt: skip
TEXTS = [
    "\ud800", "a\0b", "x" * 100_000, "a" * 300, "../..", "/etc/passwd", "con", "\U0001f3a8", "\u202egpj.exe", "nan",
    "-1", "/", "/dev/zero", "/proc/self/fd", "<img src=x onerror=alert(1)>", "\u0967\u0968", " ", "%s{}", "\n\n",
    "1e999", "a/b",
]  # fmt: skip
NUMBERS = [-1, 0, 2**32, 2**53, 2**63 - 1, 2**64, -(2**63), 10**30, 1e308, -0.5, math.nan, math.inf, -math.inf]
ANYTHING = [*NUMBERS, *TEXTS, None, True, {}, {"a": 1}]
WILD = "WildValue"
"""A node of the tests whose output may be linked to every input; its choices are what comes out."""


class RandomPrompts:
    """`prompt()` makes one prompt after another; the same seed makes the same ones."""

    def __init__(self, definitions: dict[str, Any], seed: int):
        self.random = random.Random(seed)
        self.ours = sorted(name for name in definitions if name.startswith("DRC_"))
        self.definitions = {name: definitions[name] for name in (*self.ours, *HOST_NODES, WILD)}
        self.makers: dict[str, list[tuple[str, int]]] = {}
        for name in (*self.ours, *HOST_NODES):
            for output, kind in enumerate(definitions[name]["output"]):
                self.makers.setdefault(kind, []).append((name, output))
        self.wild = definitions[WILD]["input"]["required"]["kind"][0]

    def prompt(self) -> dict[str, Any]:
        self.nodes: dict[str, dict[str, Any]] = {}
        chosen = self.random.choices(self.ours, [SELDOM.get(name, 1.0) for name in self.ours])[0]
        number = self.add(chosen, DEPTH)
        for output in range(len(self.definitions[chosen]["output"])):
            self.put("PreviewAny", source=[number, output])
        return self.nodes

    def put(self, class_type: str, **inputs: Any) -> str:
        number = str(len(self.nodes) + 1)
        self.nodes[number] = {"class_type": class_type, "inputs": inputs}
        return number

    def add(self, class_type: str, depth: int) -> str:
        declared = self.definitions[class_type]["input"]
        optional = declared.get("optional", {}).items()
        inputs = dict(declared.get("required", {}))
        inputs |= {name: one for name, one in optional if self.random.random() < 0.4 and name not in LEFT_OUT}
        wrong = set()
        if class_type in self.ours and inputs:
            count = self.random.choices((0, 1, 2), (0.92, 0.06, 0.02))[0]
            wrong = set(self.random.sample(sorted(inputs), min(count, len(inputs))))
        values = {}
        for name, (kind, *settings) in inputs.items():
            make = self.anything if name in wrong else self.good
            values[name] = make(name, kind, settings[0] if settings else {}, depth - 1)
        return self.put(class_type, **values)

    def good(self, name: str, kind: str | list, settings: dict, depth: int) -> Any:
        if isinstance(kind, list) or kind == "COMBO":
            if name not in GOOD and "default" in settings and self.random.random() < 0.7:
                return settings["default"]
            return self.random.choice(GOOD.get(name) or (kind if isinstance(kind, list) else settings["options"]))
        if name == "reference" and self.random.random() < 0.8:
            return [self.put("DRC_ExamplePictures", example="example 1"), 1]
        if kind not in PRIMITIVES:
            return self.link(kind, depth)
        value = self.widget(name, kind, settings)
        if self.random.random() < 0.1:
            return [self.put(PRIMITIVES[kind], value=value), 0]
        return value

    def widget(self, name: str, kind: str, settings: dict) -> Any:
        if kind == "STRING":
            return self.random.choice(GOOD.get(name, ["", "a"]))
        if kind == "BOOLEAN":
            return settings.get("default", False) ^ (self.random.random() < 0.2)
        least, most = FEW.get(name, (settings.get("min", 0), settings.get("max", 1)))
        if name not in FEW and self.random.random() < 0.7:
            return settings.get("default", least)
        if kind == "INT":
            return self.random.choice((least, most, self.random.randint(least, most)))
        return self.random.choice((least, most, self.random.uniform(least, most)))

    def anything(self, name: str, kind: str | list, settings: dict, depth: int) -> Any:
        """What the host refuses, and what it hands on: a value of the widget's type by a link, or anything by one."""
        if self.random.random() < 0.5:
            return [self.put(WILD, kind=self.random.choice(self.wild)), 0]
        if kind in ("INT", "FLOAT", "STRING") and self.random.random() < 0.7:
            value = self.random.choice(TEXTS if kind == "STRING" else NUMBERS)
            return [self.put(PRIMITIVES[kind], value=value), 0]
        return self.random.choice(ANYTHING)

    def link(self, kind: str, depth: int) -> list[Any]:
        """To an output of that kind: of a node that is there, or of a new one."""
        there = [
            [number, output]
            for number, node in self.nodes.items()
            for output, made in enumerate(self.definitions.get(node["class_type"], {"output": []})["output"])
            if made == kind
        ]
        if there and self.random.random() < 0.8:
            return self.random.choice(there)
        makers = self.makers.get(kind, [])
        if depth <= 0:
            makers = [one for one in makers if not self.needs(one[0])] or makers
        if not makers:
            return [self.put(WILD, kind=self.random.choice(self.wild)), 0]
        name, output = self.random.choices(makers, [SELDOM.get(name, 1.0) for name, _ in makers])[0]
        return [self.add(name, depth), output]

    def needs(self, class_type: str) -> bool:
        """Whether a node takes what only another one can make."""
        required = self.definitions[class_type]["input"].get("required", {})
        return any(isinstance(kind, str) and kind not in (*PRIMITIVES, "COMBO") for kind, *_ in required.values())
