"""The model store. See `store` for the why, `manifest` for what a version is, docs/models.md for how to use it."""

from .comparison import Comparison
from .lineage import Lineage, Node, record_link
from .manifest import Manifest
from .mlflow_server import MlflowServer, pull, push
from .model import LoadedModel
from .names import ModelReference, parse_model_reference
from .origin import DataSource
from .store import ModelStore
from .view import VersionView

__all__ = [
    "Comparison",
    "DataSource",
    "Lineage",
    "LoadedModel",
    "Manifest",
    "MlflowServer",
    "ModelReference",
    "ModelStore",
    "Node",
    "VersionView",
    "parse_model_reference",
    "pull",
    "push",
    "record_link",
]
