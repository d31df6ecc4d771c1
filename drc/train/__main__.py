"""Trains without ComfyUI, from this pack's folder:

    python -m drc.train CONFIG.toml [--out FOLDER] [--cache FOLDER] [--device DEVICE]

on many processes and machines:

    accelerate launch -m drc.train CONFIG.toml

CONFIG.toml is what a training node writes into the folder of its run. Relative paths in it are relative to the folder
that it lies in. The run's folder is that one, too, unless --out says otherwise; a run that has a checkpoint there goes
on from it. Ctrl-C, or a kill, ends the training after its step and keeps what was learned; a second one ends it now.
The last line is the path of the trained model.
"""

import argparse
import contextlib
import logging
import signal
import sys
from pathlib import Path

from tqdm.contrib.logging import logging_redirect_tqdm

from .ending import exit_code
from .errors import TrainingError


def main() -> int:
    return exit_code(run)


def run() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m drc.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path, metavar="CONFIG.toml")
    parser.add_argument("--out", type=Path, help="the folder of the run; without it, the one that CONFIG.toml lies in")
    parser.add_argument("--cache", type=Path, help="where codes are kept; without it, 'cache' beside the run's folder")
    parser.add_argument("--device", help="such as cpu or cuda; without it, the fastest there is")
    options = parser.parse_args()
    # Here, as it takes seconds: Ctrl-C is heard meanwhile.
    import torch

    from .bars import Bars
    from .config_file import read_config
    from .machine.processes import processes_of
    from .run import train

    out = (options.out or options.config.parent).resolve()
    stop = Stop()
    processes = processes_of(options.device)
    with processes.together():
        config = read_config(options.config)
        keep_apart(Path(config.data.folder), out)
    level = logging.INFO if processes.main else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(message)s")
    cache, bars = options.cache or out.parent / "cache", Bars(stop.grant, processes.main)
    with logging_redirect_tqdm(), contextlib.closing(bars):
        try:
            result = train(config, out, cache, processes, bars.hooks())
        except torch.cuda.OutOfMemoryError as error:
            what_to_do = "set micro_batch in [training] to less than it was"
            raise TrainingError(f"Memory ran out ({error}); {what_to_do}") from error
        bars.tell("steps", result.records[-1]["step"], config.training.steps)
    if processes.main:
        sys.stdout.write(f"{result.file}\n")
    processes.end()


class Stop:
    """The first signal is a wish that is granted after a step, the second one is granted at once."""

    def __init__(self):
        self.wished = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.wish)

    def wish(self, number: int, frame) -> None:
        self.wished = True
        signal.signal(number, signal.default_int_handler)

    def grant(self, *_) -> None:
        if self.wished:
            raise KeyboardInterrupt


def keep_apart(pictures: Path, out: Path) -> None:
    """Nothing is written among the user's pictures, where it would be taken for one of them."""
    pictures = pictures.resolve()
    if out.is_relative_to(pictures):
        raise TrainingError(f"the run's folder {out} lies in the pictures' folder {pictures}; give another with --out")


if __name__ == "__main__":
    sys.exit(main())
