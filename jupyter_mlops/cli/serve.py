"""``serve``: a model of the workspace, answering over HTTP until Ctrl-C."""

from __future__ import annotations

import logging
import signal
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import click

from ..serving import following, logs
from ..serving.entities import pinned
from ..serving.following import Follower
from ..serving.options import Options
from ..workspace import Workspace
from .group import PROGRAM, command
from .options import workspace_option


@command(
    name="serve",
    examples=[
        ("at http://127.0.0.1:8080, and again when the alias moves", f"{PROGRAM} serve models:/delay@champion"),
        ("in the network, with a token", f"{PROGRAM} serve models:/delay --host 0.0.0.0 --token-file token"),
        ("four processes, and a log", f"{PROGRAM} serve models:/delay/3 --workers 4 --journal predictions"),
    ],
)  # fmt: skip
@click.argument("reference", metavar="MODEL")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="At which port.")
@click.option("--uds", default="", metavar="PATH", help="At a Unix socket instead.")
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Processes that share the port.",
)
@click.option("--name", default="", help="The name by which the model is asked for.  [default: its own]")
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, exists=True),
    help="A file with a token that requests must have.",
)
@click.option(
    "--journal", default="", type=click.Path(file_okay=False), help="A folder for the log of predictions."
)
@click.option(
    "--journal-share",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="The share of keys that is logged.",
)
@click.option("--log-requests", is_flag=True, help="Log each request.")
@click.option("--json", "is_json", is_flag=True, help="Logs as JSON, a line each.")
@workspace_option
def serve(reference: str, workspace: Path | None, is_json: bool, **given: Any) -> None:
    """Serve a model of the workspace over HTTP, until Ctrl-C.

    MODEL is models:/NAME@ALIAS, models:/NAME/3 or models:/NAME (the newest). When what it names changes, the new
    version is loaded beside the old one and takes over, without a request lost. SageMaker's, Vertex AI's, Azure ML's,
    KServe's and MLflow's ways to ask are all understood; see docs/serving.md.
    """
    with Workspace.open(workspace) as opened:
        logs.begin("info", "json" if is_json else "text")
        home = opened.root / ".mlops" / "serving"
        opened.models.get(reference)  # a wrong name is told before anything is made
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix="serve-") as folder:
            sys.exit(
                _serve(opened, reference, Path(folder), _options(opened, reference, is_json=is_json, **given))
            )


def _options(opened: Workspace, reference: str, *, is_json: bool, **given: Any) -> Options:
    """The server's options; it looks up features by key where the version was trained from a feature service."""
    settings = opened.settings
    features: dict[str, Any] = {}
    if pinned(opened.models.manifest(reference).to_json()):
        online = settings.online_store or f"sqlite:///{opened.root / '.mlops' / 'online.db'}"
        features = {"features": settings.catalog, "features_blobs": settings.blobs, "features_online": online}
    given["token_file"] = given["token_file"] or ""
    if given["journal"]:
        given["journal"] = str(Path(given["journal"]).absolute())
    return Options(log_format="json" if is_json else "text", **given, **features)


def _serve(opened: Workspace, reference: str, folder: Path, options: Options) -> int:
    follower = Follower(opened.models, reference, folder, name=options.name)
    follower.refresh()
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    code = following.serve(follower, options, stop)
    logging.getLogger("jupyter_mlops.serving").handlers.clear()
    return code
