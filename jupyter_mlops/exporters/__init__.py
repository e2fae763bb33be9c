"""Writing a pipeline for another orchestrator: from its plan to that tool's own files, as text and without I/O.

Exporters do not think: what a step needs stands in the plan, and what it makes of it at run time is decided by the
entry point (`entry`), which each exported step starts. No target's library is imported.
"""

from ..plugins import Registry
from .target import FEATURES, Exported, ExportOptions, NotExpressible, Target

TARGETS = Registry(
    "jupyter_mlops.exporters",
    {
        name: (f"jupyter_mlops.exporters.{name}:TARGET", "")
        for name in ("airflow", "argo", "prefect", "kubeflow", "metaflow")
    },
)

__all__ = ["FEATURES", "TARGETS", "ExportOptions", "Exported", "NotExpressible", "Target"]
