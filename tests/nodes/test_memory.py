"""Once its outputs are gone and the host has unloaded its models, nothing of a model is left in memory; what is free
goes back to the system."""

import contextvars
import gc
import os
import threading
import weakref

import psutil
import pytest
import torch
from comfy import model_management

from scripts.lib.memory import resident

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


def test_a_host_that_takes_models_away_between_nodes_draws_the_same(graph, history, reference):
    def drawn(between) -> torch.Tensor:
        model = graph.load()
        between()
        style = graph.style(model, history)
        between()
        semantics = graph.semantics(model, reference)
        between()
        tokens = graph.generate(model, graph.compose(model, style, semantics), seed=7)
        between()
        return graph.decode(model, tokens)

    taken = []

    def take_away() -> None:
        loaded = model_management.loaded_models()
        model_management.unload_all_models()
        taken.append(len(loaded) - len(model_management.loaded_models()))

    assert torch.equal(drawn(take_away), drawn(lambda: None))
    assert sum(taken) >= 3


def test_what_is_free_goes_back_to_the_system(pack):
    """A block in use behind all the free ones keeps the C library from giving them back by itself."""
    free = [torch.ones(2**14) for _ in range(2**11)]  # 128 MB in pieces that it keeps
    last, before = torch.ones(2**14), resident(os.getpid())
    free.clear()
    pack.nodes.host.give_back_memory()
    assert before - resident(os.getpid()) > 2**26 and last.all()


def test_every_node_gives_back_what_it_freed_also_where_it_fails(pack, classes, graph, monkeypatch):
    given, here = [], threading.current_thread()  # others still give back what earlier tests let go
    monkeypatch.setattr(
        psutil, "heap_trim", lambda: threading.current_thread() is here and given.append(True), raising=False
    )
    graph.load()
    assert len(given) == 1
    with pytest.raises(ValueError, match="no such safetensors file"):
        graph.load("nowhere.safetensors")
    assert len(given) == 2
    monkeypatch.delattr(psutil, "heap_trim")
    pack.nodes.host.give_back_memory()  # nothing where psutil does not know how


def test_what_the_host_frees_between_prompts_goes_back_too(pack, graph, monkeypatch):
    given = threading.Event()
    model = graph.load()
    monkeypatch.setattr(psutil, "heap_trim", given.set, raising=False)
    monkeypatch.setattr(pack.nodes.host, "SOON", 0)
    del model
    model_management.unload_all_models()
    gc.collect()
    assert given.wait(30)


def test_learning_is_on_a_thread_that_ends_with_all_that_was_kept_for_it(pack):
    running, kept = contextvars.ContextVar("running"), threading.local()
    running.set("this node")

    def work():
        kept.of_thread = torch.nn.Linear(1, 1)
        kept.of_thread(torch.ones(1)).sum().backward()
        return running.get(), weakref.ref(kept.of_thread)

    with torch.inference_mode():
        node, of_thread = pack.nodes.host.learn(work)
    assert node == "this node" and of_thread() is None and not hasattr(kept, "of_thread")
    with pytest.raises(KeyError, match="within"):
        pack.nodes.host.learn(lambda: {}["within"])
