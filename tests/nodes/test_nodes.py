"""The nodes called as the host calls them, without a server."""

import math
import subprocess

import pytest
import torch

from drc.files import file_hash
from scripts.lib.tiny import write_tiny

OUTPUTS = {
    "DRC_LoadModel": {"model_out": "DRC_MODEL"},
    "DRC_StyleTower": {"style_out": "DRC_STYLE"},
    "DRC_SemanticTower": {"semantics_out": "DRC_SEMANTICS"},
    "DRC_ComposeInstruction": {"instruction_out": "DRC_INSTRUCTION"},
    "DRC_LMMGenerate": {"tokens_out": "DRC_TOKENS"},
    "DRC_DecodeTokens": {"image_out": "IMAGE"},
    "DRC_ExamplePictures": {"history_out": "IMAGE", "reference_out": "IMAGE"},
    "DRC_ImageDataset": {"dataset_out": "DRC_DATASET", "report_out": "STRING"},
    "DRC_Triplets": {"triplets_out": "DRC_TRIPLETS", "sheet_out": "IMAGE"},
    "DRC_Augmentations": {"augmentations_out": "DRC_AUGMENTATIONS", "sheet_out": "IMAGE"},
    "DRC_TrainDisentanglement": {"model_out": "DRC_MODEL", "loss_curve_out": "IMAGE", "samples_out": "IMAGE"},
    "DRC_TrainPersonalisation": {"model_out": "DRC_MODEL", "loss_curve_out": "IMAGE", "samples_out": "IMAGE"},
    "DRC_SaveModel": {"saved_as_out": "STRING"},
    "DRC_GuidanceGrid": {"grid_out": "IMAGE", "image_out": "IMAGE"},
    "DRC_AttentionMap": {"map_out": "IMAGE"},
    "DRC_CollapseMeter": {
        "meter_out": "IMAGE",
        "style_kept_out": "FLOAT",
        "meaning_kept_out": "FLOAT",
        "copying_out": "FLOAT",
        "verdict_out": "STRING",
    },
    "DRC_Evaluate": {"table_out": "IMAGE", "plots_out": "IMAGE", "pictures_out": "IMAGE", "report_out": "STRING"},
    "DRC_ConvertLaVIT": {"report_out": "STRING"},
    "DRC_TokenizeImage": {"tokens_out": "DRC_TOKENS"},
    "DRC_ComposeInContext": {"instruction_out": "DRC_INSTRUCTION"},
    "DRC_TokensToConditioning": {"positive_out": "CONDITIONING", "negative_out": "CONDITIONING"},
    "DRC_ReferenceFromWords": {"semantics_out": "DRC_SEMANTICS", "image_out": "IMAGE", "text_out": "STRING"},
    "DRC_MyPictures": {"history_out": "IMAGE"},
    "DRC_SaveStyle": {"saved_as_out": "STRING", "style_out": "DRC_STYLE"},
    "DRC_LoadStyle": {"style_out": "DRC_STYLE"},
    "DRC_MergeStyles": {"style_out": "DRC_STYLE"},
    "DRC_CompleteSet": {"tokens_out": "DRC_TOKENS", "names_out": "STRING", "scores_out": "FLOAT"},
    "DRC_SetReport": {"sheet_out": "IMAGE", "report_out": "STRING", "order_out": "STRING"},
    "DRC_LockPalette": {"image_out": "IMAGE", "mask_out": "MASK"},
    "DRC_PicturesToSVG": {"svg_out": "SVG", "names_out": "STRING"},
    "DRC_SaveSet": {"saved_in_out": "STRING"},
}
"""Node id -> output id -> type; all are final."""
CATEGORIES = ["DRC"] * 7 + ["DRC/training"] * 6 + ["DRC/looking closer"] * 4 + ["DRC/LaVIT, Janus"] * 4
CATEGORIES += ["DRC/sets"] * 10


def test_every_node_has_its_final_id_and_outputs(classes):
    for name, node in classes.items():
        found = [(output.id, output.io_type) for output in node.GET_SCHEMA().outputs]
        assert found == list(OUTPUTS[name].items()), name
    assert classes.keys() == OUTPUTS.keys()


def test_an_output_has_the_id_of_the_name_that_it_shows(classes):
    """No input ends in `_out`, and the host takes no id twice on a node."""
    for node in classes.values():
        for output in node.GET_SCHEMA().outputs:
            assert output.id == f"{output.display_name.lower().replace(' ', '_')}_out"


@pytest.mark.parametrize(("name", "category"), list(zip(OUTPUTS, CATEGORIES, strict=True)))
def test_every_input_and_output_explains_itself(classes, root, name, category):
    schema = classes[name].GET_SCHEMA()
    assert schema.description and schema.category == category
    assert all(part.tooltip for part in schema.inputs + schema.outputs)
    assert all(output.display_name for output in schema.outputs)
    page = (root / "web" / "docs" / f"{name}.md").read_text()
    assert page.startswith(f"# {schema.display_name}\n")
    assert all(f"`{part.id}`" in page for part in schema.inputs)
    assert all(f"`{output.display_name}`" in page for output in schema.outputs)


