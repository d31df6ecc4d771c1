"""Runs a command such as `python -m drc.train` in a process that was forked with everything imported; see `Launcher` in
conftest.py."""

import importlib
import os
import resource
import sys

request = globals()["request"]
os.environ.update(request["environment"])
log = os.open(request["log"], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
os.dup2(log, 1)
os.dup2(log, 2)
if request["largest_file"]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (request["largest_file"],) * 2)
sys.modules.update(dict.fromkeys(request["without"]))  # which makes their import fail
sys.argv = [request["module"], *request["arguments"]]

import torch  # noqa: E402

torch.set_num_threads(1)
sys.exit(importlib.import_module(f"{request['module']}.__main__").main())
