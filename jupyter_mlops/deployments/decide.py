"""What a deployment shall be next: pure, so that every case can be told in three lines of a test."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..catalog import AliasMove, Deployment, DeploymentRevision
from ..errors import Conflict, InvalidInput, NotFound
from ..resources import ResourceRequest
from ..targets import Status

FAILED = "failed: "  # how the reason of a revision begins that never came up
REPLICAS = (2, 4)
_NEAR = 1e-6


def pairs(given: Sequence[str], what: str) -> dict[str, str]:
    """Words ``KEY=VALUE`` as a mapping; `InvalidInput` names one that is none."""
    for word in given:
        if "=" not in word or not word.partition("=")[0]:
            raise InvalidInput(f"{word!r} is no {what}")
    return dict(word.partition("=")[::2] for word in given)


def check_traffic(traffic: Mapping[Any, Any]) -> dict[int, float]:
    """Version → share of the requests, without those that get none; they sum to 1. Raises `InvalidInput`."""
    shares = {_version(version): _share(version, share) for version, share in traffic.items()}
    shares = {version: share for version, share in sorted(shares.items()) if share > 0}
    total = math.fsum(shares.values())
    if abs(total - 1) > _NEAR:
        told = " + ".join(f"{share:g}" for share in shares.values()) or "nothing"
        raise InvalidInput(
            f"the shares of the traffic sum to {total:g}, not to 1 ({told})", hint="such as 3=0.9 and 4=0.1"
        )
    return shares


def check_shadow(shadow: Mapping[Any, Any], traffic: Mapping[int, float]) -> dict[int, float]:
    """Version → share of the requests that it sees besides. Raises `InvalidInput`."""
    shares = {_version(version): _share(version, share) for version, share in shadow.items()}
    for version in shares:
        if version in traffic:
            raise InvalidInput(
                f"version {version} answers requests, so it cannot be a shadow too",
                hint="leave it out of one of the two",
            )
    return {version: share for version, share in sorted(shares.items()) if share > 0}


def _version(given: Any) -> int:
    text = str(given)
    if isinstance(given, bool) or not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise InvalidInput(f"{given!r} is no version", hint="a number, such as 3")
    return int(text)


def _share(version: Any, given: Any) -> float:
    try:
        share = float(given[:-1]) / 100 if isinstance(given, str) and given.endswith("%") else float(given)
    except (TypeError, ValueError):
        share = math.nan
    if isinstance(given, bool) or not 0 <= share <= 1:
        raise InvalidInput(
            f"version {version}: {given!r} is no share of the requests", hint="from 0 to 1, or 10%"
        )
    return share


def check_replicas(given: Any) -> tuple[int, int]:
    """At least, at most. One number is both. Raises `InvalidInput`."""
    pair = (given, given) if isinstance(given, int) else given
    if isinstance(given, str):
        least, _, most = given.replace("-", ":").partition(":")
        pair = (least, most or least)
    try:
        least_most = tuple(int(each) for each in pair)
    except (TypeError, ValueError):
        least_most = ()
    if isinstance(given, bool) or len(least_most) != 2 or not 0 <= least_most[0] <= least_most[1]:
        raise InvalidInput(
            f"{given!r} is no number of replicas", hint="one number, or at least and at most: 2:4"
        )
    return least_most[0], least_most[1]


def options_of(record: Deployment | None) -> Mapping[str, Any]:
    """The target's own options."""
    return dict(record.options.get("options") or {}) if record else {}


def replicas_of(record: Deployment | None) -> tuple[int, int]:
    """At least, at most."""
    least, most = record.options.get("replicas") or REPLICAS if record else REPLICAS
    return int(least), int(most)


def resources_of(record: Deployment | None) -> ResourceRequest:
    """What each replica may use."""
    return ResourceRequest.parse(record.options.get("resources") if record else None)


