"""A node of the tests in the place of other packs': its output fits every input, and gives what its choice says."""

import torch

VALUES = {
    "nothing": None,
    "a dict": {"samples": 1},
    "a list": [1, 2],
    "a text": "tiny.safetensors",
    "half a letter": "\ud800",
    "a whole number": 3,
    "a large number": 2**70,
    "a negative number": -1,
    "not a number": float("nan"),
    "bytes": b"abc",
    "an object": object(),
    "a picture": torch.rand(1, 16, 16, 3),
    "pictures of half precision": torch.rand(2, 8, 24, 4).half(),
    "a picture of double precision": torch.rand(1, 8, 8, 3).double(),
    "no pictures": torch.zeros(0, 16, 16, 3),
    "a picture without a batch": torch.rand(16, 16, 3),
    "a grey picture": torch.rand(1, 16, 16, 1),
    "a picture of bytes": torch.zeros(1, 16, 16, 3, dtype=torch.uint8),
    "a picture that is not a number": torch.full((1, 16, 16, 3), float("nan")),
    "a sparse tensor": torch.zeros(1, 16, 16, 3).to_sparse(),
    "a meta tensor": torch.zeros(1, 16, 16, 3, device="meta"),
    "a complex tensor": torch.zeros(1, 16, 16, 3, dtype=torch.cfloat),
    "one number": torch.ones(()),
}


class WildValue:
    CATEGORY, FUNCTION, RETURN_TYPES = "tests", "value", ("*",)

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"kind": (list(VALUES),)}}

    def value(self, kind):
        return (VALUES[kind],)


NODE_CLASS_MAPPINGS = {"WildValue": WildValue}
