"""Which LMMs there are, by their kind: a line each."""

from . import Config
from .janus.model import JanusConfig
from .lavit.model import LavitConfig
from .mini.model import MiniConfig

LMMS: dict[str, type[Config]] = {"mini": MiniConfig, "lavit": LavitConfig, "janus": JanusConfig}
