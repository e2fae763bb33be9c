"""Options of a target, as its user wrote them, read into a frozen dataclass: names are checked, and types.

A target's options are fields of such a class; each has its help in its metadata, so that the documentation's table is
made of the same lines.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ..errors import InvalidInput, did_you_mean
from .target import Wanted

_Options = TypeVar("_Options")
_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?", re.ASCII)
_DIGEST = re.compile(r"\S+@sha256:[0-9a-f]{64}", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SHARES_OFF = 1e-6


def option(default: Any, help: str) -> Any:  # noqa: A002 - what click calls it, too
    """A field of a target's options; a mapping or list as default stands for an empty one."""
    metadata = {"help": help}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=dict, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def read_options(kind: type[_Options], given: Mapping[str, Any], target: str) -> _Options:
    """`given` as `kind`. Text is read by the field's type, since command lines give text. Raises `InvalidInput`."""
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind)
    values = {}
    for name, value in given.items():
        if name not in fields:
            hint = did_you_mean(str(name), fields) or f"there are {', '.join(sorted(fields))}"
            raise InvalidInput(f"{target} has no option {name!r}", hint=hint)
        values[name] = _read(value, hints[name], f"{target}: option {name!r}")
    return kind(**values)


def _read(value: Any, hint: Any, what: str) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        if value is None:
            return None
        (hint,) = (each for each in typing.get_args(hint) if each is not type(None))
    origin = typing.get_origin(hint) or hint
    if origin in (Mapping, tuple) and isinstance(value, str):
        value = _structure(value, is_list=origin is tuple)
    if origin is bool and isinstance(value, str) and value.lower() in ("true", "false"):
        value = value.lower() == "true"
    if origin in (int, float) and isinstance(value, str):
        try:
            value = origin(value)
        except ValueError:
            raise InvalidInput(f"{what} is a number, not {value!r}") from None
    if origin is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if origin is Mapping and isinstance(value, Mapping):
        if all(isinstance(each, str | int | float) for pair in value.items() for each in pair):
            return {str(key): str(item) for key, item in value.items()}
        raise InvalidInput(f"{what} maps names to text, not {value!r}")
    if origin is tuple and isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_read(each, str, what) for each in value)
    if isinstance(value, origin) and (origin is bool or not isinstance(value, bool)):
        return value
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    kinds |= {Mapping: "a mapping", tuple: "a list"}
    raise InvalidInput(f"{what} is {kinds.get(origin, origin)}, not {value!r}")


def _structure(text: str, *, is_list: bool) -> Any:
    """``a,b`` and ``k=v,l=w`` of a command line, or JSON."""
    text = text.strip()
    if text[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if is_list:
        return parts
    return dict(part.split("=", 1) for part in parts) if all("=" in part for part in parts) else text


def options_table(kind: type[Any]) -> str:
    """The options as Markdown: what the documentation has, held to it by a test."""
    lines = ["| option | default | what it is |", "|---|---|---|"]
    for field in dataclasses.fields(kind):
        default = "" if field.default in (dataclasses.MISSING, "", None, ()) else f"`{_shown(field.default)}`"
        lines.append(f"| `{field.name}` | {default} | {field.metadata['help']} |")
    return "\n".join(lines)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_wanted(wanted: Wanted, target: str, *, longest_name: int = 40) -> None:
    """What holds for each target that pulls images: a name that all of them allow, shares that sum to 1, an image by
    digest for each version. Raises `InvalidInput`."""
    if not _LABEL.fullmatch(wanted.name) or len(wanted.name) > longest_name:
        raise InvalidInput(
            f"{target} cannot call a deployment {wanted.name!r}",
            hint=f"use lowercase letters, digits and dashes, a letter first, at most {longest_name} of them",
        )
    shares = wanted.traffic.values()
    if not shares or min(shares) < 0 or abs(sum(shares) - 1) > _SHARES_OFF:
        raise InvalidInput(f"the shares of {wanted.name} must sum to 1, not to {sum(shares):g}")
    if any(not 0 < share <= 1 for share in wanted.shadow.values()):
        raise InvalidInput(f"a shadow of {wanted.name} gets a share between 0 and 1 of the requests")
    for version in versions(wanted):
        image = wanted.images.get(version, "")
        make = f"make one: jupyter mlops dockerize models:/{wanted.model}/{version} --push REGISTRY/NAME"
        if not image:
            raise InvalidInput(f"{target} needs an image of {wanted.model} version {version}", hint=make)
        if not _DIGEST.fullmatch(image):
            raise InvalidInput(
                f"the image {image!r} is not given by its digest", hint="name it as REGISTRY/NAME@sha256:…"
            )
    least, most = wanted.replicas
    if not 1 <= least <= most:
        raise InvalidInput(
            f"replicas: at least {least}, at most {most}: that is no range", hint="for example 2..4"
        )


def versions(wanted: Wanted) -> list[int]:
    """Every version that needs a place: those with traffic by their shares, then shadows."""
    with_traffic = [version for version in by_share(wanted) if wanted.traffic[version] > 0]
    return with_traffic + [version for version in sorted(wanted.shadow) if version not in with_traffic]


def by_share(wanted: Wanted) -> list[int]:
    """The versions with the largest share first; of equals the older."""
    return sorted(wanted.traffic, key=lambda version: (-wanted.traffic[version], version))


def percents(wanted: Wanted) -> dict[int, int]:
    """The shares as whole percents that sum to 100: what is left over goes to the largest remainders."""
    exact = {version: share * 100 for version, share in wanted.traffic.items() if share > 0}
    whole = {version: int(share + _SHARES_OFF) for version, share in exact.items()}
    for version in sorted(exact, key=lambda v: (whole[v] - exact[v], v))[: 100 - sum(whole.values())]:
        whole[version] += 1
    return whole


def environment(env: Mapping[str, str], target: str) -> dict[str, str]:
    """`env` if its names can be variables and its values are no secrets. Raises `InvalidInput`."""
    for name, value in env.items():
        if not _VARIABLE.fullmatch(name):
            raise InvalidInput(f"{target}: {name!r} cannot be an environment variable")
        if value.startswith("secret:"):
            raise InvalidInput(
                f"{target}: env {name}: a secret's value is not written anywhere",
                hint="refer to it by the target's own means; see docs/targets.md",
            )
    return dict(env)


def smallest_instance(wanted: Wanted, instances: Sequence[tuple[int, int, int, str]], *, example: str) -> str:
    """The first of `instances` (cores, GiB of memory, GPUs, name; the smallest first) that holds what is asked for.

    One with GPUs is taken only when some are asked for. Raises `InvalidInput`."""
    asked = wanted.resources
    gigabytes = math.ceil((asked.memory or 0) / 2**30)
    for cores, memory, gpus, name in instances:
        is_enough = cores >= (asked.cpu or 0) and memory >= gigabytes
        if is_enough and gpus >= (asked.gpu or 0) and bool(gpus) == bool(asked.gpu):
            return name
    raise InvalidInput(f"no usual instance has {asked}", hint=f"name one: -o instance_type={example}")
