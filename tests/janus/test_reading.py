"""A downloaded Janus is opened as it is, and what is none is one sentence that says what to do."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from drc import checkpoint
from drc.checkpoint import load, read_header, save
from drc.instruction import Instruction
from drc.lmm.generate import Sampling
from drc.lmm.janus.model import JanusConfig
from drc.lmm.janus.reading import INDEX, open_set
from drc.pretrained import INSTRUCTIONS, description_in, require_set_in
from scripts.lib.tiny_janus import SIZES, settings, write_published


@pytest.fixture(scope="module")
def layouts(tmp_path_factory):
    """The same Janus four times: in one file and in shards, in the layout of transformers and in the original's."""
    folder = tmp_path_factory.mktemp("layouts")
    kinds = {"whole": {}, "sharded": {"shards": 3}, "original": {"original": True}}
    kinds["original, sharded"] = {"shards": 2, "original": True}
    return {name: write_published(folder / name, **options) for name, options in kinds.items()}


@pytest.fixture
def folder(layouts, tmp_path):
    return shutil.copytree(layouts["sharded"], tmp_path / "Janus")


def weights_of(folder) -> dict[str, torch.Tensor]:
    found = open_set(folder)
    lmm = found.config().build()
    read = []
    found.read_weights(lmm, lambda: read.append(1))
    assert len(read) >= len(lmm.state_dict()) // 2  # it can be left at each of the tensors in the files
    return lmm.state_dict()


def test_every_layout_is_the_same_model(layouts):
    first, *others = (weights_of(folder) for folder in layouts.values())
    assert {tensor.dtype for tensor in first.values()} == {torch.bfloat16}
    for other in others:
        assert other.keys() == first.keys() and all(torch.equal(other[name], first[name]) for name in first)
    assert {open_set(folder).sizes for folder in layouts.values()} == {SIZES}
    assert len({open_set(folder).hash for folder in layouts.values()}) == 1
    configs = {open_set(folder).config() for folder in layouts.values()}
    assert len(configs) == 1 and configs.pop().after[-1] == 374


def test_hidden_files_are_passed_over(layouts, tmp_path):
    """Such as those that macOS leaves beside each file on other disks."""
    for name in ("whole", "original, sharded"):
        folder = shutil.copytree(layouts[name], tmp_path / name)
        for path in (*folder.iterdir(), folder / "model-00001-of-00009.safetensors"):
            (folder / f"._{path.name}").write_bytes(b"\0\5\x16\7")
        assert open_set(folder).hash == open_set(layouts[name]).hash


def test_another_model_has_another_hash(layouts, tmp_path):
    other = write_published(tmp_path / "other", seed=1)
    assert open_set(other).hash != open_set(layouts["whole"]).hash


def test_it_is_loaded_saved_and_loaded_again(layouts, tmp_path):
    folder = layouts["whole"]
    model = load(description_in(folder))
    assert model.stage == 0 and "Attachment A" in read_header(folder / "config.json")["licence"]
    path = tmp_path / "trained.safetensors"
    save(model, path)
    assert read_header(path)["architecture"] == "drc-janus-1" and path.stat().st_size < 250_000
    again = load(path, lmm=folder).float()
    codes = torch.arange(16)
    assert again.config == model.config and torch.equal(again.lmm.meaning(codes), model.float().lmm.meaning(codes))
    with pytest.raises(ValueError, match="has the sizes of another architecture"):
        checkpoint.words_of(read_header(path) | {"architecture": "drc-lavit-1"}, model.config)


def test_towers_trained_over_another(layouts, tmp_path):
    path = tmp_path / "trained.safetensors"
    save(load(layouts["whole"] / "config.json"), path)
    other = write_published(tmp_path / "other", seed=1)
    with pytest.raises(
        ValueError, match=r"^trained.safetensors was trained over another .*'whole', .*; choose the folder"
    ):
        load(path, lmm=other)
    same = write_published(tmp_path / "now" / "whole", seed=1)
    with pytest.raises(ValueError, match="was trained over 'whole', but the folder of that name, .*now/whole, holds"):
        load(path, lmm=same)


def test_another_folder_than_its_own_is_refused(layouts, tmp_path):
    path = layouts["whole"] / "config.json"
    for other in (layouts["sharded"], tmp_path / "none"):
        with pytest.raises(
            ValueError, match=f"^lmm is '{other}', which is not used, as config.json stands for .*; lea"
        ):
            load(path, lmm=other)
    assert load(path, lmm=path.parent).stage == 0