def check_same(known: Deployment, target: str, model: str) -> None:
    """A name stays where it is and serves one model. Raises `Conflict`."""
    if known.state == "removed":
        return
    if known.target != target:
        raise Conflict(
            f"{known.name!r} is deployed on {known.target}",
            hint=f"choose another name=, or first: jupyter mlops deployments remove {known.name}",
        )
    if known.model != model:
        raise Conflict(
            f"{known.name!r} serves the model {known.model!r}, not {model!r}",
            hint=f"choose another name=, or first: jupyter mlops deployments remove {known.name}",
        )


def is_unchanged(
    known: Deployment | None,
    current: DeploymentRevision | None,
    wanted: DeploymentRevision,
    options: Mapping[str, Any],
) -> bool:
    """Whether what runs is what is wanted, so that nothing needs to be done."""
    if known is None or current is None or known.state != "running":
        return False
    kept = {name: known.options.get(name) for name in options}
    return kept == options and (current.traffic, current.shadow, current.image) == (
        wanted.traffic,
        wanted.shadow,
        wanted.image,
    )


def has_failed(revision: DeploymentRevision) -> bool:
    """Whether it never came up."""
    return revision.reason.startswith(FAILED)


def revision_to_return_to(
    known: Deployment, revisions: Sequence[DeploymentRevision], to: int | None
) -> DeploymentRevision:
    """The revision that a rollback means: the one given, else the last one before that was different and came up.

    Raises `NotFound`, `Conflict`.
    """
    numbers = {one.revision: one for one in revisions}
    current = numbers.get(known.revision)
    if to is not None:
        if to not in numbers:
            there = ", ".join(map(str, sorted(numbers))) or "none"
            raise NotFound(f"{known.name!r} has no revision {to}", hint=f"there are {there}")
        if has_failed(numbers[to]):
            raise Conflict(f"revision {to} of {known.name!r} never came up", hint="choose another one")
        if to == known.revision and known.state == "running":
            raise Conflict(f"{known.name!r} is at revision {to} already", hint="nothing needs to be done")
        return numbers[to]
    for one in sorted(revisions, key=lambda each: -each.revision):
        is_other = current is None or (one.traffic, one.shadow, one.image) != (
            current.traffic,
            current.shadow,
            current.image,
        )
        if one.revision < known.revision and is_other and not has_failed(one):
            return one
    raise NotFound(f"{known.name!r} has no earlier revision that it could return to")


def alias_move_to_follow(known: Deployment, moves: Sequence[AliasMove]) -> AliasMove | None:
    """The move of its alias that a deployment has not gone along with yet; `moves` are newest first.

    What counts is the move, not where the alias stands: after a rollback the deployment stays where it was put.
    """
    if not known.alias or known.state in ("removed", "stopped") or not moves:
        return None
    newest = moves[0]
    is_news = newest.seq > int(known.options.get("alias_seq") or 0)
    return newest if is_news and newest.new_version is not None else None


def mended(known: Deployment, live: Status, *, is_being_deployed: bool) -> dict[str, Any]:
    """What of the record is not so any more, seen what the target says: field → value."""
    if is_being_deployed or known.state == "removed":
        return {}
    is_gone = live.state == "removed"
    facts: dict[str, Any] = {
        "state": "failed" if is_gone else live.state,
        "url": live.url or ("" if is_gone else known.url),
        "message": "nothing of it is there any more: deploy it again" if is_gone else live.message,
    }
    if (
        not live.message and live.state == known.state
    ):  # what went wrong last is worth knowing until the next deploy
        facts["message"] = known.message
    if known.state == "deploying" and live.revision != known.revision and live.state != "deploying":
        facts["message"] = f"the rollout of revision {known.revision} was cut off: deploy it again"
        facts["state"] = live.state if live.revision else "failed"
    if live.revision and live.revision != known.revision and live.state != "deploying":
        facts["revision"] = live.revision
    return {name: value for name, value in facts.items() if getattr(known, name) != value}
