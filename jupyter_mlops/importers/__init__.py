"""Reading what other tools wrote, as a pipeline of ours: its file, notebooks that had to be made or changed, and a
list of what cannot be carried over. Nothing is dropped silently, and what would change a pipeline's meaning is an
error.
"""

from .imported import Imported
from .recognize import SOURCES, read

__all__ = ["SOURCES", "Imported", "read"]
