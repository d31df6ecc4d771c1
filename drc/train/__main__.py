"""Trains without ComfyUI:  python -m drc.train CONFIG.toml [--out FOLDER] [--cache FOLDER]

on many processes and machines:  accelerate launch -m drc.train CONFIG.toml

CONFIG.toml is what a training node writes into the folder of its run. The run's folder is the one that CONFIG.toml lies
in, unless --out says otherwise; a run that has a checkpoint there goes on from it.
"""

import argparse
import logging
import sys
from pathlib import Path

from .config import read_config
from .processes import ManyProcesses, OneProcess
from .run import Hooks, train


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m drc.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path, metavar="CONFIG.toml")
    parser.add_argument("--out", type=Path, help="the folder of the run; without it, the one that CONFIG.toml lies in")
    parser.add_argument("--cache", type=Path, help="where codes are kept; without it, 'cache' beside the run's folder")
    parser.add_argument("--device", help="such as cpu or cuda; without it, the fastest there is")
    options = parser.parse_args()
    out = (options.out or options.config.parent).resolve()
    try:
        processes = processes_of(options.device)
        level = logging.INFO if processes.main else logging.WARNING
        logging.basicConfig(level=level, format="%(asctime)s %(message)s")
        result = train(read_config(options.config), out, options.cache or out.parent / "cache", processes, shown())
    except ValueError as error:
        sys.stderr.write(f"{error}.\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; start it again and it goes on from its last checkpoint.\n")
        return 130
    if processes.main:
        sys.stdout.write(f"{result.file}\n")
    return 0


def processes_of(device: str | None) -> OneProcess:
    """All processes of a launcher, or this one on the device of one's choice."""
    import torch

    try:
        from accelerate import PartialState
    except ImportError:
        launched = False
    else:
        launched = device is None and PartialState().num_processes > 1
    if launched:
        return ManyProcesses()
    fastest = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"
    return OneProcess(device or fastest)


def shown() -> Hooks:
    """Sample pictures are written by the training; of what comes before it the log tells now and then."""
    log = logging.getLogger("drc")

    def told(what: str):
        def tell(done: int, total: int) -> None:
            if done == total or done * 10 // total != (done - 1) * 10 // total:
                log.info("%s: %d of %d", what, done, total)

        return tell

    return Hooks(on_file=told("pictures read"), on_picture=told("pictures turned into codes"))


if __name__ == "__main__":
    sys.exit(main())
