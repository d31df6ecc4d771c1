"""What runs again, and what the same seed draws, under each of the host's caches."""

import pytest

from scripts.lib.client import Client
from scripts.lib.environment import BUILD
from scripts.lib.pictures import from_bytes
from scripts.lib.prompts import node_of, personalise
from scripts.lib.server import PACK, Server
from scripts.lib.tiny import write_tiny

CACHES = {
    "classic": ["--cache-classic"],
    "lru": ["--cache-lru", "100"],
    "none": ["--cache-none"],
    "ram": ["--cache-ram", "0.1"],
}


@pytest.fixture(scope="module", params=CACHES)
def cache(request, host):
    """A server with one kind of cache: its name and a client."""
    flags = CACHES[request.param]
    with Server(host, BUILD / "run" / "cache", "--cpu", *flags) as server, Client(server.address) as client:
        write_tiny(server.folder / "models" / "drc" / "tiny.safetensors")
        yield request.param, client
        # Modules of the pack are named in the log only by a traceback.
        assert f"custom_nodes/{PACK}/" not in server.log.read_text()


@pytest.fixture(scope="session")
def everywhere():
    """Kind of cache -> the picture of one seed."""
    return {}


def tiny(definitions, seed):
    return personalise(definitions, seed=seed, model_name="tiny.safetensors")


def classes(prompt, numbers):
    return {prompt[number]["class_type"] for number in numbers}


def test_a_change_reruns_what_depends_on_it(cache):
    kind, client = cache
    definitions = client.node_definitions()
    prompt = tiny(definitions, 1)
    first = client.run(prompt)
    assert first.error is None
    again = client.run(prompt)
    assert again.executed == (set(prompt) if kind == "none" else set())
    assert client.fetch(again.images[0])

    other_seed = client.run(tiny(definitions, 2))
    after_seed = {"DRC_LMMGenerate", "DRC_DecodeTokens", "SaveImage"}
    assert classes(prompt, other_seed.executed) == (classes(prompt, prompt) if kind == "none" else after_seed)

    other_strength = tiny(definitions, 2)
    other_strength[node_of(other_strength, "DRC_ComposeInstruction")]["inputs"]["style_strength"] = 0.5
    if kind != "none":
        assert classes(prompt, client.run(other_strength).executed) == {"DRC_ComposeInstruction", *after_seed}


def test_the_same_seed_draws_the_same_picture_for_everyone_under_every_cache(cache, everywhere):
    kind, client = cache
    definitions = client.node_definitions()
    results = [client.run(tiny(definitions, seed)) for seed in (5, 6, 5)]
    first, other, again = (from_bytes(client.fetch(result.images[0])) for result in results)
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()
    with Client(client.address) as stranger:
        seen = from_bytes(stranger.fetch(stranger.run(tiny(definitions, 6)).images[0]))
    assert seen.tobytes() == other.tobytes()
    everywhere[kind] = first.tobytes()
    assert len(set(everywhere.values())) == 1, everywhere.keys()