def change_settings(change):
    def harm(folder):
        values = json.loads((folder / "config.json").read_text())
        change(values)
        (folder / "config.json").write_text(json.dumps(values))

    return harm


def rewrite(change):
    """Of the first of the shards."""

    def harm(folder):
        path = sorted(folder.glob("*.safetensors"))[0]
        tensors = load_file(path)
        change(tensors)
        save_file(tensors, path)

    return harm


def cut(folder):
    path = sorted(folder.glob("*.safetensors"))[1]
    path.write_bytes(path.read_bytes()[:-10])


def without(*parts):
    """A Janus that only answers in words has none of these."""

    def harm(folder):
        for path in folder.glob("*.safetensors"):
            tensors = load_file(path)
            save_file({name: one for name, one in tensors.items() if not any(part in name for part in parts)}, path)

    return harm


def lost(*names):
    def harm(folder):
        for name in names:
            (folder / name).unlink()

    return harm


def outside(folder):
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../else.safetensors"}}')


def another_model(folder):
    for path in folder.glob("*.safetensors"):
        save_file({"unet.weight": torch.zeros(2)}, path)


def two_downloads(folder):
    (folder / "model.safetensors.index.json").unlink()
    first = sorted(folder.glob("*.safetensors"))[0]
    shutil.copy(first, folder / "zz.safetensors")


def no_numbers(tensors):
    name = next(name for name in tensors if name.endswith("patch_embedding.weight") or "conv_in.weight" in name)
    tensors[name][0] = float("nan")


def tokenizer(change):
    def harm(folder):
        values = json.loads((folder / "tokenizer.json").read_text("utf-8"))
        change(values)
        (folder / "tokenizer.json").write_text(json.dumps(values), "utf-8")

    return harm


