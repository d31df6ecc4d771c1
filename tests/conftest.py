"""Makes `drc`, `scripts` and the host's modules importable, without a server and without a GPU."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

from scripts.lib.client import Client  # noqa: E402
from scripts.lib.environment import BUILD, Host, find_host  # noqa: E402
from scripts.lib.server import Server  # noqa: E402
from scripts.lib.tiny import write_tiny  # noqa: E402

HOST = Host(find_host() or BUILD / "comfyui", Path(sys.executable))
# Before the repository: `nodes` is a module of the host and a folder of ours, which only relative imports reach.
sys.path.insert(0, str(HOST.folder))

from comfy.cli_args import args  # noqa: E402

args.cpu = True


@pytest.fixture(scope="session")
def host() -> Host:
    return HOST


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def server(host):
    """One ComfyUI for all tests that do not care how it was started, with tiny models beside the embedded one."""
    with Server(host, BUILD / "run" / "tests", "--cpu") as server:
        models = server.folder / "models" / "drc"
        write_tiny(models / "tiny.safetensors")
        write_tiny(models / "other.safetensors", seed=1)
        write_tiny(models / "untrained.safetensors", stage=0)
        (models / "damaged.safetensors").write_bytes(b"not safetensors")
        yield server


@pytest.fixture
def client(server):
    with Client(server.address) as client:
        yield client


@pytest.fixture(scope="session")
def definitions(server):
    """What the server says of its nodes."""
    with Client(server.address) as client:
        return client.node_definitions()
