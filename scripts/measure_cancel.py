"""How long Cancel takes in every long node, by the clock, pressed in a real server while the node works.

    python scripts/measure_cancel.py [--presses 5] [--least 0.4] [--model embedded] [NODE ...]

Every graph runs once to learn when its nodes work, then once for each press, with nothing kept between the runs: at
shares of its time spread evenly through every node that works for `--least` seconds or more. Prints a line for each
node: the seconds it works, and from the press until the server says that it was interrupted, the median and the
longest, with the share of the node's time at which that was; then the longest of all. `NODE` are the ones to press in,
such as DRC_Evaluate.
"""

import argparse
import shutil
import statistics
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.lib.client import Client, Result  # noqa: E402
from scripts.lib.environment import BUILD, tested_host  # noqa: E402
from scripts.lib.prompts import SHARP, Prompt, evaluate, look_closer, node_of  # noqa: E402
from scripts.lib.server import Server  # noqa: E402
from scripts.lib.training_prompts import TRAINERS, train_both  # noqa: E402

TRIES = 5  # runs for one press, until one comes before the node ends
WORDS = "bicycle\ncar\nhouse\nheart\nkey\ncat"


def from_words(definitions: dict, model_name: str) -> dict:
    """Pictures and words -> a set, with its report, its palette and a style card."""
    prompt = Prompt(definitions)
    model, examples = [prompt.add("DRC_LoadModel", model_name=model_name), 0], [prompt.add("DRC_ExamplePictures"), 0]
    style = [prompt.add("DRC_StyleTower", model=model, history=examples), 0]
    semantics = [prompt.add("DRC_ReferenceFromWords", model=model, words="bicycle"), 0]
    prompt.add("DRC_ComposeInstruction", model=model, style=style, semantics=semantics)
    tokens = [prompt.add("DRC_CompleteSet", model=model, style=style, words=WORDS, best_of=4), 0]
    drawn, sharp = (
        [prompt.add("DRC_DecodeTokens", model=model, tokens=tokens, **size), 0] for size in ({}, {"size": SHARP})
    )
    again = [prompt.add("DRC_TokenizeImage", model=model, images=sharp), 0]
    for images in (
        prompt.add("DRC_LockPalette", images=sharp, history=examples),
        prompt.add("DRC_SetReport", images=drawn, history=examples),
        prompt.add("DRC_DecodeTokens", model=model, tokens=again),
    ):
        prompt.add("PreviewImage", images=[images, 0])
    prompt.add("DRC_SaveStyle", model=model, style=style, name="measured")
    return prompt.nodes


def trained(definitions: dict, model_name: str) -> dict:
    """Both stages, one after the other, and the model saved."""
    prompt = Prompt(definitions)
    prompt.nodes = train_both(definitions, model_name, steps=3, validate_every=2, save_every=2, samples=4)
    for stage in TRAINERS:
        node = node_of(prompt.nodes, stage)
        prompt.nodes[node]["inputs"]["run_name"] = stage
    prompt.add("DRC_SaveModel", model=[node, 0], filename="measured")
    return prompt.nodes


def measured(definitions: dict, model_name: str) -> dict:
    return evaluate(definitions, model_name, cases=8)


def looked_at(definitions: dict, model_name: str) -> dict:
    return look_closer(definitions, model_name=model_name)


GRAPHS = (looked_at, from_words, measured, trained)


class Press:
    """Cancel, pressed once, so many seconds after a node began."""

    def __init__(self, client: Client, node: str = "", after: float = 0.0):
        self.client, self.node, self.after = client, node, after
        self.began: dict[str, float] = {}  # node -> when it began
        self.pressed = 0.0

    def press(self) -> None:
        self.pressed = time.monotonic()
        self.client.interrupt()

    def run(self, prompt: dict) -> tuple[Result, float]:
        """What a run of the prompt gave, and when it ended."""
        result, timer = Result(self.client.queue(prompt)), None
        for _ in self.client.follow(result, seconds=300):
            for node in result.executed - self.began.keys():
                self.began[node] = time.monotonic()
                if node == self.node:
                    timer = threading.Timer(self.after, self.press)
                    timer.start()
        end = time.monotonic()
        if timer:
            timer.cancel()
            timer.join()
        if result.error:
            sys.exit(result.error["exception_message"])
        return result, end


def spans_of(press: Press, end: float) -> dict[str, float]:
    """Node -> the seconds for which it worked."""
    order = sorted(press.began, key=press.began.get)
    ends = [*(press.began[node] for node in order[1:]), end]
    return {node: stop - press.began[node] for node, stop in zip(order, ends, strict=True)}


def cancels(server: Server, client: Client, prompt: dict, options: argparse.Namespace) -> dict[str, list[float]]:
    """Class of node -> the seconds from each press until it was heard."""
    forget(server)
    press = Press(client)
    _, end = press.run(prompt)
    found = {}
    for node, span in spans_of(press, end).items():
        name = prompt[node]["class_type"]
        if (
            span < options.least
            or name in found
            or not name.startswith("DRC_")
            or name not in (options.nodes or [name])
        ):
            continue
        waits = {}  # share of the span -> seconds
        for share in ((number + 0.5) / options.presses for number in range(options.presses)):
            wait, span = pressed(server, client, prompt, node, share, span)
            if wait is not None:
                waits[share] = wait
        found[name] = list(waits.values())
        worst = max(waits, key=waits.get, default=None)
        longest = f"{statistics.median(waits.values()):7.2f} {waits[worst]:7.2f} at {worst:.0%}" if waits else ""
        print(f"{name:28} {span:7.1f} {len(waits):7} {longest}", flush=True)
    return found


def pressed(
    server: Server, client: Client, prompt: dict, node: str, share: float, span: float
) -> tuple[float | None, float]:
    """Seconds until a press at that share of the span of a node was heard, None where no press came in time, and the
    span as it is known then.

    A first run loads and compiles what later ones find done, so a node may end before its press: then the span is what
    it has just been, and it is pressed anew.
    """
    for _ in range(TRIES):
        forget(server)
        press = Press(client, node, span * share)
        result, end = press.run(prompt)
        if result.interrupted and press.pressed:
            return end - press.pressed, span
        span = min(span, spans_of(press, end).get(node, span))
    return None, span


def forget(server: Server) -> None:
    """Takes away what trainings and reports left, so that the next run works as the first."""
    shutil.rmtree(server.folder / "output" / "drc", ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nodes", nargs="*", metavar="NODE")
    parser.add_argument("--presses", type=int, default=5)
    parser.add_argument("--least", type=float, default=0.4)
    parser.add_argument("--model", default="embedded")
    options = parser.parse_args()
    with (
        Server(tested_host(), BUILD / "run" / "cancel", "--cpu", "--cache-none") as server,
        Client(server.address) as client,
    ):
        definitions, waits = client.node_definitions(), []
        print(f"{'node':28} {'seconds':>7} {'presses':>7} {'median':>7} {'longest':>7}")
        for prompt in (graph(definitions, options.model) for graph in GRAPHS):
            if not options.nodes or {node["class_type"] for node in prompt.values()}.intersection(options.nodes):
                found = cancels(server, client, prompt, options)
                waits += [wait for its in found.values() for wait in its]
    quick = sum(wait < 1 for wait in waits)
    print(f"{len(waits)} presses, {quick} of them heard within a second, the longest after {max(waits):.2f} s")


if __name__ == "__main__":
    main()
