"""A notebook's or a pipeline's image that runs to its end: as a Job, now, and as a CronJob for each schedule. Pure.

A pod that the cluster takes away does not count as a failure, and arguments that are wrong are not tried again; where
the cluster is too old to be told so, every failure counts.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import InvalidInput
from ...pipelines.schedules import ScheduleSpec, moves
from ...resources import ResourceRequest
from . import network
from .options import Options
from .pods import account_name, around, container, labels, manifest, pod

_COMPONENT = "batch"
_HOPELESS = (64,)  # exit codes of what was given wrong: another attempt gets the same
_OVERLAP = {"skip": "Forbid", "queue": "Forbid", "cancel": "Replace"}
_LATE_SECONDS = {"none": 60, "last": 6 * 3600, "all": 6 * 3600}
_DIGEST = re.compile(r"\S+@sha256:[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What shall run: an image with its arguments, and when."""

    name: str
    image: str  # "name@sha256:…"
    notebook: str = ""  # in an image of several
    output: str = ""  # where the executed notebook goes: a URL; ``{parameter}`` in it is filled in
    arguments: Mapping[str, Any] = field(default_factory=dict)  # of the notebook's parameters
    schedules: Mapping[str, ScheduleSpec] = field(default_factory=dict)
    resources: ResourceRequest = field(default_factory=ResourceRequest)
    timeout_seconds: float = 24 * 3600.0
    retries: int = 2


def batch(wanted: Batch, options: Options) -> tuple[list[dict[str, Any]], list[str]]:
    """The manifests, and notes on what holds in another way there: a CronJob for each schedule, or else one Job."""
    _check(wanted)
    marks = labels(wanted.name, _COMPONENT)
    found = [*around(wanted.name, options, marks), network.policy(wanted.name, _COMPONENT, options, marks)]
    notes = []
    for name, schedule in wanted.schedules.items():
        found.append(_cron_job(wanted, name, schedule, options, marks))
        notes += [f"schedule {name}: {note}" for note in _notes(schedule)]
    if not wanted.schedules:
        found.append(_job(wanted, options, marks))
    return found, notes


def _check(wanted: Batch) -> None:
    if not re.fullmatch(r"[a-z]([-a-z0-9]{0,30}[a-z0-9])?", wanted.name, re.ASCII):
        raise InvalidInput(
            f"kubernetes cannot call a batch {wanted.name!r}",
            hint="use lowercase letters, digits and dashes, a letter first, at most 32 of them",
        )
    if not _DIGEST.fullmatch(wanted.image):
        raise InvalidInput(
            f"the image {wanted.image!r} is not given by its digest", hint="name it as REGISTRY/NAME@sha256:…"
        )


def _job(wanted: Batch, options: Options, marks: Mapping[str, str]) -> dict[str, Any]:
    """A Job cannot be changed, so its name has a digest of what it is: applied again it is the same, or another."""
    spec = {**_job_spec(wanted, wanted.arguments, options, marks), "ttlSecondsAfterFinished": 7 * 24 * 3600}
    digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:10]
    return manifest("batch/v1", "Job", f"{wanted.name}-{digest}", options.namespace, marks, spec)


def _job_spec(
    wanted: Batch, arguments: Mapping[str, Any], options: Options, marks: Mapping[str, str]
) -> dict[str, Any]:
    more: dict[str, Any] = {"args": _words(wanted, arguments)}
    if options.config_map:
        more["envFrom"] = [{"configMapRef": {"name": options.config_map}}]
    inside = container("notebook", wanted.image, wanted.resources, options, {}, **more)
    spec = pod(
        inside,
        wanted.resources,
        options,
        account_name(wanted.name, options),
        grace_seconds=60,
        restartPolicy="Never",
    )
    codes = {"operator": "In", "values": list(_HOPELESS), "containerName": "notebook"}
    rules = [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {"action": "FailJob", "onExitCodes": codes},
    ]
    return {
        "backoffLimit": wanted.retries,
        "activeDeadlineSeconds": max(1, round(wanted.timeout_seconds)),
        **({"podFailurePolicy": {"rules": rules}} if options.minor >= 31 else {}),  # stable from there on
        "template": {"metadata": {"labels": dict(marks)}, "spec": spec},
    }


