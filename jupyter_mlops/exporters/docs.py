"""The table of what holds where, made of what the exporters say of themselves; docs/export.md has it."""

from __future__ import annotations

from . import TARGETS
from .target import FEATURES, Target

_SIGNS = {"native": "✔", "ours": "○", "refused": "✘"}


def markdown_table() -> str:
    """A row a feature, a column a target."""
    targets: list[Target] = [
        TARGETS.get(name) for name in ("airflow", "argo", "prefect", "kubeflow", "metaflow")
    ]
    rows = ["| | " + " | ".join(target.title for target in targets) + " |", "|---" * (len(targets) + 1) + "|"]
    for feature, title in FEATURES.items():
        cells = [target.capabilities[feature] for target in targets]
        rows.append(
            f"| {title} | " + " | ".join(f"{_SIGNS[sign]} {told}".strip() for sign, told in cells) + " |"
        )
    return "\n".join(rows)
