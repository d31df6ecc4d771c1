"""What a server still holds after rounds of load, draw, train and free, and what that is.

    python scripts/measure_memory.py [--rounds 10] [--model embedded] [--primitives 1024]

Prints MB over the start, which is a server that has loaded all nodes and run none, a column for each part.
`--primitives 0` has oneDNN keep nothing of what it makes for layers, which tells how much of the rest is its. Linux
with glibc. About 30 s a round. Passes hold 4 pictures, as those of an untouched node on a processor.
"""

import argparse
import json
import os
import re
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.lib.client import Client  # noqa: E402
from scripts.lib.environment import BUILD, tested_host  # noqa: E402
from scripts.lib.memory import PROBE  # noqa: E402
from scripts.lib.prompts import node_of  # noqa: E402
from scripts.lib.server import Server  # noqa: E402
from scripts.lib.training_prompts import train_personalisation  # noqa: E402

WAIT = 6  # seconds until what the host freed has gone back to the system, too
PARTS = {
    "all": "resident, without files",
    "files": "pages of libraries and other files that were touched, which the system takes back where it needs room",
    "code": "machine code made while running",
    "in use": "what malloc gave out: modules, caches of libraries, and tensors",
    "tensors": "of that, tensors of torch",
    "rest": "free and kept by malloc, Python's own memory for small objects, stacks of threads",
}


def measured(server: Server, client: Client) -> dict[str, float]:
    """Bytes of each part."""
    inside = json.loads(client.get("/memory_probe"))
    status = (Path("/proc") / str(server.process.pid) / "status").read_text()
    anonymous, files = (int(re.search(rf"{name}:\s+(\d+)", status)[1]) * 1024 for name in ("RssAnon", "RssFile"))
    found = {"all": anonymous, "files": files, "code": code_in(server.process.pid)} | inside
    return found | {"rest": anonymous - found["code"] - found["in use"]}


def code_in(process: int) -> int:
    """Bytes of anonymous memory that may be executed and is resident."""
    mappings = re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", (Path("/proc") / str(process) / "smaps").read_text())
    ours = (one for one in mappings if re.match(r"\S+ ..x. \S+ 00:00 0 *\n", one))
    return sum(int(re.search(r"Rss:\s+(\d+)", one)[1]) * 1024 for one in ours)


def round_of(client: Client, definitions: dict, model: str, number: int) -> None:
    widgets = {"steps": 1, "batch_size": 4, "samples": 1, "run_name": f"round {number}"}
    prompt = train_personalisation(definitions, model, filename=f"round {number}", **widgets)
    prompt[node_of(prompt, "DRC_Triplets")]["inputs"]["restyled_views"] = 1
    result = client.run(prompt)
    if result.error:
        sys.exit(result.error["exception_message"])
    client.free()
    time.sleep(WAIT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--primitives", type=int)
    options = parser.parse_args()
    if options.primitives is not None:
        os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] = str(options.primitives)
    folder = BUILD / "run" / "memory"
    with Server(tested_host(), folder, "--cpu", beside=[PROBE]) as server, Client(server.address) as client:
        definitions = client.node_definitions()
        start = measured(server, client)
        print("\n".join(f"{name}: {what}" for name, what in PARTS.items()))
        print("round", *(f"{name:>8}" for name in PARTS))
        for number in range(1, options.rounds + 1):
            round_of(client, definitions, options.model, number)
            now = measured(server, client)
            print(f"{number:5}", *(f"{(now[name] - start[name]) / 1e6:8.0f}" for name in PARTS), flush=True)
        print("modules since the start, by package:", client.get("/memory_probe/modules").decode())


if __name__ == "__main__":
    main()
