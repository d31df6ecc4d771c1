"""The decoder of twice the size: what it begins with, and that it learns from vectors and is read again."""

import argparse
import json

import torch
import torch.nn.functional as F

from drc.checkpoint import load
from scripts import train_large_decoder
from scripts.lib.large_decoder import LargeDecoder, decode_large, load_large_decoder
from scripts.lib.tiny import write_tiny

SQUARE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect x="2" y="2" width="4" height="4"/></svg>'


def test_it_begins_with_what_the_tokeniser_draws_enlarged(tmp_path):
    vision = load(write_tiny(tmp_path / "tiny.safetensors")).lmm.vision
    codes = torch.randint(vision.codebook_size, (2, vision.picture_codes))
    drawn = decode_large(LargeDecoder(vision.decoder), vision, codes)
    expected = F.interpolate(vision.decode(codes), scale_factor=2, mode="bicubic").clamp(0, 1)
    assert drawn.shape == (2, 3, 64, 64)
    assert torch.allclose(drawn, expected, atol=0.2) and (drawn - expected).abs().mean() < 0.01


def test_it_learns_from_vectors_goes_on_and_is_read_again(data, tmp_path, monkeypatch):
    monkeypatch.setattr(train_large_decoder, "PerceptualDistance", lambda packages: torch.nn.L1Loss())
    monkeypatch.setattr(train_large_decoder, "Package", lambda folder: None)
    drawn = dict.fromkeys(train_large_decoder.Icons(data / "icons").cells, SQUARE)
    monkeypatch.setattr(train_large_decoder, "drawings", lambda package, manifest: [(None, drawn)])
    options = argparse.Namespace(data=data, packages=tmp_path, out=tmp_path / "out", steps=2, batch=4, seed=0)
    options.weights, options.save_every = write_tiny(tmp_path / "start.safetensors"), 100
    train_large_decoder.train(options)
    options.steps = 3
    train_large_decoder.train(options)
    rows = (tmp_path / "out" / "large-decoder" / "log.jsonl").read_text().splitlines()
    assert json.loads(rows[-1])["step"] == 3
    vision = load(options.weights).lmm.vision
    learned = load_large_decoder(tmp_path / "out" / "large-decoder.safetensors", vision)
    assert learned.out.weight.abs().max() > 0
    assert not torch.equal(learned.decoder.out.weight, vision.decoder.out.weight)
