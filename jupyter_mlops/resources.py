"""What a task asks of a machine, and the only unit arithmetic in the project.

Pipelines, quotas, dask, kernels and exporters all speak `ResourceRequest`. People write ``memory: 4Gi`` and
``cpu: 500m`` as Kubernetes has it; inside, memory is whole bytes and cpu is cores. A field that is None was
not asked for (in a request) or is not limited (in what is free), so the empty request fits everywhere.

Beside how much, a request says of what kind: `spot`, whether it may run on capacity that can be taken away, and
`image`, what it runs in where tasks run in containers. Neither is an amount: sums and what is free know nothing of it,
and where there is no such capacity, or no container, they are without effect.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from .errors import InvalidInput, did_you_mean
from .image_names import parse_reference

_Number = TypeVar("_Number", int, float)

_UNITS: Mapping[str, int] = {
    "": 1,
    "b": 1,
    **{f"{prefix}{b}": 10 ** (3 * power) for power, prefix in enumerate("kmgtp", 1) for b in ("", "b")},
    **{f"{prefix}i{b}": 2 ** (10 * power) for power, prefix in enumerate("kmgtp", 1) for b in ("", "b")},
}
_NAMES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_QUANTITY = re.compile(r"\s*(?P<number>\d+(?:\.\d*)?|\.\d+)\s*(?P<unit>[A-Za-z]*)\s*", re.ASCII)
MOST_PRIORITY = 1000  # of runs that wait for machines, up or down
_LEAST_MEMORY = 2**20  # below this a bare number is surely meant in another unit than bytes
_MOST = 2**60  # an exbibyte, a quintillion cores: nobody has that
_MEMORY_HINT = "write it with a unit: 512Mi, 4Gi, 2GB"


@dataclass(frozen=True, slots=True)
class ResourceRequest:
    """Cores (may be fractional), bytes of memory, whole GPUs, the kind of accelerator (``a100``); whether capacity that
    can be taken away will do; a container image."""

    cpu: float | None = None
    memory: int | None = None
    gpu: int | None = None
    accelerator: str | None = None
    spot: bool | None = None
    image: str | None = None

    @classmethod
    def parse(cls, mapping: Mapping[str, Any] | None) -> ResourceRequest:
        """Read what a person or `to_json` wrote; an `InvalidInput` for nonsense.

        An accelerator without a number of GPUs means one.
        """
        if mapping is None:
            return cls()
        if not isinstance(mapping, Mapping):
            raise InvalidInput(
                f"resources must be a mapping, not {mapping!r}", hint="for example {cpu: 2, memory: 4Gi}"
            )
        known = tuple(each.name for each in fields(cls))
        for name in mapping:
            if name not in known:
                raise InvalidInput(f"unknown resource {name!r}", hint=did_you_mean(str(name), known))
        given = {name: value for name, value in mapping.items() if value is not None}
        accelerator = _parse_accelerator(given["accelerator"]) if "accelerator" in given else None
        gpu = _parse_gpu(given["gpu"]) if "gpu" in given else (1 if accelerator else None)
        if accelerator and gpu == 0:
            raise InvalidInput(
                f"accelerator {accelerator!r} is asked for with gpu: 0", hint="drop one of the two"
            )
        return cls(
            cpu=_parse_cpu(given["cpu"]) if "cpu" in given else None,
            memory=_parse_memory(given["memory"]) if "memory" in given else None,
            gpu=gpu,
            accelerator=accelerator,
            spot=_parse_spot(given["spot"]) if "spot" in given else None,
            image=_parse_image(given["image"]) if "image" in given else None,
        )

    def to_json(self) -> dict[str, Any]:
        """Only the fields that were asked for; ``parse(request.to_json()) == request``."""
        asked = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in asked.items() if value is not None}

    def written(self) -> dict[str, Any]:
        """As people write it in a ``pipeline.yaml``: ``{cpu: 2, memory: 4Gi}``; `parse` reads it back exactly."""
        asked = self.to_json()
        if self.memory is not None:
            text = format_bytes(self.memory).replace(" ", "").replace("B", "")
            is_exact = not text.isdigit() and parse_bytes(text) == self.memory
            asked["memory"] = text if is_exact else self.memory
        if self.cpu is not None and self.cpu == int(self.cpu):
            asked["cpu"] = int(self.cpu)
        return asked

    def to_dask(self) -> dict[str, float]:
        """The request as dask's abstract resources, as its workers must declare them."""
        amounts = {"cpu": self.cpu, "memory": self.memory, "gpu": self.gpu}
        return {name: float(value) for name, value in amounts.items() if value is not None}

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return self != ResourceRequest()

    def __add__(self, other: ResourceRequest) -> ResourceRequest:
        """As much as both. Two different accelerators do not add up to one request: `InvalidInput`."""
        if self.accelerator and other.accelerator and not _is_same(self.accelerator, other.accelerator):
            raise InvalidInput(
                f"cannot add {self.accelerator} to {other.accelerator}: they are different accelerators"
            )
        cpu = _add(self.cpu, other.cpu)
        return ResourceRequest(
            cpu=None if cpu is None else _cores(cpu),
            memory=_add(self.memory, other.memory),
            gpu=_add(self.gpu, other.gpu),
            accelerator=self.accelerator or other.accelerator,
        )

    def __sub__(self, taken: ResourceRequest) -> ResourceRequest:
        """What is left of this when `taken` is in use; what is not limited stays so.

        Raises `InvalidInput` when `taken` does not fit: ask `fits` first.
        """
        lacking = taken.shortfall(self)
        if lacking:
            raise InvalidInput(f"cannot take {taken} from {self}: {'; '.join(lacking)}")
        return ResourceRequest(
            cpu=None if self.cpu is None else _cores(self.cpu - (taken.cpu or 0.0)),
            memory=None if self.memory is None else self.memory - (taken.memory or 0),
            gpu=None if self.gpu is None else self.gpu - (taken.gpu or 0),
            accelerator=self.accelerator,
        )

    def fits(self, free: ResourceRequest) -> bool:
        """Whether `free` has room for this request."""
        return not self.shortfall(free)

    def shortfall(self, free: ResourceRequest) -> tuple[str, ...]:
        """For people: each resource that `free` lacks, such as ``memory: 8 GiB asked, 4 GiB there``."""
        lacking = []
        if self.cpu is not None and free.cpu is not None and self.cpu > free.cpu:
            lacking.append(f"cpu: {self.cpu:g} asked, {free.cpu:g} there")
        if self.memory is not None and free.memory is not None and self.memory > free.memory:
            lacking.append(f"memory: {format_bytes(self.memory)} asked, {format_bytes(free.memory)} there")
        if self.gpu is not None and free.gpu is not None and self.gpu > free.gpu:
            lacking.append(f"gpu: {self.gpu} asked, {free.gpu} there")
        if self.accelerator and free.accelerator and not _is_same(self.accelerator, free.accelerator):
            lacking.append(f"accelerator: {self.accelerator} asked, {free.accelerator} there")
        return tuple(lacking)

    def __str__(self) -> str:
        parts = []
        if self.cpu is not None:
            parts.append(f"{self.cpu:g} cpu")
        if self.memory is not None:
            parts.append(format_bytes(self.memory))
        if self.gpu is not None:
            parts.append(f"{self.gpu} gpu" + (f" ({self.accelerator})" if self.accelerator else ""))
        elif self.accelerator:
            parts.append(self.accelerator)
        if self.spot is not None:
            parts.append("spot" if self.spot else "not on spot")
        if self.image is not None:
            parts.append(self.image)
        return ", ".join(parts) or "no resources"


