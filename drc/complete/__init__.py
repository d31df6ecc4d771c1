"""What is missing from a set: drawn, in the colours of the set, as files."""

from .kept import Kept
from .meaning import Meanings
from .names import Item, items_of
from .run import AT_ONCE, Completion, Drawn, Settings

__all__ = ["AT_ONCE", "Completion", "Drawn", "Item", "Kept", "Meanings", "Settings", "items_of"]
