"""Saves what a node saves, again and again until it is killed, in a process as that of member.py."""

from pathlib import Path

request = globals()["request"]
source, path = Path(request["source"]), Path(request["path"])

import drc.card_file  # noqa: E402
import drc.checkpoint  # noqa: E402

module = getattr(drc, request["module"])
saved = module.load(source)
for _ in range(10_000):  # of which a test waits for a few
    module.save(saved, path)