def _cron_job(
    wanted: Batch, name: str, schedule: ScheduleSpec, options: Options, marks: Mapping[str, str]
) -> dict[str, Any]:
    arguments = {**wanted.arguments, **schedule.parameters}
    check_arguments(name, arguments)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "schedule"
    full = f"{wanted.name}-{slug}"
    if len(full) > 52:
        raise InvalidInput(f"schedule {name}: {full!r} is too long for a CronJob", hint="at most 52 letters")
    spec = {
        "schedule": _cron_text(name, schedule),
        "timeZone": schedule.timezone,
        "concurrencyPolicy": _OVERLAP[schedule.overlap],
        "startingDeadlineSeconds": _LATE_SECONDS[schedule.catch_up],
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 5,
        "suspend": schedule.is_paused,
        "jobTemplate": {
            "metadata": {"labels": dict(marks)},
            "spec": _job_spec(wanted, arguments, options, marks),
        },
    }
    return manifest("batch/v1", "CronJob", full, options.namespace, marks, spec)


def check_arguments(name: str, arguments: Mapping[str, Any]) -> None:
    """Raise `InvalidInput` for arguments that depend on the moment of a fire."""
    for key, value in arguments.items():
        if moves(value):
            raise InvalidInput(
                f"schedule {name}: a CronJob cannot give {key} the moment of its fire",
                hint="compute it in the notebook, or let `jupyter mlops scheduler` fire this schedule",
            )


def _cron_text(name: str, schedule: ScheduleSpec) -> str:
    """The cron as Kubernetes reads it, which knows no last days, no nth weekdays, and Sunday as 0 only."""
    schedule.parsed()
    text = schedule.cron.strip()
    if text.startswith("@"):
        return text.lower()
    fields = text.split()
    # Month names end with L, too (JUL), but the last of something stands only among days.
    if "#" in text or any(
        "L" in fields[2].upper() or day.endswith("L") for day in fields[4].upper().split(",")
    ):
        raise InvalidInput(
            f"schedule {name}: Kubernetes has no {text!r}",
            hint="let `jupyter mlops scheduler` fire this schedule, or write days that it knows",
        )
    days = fields[4]
    if "-7" in days:
        raise InvalidInput(
            f"schedule {name}: Kubernetes' week ends on 6", hint=f"write {days.replace('-7', '-6,0')}"
        )
    return " ".join([*fields[:4], re.sub(r"\b7\b", "0", days)])


def _notes(schedule: ScheduleSpec) -> list[str]:
    notes = ["Kubernetes starts nothing at times that clocks skip, and twice at those that they repeat"]
    if schedule.timezone == "UTC":
        notes = []
    if schedule.overlap == "queue":
        notes.append("overlap: queue is skip there: Kubernetes keeps no queue")
    if schedule.catch_up == "all":
        notes.append("catch_up: all is last there: of missed fires only the latest is made up for")
    names = ("jitter_seconds", "start", "end", "queue", "priority", "is_preemptible")
    lost = [name for name in names if getattr(schedule, name)]
    return [*notes, f"not carried over: {', '.join(lost)}"] if lost else notes


def _words(wanted: Batch, arguments: Mapping[str, Any]) -> list[str]:
    """What a batch image is told; arguments as ``-p name value``, and what is no text as JSON."""
    words = ["--notebook", wanted.notebook] if wanted.notebook else []
    words += ["--output", wanted.output] if wanted.output else []
    for name, value in arguments.items():
        if isinstance(value, str) and value.startswith("secret:"):
            raise InvalidInput(
                f"the argument {name} is a secret",
                hint="give it as a variable of the pod: the option `secrets`",
            )
        if value is not None:  # what is not given keeps its default
            is_json = isinstance(value, bool | int | float | list | tuple | Mapping)
            words += ["-p", name, json.dumps(value, default=str) if is_json else str(value)]
    return words
