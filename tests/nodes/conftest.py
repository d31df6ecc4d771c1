"""The pack as the host loads it: by path, under a name that nothing in it knows."""

import importlib.util
import sys

import pytest


@pytest.fixture(scope="session")
def pack(root):
    """The module of the pack's `__init__.py`; its parts are `pack.nodes.load`, `pack.drc.model`, ..."""
    spec = importlib.util.spec_from_file_location(
        "drc_pack", root / "__init__.py", submodule_search_locations=[str(root)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["drc_pack"] = module
    spec.loader.exec_module(module)
    return module
