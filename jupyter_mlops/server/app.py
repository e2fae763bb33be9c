"""The extension as Jupyter's server loads it: settings, routes, and the watch that lasts as long as the server."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Unicode

from .embedded import EmbeddedScheduler
from .handlers import routes
from .panel import Panel
from .watch import SCHEMA, Watch

_THREADS = 8


class MlopsExtension(ExtensionApp):
    """Loaded by itself: ``etc/jupyter/jupyter_server_config.d/jupyter_mlops.json`` enables it."""

    name = "jupyter_mlops"
    app_name = "jupyter_mlops"
    description = "Pipelines, runs, models and features of one workspace, for the panel in JupyterLab."
    extension_url = "/mlops/api/status"
    load_other_extensions = True

    workspace = Unicode(
        "",
        help="The workspace's folder, from the server's root; by default the one that the root lies in.",
    ).tag(config=True)

    scheduler = Bool(
        default_value=True,
        help="Whether this server fires the workspace's schedules, as `jupyter mlops scheduler` does.",
    ).tag(config=True)

    def initialize_handlers(self) -> None:
        """Make the routes."""
        app: Any = self.serverapp
        root = Path(getattr(app.contents_manager, "root_dir", "") or app.root_dir)
        base_url = f"{app.base_url.rstrip('/')}/"
        self.panel = Panel.of(root, workspace=self.workspace, base_url=base_url)
        self.threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="mlops")
        self.watch = Watch(self.panel, self._ring)
        self.embedded = EmbeddedScheduler(self.panel)
        app.event_logger.register_event_schema(SCHEMA)
        self.handlers.extend(routes("/", self.panel, self.threads))

    def _ring(self, change: dict[str, Any]) -> None:
        app: Any = self.serverapp
        app.event_logger.emit(schema_id=change.pop("schema_id"), data=change)

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """The event loop runs."""
        self.watch.start()
        if self.scheduler:
            self.embedded.start()

    async def stop_extension(self) -> None:
        """The server ends; runs go on."""
        await self.watch.stop()
        await asyncio.get_running_loop().run_in_executor(None, self.embedded.stop)
        self.panel.drivers.forget()
        self.threads.shutdown(wait=False, cancel_futures=True)
        self.panel.close()
