"""Second half of the demo: start the server, run the personalise workflow through its API, write the picture."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import torch

from drc.files import write_bytes
from scripts.lib.bar import bar
from scripts.lib.client import Client, PromptError, Result
from scripts.lib.environment import BUILD, Host, SetupError
from scripts.lib.options import InputError, Options, read_options
from scripts.lib.pictures import read_picture, to_png
from scripts.lib.prompts import node_of, personalise
from scripts.lib.server import Server


def draw(host: Host, options: Options) -> bytes:
    """One picture as a PNG file, drawn by the server."""
    history = [(f"history-{number:04d}.png", to_png(read_picture(path))) for number, path in enumerate(options.history)]
    reference = [("reference.png", to_png(read_picture(options.reference)))] if options.reference else []
    flags = [] if torch.accelerator.is_available() else ["--cpu"]
    print("Starting ComfyUI ...", file=sys.stderr, flush=True)
    with Server(host, BUILD / "run" / "demo", *flags) as server, Client(server.address) as client:
        names = [client.upload(name, data) for name, data in history + reference]
        prompt = personalise(
            client.node_definitions(),
            history=names[: len(history)],
            reference=names[-1] if reference else None,
            text=options.text,
            seed=options.seed,
            sharp=True,
        )
        result = Result(client.queue(prompt))
        generate = node_of(prompt, "DRC_LMMGenerate")
        with bar("code", "Drawing") as tell:
            for state in client.follow(result):
                if state.progress and state.progress[-1][0] == generate:
                    tell(*state.progress[-1][1:])
        if result.error:
            kind = InputError if result.error["exception_type"] == "ValueError" else SetupError
            raise kind(result.error["exception_message"].strip())
        if not result.images:
            raise SetupError("The server was interrupted before the picture was done: run the command again.")
        return client.fetch(result.images[-1])


def main(folder: str, *arguments: str) -> int:
    options = read_options(list(arguments))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped, too
    try:
        write_bytes(draw(Host(Path(folder), Path(sys.executable)), options), options.out)
    except (InputError, PromptError) as error:
        print(error, file=sys.stderr)
        return 2
    except (SetupError, ConnectionError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(options.out.resolve())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