def parse_bytes(text: str | float) -> int:
    """``"4Gi"``, ``"2GB"``, ``"1.5 GiB"`` or a number of bytes, as whole bytes; else `InvalidInput`."""
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise InvalidInput(f"{text!r} is not an amount of memory", hint=_MEMORY_HINT)
    if isinstance(text, str):
        found = _QUANTITY.fullmatch(text)
        unit = found["unit"] if found else ""
        if unit == "m":  # Docker's "512m" are mebibytes, Kubernetes' are thousandths of a byte
            raise InvalidInput(f"{text!r} could mean several things", hint="write 512Mi or 512MB")
        if found is None or unit.lower() not in _UNITS:
            raise InvalidInput(f"{text!r} is not an amount of memory", hint=_MEMORY_HINT)
        amount = float(found["number"]) if "." in found["number"] else int(found["number"])
        total: float = amount * _UNITS[unit.lower()]
    else:
        total = text
    if not (math.isfinite(total) and 0 <= total < _MOST):
        raise InvalidInput(f"{text!r} is not a possible amount of memory", hint=_MEMORY_HINT)
    return round(total)


def format_bytes(count: int) -> str:
    """For people, in binary units with at most one decimal: ``4 GiB``, ``1.5 MiB``, ``17 B``."""
    size, unit = float(count), 0
    while abs(size) >= 1023.95 and unit < 5:  # from there on it would be shown as "1024.0"
        size, unit = size / 1024, unit + 1
    return f"{size:.1f}".removesuffix(".0") + f" {_NAMES[unit]}"


def _parse_memory(value: Any) -> int:
    count = parse_bytes(value)
    if 0 < count < _LEAST_MEMORY:
        raise InvalidInput(
            f"memory: {value!r} are only {count} bytes", hint=f"did you mean {count}Gi? {_MEMORY_HINT}"
        )
    return count


def _parse_cpu(value: Any) -> float:
    hint = "write cores: 2, 0.5 or 500m"
    if isinstance(value, str):
        found = _QUANTITY.fullmatch(value)
        if found is None or found["unit"] not in ("", "m"):
            raise InvalidInput(f"cpu: {value!r} is not a number of cores", hint=hint)
        value = float(found["number"]) / (1000 if found["unit"] else 1)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidInput(f"cpu: {value!r} is not a number of cores", hint=hint)
    if not (math.isfinite(value) and 0 <= value < _MOST):
        raise InvalidInput(f"cpu: {value!r} is not a possible number of cores", hint=hint)
    return _cores(value)


def _parse_gpu(value: Any) -> int:
    hint = "GPUs are given out whole: write 1"
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value.strip(), re.ASCII):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST:
        raise InvalidInput(f"gpu: {value!r} is not a whole number of GPUs", hint=hint)
    return value


def _parse_accelerator(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(f"accelerator: {value!r} is not a name", hint="for example accelerator: a100")
    return value.strip()


def _parse_spot(value: Any) -> bool:
    if not isinstance(value, bool):
        hint = "true: it may run on capacity that can be taken away, which costs less"
        raise InvalidInput(f"spot: {value!r} is neither true nor false", hint=hint)
    return value


def _parse_image(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        hint = "for example image: registry.example.com/team/train:1"
        raise InvalidInput(f"image: {value!r} is no name of an image", hint=hint)
    try:
        parse_reference(value.strip())
    except InvalidInput as error:
        raise InvalidInput(f"image: {error.message}", hint=error.hint) from None
    return value.strip()


def _cores(value: float) -> float:
    """Cores to a millionth, so that taking 0.1 ten times from 1 leaves nothing."""
    return round(float(value), 6)


def _is_same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _add(one: _Number | None, other: _Number | None) -> _Number | None:
    if one is None:
        return other
    return one if other is None else one + other