def slow_pattern(values):
    values["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "(a+)+$"


def no_image_tag(values):
    values["added_tokens"] = [one for one in values["added_tokens"] if one["content"] != "<begin_of_image>"]
    values["model"]["vocab"].pop("<begin_of_image>", None)


BAD = {
    "a shard missing": (
        lambda folder: (folder / "model-00002-of-00003.safetensors").unlink(),
        "lacks model-00002-of-00003.safetensors, one of 3 files of weights; download the folder again",
    ),
    "a shard cut": (cut, "model-00002-of-00003.safetensors is not a readable safetensors file"),
    "a shard that is elsewhere": (outside, "lacks ../else.safetensors, one of 1 files of weights"),
    "an index of nothing": (
        lambda folder: (folder / "model.safetensors.index.json").write_text("{}"),
        "index.json names no files of weights; download",
    ),
    "only pickles": (
        lambda folder: [path.unlink() for path in folder.glob("model*")],
        "holds no weights as safetensors; download the folder that has them, such as deepseek-community/Janus-Pro-1B",
    ),
    "another model's settings": (
        change_settings(lambda values: values.update(model_type="llama")),
        "describes a model of the kind 'llama', expected janus or multi_modality; download Janus-Pro in its place",
    ),
    "positions of none": (
        change_settings(lambda values: values["text_config"].update(rope_theta=0)),
        r"has .*rope_theta 0, expected 1.0 to ",
    ),
    "a norm of a negative": (
        change_settings(lambda values: values["text_config"].update(rms_norm_eps=-1)),
        r"has .*rms_norm_eps -1, expected 1e-12 to 1.0",
    ),
    "a norm of SigLIP of a negative": (
        change_settings(lambda values: values["vision_config"].update(layer_norm_eps=-1)),
        r"has .*layer_norm_eps -1, expected 1e-12 to 1.0",
    ),
    "a context without room": (
        change_settings(lambda values: values["text_config"].update(max_position_embeddings=16)),
        "has max_position_embeddings 16, expected room for words beside the 16 codes of a picture; download",
    ),
    "two downloads in one": (
        two_downloads,
        "holds .* twice, in model-00001-of-00003.safetensors and zz.safetensors; leave only the files of one download",
    ),
    "another model's weights": (another_model, "holds the weights of another model than Janus; download Janus-Pro"),
    "no settings": (lambda folder: (folder / "config.json").unlink(), "config.json cannot be read .No such file"),
    "settings that are none": (
        lambda folder: (folder / "config.json").write_text("{"),
        "config.json is not readable JSON",
    ),
    "settings that contradict the weights": (
        change_settings(lambda values: values["text_config"].update(hidden_size=64)),
        "config.json has text_config.hidden_size 64, but the weights have 32; download the folder again",
    ),
    "pictures that contradict the weights": (
        change_settings(lambda values: values["vq_config"].update(channel_multiplier=[1, 1])),
        r"config.json has vq_config.channel_multiplier \[1, 1\], but the weights have \(1, 2\)",
    ),
    "heads that do not fit": (
        change_settings(lambda values: values["vision_config"].update(num_attention_heads=3)),
        "config.json has siglip.width 16, expected a multiple of 3; download",
    ),
    "heads that are no number": (
        change_settings(lambda values: values["text_config"].update(num_attention_heads="two")),
        "config.json has num_attention_heads 'two', expected 1 to 128",
    ),
    "positions of another kind": (
        change_settings(lambda values: values["text_config"].update(rope_scaling={"factor": 2.0})),
        "has rope_scaling .*, expected none",
    ),
    "without generation parts": (
        without("vqmodel", "generation_"),
        "holds a Janus without tokeniser, generation head, which answers in words or draws in another way; ",
    ),
    "a language model alone": (
        without("vqmodel", "generation_", "vision_model", "aligner"),
        "holds a Janus without SigLIP, tokeniser, generation head, which answers in words or draws in another way; ",
    ),
    "without SigLIP": (
        without("vision_model", "aligner.fc1", "aligner.hidden"),
        "holds a Janus that is not whole, without SigLIP; download the folder again",
    ),
    "without a tokeniser": (
        without("vqmodel"),
        "a Janus that is not whole, without tokeniser; download the folder again",
    ),
    "without its language model": (
        without("language_model", "generation_"),
        "a Janus that is not whole, without language model, generation head; download the folder again",
    ),
    "the index and the last shard missing": (
        lost(INDEX, "model-00003-of-00003.safetensors"),
        "lacks model-00003-of-00003.safetensors, one of 3 files of weights; download the folder again",
    ),
    "the index and the first shard missing": (
        lost(INDEX, "model-00001-of-00003.safetensors"),
        "lacks model-00001-of-00003.safetensors, one of 3 files of weights; download the folder again",
    ),
    "a layer missing": (
        without("layers.1.mlp.gate_proj"),
        "Janus does not hold a Janus of the sizes of its own weights",
    ),
    "weights of another size": (
        rewrite(lambda tensors: tensors.update({next(iter(tensors)): torch.zeros(3)})),
        "does not hold a Janus of the sizes|of another one",
    ),
    "whole numbers": (
        rewrite(lambda tensors: tensors.update({next(iter(tensors)): torch.zeros(3, dtype=torch.long)})),
        "as I64, expected floating point",
    ),
    "no words": (lambda folder: (folder / "tokenizer.json").unlink(), "holds no tokenizer.json, expected beside the"),
    "a pattern without end": (tokenizer(slow_pattern), "cuts text by .*, expected the patterns of DeepSeek-LLM"),
    "no tag of an image": (tokenizer(no_image_tag), "lacks <begin_of_image>, expected the words of Janus-Pro"),
    "more words than rows": (
        tokenizer(lambda values: values["added_tokens"][0].update(id=400)),
        "has the word .* as 400, expected a number below 400",
    ),
    "merges that are none": (
        tokenizer(lambda values: values["model"].update(merges=["a"])),
        "has merges that are none",
    ),
    "a normaliser": (
        tokenizer(lambda values: values.update(normalizer={"type": "Lowercase"})),
        "normalises text, expected that of DeepSeek-LLM",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_none_is_one_sentence(folder, case):
    harm, expected = BAD[case]
    harm(folder)
    with pytest.raises(ValueError, match=expected) as error:
        found = open_set(folder)
        found.config()
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


def test_one_number_for_queries_keys_and_values(layouts, tmp_path):
    folder = shutil.copytree(layouts["original"], tmp_path / "Janus")
    rewrite(lambda tensors: tensors.update({"vision_model.vision_tower.blocks.1.attn.qkv.weight": torch.ones(())}))(
        folder
    )
    with pytest.raises(ValueError, match="does not hold a Janus of the sizes of its own weights"):
        open_set(folder)


def test_numbers_that_are_none(folder):
    for path in folder.glob("*.safetensors"):
        tensors = load_file(path)
        if any(name.endswith("conv_in.weight") for name in tensors):
            no_numbers(tensors)
            save_file(tensors, path)
    found = open_set(folder)
    with pytest.raises(ValueError, match="holds numbers in .* that are none"):
        found.read_weights(found.config().build())


@pytest.mark.parametrize("kept", ["norm.weight", "generation_embeddings.weight", "conv_in.weight", "k_proj.weight"])
def test_numbers_of_more_than_one_type(layouts, folder, kept):
    """They are the same in the widest, which layers of torch can compute with."""
    for path in folder.glob("*.safetensors"):
        tensors = load_file(path)
        save_file({name: one.float() if name.endswith(kept) else one for name, one in tensors.items()}, path)
    model, same = load(folder / "config.json"), load(layouts["sharded"] / "config.json").float()
    state, expected = model.lmm.state_dict(), same.lmm.state_dict()
    assert {one.dtype for one in state.values()} == {torch.float32}
    assert all(torch.equal(state[name], expected[name]) for name in expected)


def test_a_prompt_that_towers_make_too_long(folder):
    """Of words and instruction vectors there are always as many, so it shows whatever is drawn or learned."""
    change_settings(lambda values: values["text_config"].update(max_position_embeddings=100))(folder)
    lmm = load(folder / "config.json").float().lmm
    text, vectors = torch.zeros(1, lmm.text_slots, dtype=torch.long), torch.zeros(1, INSTRUCTIONS, lmm.config.width)
    tokens = len((*lmm.config.before, *lmm.config.after)) + lmm.text_slots + INSTRUCTIONS
    with pytest.raises(ValueError, match=f"^text and instruction take {tokens} tokens, .* has room for 84 beside the"):
        lmm.draw(Instruction(vectors, text, torch.ones(1), ""), [0], Sampling())
    with pytest.raises(ValueError, match=f"^text and instruction take {tokens} tokens, .*; choose a larger Janus, or"):
        lmm.token_losses(text, vectors, *torch.zeros(2, 1, 16, dtype=torch.long))
    change_settings(lambda values: values["text_config"].update(max_position_embeddings=tokens + 16))(folder)
    lmm = load(folder / "config.json").float().lmm
    assert lmm.draw(Instruction(vectors, text, torch.ones(1), ""), [0], Sampling()).shape == (1, 16)


def test_settings_may_leave_out_what_shapes_tell(folder):
    """As the published config.json of the 7B does."""
    kept = {"num_attention_heads": 2, "max_position_embeddings": 512}
    values = {"model_type": "janus", "text_config": kept, "vision_config": {"num_attention_heads": 2}}
    (folder / "config.json").write_text(json.dumps(values))
    assert open_set(folder).sizes == SIZES
    later = settings(SIZES)  # as version 5 of transformers writes it
    later["text_config"] |= {"rope_parameters": {"rope_type": "default", "rope_theta": 500.0}}
    later["text_config"].pop("rope_theta")
    (folder / "config.json").write_text(json.dumps(later))
    assert open_set(folder).sizes.language.rope_theta == 500.0


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (".", "Janus"),
        ("models--a--Janus", "models--a--Janus/snapshots/0123"),
        ("models--a--Janus/snapshots", "models--a--Janus/snapshots/0123"),
        ("cache", "cache/models--a--Janus/snapshots/0123"),
        ("Janus/onnx", "Janus"),
        ("Janus/config.json", "Janus"),
        ("others", None),
        ("others/llama/deeper", None),
    ],
)
def test_a_folder_that_is_near_is_named(layouts, tmp_path, given, named):
    for place in ("Janus", "models--a--Janus/snapshots/0123", "cache/models--a--Janus/snapshots/0123"):
        shutil.copytree(layouts["whole"], tmp_path / place)
        require_set_in(tmp_path / place, JanusConfig, "mine")
    for place in ("Janus/onnx", "others/llama/deeper"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "others" / "llama" / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(ValueError) as error:
        require_set_in(tmp_path / given, JanusConfig, "mine")
    what = "is a file" if given.endswith(".json") else "holds no config.json"
    instead = f"'{tmp_path / named}'" if named else "the one that holds it"
    sentence = f"lmm is '{tmp_path / given}', which {what}, expected the folder of 'mine'; give {instead}"
    assert str(error.value) == sentence


def test_a_folder_of_another_model_is_not_offered(folder, tmp_path):
    assert description_in(folder) == folder / "config.json"
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    assert description_in(tmp_path) is None
    (tmp_path / "config.json").write_text("x" * 2**21)
    assert description_in(tmp_path) is None
