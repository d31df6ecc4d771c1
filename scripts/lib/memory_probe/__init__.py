"""What a server knows of its own memory, for scripts/measure_memory.py: a node pack without nodes."""

import collections
import ctypes
import gc
import sys

import torch
from aiohttp import web
from server import PromptServer

NODE_CLASS_MAPPINGS = {}
FIELDS = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
BEFORE = set(sys.modules)
routes = PromptServer.instance.routes


class Malloc(ctypes.Structure):
    """struct mallinfo2 of glibc."""

    _fields_ = [(name, ctypes.c_size_t) for name in FIELDS]


def malloc() -> Malloc:
    look = ctypes.CDLL(None).mallinfo2
    look.restype = Malloc
    return look()


def tensors() -> int:
    """Bytes of all storages that Python can reach."""
    storages = {}
    for one in gc.get_objects():
        if type(one) in (torch.Tensor, torch.nn.Parameter) and one.device.type == "cpu":
            storages[one.untyped_storage().data_ptr()] = one.untyped_storage().nbytes()
    return sum(storages.values())


@routes.get("/memory_probe")
async def tell(request: web.Request) -> web.Response:
    gc.collect()
    found = malloc()
    return web.json_response({"in use": found.uordblks + found.hblkhd, "tensors": tensors()})


@routes.get("/memory_probe/modules")
async def tell_modules(request: web.Request) -> web.Response:
    packages = collections.Counter(name.split(".")[0] for name in set(sys.modules) - BEFORE)
    return web.Response(text=", ".join(f"{name} {count}" for name, count in packages.most_common(20)))
