"""Cancel is heard while any long node works: between two looks at it lies one layer, one picture, or less."""

import importlib
import threading
import time

import pytest
import torch
from comfy import model_management
from torch.nn.modules.module import register_module_forward_pre_hook

from .test_training_nodes import QUICK, STAGES

WORK = {
    "drc.data.picture_file": ("read", "inspect"),
    "drc.data.folder": ("read",),
    "drc.data.descriptors": ("meaning_descriptor", "_nearest"),
    "drc.train.data.pairs": ("read", "repaint", "augment", "meaning_descriptor"),
    "drc.train.data.preview": ("read", "augment"),
    "drc.bench.cases.folder": ("read", "repaint"),
    "drc.bench.judges.descriptors": ("meaning_descriptor",),
    "drc.pixels": ("square",),
    "drc.lmm.pictures": ("square",),
    "drc.attention_map": ("heat",),
    "drc.complete.report": ("measure",),
    "drc.style_card": ("traits",),
}
"""What is worth a look at Cancel besides layers of a model: functions by module of the pack."""
AT_ONCE = {"repaint": 12, "augment": 5, "square": 2}  # a picture is quickly repainted; others are 1
SECONDS = 5.0  # in which a node ends: many times what it takes, as machines that test are busy


class Watch:
    """What is done between two looks at Cancel; at look `cancel_at` the user presses it."""

    def __init__(self):
        self.looks, self.cancel_at, self.pressed = 0, -1, 0.0
        self.done, self.most = {}, {}

    def work(self, name):
        self.done[name] = self.done.get(name, 0) + 1
        self.most[name] = max(self.most.get(name, 0), self.done[name])

    def look(self):
        self.looks += 1
        self.done = {}
        if self.looks == self.cancel_at:
            self.pressed = time.monotonic()
            model_management.interrupt_current_processing(True)


@pytest.fixture
def watch(pack, monkeypatch):
    watch, heard = Watch(), model_management.throw_exception_if_processing_interrupted

    def look():
        watch.look()
        heard()

    monkeypatch.setattr(model_management, "throw_exception_if_processing_interrupted", look)
    modules = {importlib.import_module(f"{pack.__name__}.{name}"): functions for name, functions in WORK.items()}
    for module, functions in modules.items():
        for function in functions:
            monkeypatch.setattr(module, function, counted(getattr(module, function), function, watch))
    heard_file = importlib.import_module(f"{pack.__name__}.drc.data.picture_file").HeardFile
    monkeypatch.setattr(heard_file, "hear", counted(heard_file.hear, "piece of a picture", watch))

    def layer(module, inputs):
        if next(module.children(), None) is None:
            watch.work("layer")

    hook = register_module_forward_pre_hook(layer)
    yield watch
    hook.remove()
    model_management.interrupt_current_processing(False)


def counted(function, name, watch):
    def count(*arguments, **keywords):
        watch.work(name)
        return function(*arguments, **keywords)

    return count


@pytest.fixture
def dataset(execute, make_pictures):
    return execute("DRC_ImageDataset", source="folder", folder=make_pictures(count=6))[0]


@pytest.fixture
def inputs(execute, dataset, graph, reference, host_folders, monkeypatch):
    """Inputs of a node by what the tests call it."""
    import folder_paths

    cards = [str(host_folders / "models" / "drc_styles")]
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "drc_styles", (cards, {".safetensors"}))
    model = graph.load()
    many = torch.rand(40, 40, 48, 3, generator=torch.Generator().manual_seed(3))
    style, semantics = graph.style(model, many), graph.semantics(model, reference)
    instruction = graph.compose(model, style, semantics)
    tokens = graph.generate(model, instruction, batch_size=2)
    triplets = execute("DRC_Triplets", dataset=dataset, restyled_views=2)[0]
    card = {"model": model, "style": style, "name": "card"}
    learning = QUICK | {"model": model, "triplets": triplets, "samples": 2}
    return {
        "DRC_StyleTower": {"model": model, "history": many},
        "DRC_SemanticTower": {"model": model, "reference": reference},
        "DRC_ReferenceFromWords": {"model": model, "words": "bicycle"},
        "DRC_ComposeInstruction": {"model": model, "style": style, "semantics": semantics},
        "DRC_TokenizeImage": {"model": model, "images": many},
        "DRC_LMMGenerate": {"model": model, "instruction": instruction, "batch_size": 3},
        "DRC_DecodeTokens": {"model": model, "tokens": tokens, "size": "sharp, 4 times as large"},
        "DRC_GuidanceGrid": {"model": model, "style": style, "semantics": semantics},
        "DRC_AttentionMap": {"model": model, "history": many, "reference": reference},
        "DRC_CollapseMeter": {"model": model, "images": many[:9], "history": many, "reference": reference},
        "DRC_SetReport": {"images": many[:5], "history": many[5:9]},
        "DRC_ImageDataset": {"source": "folder", "folder": "mine"},
        "DRC_Triplets": {"dataset": dataset, "pairing": "neighbours"},
        "DRC_Augmentations": {"dataset": dataset},
        "DRC_Evaluate": {"model": model, "dataset": dataset, "cases": 2},
        "DRC_CompleteSet": {"model": model, "style": style, "best_of": 5},
        "DRC_SaveStyle": card,
        "DRC_LoadStyle": {"model": model, "style_name": execute("DRC_SaveStyle", **card)[0]},
        "DRC_MergeStyles": {"model": model, "first": style, "second": style},
        "DRC_MyPictures": {"model": model, "folder": "mine"},
        **dict.fromkeys(STAGES, learning),
    }


