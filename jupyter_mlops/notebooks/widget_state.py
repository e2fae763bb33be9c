"""The state of Jupyter widgets, so that a saved notebook shows them, and Output widgets that capture.

A front end would keep both; here nobody is in front. Same results as nbclient's.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from .captures import Capture
from .collector import Collector

Message = dict[str, Any]
_STATE_MIME = "application/vnd.jupyter.widget-state+json"


class WidgetState:
    """Follows the comm messages of one execution. `session` makes messages, `send` sends one to the kernel; what is
    captured is collected as `collector` collects."""

    def __init__(self, session: Any, send: Callable[[Message], None], collector: Collector) -> None:
        self.widget_state: dict[str, dict[str, Any]] = {}
        self._buffers: dict[str, dict[tuple[str, ...], dict[str, Any]]] = {}
        self._captures: dict[str, Capture] = {}  # by the comm of the widget,
        self._capturing: dict[str, list[Capture]] = {}  # and those that capture now, by the request
        self._unheard: dict[str, Capture] = {}  # by what was sent for them
        self._session, self._send, self._collector = session, send, collector

    def handle(self, message: Message) -> None:
        """A comm_open, comm_msg or comm_close."""
        content, data = message["content"], message["content"].get("data", {})
        comm_id = content["comm_id"]
        if "state" in data:  # others are custom messages
            self.widget_state.setdefault(comm_id, {}).update(data["state"])
            if data.get("buffer_paths"):
                known = self._buffers.setdefault(comm_id, {})
                known.update({tuple(each["path"]): each for each in _encoded(message)})
        if message["msg_type"] == "comm_open":
            if content.get("target_name") == "jupyter.widget" and _is_output(data.get("state", {})):
                outputs = list(data["state"].get("outputs", ()))
                self._captures[comm_id] = Capture(comm_id, outputs, self._collector, self._send_comm)
        elif "msg_id" in data.get("state", ()) and comm_id in self._captures:
            self._capture(self._captures[comm_id], data["state"]["msg_id"])

    def capture_of(self, message: Message) -> Capture | None:
        """The Output widget that is to show what `message` puts out, or None."""
        capturing = self._capturing.get(message["parent_header"].get("msg_id", ""))
        return capturing[-1] if capturing else None

    def show(self, capture: Capture, message: Message) -> None:
        """Have the Output widget `capture` show an output, or clear what it shows."""
        capture.put(message)
        self.widget_state[capture.comm_id]["outputs"] = capture.outputs

    def heard(self, message_id: str) -> None:
        """The kernel has said something about a message that was not the cell."""
        capture = self._unheard.pop(message_id, None)
        if capture is not None:
            capture.heard(message_id)

    def tell(self) -> None:
        """The cell is done: the kernel is to know what was captured before the next one begins."""
        for capture in self._captures.values():
            capture.tell()

    def end(self) -> None:
        """Nothing more comes."""
        with ExitStack() as ends:  # each is ended, though the disk be full for another
            for capture in self._captures.values():
                ends.callback(capture.end)

    def metadata(self) -> dict[str, Any]:
        """What ``metadata.widgets`` of the notebook is to hold; empty without widgets."""
        if not self.widget_state:
            return {}
        states = {
            comm_id: {
                "model_name": state.get("_model_name"),
                "model_module": state.get("_model_module"),
                "model_module_version": state.get("_model_module_version"),
                "state": state,
            }
            for comm_id, state in self.widget_state.items()
            if "_model_name" in state
        }
        for comm_id, state in states.items():
            if buffers := self._buffers.get(comm_id):
                state["buffers"] = list(buffers.values())
        return {_STATE_MIME: {"state": states, "version_major": 2, "version_minor": 0}}

    def _capture(self, capture: Capture, request_id: str) -> None:
        """From now on `capture` shows what this request puts out, and no other."""
        if capture in (capturing := self._capturing.get(capture.request_id, [])):
            capturing.remove(capture)
        capture.request_id = request_id
        if request_id:
            self._capturing.setdefault(request_id, []).append(capture)

    def _send_comm(self, content: Message, parent: Message) -> str:
        message: Message = self._session.msg("comm_msg", content, parent=parent)
        self._send(message)
        message_id = str(message["header"]["msg_id"])
        self._unheard[message_id] = self._captures[content["comm_id"]]
        return message_id


def _is_output(state: dict[str, Any]) -> bool:
    return (
        state.get("_model_module") == "@jupyter-widgets/output" and state.get("_model_name") == "OutputModel"
    )


def _encoded(message: Message) -> list[dict[str, Any]]:
    paths = message["content"]["data"]["buffer_paths"]
    return [
        {"data": base64.b64encode(buffer).decode(), "encoding": "base64", "path": path}
        for path, buffer in zip(paths, message["buffers"], strict=False)
    ]
