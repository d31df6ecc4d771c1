"""What our training loop is worth: pictures a second, memory and waiting, against the plainest loop that is correct.

    python scripts/bench_train.py [loop] [codes] [--batch 16] [--steps 7] [--stage 2] [--threads 1] [--before COMMIT]

loop   Both train the embedded model in float32 on the pictures of nodes/examples with the same batches, so their
       losses must agree. The plainest loop reads and tokenises the pictures of every step anew, sends the whole batch
       through the model at once, and keeps the visual tokeniser beside it. Each runs in a process of its own, twice in
       turn; the first two steps do not count. Memory is what the process held at most (VmHWM, Linux) beyond what it
       held after the same loop had trained a tiny model; ours is also set against the estimate before the training.
codes  Pictures that become codes in a second of the processor's time, in float32 and in bfloat16, and the share of
       codes that stay the same. `--before` puts an earlier commit beside them. They take turns in one process, and the
       median counts.
"""

import argparse
import gc
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drc import EMBEDDED  # noqa: E402
from drc.checkpoint import load  # noqa: E402
from drc.data.folder import scan  # noqa: E402
from drc.pixels import from_pixels  # noqa: E402
from drc.seeds import generator_from, seed_of  # noqa: E402
from drc.train.config import Config, DataConfig, ModelConfig, TrainingConfig  # noqa: E402
from drc.train.data.batches import BatchCodes, Batches, BatchRows  # noqa: E402
from drc.train.data.codes import PictureSource, chunk_on, encode  # noqa: E402
from drc.train.data.conditioning import draw_batch  # noqa: E402
from drc.train.data.training_data import folder_data  # noqa: E402
from drc.train.objectives.stages import STAGES  # noqa: E402
from drc.train.run import Hooks, train  # noqa: E402
from scripts.bench_embedded import take_turns  # noqa: E402
from scripts.lib.earlier import import_from  # noqa: E402
from scripts.lib.tiny import write_tiny  # noqa: E402

LEFT_OUT = 2  # steps at the beginning
ROUNDS = 2
ENCODED = 32  # pictures, with their mirror images


def settings(options: argparse.Namespace, model: Path) -> Config:
    return Config(
        DataConfig(folder=str(ROOT / "nodes" / "examples"), pattern="history-*.png"),
        ModelConfig(file=str(model)),
        TrainingConfig(
            stage=options.stage,
            steps=options.steps,
            batch=options.batch,
            rate=1e-3,
            language_rate=1e-3,
            warm_up=100,
            precision="float32",
            sampling="uniform",
            log_every=1,
            save_every=10**6,
            validate_every=10**6,
            samples=0,
        ),
    )


class StopError(Exception):
    """Before the last step's validation and checkpoint, which the plainest loop has not."""


def ours(config: Config, folder: Path) -> dict:
    """Our loop, of which the codes are cached in `folder` already if it ran there before."""
    losses, seconds, waited, memory = [], [], [], []

    def on_step(trainer):
        if trainer.step:
            record = trainer.run_folder.read_log()[-1]
            losses.append(record["loss"])
            seconds.append(config.training.batch / record["images_per_second"])
            waited.append(record["waited"])
        if trainer.step == config.training.steps - 1:
            raise StopError

    try:
        with tempfile.TemporaryDirectory() as run:
            hooks = Hooks(on_step=on_step, place=lambda module, device, count: memory.append(count))
            train(config, Path(run), folder / "cache", hooks=hooks)
    except StopError:
        pass
    weights = sum(p.numel() * p.element_size() for p in load(Path(config.model.file)).parameters())
    return {"losses": losses, "seconds": seconds, "waited": waited, "estimate": memory[-1] + weights}


class FreshBatches(Batches):
    """Batches whose pictures are read and turned into codes when they are drawn, each of a batch once."""

    pictures: PictureSource
    vision: torch.nn.Module

    def codes_of(self, rows: BatchRows) -> BatchCodes:
        parts = [rows.target[:, None], rows.reference[:, None], rows.second_view[:, None], rows.history]
        together = np.concatenate(parts, axis=1)
        sides = np.repeat(rows.side[:, None], together.shape[1], axis=1)
        distinct, where = np.unique(np.stack((together.ravel(), sides.ravel())), axis=1, return_inverse=True)
        images = from_pixels(self.pictures.read(distinct[0]))
        mirrored = torch.from_numpy(distinct[1]).bool()[:, None, None, None]
        with torch.no_grad():
            codes = self.vision.encode(torch.where(mirrored, images.flip(3), images))
        codes = codes[torch.from_numpy(where.reshape(together.shape))]
        text = self.text[self.text_row[torch.from_numpy(rows.target)], torch.from_numpy(rows.wording)]
        return BatchCodes(codes[:, 0], codes[:, 3:], codes[:, 1], codes[:, 2], text)


