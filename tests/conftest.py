"""Makes `drc`, `scripts` and the host's modules importable, without a server and without a GPU."""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

from scripts.lib.client import Client  # noqa: E402
from scripts.lib.environment import BUILD, Host, tested_host  # noqa: E402
from scripts.lib.lavit_prompts import NAME as LAVIT  # noqa: E402
from scripts.lib.packed import PackedServer  # noqa: E402
from scripts.lib.tiny import write_tiny  # noqa: E402
from scripts.lib.tiny_benchmark import Build, write_tiny_benchmark  # noqa: E402
from scripts.lib.tiny_janus import write_tiny_janus  # noqa: E402
from scripts.lib.tiny_lavit import write_tiny_lavit  # noqa: E402

HOST = tested_host()
# Before the repository: `nodes` is a module of the host and a folder of ours, which only relative imports reach.
sys.path.insert(0, str(HOST.folder))

from comfy.cli_args import args  # noqa: E402

args.cpu = True
torch.set_num_threads(1)  # small tensors only lose by being shared out, and other sums have other last digits


def pytest_addoption(parser):
    parser.addoption("--write-object-info", action="store_true", help="see tests/server/test_object_info.py")
    parser.addoption("--write-locales", action="store_true", help="see tests/server/test_locales.py")
    parser.addoption("--translated", action="store_true", help="see tests/server/test_locales.py")


@pytest.fixture
def recordings(monkeypatch) -> list:
    """Every recording of a step that was made. There is no card: a stand-in notes the operations of one step and
    repeats them on the same tensors, as a CUDA graph does."""
    import drc.lmm.lavit.language  # noqa: F401
    from drc.lmm.graph import compiled

    made = []

    def record(step, examples, rewind, compiles=False):
        if compiles:
            noted = compiled(step, examples, rewind)
        else:
            noted = make_fx(step)(*examples)
            rewind()
        made.append(noted)

        def replay(*given):
            for example, one in zip(examples, given, strict=True):
                example.copy_(one)
            return noted(*examples)

        return replay

    for name in list(sys.modules):  # those of the pack, too
        if name.endswith(("drc.lmm.generate", "drc.lmm.lavit.language")):
            monkeypatch.setattr(sys.modules[name], "record", record)
    return made


@pytest.fixture(scope="session")
def host() -> Host:
    return HOST


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


def module_from(path: Path, name: str):
    """By path: pytest calls folders of these tests by names that the host's modules have."""
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=[str(path.parent)])
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def pack(root):
    """The pack as the host loads it, under a name that nothing in it knows; its parts are `pack.nodes.load`, ..."""
    return module_from(root / "__init__.py", "drc_pack")


@pytest.fixture(scope="session")
def stock(host):
    """The host's own nodes: id -> class."""
    return module_from(host.folder / "nodes.py", "host_nodes").NODE_CLASS_MAPPINGS


@pytest.fixture(scope="session")
def load_extra_paths(host):
    """What a starting host does with a file of extra model paths; by path, as other packages have a `utils`, too."""
    return module_from(host.folder / "utils" / "extra_config.py", "host_extra_config").load_extra_path_config


@pytest.fixture
def in_this_process(monkeypatch, capsys):
    """Runs a command of ours, a module with a `main`, without a process of its own: exit code, stdout, stderr."""

    def run(command, *arguments) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", [command.__name__, *map(str, arguments)])
        return command.main(), *capsys.readouterr()

    return run


@pytest.fixture(scope="session")
def build(tmp_path_factory) -> Build:
    """A build of the emoji benchmark that the command and the nodes find."""
    return write_tiny_benchmark(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="session")
def tiny_lavit(tmp_path_factory):
    """A models folder with a converted LaVIT called tiny-lavit, and what the host's loaders take for its UNet and VAE;
    random, so it draws noise."""
    return write_tiny_lavit(tmp_path_factory.mktemp("lavit"), "tiny-lavit").parents[1]


@pytest.fixture(scope="session")
def tiny_janus(tmp_path_factory):
    """A models folder with a Janus called tiny-janus as it is downloaded; random, so it draws noise."""
    return write_tiny_janus(tmp_path_factory.mktemp("janus")).parents[1]


@pytest.fixture(scope="session")
def server(host):
    """One ComfyUI for all tests that do not care how it was started, with tiny models beside the embedded one.

    Its pack is the packed archive, so a file that is new must have been added to git. Its path has a blank and letters
    of more than one script.
    """
    folder = BUILD / "run" / "tests \u0438 caf\u00e9"
    with PackedServer(host, folder, "--cpu", "--preview-method", "latent2rgb") as server:
        models = server.folder / "models" / "drc"
        write_tiny(models / "tiny.safetensors")
        write_tiny(models / "other.safetensors", seed=1)
        write_tiny(models / "untrained.safetensors", stage=0)
        (models / "damaged.safetensors").write_bytes(b"not safetensors")
        yield server


@pytest.fixture(scope="module")
def lavit_by_name(server):
    """A tiny LaVIT among the server's models under the name that workflows use, as long as the tests of a file run."""
    models = server.folder / "models"
    write_tiny_lavit(models, LAVIT)
    yield
    shutil.rmtree(models / "drc" / LAVIT)
    for path in (*models.glob(f"diffusion_models/{LAVIT}-*"), *models.glob(f"vae/{LAVIT}-*")):
        path.unlink()


@pytest.fixture
def client(server):
    with Client(server.address) as client:
        yield client


@pytest.fixture(scope="session")
def definitions(server):
    """What the server says of its nodes."""
    with Client(server.address) as client:
        return client.node_definitions()
