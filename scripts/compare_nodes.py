"""Both stages from nothing through the nodes of a real server, and through scripts/train_embedded.py: the same numbers?

    python scripts/compare_nodes.py [--steps 5] [--batch 4] [--seed 0]

Needs what scripts/train_embedded.sh makes first: build/data and build/train/base.safetensors. Both sides compute on one
thread. Prints the losses of either side and whether the trained weights are equal, byte for byte; exits with 1 if not.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc.train.checkpoints import WEIGHTS, RunFolder  # noqa: E402
from scripts.lib.client import Client  # noqa: E402
from scripts.lib.environment import BUILD, demo_host  # noqa: E402
from scripts.lib.prompts import Prompt  # noqa: E402
from scripts.lib.recipes import recipe, settings_of, widgets_of  # noqa: E402
from scripts.lib.server import Server  # noqa: E402
from scripts.lib.training_prompts import STAGE1, STAGE2  # noqa: E402

NAMES = {1: "stage1", 2: "stage2"}


def through_the_script(options: argparse.Namespace, out: Path) -> None:
    for name in NAMES.values():
        numbers = [f"--{key}={getattr(options, key)}" for key in ("steps", "batch", "seed")]
        command = [sys.executable, str(ROOT / "scripts" / "train_embedded.py"), name, f"--out={out}", *numbers]
        subprocess.run(command, check=True)


def through_the_nodes(options: argparse.Namespace, base: Path, folder: Path) -> Path:
    """Both stages in one graph, the first wired into the second; returns the folder of the trainings."""
    with Server(demo_host(), folder, "--cpu") as server, Client(server.address) as client:
        models = folder / "models" / "drc"
        models.mkdir(parents=True, exist_ok=True)
        (models / "base.safetensors").symlink_to(base)
        prompt = Prompt(client.node_definitions())
        model = [prompt.add("DRC_LoadModel", model_name="base.safetensors"), 0]
        pictures = [prompt.add("DRC_ImageDataset", source="emoji benchmark"), 0]
        own_share = recipe("stage2")["data"]["own_share"]
        triplets = [prompt.add("DRC_Triplets", dataset=pictures, own_share=own_share, seed=options.seed), 0]
        given = {"steps": options.steps, "batch": options.batch, "seed": options.seed}
        for node, name in ((STAGE1, "stage1"), (STAGE2, "stage2")):
            widgets = widgets_of(settings_of(name, {}, {}, given))
            model = [prompt.add(node, model=model, triplets=triplets, run_name=name, **widgets), 0]
        prompt.add("DRC_SaveModel", model=model, filename="trained", precision="32 bit")
        result = client.run(prompt.nodes)
        if result.error:
            sys.exit(result.error["exception_message"])
    return folder / "output" / "drc"


def compare(ours: RunFolder, theirs: RunFolder) -> bool:
    last = [{name: one[name] for one in folder.read_log() for name in one} for folder in (ours, theirs)]
    for name in ("validation_loss", "procedural_loss", "vendor_loss"):
        print(f"  {name}: nodes {last[0][name]:.5f}, script {last[1][name]:.5f}")
    weights, same = (load_file(folder.last(WEIGHTS)) for folder in (ours, theirs))
    equal = weights.keys() == same.keys() and all(torch.equal(weights[key], same[key]) for key in weights)
    print(f"  {len(weights)} tensors, {'equal byte for byte' if equal else 'NOT equal'}")
    return equal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # sums of many threads differ in the last digits
    base, out = (
        BUILD / "train" / "base.safetensors",
        BUILD / "compare" / f"{options.steps}-{options.batch}-{options.seed}",
    )
    out.mkdir(parents=True, exist_ok=True)
    (base.parent / "cache").mkdir(exist_ok=True)
    for name, source in (("base.safetensors", base), ("cache", base.parent / "cache")):
        if not (out / name).exists():
            (out / name).symlink_to(source)
    through_the_script(options, out)
    nodes = through_the_nodes(options, base, BUILD / "run" / "compare")
    equal = True
    for stage, name in NAMES.items():
        print(f"stage {stage}, {options.steps} steps of {options.batch}")
        equal &= compare(RunFolder(nodes / f"{name}_00001"), RunFolder(out / name))
    sys.exit(not equal)


if __name__ == "__main__":
    main()
