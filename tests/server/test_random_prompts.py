"""A thousand random prompts: the server lives, every prompt ends, and every error of ours names node and input."""

import json
import re
import secrets
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from drc.card_file import save
from drc.files import file_hash
from drc.style_card import StyleCard
from scripts.lib.client import Client, PromptError
from scripts.lib.environment import BUILD
from scripts.lib.pictures import to_png
from scripts.lib.server import Server
from scripts.lib.tiny import write_tiny

from .random_prompts import SELDOM, RandomPrompts

PROMPTS = 500  # of each seed
OF_LAVIT = {"DRC_ComposeInContext", "DRC_ConvertLaVIT", "DRC_TokensToConditioning"}  # of which the server has none
PATIENCE = 60  # seconds without a word of the server


@pytest.fixture(scope="module")
def server(host):
    # What was made is kept for later prompts, which is quicker, and hands on records to more nodes than made them.
    beside = [Path(__file__).with_name("wild_value")]
    with Server(host, BUILD / "run" / "random", "--cpu", "--cache-lru", "100", beside=beside) as server:
        models = server.folder / "models" / "drc"
        write_tiny(models / "tiny.safetensors")
        write_tiny(models / "other.safetensors", seed=1)
        write_tiny(models / "untrained.safetensors", stage=0)
        (models / "damaged.safetensors").write_bytes(b"not safetensors")
        cards = models.with_name("drc_styles")
        maker = {"model": file_hash(models / "tiny.safetensors"), "model_name": "tiny.safetensors"}
        save(
            StyleCard(torch.zeros(2, 16, dtype=torch.long), torch.ones(2), name="card", **maker),
            cards / "card.safetensors",
        )
        (cards / "damaged.safetensors").write_bytes(b"not safetensors")
        for name in ("pictures/anna", "pictures/ben", "flat", "empty"):
            (server.folder / "input" / name).mkdir(parents=True)
        for number, name in enumerate(("pictures/anna/1", "pictures/anna/2", "pictures/ben/3", "flat/4", "flat/5")):
            picture = Image.radial_gradient("L").resize((24 + number, 24)).convert("RGB")
            picture.save(server.folder / "input" / f"{name}.png")
        (server.folder / "input" / "pictures" / "labels.csv").write_text("image,semantics\nanna/1.png,one\n")
        yield server


@pytest.fixture(scope="module")
def definitions(server):
    with Client(server.address) as client:
        client.upload("random.png", to_png(Image.new("RGBA", (20, 16), (90, 60, 30, 120))))
        return client.node_definitions()


@pytest.mark.parametrize("seed", [15, None], ids=["the same", "new"])
def test_random_prompts(client, server, definitions, capsys, seed):
    seed = secrets.randbelow(2**32) if seed is None else seed
    with capsys.disabled():
        sys.stdout.write(f"\nrandom prompts of seed {seed} ")
    prompts, faults, ended = RandomPrompts(definitions, seed), [], {"drawn": 0, "refused": 0, "error": 0, "untold": 0}
    ran = set()  # nodes of ours to the end of a prompt
    for number in range(PROMPTS):
        prompt = prompts.prompt()
        try:
            result = client.run(prompt, PATIENCE)
            fault = fault_of(prompt, result.error, definitions) if result.error else ""
            ended["error" if result.error else "drawn"] += 1
            ran |= set() if result.error else {node["class_type"] for node in prompt.values()}
        except PromptError as error:
            fault = fault_of_refusal(error)
            ended["refused"] += 1
        except TimeoutError:
            if not is_idle(client):
                faults.append(f"prompt {number} of seed {seed} hangs: {prompt}")
                break
            fault = ""  # it has ended; on a machine this busy a word about it can be late
            ended["untold"] += 1
        if fault:
            faults.append(f"prompt {number} of seed {seed}: {fault}")
    assert server.process.poll() is None, faults
    assert not faults, "\n".join(faults)
    never = set(prompts.ours) - ran - OF_LAVIT - {name for name, share in SELDOM.items() if share < 0.2}
    assert len(never) < 3, (never, ended)
    assert min(ended[one] for one in ("drawn", "refused", "error")) > PROMPTS // 50 > ended["untold"], ended


def is_idle(client) -> bool:
    """Whether the server has nothing left to do."""
    queue = json.loads(client.get("/queue"))
    return not queue["queue_running"] and not queue["queue_pending"]


def fault_of(prompt, error, definitions) -> str:
    """What is wrong with an error of a node; nothing where it is one of the host's own."""
    class_type, text = prompt[error["node_id"]]["class_type"], error["exception_message"].strip()
    if not class_type.startswith("DRC_"):
        return ""
    told, node = f"{class_type}: {error['exception_type']}: {text[:300]}", definitions[class_type]
    names = [name for group in node["input"].values() for name in group]
    given = [value for value in prompt[error["node_id"]]["inputs"].values() if isinstance(value, str) and value]
    sentence = error["exception_type"] == "ValueError" and text.endswith(".") and "\n" not in text
    if not sentence or not text.startswith(f"{node['display_name']}: "):
        return f"not a sentence: {told}\n{''.join(error['traceback'][-3:])}"
    named = any(re.search(rf"\b{name}\b", text) for name in names) or any(value in text for value in given)
    return "" if named else f"names no input: {told}"


def fault_of_refusal(error: PromptError) -> str:
    for node in error.errors.values():
        for one in node["errors"]:
            if node["class_type"].startswith("DRC_") and one["type"].startswith("exception"):
                return f"fails while the host looks at it: {node['class_type']}: {one['details']}"
    return ""
