"""Which LMMs there are, by their kind: a line each."""

from . import Config
from .janus.model import JanusConfig
from .lavit.model import LavitConfig
from .mini.model import MiniConfig

EMBEDDED = "mini"
"""That of the model that comes with the pack; a file that says of none is of this one."""
LMMS: dict[str, type[Config]] = {EMBEDDED: MiniConfig, "lavit": LavitConfig, "janus": JanusConfig}
