"""What one client runs is shown to that client alone."""

import time

import pytest
from PIL import Image

from scripts.lib.client import Client


@pytest.fixture
def prompt(server):
    """Makes a prompt that has never run."""

    def prompt(name):
        folder = server.folder / "input" / name
        folder.mkdir()
        Image.new("RGB", (32, 32)).save(folder / "a.png")
        return {"1": {"class_type": "DRC_ImageDataset", "inputs": {"source": "folder", "folder": name}}}

    return prompt


def test_text_goes_to_who_sent_the_prompt(server, client, prompt):
    with Client(server.address) as other, Client(server.address) as nameless:
        assert [text[:24] for _, text in client.run(prompt("of-a-client")).texts] == ["1 picture of 1 user.\nSiz"]
        nameless.id = None
        number, deadline = nameless.queue(prompt("of-nobody")), time.monotonic() + 60
        while number.encode() not in client.get("/history") and time.monotonic() < deadline:
            time.sleep(0.05)
        loaded = {"1": {"class_type": "DRC_LoadModel", "inputs": {"model_name": "tiny.safetensors"}}}
        loaded["2"] = {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}}
        for bystander in (other, client):
            assert bystander.run(loaded).texts == []
