"""Output widgets: what they capture, and when the kernel, which has the widget too, hears of it.

A front end sends the kernel all that a widget shows with each output that it captures, and nbclient does, too: for a
loop of a thousand that is megabytes, which a kernel that is busy leaves in our memory. Here one message at most is on
its way: the next is sent when the kernel has heard the one before, or its cell is done. What it comes to is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .collector import Collector

Message = dict[str, Any]


class Capture:
    """One Output widget, and the `outputs` that it shows. They are collected as those of a cell are: `like` says how.

    `send(content, parent)` sends a ``comm_msg`` and returns its id.
    """

    def __init__(
        self,
        comm_id: str,
        outputs: list[dict[str, Any]],
        like: Collector,
        send: Callable[[Message, Message], str],
    ) -> None:
        self.outputs = outputs
        self.request_id = ""  # whose outputs it captures now
        self.comm_id = comm_id
        self._collector = like.apart(outputs)
        self._send = send
        self._parent: Message = {}
        self._is_told = True
        self._unheard_id = ""

    def put(self, message: Message) -> None:
        """Show an output, or clear what is shown."""
        # No ids: what is displayed here does not change any more, in front ends neither.
        self._collector.put(message["msg_type"], {**message["content"], "transient": {}})
        self._parent = message["parent_header"]
        self._is_told = False
        if not self._unheard_id:
            self.tell()

    def heard(self, message_id: str) -> None:
        """The kernel has said something about this message."""
        if message_id == self._unheard_id:
            self._unheard_id = ""
            self.tell()

    def tell(self) -> None:
        """Tell the kernel what is shown, unless it knows."""
        if self._is_told:
            return
        self._collector.flush()  # less what may be the beginning of a secret
        state = {"method": "update", "state": {"outputs": self.outputs}, "buffer_paths": []}
        self._unheard_id = self._send({"comm_id": self.comm_id, "data": state}, self._parent)
        self._is_told = True

    def end(self) -> None:
        """Nothing more comes."""
        self._collector.end()
