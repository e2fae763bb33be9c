"""Kubernetes: served models and batches as manifests (pure), as folders for Kustomize, and applied by ``kubectl``."""

from .batch import Batch, batch
from .cluster import KubernetesTarget
from .kustomize import files, write
from .options import Options, read
from .pipelines import batch_of, slug, with_schedule
from .serving import serving
from .text import document, documents

__all__ = [
    "Batch",
    "KubernetesTarget",
    "Options",
    "batch",
    "batch_of",
    "document",
    "documents",
    "files",
    "read",
    "serving",
    "slug",
    "with_schedule",
    "write",
]
