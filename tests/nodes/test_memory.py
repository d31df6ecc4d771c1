"""Once its outputs are gone and the host has unloaded its models, nothing of a model is left in memory."""

import gc

import torch
from comfy import model_management

from .test_training_nodes import QUICK, STAGES

LEFT = 2**16  # bytes: a tiny model alone takes ten times that


def tensors() -> int:
    """Bytes of all tensors that are alive."""
    gc.collect()
    storages = {}
    for one in gc.get_objects():
        plain = type(one) in (torch.Tensor, torch.nn.Parameter)  # what compilers and other tests left has no bytes
        if plain and one.device.type != "meta" and one.layout == torch.strided:
            storage = one.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())


def patchers() -> int:
    from comfy.model_patcher import ModelPatcher

    return sum(issubclass(type(one), ModelPatcher) for one in gc.get_objects())


def round_trip(execute, graph, history, reference, name):
    """Load, train, draw with what came of it."""
    model = graph.load()
    dataset, _ = execute("DRC_ImageDataset")
    triplets, _ = execute("DRC_Triplets", dataset=dataset, restyled_views=1, shown=1)
    model, *_ = execute(STAGES[1], model=model, triplets=triplets, **QUICK | {"samples": 1, "run_name": name})
    instruction = graph.compose(model, graph.style(model, history), graph.semantics(model, reference))
    graph.decode(model, graph.generate(model, instruction), size="sharp, 4 times as large")


def test_nothing_of_a_model_stays(execute, graph, history, reference):
    held = []
    for name in ("first", "second"):
        round_trip(execute, graph, history, reference, name)
        model_management.unload_all_models()
        held.append((tensors(), patchers()))
    assert held[1][0] - held[0][0] < LEFT and held[1][1] == held[0][1], held
