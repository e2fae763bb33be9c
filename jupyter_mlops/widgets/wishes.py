"""The controls of a request: a field for each thing that a notebook can ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ..compute.gpus import gpu_models
from ..resources import ResourceRequest

LOOK: dict[str, Any] = {
    "style": {"description_width": "90px"},
    "layout": widgets.Layout(width="300px"),
}


class Wishes:
    """`request` is what stands in them; `image` is told where none is named: what is used without one."""

    def __init__(self, image: str) -> None:
        self.cpu = _text("cpu", "cores: 2, 0.5, 500m")
        self.memory = _text("memory", "with a unit: 4Gi, 512Mi")
        self.gpu = widgets.BoundedIntText(0, min=0, max=1024, description="gpu", **LOOK)
        self.accelerator = widgets.Combobox(
            value="", options=tuple(gpu_models()), placeholder="any kind, or: a100",
            description="accelerator", ensure_option=False, **LOOK,
        )  # fmt: skip
        self.image = _text("image", image or "for tasks in containers")
        self.image.tooltip = image or "registry/team/image:1"
        narrow = widgets.Layout(width="150px")
        self.spot = widgets.Checkbox(
            value=False, description="spot", tooltip="it may run on capacity that can be taken away",
            **{**LOOK, "layout": narrow},
        )  # fmt: skip
        # In a label, what stands between two signs of dollars would be a formula.
        self.spot_price = widgets.HTML(layout=widgets.Layout(margin="6px 2px 2px 2px"))
        self._says_of_spot = False

    @property
    def rows(self) -> list[Any]:
        """From above to below."""
        spot = widgets.HBox([self.spot, self.spot_price])
        return [self.cpu, self.memory, self.gpu, self.accelerator, spot, self.image]

    def observe(self, callback: Callable[[], None]) -> None:
        """Call it when something else stands in one of them."""
        for each in (self.cpu, self.memory, self.gpu, self.accelerator, self.spot, self.image):
            each.observe(lambda _: callback(), names="value")

    @property
    def request(self) -> ResourceRequest:
        """What is asked for. Raises `InvalidInput`."""
        return ResourceRequest.parse(
            {
                "cpu": self.cpu.value.strip() or None,
                "memory": self.memory.value.strip() or None,
                "gpu": self.gpu.value or None,
                "accelerator": self.accelerator.value.strip() or None,
                # Who takes a tick away says no: what asks for nothing would take what the notebook asks for.
                "spot": self.spot.value or (False if self._says_of_spot else None),
                "image": self.image.value.strip() or None,
            }
        )

    def fill(self, request: ResourceRequest) -> None:
        """Show another request."""
        written = request.written()
        self._says_of_spot = request.spot is not None
        self.cpu.value, self.memory.value = str(written.get("cpu", "")), str(written.get("memory", ""))
        self.gpu.value, self.accelerator.value = request.gpu or 0, request.accelerator or ""
        self.spot.value, self.image.value = bool(request.spot), request.image or ""


def _text(name: str, placeholder: str) -> Any:
    return widgets.Text("", description=name, placeholder=placeholder, continuous_update=True, **LOOK)
