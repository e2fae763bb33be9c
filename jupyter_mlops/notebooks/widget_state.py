"""The state of Jupyter widgets, so that a saved notebook shows them, and Output widgets that capture.

A front end would keep both; here nobody is in front. Same results as nbclient's, whose `OutputWidget` does the
capturing.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

Message = dict[str, Any]
_STATE_MIME = "application/vnd.jupyter.widget-state+json"


class WidgetState:
    """Follows the comm messages of one execution. `session` makes messages, `send` sends one to the kernel."""

    def __init__(self, session: Any, send: Callable[[Message], None]) -> None:
        self.widget_state: dict[str, dict[str, Any]] = {}
        self._buffers: dict[str, dict[tuple[str, ...], dict[str, Any]]] = {}
        self._captures: dict[str, list[Any]] = {}
        self._widgets: dict[str, Any] = {}
        self._client: Any = SimpleNamespace(session=session, shell_channel=SimpleNamespace(send=send))

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
                self._widgets[comm_id] = self._make_output(comm_id, data["state"])
        elif message["msg_type"] == "comm_msg" and comm_id in self._widgets:
            self._widgets[comm_id].handle_msg(message)

    def capture_of(self, message: Message) -> Any:
        """The Output widget that is to show what `message` puts out, or None."""
        captures = self._captures.get(message["parent_header"].get("msg_id", ""))
        return captures[-1] if captures else None

    def show(self, capture: Any, message: Message) -> None:
        """Have the Output widget `capture` show an output, or clear what it shows."""
        if message["msg_type"] == "clear_output":
            capture.clear_output([], message, 0)
        else:
            capture.output([], message, None, 0)

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

    # What nbclient's OutputWidget asks of its executor:

    def register_output_hook(self, message_id: str, widget: Any) -> None:
        """From now on `widget` shows what the request `message_id` puts out."""
        self._captures.setdefault(message_id, []).append(widget)

    def remove_output_hook(self, message_id: str, widget: Any) -> None:
        """No longer."""
        self._captures[message_id].remove(widget)

    def _make_output(self, comm_id: str, state: dict[str, Any]) -> Any:
        from nbclient.output_widget import OutputWidget

        return OutputWidget(comm_id, state, self._client, self)


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
