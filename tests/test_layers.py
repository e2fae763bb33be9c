"""The architecture, as a test: a module imports only from the lines below its own. The list *is* the design."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "jupyter_mlops"
LAYERS = [  # bottom first; rooms on one line do not import each other
    {"errors"},
    {"image_names", "problems", "plugins"},
    {"cron", "encoding", "events", "frames", "resources", "signatures", "spot_nodes", "words"},
    {"display", "fingerprint", "profiles", "settings"},
    {"blobs", "catalog", "kernels", "oci"},
    {"compute", "emit", "features", "models", "notebooks", "pipelines"},
    {"backends", "exporters", "importers", "promotion", "queueing", "serving"},
    {"preflight", "targets"},
    {"standards"},
    {"runner"},
    {"deployments", "entry", "scheduling"},
    {"workspace"},
    {"driver", "project", "widgets"},
    {"session"},
    {"cli", "magics", "notebook_jobs", "server"},
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
OUTSIDE = {"__init__", "_version"}
# Lazy imports of our own, each with the reason why it waits.
LAZY = {
    (
        "emit.py",
        "catalog",
    ): "a kernel asks it only for a name outside a run; SQLAlchemy would cost each kernel 0.5 s",
    **{
        (
            "workspace.py",
            room,
        ): "every command opens a workspace; these would cost each 0.1 s, and few need them"
        for room in ("compute", "deployments", "promotion")
    },
    ("project/pytest_plugin.py", "project"): "pytest loads it in every project, asked for or not",
}


def imports(path: Path) -> Iterator[tuple[int, str, bool]]:
    """(line, room, whether it is lazy) of every import of ours, wherever it stands."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = {id(node) for node in tree.body}
    top |= {id(inner) for node in tree.body if isinstance(node, ast.If) for inner in node.body}
    here = ("jupyter_mlops", *path.relative_to(PACKAGE).with_suffix("").parts)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(here[: len(here) - node.level]) if node.level else ""
            stem = ".".join(filter(None, [base, node.module]))
            targets = [f"{stem}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in targets:
            head, _, rest = target.partition(".")
            if head == "jupyter_mlops":
                yield node.lineno, rest.split(".")[0], id(node) not in top


FILES = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if path.relative_to(PACKAGE).parts[0] != "labextension" and "template" not in path.parts
)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downward(path: Path) -> None:
    mine = room_of(path)
    if mine in OUTSIDE:
        return
    assert mine in RANK, f"place {mine!r} in LAYERS"
    wrong = [
        (line, name)
        for line, name, _ in imports(path)
        if name != mine and name not in OUTSIDE and RANK.get(name, len(LAYERS)) >= RANK[mine]
    ]
    assert not wrong, f"{path}: {wrong} sit at or above {mine!r}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_import_of_ours_is_lazy_without_a_reason(path: Path) -> None:
    where = str(path.relative_to(PACKAGE))
    if room_of(path) in {*OUTSIDE, "cli", "magics"}:  # front ends load a command's modules when it is called
        return
    lazy = [(line, name) for line, name, is_lazy in imports(path) if is_lazy and (where, name) not in LAZY]
    assert not lazy, f"{where}: {lazy}"


def test_every_room_is_in_the_architecture() -> None:
    text = (PACKAGE.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    missing = sorted(name for name in RANK if f"`{name}`" not in text and f"`{name}/`" not in text)
    assert not missing