def test_examples(classes):
    node = classes["DRC_ExamplePictures"]
    for example in node.GET_SCHEMA().inputs[0].options:
        history, reference = node.execute(example=example)
        assert history.ndim == 4 and 6 <= len(history) <= 8 and reference.shape == (1, *history.shape[1:])
        assert history.min() >= 0 and history.max() <= 1


def test_a_whole_run(graph, model, history, reference):
    style, semantics = graph.style(model, history), graph.semantics(model, reference)
    instruction = graph.compose(model, style, semantics, text="red apple")
    tokens = graph.generate(model, instruction, batch_size=2)
    assert tokens.codes.shape == (2, 16) and tokens.codes.dtype == torch.int64
    pictures = graph.decode(model, tokens)
    assert pictures.shape == (2, 32, 32, 3) and pictures.dtype == torch.float32
    assert pictures.min() >= 0 and pictures.max() <= 1


def test_cancel_works_between_any_two_codes(graph, model, instruction, assert_cancelled):
    assert_cancelled(lambda: graph.generate(model, instruction))


def test_previews_show_what_is_drawn_so_far(graph, model, instruction, pack, monkeypatch):
    previews = {}

    class Bar:
        def update_absolute(self, value, preview=None):
            if preview:
                previews[value] = preview[1]
                assert preview[2] == max(preview[1].size)  # nothing for the host to enlarge

    monkeypatch.setattr(pack.nodes.host.comfy.utils, "ProgressBar", lambda total: Bar())
    monkeypatch.setattr(pack.nodes.progress, "PREVIEW_SECONDS", 0)
    monkeypatch.setattr(pack.nodes.progress, "PREVIEW_SHARE", math.inf)
    graph.generate(model, instruction)
    assert list(previews) == list(range(1, 17))
    assert previews[8].getpixel((16, 31)) == (230, 230, 230)
    assert previews[16].size == (32, 32)


def test_previews_take_a_small_share_of_the_time(pack, monkeypatch):
    clock, shown = [0.0], []

    class Bar:
        def update_absolute(self, value, preview=None):
            clock[0] += 0.1 if preview is None else 0.2  # a preview takes 0.1 s
            if preview:
                shown.append(value)

    monkeypatch.setattr(pack.nodes.host.comfy.utils, "ProgressBar", lambda total: Bar())
    monkeypatch.setattr(pack.nodes.progress.time, "monotonic", lambda: clock[0])
    progress = pack.nodes.progress.Progress(100)
    for value in range(101):
        progress.step_to(value, lambda: torch.zeros(3, 8, 8))
    assert len(shown) == 4 and shown[0] == 3  # the first after 0.3 s, then 4 s apart for 0.2 s each
    assert shown[-1] == 100  # the finished one


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_weights_run_too(graph, history, reference, pack, monkeypatch, dtype):
    """Also shows that every weight is read through the host's casting layers: a raw one would clash."""
    monkeypatch.setattr(pack.nodes.host, "weight_dtype", lambda device: dtype)
    model = graph.load()
    instruction = graph.compose(model, graph.style(model, history), graph.semantics(model, reference))
    assert instruction.vectors.dtype == dtype
    assert graph.decode(model, graph.generate(model, instruction)).isfinite().all()


def test_the_nodes_draw_what_one_call_draws(graph, model, history, reference, instruction):
    drawn = graph.decode(model, graph.generate(model, instruction, seed=3, batch_size=2))
    assert torch.equal(model.drc.draw(history, reference, "red apple", seeds=[3, 4]), drawn)


def test_pack_imports_nothing_heavy(root, host):
    """The host itself brings torch; the pack adds nothing that takes time."""
    code = f"""
import sys
sys.path.insert(0, {str(host.folder)!r})
from comfy.cli_args import args
args.cpu = True
import comfy.ops, comfy.model_patcher, comfy.utils, folder_paths, comfy_api.latest
before = set(sys.modules)
import importlib.util
spec = importlib.util.spec_from_file_location("drc_pack", {str(root / "__init__.py")!r},
                                              submodule_search_locations=[{str(root)!r}])
module = importlib.util.module_from_spec(spec)
sys.modules["drc_pack"] = module
spec.loader.exec_module(module)
print(*sorted(set(sys.modules) - before))
"""
    output = subprocess.run([str(host.python), "-c", code], capture_output=True, text=True, check=True).stdout
    added = {name for name in output.split() if not name.startswith("drc_pack.nodes")}
    strangers = {name for name in added if not name.startswith("drc_pack")} - {"importlib.util"}
    assert strangers == set()
    plain = {"instruction", "pixels", "visible", "seeds", "parsing", "names", "data", "data.augment", "data.palette"}
    plain |= {"lmm", "lmm.pictures", "interrupt", "files", "seeds", "progress"}
    plain |= {"data.repaint", "train", "train.config", "train.errors"}  # settings, from which widgets are made
    plain |= {"complete", "complete.settings"}
    assert added <= {"drc_pack", "drc_pack.drc", *(f"drc_pack.drc.{name}" for name in plain)}


def test_a_link_among_the_models_is_followed(graph, models, tmp_path):
    """People keep large files on another disk."""
    elsewhere = write_tiny(tmp_path / "elsewhere.safetensors", seed=5)
    (models / "linked.safetensors").symlink_to(elsewhere)

    assert graph.load("linked.safetensors").drc.hash == file_hash(elsewhere)