def plainest(config: Config, folder: Path) -> dict:
    """Every step: draw, read, tokenise, forward, backward, AdamW."""
    training, drc = config.training, load(Path(config.model.file))
    lmm = drc.lmm
    pictures = scan(config.data.folder, pattern=config.data.pattern)
    data = folder_data(pictures, config.data, lmm.image_size, drc.words, lmm.text_slots)
    share = data.train
    batches = FreshBatches(None, share.index, data.text, data.text_row, training.batch, share.own_share, training.seed)
    batches.pictures, batches.vision = data.pictures, lmm.vision.requires_grad_(False)
    lmm.tie()
    torch.manual_seed(training.seed)  # the auxiliary head may begin at random
    objective = STAGES[training.stage](drc.train())
    if drc.about.auxiliary_head:
        objective.auxiliary_head.load_state_dict(drc.about.auxiliary_head)
    trained = [parameter for parameter in objective.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, training.rate, (0.9, 0.95), weight_decay=training.weight_decay)
    losses, seconds = [], []
    for step in range(training.steps - 1):
        start = time.monotonic()
        codes = batches.triplets(step) if training.stage == 1 else batches.personal(step, training.history)
        random = generator_from(seed_of(training.seed, step))
        even, rows = torch.full((4,), 0.25), drc.config.tower.rows
        batch = draw_batch(codes, training, lmm.blank_code, rows, even, 1.0, random)
        found = objective(batch)
        loss = found.tokens.mean() + found.auxiliary.mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, training.gradient_norm)
        for group in optimizer.param_groups:
            group["lr"] = training.rate * training.factor_at(step)
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.monotonic() - start)
    return {"losses": losses, "seconds": seconds}


LOOPS = {"ours": ours, "plainest": plainest}


def held(key: str) -> int:
    """Bytes of this process: VmRSS now, or VmHWM at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(key)).split()[1])


def measured(options: argparse.Namespace) -> dict:
    """In a process of its own: the loop, and what memory it took beyond that of the code it runs."""
    torch.set_num_threads(options.threads)
    loop = LOOPS[options.loop]
    loop(settings(options, write_tiny(options.folder / "tiny.safetensors")), options.folder)
    gc.collect()
    before = held("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # VmHWM begins anew
    found = loop(settings(options, EMBEDDED), options.folder)
    return found | {"memory": held("VmHWM") - before}


def in_a_process(options: argparse.Namespace, loop: str, folder: str) -> dict:
    """What `measured` finds of a loop."""
    numbers = [f"--{name}={getattr(options, name)}" for name in ("batch", "steps", "stage", "threads")]
    command = [sys.executable, __file__, *numbers, "--loop", loop, "--folder", folder]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.splitlines()[-1])


def in_turn(options: argparse.Namespace) -> dict[str, list[dict]]:
    found = {name: [] for name in LOOPS}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for name, runs in found.items():
                runs.append(in_a_process(options, name, folder))
    return found


def report(found: dict[str, list[dict]], batch: int) -> None:
    ours, plain = found["ours"][-1], found["plainest"][-1]
    torch.testing.assert_close(torch.tensor(ours["losses"]), torch.tensor(plain["losses"]), atol=2e-3, rtol=0)
    seconds = {
        name: statistics.median(second for run in runs for second in run["seconds"][LEFT_OUT:])
        for name, runs in found.items()
    }
    for name, taken in seconds.items():
        print(f"{name}: {batch / taken:.2f} pictures a second, {found[name][-1]['memory'] / 2**20:.0f} MB")
    print(f"ours over plainest: {seconds['plainest'] / seconds['ours']:.2f} times the pictures a second")
    print(f"ours over plainest: {ours['memory'] / plain['memory']:.2f} times the memory")
    print(f"waiting for data: {100 * statistics.mean(ours['waited']):.2f} % of our time")
    print(f"memory estimated over measured: {ours['estimate'] / ours['memory']:.2f}")


def report_codes(options: argparse.Namespace) -> None:
    torch.set_num_threads(options.threads)
    base = load(EMBEDDED)
    config = settings(options, EMBEDDED)
    data = folder_data(scan(config.data.folder), config.data, base.lmm.image_size, base.words, base.lmm.text_slots)
    pixels, found = data.pictures.read(np.arange(ENCODED)), {}

    def way(name: str, encode, vision, chunk: int, *precision: torch.dtype):
        def run():
            found[name] = torch.cat([encode(vision, some, "cpu", *precision) for some in split(pixels, chunk)])

        return {name: run}

    ways = {}
    if options.before:
        package = import_from(options.before)
        has_rooms = importlib.util.find_spec(f"{package}.train.codes") is None
        room = "train.data" if has_rooms else "train"
        theirs = importlib.import_module(f"{package}.{room}.codes")
        vision = importlib.import_module(f"{package}.checkpoint").load(EMBEDDED).lmm.vision
        ways |= way(options.before, theirs.encode, vision, theirs.chunk_on("cpu"))
    for precision in (torch.float32, torch.bfloat16):
        ways |= way(str(precision), encode, base.lmm.vision, chunk_on("cpu", precision), precision)
    seconds = take_turns(ways, options.steps, time.process_time)
    first = next(iter(ways))
    for name, taken in seconds.items():
        same = (found[name] == found[first]).float().mean().item()
        print(
            f"codes, {name}: {2 * ENCODED / taken:.0f} pictures a second, {seconds[first] / taken:.2f} times {first}; "
            f"{100 * same:.2f} % of the codes are the same"
        )


def split(pixels: np.ndarray, chunk: int) -> list[np.ndarray]:
    return np.array_split(pixels, -(-len(pixels) // chunk))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["loop", "codes"], help="loop, codes")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--stage", type=int, default=2, choices=STAGES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--before", default="", metavar="COMMIT", help="an earlier one, whose codes are made, too")
    parser.add_argument("--loop", choices=LOOPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.loop:
        print(json.dumps(measured(options)))
        return
    if "loop" in options.parts:
        report(in_turn(options), options.batch)
    if "codes" in options.parts:
        report_codes(options)


if __name__ == "__main__":
    main()