LONG = (
    "DRC_StyleTower", "DRC_SemanticTower", "DRC_ComposeInstruction", "DRC_TokenizeImage", "DRC_LMMGenerate",
    "DRC_DecodeTokens", "DRC_GuidanceGrid", "DRC_AttentionMap", "DRC_CollapseMeter", "DRC_ImageDataset", "DRC_Triplets",
    "DRC_Augmentations", "DRC_Evaluate", "DRC_ReferenceFromWords", "DRC_CompleteSet", "DRC_SetReport",
    "DRC_SaveStyle", "DRC_LoadStyle", "DRC_MergeStyles", "DRC_MyPictures", *STAGES,
)  # fmt: skip


NAMED = {"DRC_Evaluate": {"report_name": "whole"}, "DRC_CompleteSet": {"words": "car"}}
NAMED |= {stage: {"run_name": stage} for stage in STAGES}
"""What makes another run of a node do its work again."""


def test_cancel_is_heard_while_a_large_model_is_read(lavit, execute, watch, pack, monkeypatch):
    files = importlib.import_module(f"{pack.__name__}.drc.tensor_file")
    monkeypatch.setattr(files, "is_finite", counted(files.is_finite, "tensor", watch))
    execute("DRC_LoadModel", model_name=lavit.name)
    looks = watch.looks
    assert looks > 100 and watch.most["tensor"] <= 2  # one more is the text that is empty
    watch.__init__()
    watch.cancel_at = looks // 2
    with pytest.raises(model_management.InterruptProcessingException):
        execute("DRC_LoadModel", model_name=lavit.name)
    assert not watch.done


def test_cancel_is_heard_while_a_model_is_saved(graph, execute, watch, pack, monkeypatch, host_folders):
    files = importlib.import_module(f"{pack.__name__}.drc.tensor_file")
    monkeypatch.setattr(files, "is_finite", counted(files.is_finite, "tensor", watch))
    model = graph.load()
    watch.__init__()
    execute("DRC_SaveModel", model=model, filename="first")
    looks, saved = watch.looks, set((host_folders / "models" / "drc").rglob("*"))
    assert looks > 2 * len(model.drc.state_dict()) - 20 and watch.most["tensor"] <= 1
    for share in (0.3, 0.9):
        watch.__init__()
        watch.cancel_at = round(share * looks)
        with pytest.raises(model_management.InterruptProcessingException):
            execute("DRC_SaveModel", model=model, filename="second")
    assert set((host_folders / "models" / "drc").rglob("*")) == saved


@pytest.mark.parametrize(
    ("node", "module", "work"),
    [
        ("DRC_StyleTower", "drc.lmm.pictures", "square"),
        ("DRC_SetReport", "drc.pixels", "square"),
        ("DRC_StyleTower", "drc.pixels", "masked"),
    ],
)
def test_cancel_does_not_wait_for_a_picture_that_takes_long(
    graph, model, history, pack, monkeypatch, node, module, work
):
    """As one of 8,192 pixels does on a busy machine."""
    end = threading.Event()

    def long(*_):
        model_management.interrupt_current_processing(True)
        end.wait(60)

    monkeypatch.setattr(importlib.import_module(f"{pack.__name__}.{module}"), work, long)
    given = {"images": history} if node == "DRC_SetReport" else {"model": model}
    given |= {"history_mask": torch.ones(len(history), 8, 8)} if work == "masked" else {}
    try:
        with pytest.raises(model_management.InterruptProcessingException):
            graph.outputs(node, history=history, **given)
    finally:
        end.set()
        model_management.interrupt_current_processing(False)


def test_cancel_is_heard_in_every_long_node(inputs, execute, watch, graph):
    for node in LONG:
        named = NAMED.get(node, {})
        watch.__init__()
        execute(node, **inputs[node] | named)
        too_much = {name: most for name, most in watch.most.items() if most > AT_ONCE.get(name, 1)}
        assert watch.most and not too_much, (node, too_much)
        looks = watch.looks
        for share in (0.3, 0.7):  # codes that were kept make what comes after shorter
            anew = {name: f"{value} {share}" for name, value in named.items()}
            watch.__init__()
            watch.cancel_at = max(1, round(share * looks))
            with pytest.raises(model_management.InterruptProcessingException):
                execute(node, **inputs[node] | anew)
            assert time.monotonic() - watch.pressed < SECONDS, (node, share)
            assert not watch.done, (node, watch.done)  # no more work was begun
