"""One checkpoint is one safetensors file; anything else is turned away in one sentence that names the file."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from drc.checkpoint import load, read_header
from drc.files import file_hash
from drc.model import DRCConfig
from drc.tensor_file import metadata_of
from scripts.lib.tiny import CONFIG, write_tiny


@pytest.fixture
def path(tmp_path):
    return write_tiny(tmp_path / "tiny.safetensors")


def contents(path):
    with safe_open(path, "pt") as file:
        return load_file(path), file.metadata()


def assert_one_sentence(path, says):
    with pytest.raises(ValueError, match=says) as error:
        load(path)
    message = str(error.value)
    assert message.startswith(path.name) and "\n" not in message and len(message) < 300


def test_what_is_saved_is_loaded(path, tmp_path):
    model = load(path)
    tensors, metadata = contents(path)
    assert model.config == CONFIG == DRCConfig.from_json(json.loads(metadata["drc"])["config"])
    assert model.stage == 2 and model.hash == file_hash(path) and not model.training
    assert model.encode_text("red apple").any()
    state = model.state_dict()
    assert state.keys() == tensors.keys()
    assert all(torch.equal(state[name], tensor) for name, tensor in tensors.items())


def test_settings_keep_the_names_that_files_know_them_by(path):
    values = json.loads(CONFIG.to_json())
    assert values["lmm"]["hears_spot"] is CONFIG.lmm.local_conditioning is True
    assert values["tower"]["places"] is CONFIG.tower.positions is True
    values["lmm"]["hears_spot"] = values["tower"]["places"] = False
    values["tower"]["merge"] = 1
    changed = DRCConfig.from_json(json.dumps(values))
    assert not changed.lmm.local_conditioning and not changed.tower.positions
    text = read_header(path)["config"]
    assert DRCConfig.from_json(text).to_json() == text


def test_half_precision_files_load_as_full(path):
    tensors, metadata = contents(path)
    save_file({name: tensor.half() for name, tensor in tensors.items()}, path, metadata)
    assert {parameter.dtype for parameter in load(path).parameters()} == {torch.float32}


def test_equal_models_are_equal_files(path, tmp_path):
    assert write_tiny(tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_the_hash_names_the_weights(tmp_path):
    one, other = (load(write_tiny(tmp_path / f"{seed}.safetensors", seed=seed)) for seed in (0, 1))
    assert len(one.hash) == 64 and one.hash != other.hash


def test_towers_that_were_never_trained_refuse(tmp_path):
    model = load(write_tiny(tmp_path / "tiny.safetensors", stage=0))
    codes = torch.zeros(1, model.lmm.picture_codes, dtype=torch.long)
    with pytest.raises(ValueError, match="never trained"):
        model.style(codes, torch.ones(1))
    with pytest.raises(ValueError, match="never trained"):
        model.semantics(codes[0])


@pytest.mark.parametrize("keep", [0, 5, 1000, -1], ids=["empty", "no header", "half a header", "last byte missing"])
def test_damaged(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    assert_one_sentence(path, "is not a readable safetensors file .*; copy or download it again")


def test_no_safetensors_file(path):
    path.write_bytes(b"<!doctype html><title>404</title>" * 100)
    assert_one_sentence(path, "is not a readable safetensors file")


def test_no_file(tmp_path):
    assert_one_sentence(tmp_path / "missing.safetensors", "is not a readable safetensors file")


@pytest.mark.parametrize("header", [None, {}, {"architecture": "drc-large-7"}], ids=str)
def test_foreign(path, header):
    metadata = {"format": "pt"} if header is None else metadata_of(header)
    save_file({"some.weight": torch.zeros(3)}, path, metadata)
    found = (header or {}).get("architecture", "no architecture entry")
    assert_one_sentence(path, f"is not a DRC model: found {found}, expected")
    with pytest.raises(ValueError, match="is not a DRC model"):
        read_header(path)


def test_weights_missing(path):
    tensors, metadata = contents(path)
    del tensors["lmm.places.weight"]
    save_file(tensors, path, metadata)
    assert_one_sentence(path, "1 missing or of another size, 0 unexpected, such as lmm.places.weight")


def test_weights_that_nobody_asked_for(path):
    tensors, metadata = contents(path)
    save_file(tensors | {"extra": torch.zeros(1)}, path, metadata)
    assert_one_sentence(path, "0 missing or of another size, 1 unexpected, such as extra")


def test_weights_of_another_size(path):
    tensors, metadata = contents(path)
    header = read_header(path)
    config = json.loads(header["config"])
    config["lmm"]["feed_forward"] += 8
    save_file(tensors, path, metadata_of(header | {"config": json.dumps(config)}))
    assert_one_sentence(path, "6 missing or of another size, 0 unexpected")
