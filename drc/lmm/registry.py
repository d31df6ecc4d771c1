"""Which LMMs there are, by their kind."""

from collections.abc import Callable
from pathlib import Path

from . import Config, PretrainedSet
from .lavit.model import LavitConfig
from .lavit.reading import open_set
from .mini.model import MiniConfig

LMMS: dict[str, type[Config]] = {"mini": MiniConfig, "lavit": LavitConfig}
SETS: dict[str, Callable[[Path], PretrainedSet]] = {"lavit": open_set}
"""Of those that are PRETRAINED: what opens the set in a folder. ValueError, in one sentence, for a folder that is none,
or lacks something."""
