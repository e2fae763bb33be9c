"""Executing cells on a kernel: Jupyter's message protocol, with nbclient's (and so papermill's) semantics.

nbclient itself would cost a third of a second to import and a millisecond for each output, which it validates;
a whole small notebook costs less here. Tests hold the two to the same results.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ..errors import KernelDied, KernelUnavailable, WorkerLost
from ..kernels import Kernel
from ..kernels.channels import is_idle
from .collector import OUTPUT_KINDS, Collector, display_id_of
from .files import cell_tags
from .widget_state import WidgetState

Cell = dict[str, Any]
Message = dict[str, Any]
_SILENT_SECONDS = 30.0  # of broadcasts, after the reply: a slow network has lost some, the idle status too


class CellFailed(Exception):
    """The cell raised `ename`."""

    def __init__(self, content: dict[str, Any]) -> None:
        super().__init__(content.get("ename", ""))
        self.ename: str = content.get("ename", "")
        self.evalue: str = content.get("evalue", "")
        self.traceback: list[str] = list(content.get("traceback") or ())


def is_executed(cell: Cell) -> bool:
    """Whether the cell is code that is to run."""
    return (
        cell["cell_type"] == "code"
        and bool(cell["source"].strip())
        and "skip-execution" not in cell_tags(cell)
    )


class CellRunner:
    """Executes the cells of one notebook, one after the other."""

    def __init__(self, kernel: Kernel, collector: Collector) -> None:
        self.kernel = kernel
        self.collector = collector
        self.widgets = WidgetState(kernel.channels.session, kernel.channels.send, collector)
        self.has_begun = asyncio.Event()  # the kernel says that it is at the cell that was sent last,
        self.is_over = asyncio.Event()  # and that it is idle again
        self._has_heard = False

    async def execute(self, cell: Cell, index: int) -> None:
        """Run one cell and put its outputs into it.

        Raises `CellFailed` unless the cell is tagged ``raises-exception``, and `KernelDied` or `WorkerLost`
        when the kernel has ended.
        """
        may_fail = "raises-exception" in cell_tags(cell)
        self.collector.begin(index, cell["outputs"])
        content = {
            "code": cell["source"],
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": not may_fail,
        }
        self.has_begun.clear()
        self.is_over.clear()
        message_id = self.kernel.send("execute_request", content)
        try:
            if self.kernel.channels.is_ordered:
                await self._gather(message_id, cell)
                reply = await self.kernel.shell_reply(message_id)
            else:
                reply = await self._unordered(message_id, cell)
        finally:
            self.collector.end()
        self.widgets.tell()
        if reply["content"]["status"] == "error" and not may_fail:
            raise CellFailed(reply["content"])

    async def _unordered(self, message_id: str, cell: Cell) -> Message:
        """The reply, when outputs may come before or after it."""
        gathering = asyncio.ensure_future(self._gather(message_id, cell))
        try:
            reply = await self.kernel.shell_reply(message_id)
            while not gathering.done():
                self._has_heard = False
                await asyncio.wait({gathering}, timeout=_SILENT_SECONDS)
                if not gathering.done() and not self._has_heard:
                    raise KernelUnavailable(
                        "the kernel has replied, but its outputs did not all arrive",
                        hint="its iopub channel lost messages; try again, or print less",
                    )
            gathering.result()
            return reply
        except (KernelDied, WorkerLost):
            await asyncio.wait({gathering})  # it ends with the kernel's last words, in the same error
            gathering.exception()
            raise
        finally:
            gathering.cancel()

    async def _gather(self, message_id: str, cell: Cell) -> bool:
        """Take in what the cell broadcasts, until the kernel is idle again."""
        while True:
            message = await self.kernel.iopub_message()
            self._has_heard = True
            parent_id = message["parent_header"].get("msg_id")
            if parent_id != message_id:
                # Of a thread that an earlier cell started, say: nbclient drops it too.
                self.widgets.heard(parent_id)
                continue
            if is_idle(message):
                self.is_over.set()
                return True
            self._take(message, cell)

    def _take(self, message: Message, cell: Cell) -> None:
        kind, content = message["msg_type"], message["content"]
        if "execution_count" in content:
            cell["execution_count"] = content["execution_count"]
        if kind in OUTPUT_KINDS:
            capture = self.widgets.capture_of(message)
            if capture is None:
                self.collector.put(kind, content)
            else:
                self.widgets.show(capture, message)
        elif kind == "execute_input":
            self.has_begun.set()
        elif kind == "update_display_data":
            self.collector.update(display_id_of(content), content["data"], content["metadata"])
        elif kind.startswith("comm_"):
            self.widgets.handle(message)
