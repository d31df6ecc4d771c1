"""First half of the demo: check what was given, make the environment, go on in the Python that ComfyUI runs in."""

from __future__ import annotations

import os
import sys

from scripts.lib.environment import ROOT, SetupError, demo_host
from scripts.lib.options import InputError, read_options


def main(arguments: list[str]) -> int:
    try:
        read_options(arguments)
        host = demo_host()
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    os.environ["PYTHONPATH"] = str(ROOT)
    command = [str(host.python), "-m", "scripts.lib.personalise", str(host.folder), *arguments]
    os.execv(host.python, command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
