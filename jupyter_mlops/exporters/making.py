"""An export from end to end: a pipeline's file in, a target's files in a folder out. Front ends share it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import available_timezones

from ..display import Shown
from ..errors import Conflict, InvalidInput, MlopsError, StorageUnavailable
from ..notebooks.files import load_notebook
from ..notebooks.request import read_request
from ..pipelines import Pipeline, Plan, lower
from ..pipelines.schedules import ScheduleSpec
from ..settings import find_root
from .target import Exported, ExportOptions, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Export(Shown):
    """The files of a target, and where they lie. `notes` tell what holds there in another way than here."""

    pipeline: str
    target: str
    folder: Path
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()

    def facts(self) -> Mapping[str, str]:
        """What a reader wants to know first."""
        return {
            "export": f"{self.pipeline} for {self.target}",
            "files": ", ".join(map(str, self.files)),
            "holds otherwise": "; ".join(self.notes),
        }


def make(
    pipeline: Pipeline,
    target: Target,
    arguments: Mapping[str, Any],
    *,
    from_text: bool = False,
    image: str = "",
    images: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    project: str = "",
    schedule: str = "",
    timezone: str = "UTC",
    is_strict: bool = False,
) -> Exported:
    """The target's files for a pipeline that was read from a file, as text. `notes` are what is to be told besides.
    With `is_strict`, what holds otherwise is an error."""
    if pipeline.path is None:
        raise InvalidInput("only a pipeline of a file can be exported", hint="write it by `to_yaml`")
    path = Path(pipeline.path)
    plan = _with_requests(lower(pipeline, arguments, from_text=from_text), path.parent)
    _check_schedule(schedule, timezone)
    options = ExportOptions(
        project=project or (_in_image(path.resolve()) if image or images else str(path.resolve().parent)),
        pipeline_file=path.name,
        image=image,
        images=images or {},
        schedule=ScheduleSpec(cron=schedule, timezone=timezone) if schedule else _own_schedule(pipeline),
        description=pipeline.description,
    )
    exported = target.export(plan, options)
    exported = replace(exported, notes=(*notes, *exported.notes))
    if is_strict and exported.notes:
        raise InvalidInput(f"not all of it holds in {target.title}: {'; '.join(exported.notes)}")
    return exported


def _with_requests(plan: Plan, folder: Path) -> Plan:
    """With what its notebook asks for where a task asks for nothing; a notebook that is not here asks for nothing."""
    tasks = {}
    for key, task in plan.tasks.items():
        tasks[key] = task
        if not task.resources:
            with contextlib.suppress(MlopsError):
                request = read_request(load_notebook(folder / task.notebook))
                tasks[key] = replace(task, resources=request)
    return replace(plan, tasks=tasks)


def _in_image(path: Path) -> str:
    """The folder of a pipeline in an image: `promotion` lays a workspace out below this one."""
    root = find_root(path.parent)
    return (PurePosixPath("/project") / path.parent.relative_to(root).as_posix()).as_posix()


def write(exported: Exported, folder: Path, *, is_forced: bool = False) -> None:
    """All of them or none; a file that somebody changed is not overwritten unasked."""
    if folder.is_file():
        raise InvalidInput(f"{folder} is a file", hint="name a folder")
    different = _different(exported, folder)
    if different and not is_forced:
        raise Conflict(f"{folder / different[0]} is there and differs", hint="overwrite it with --force")
    try:
        for name, text in exported.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageUnavailable(f"cannot write {folder}: {error.strerror}") from error


def stale(exported: Exported, folder: Path) -> list[str]:
    """The files that are missing there, or say something else."""
    missing = [name for name in exported.files if not (folder / name).exists()]
    return [str(folder / name) for name in (*missing, *_different(exported, folder))]


def _different(exported: Exported, folder: Path) -> list[str]:
    return [
        name
        for name, text in exported.files.items()
        if (folder / name).exists() and (folder / name).read_text(encoding="utf-8", errors="replace") != text
    ]


def _own_schedule(pipeline: Pipeline) -> ScheduleSpec | None:
    """The pipeline's schedule, if it has one."""
    if len(pipeline.schedules) > 1:
        names = ", ".join(pipeline.schedules)
        raise InvalidInput(
            f"the pipeline has several schedules: {names}", hint="say which, by --schedule and --timezone"
        )
    return next(iter(pipeline.schedules.values()), None)


def _check_schedule(schedule: str, timezone: str) -> None:
    if schedule and len(schedule.split()) != 5 and not schedule.startswith("@"):
        raise InvalidInput(
            f"the schedule {schedule!r} has not five fields", hint="minute hour day month weekday: 0 6 * * 1"
        )
    if timezone not in available_timezones():
        raise InvalidInput(f"there is no time zone {timezone!r}", hint="for example Europe/Zurich")
