"""What there is to compute on, and what something costs, from a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from ..compute.estimate import OWN_UTILIZATION, Estimate
from ..compute.units import ComputeUnit, format_flops, formats
from ..display import table_html, table_text
from ..errors import InvalidInput, NotFound
from ..pipelines import load_pipeline
from ..resources import format_bytes
from ..workspace import Workspace
from .place import get_workspace
from .running import find_pipeline

COLUMNS = ("unit", "kind", "as", "cores", "memory", "peak", "measured", "name")
_SHOWN = ("float64", "float32", "bfloat16")


class UnitTable(Sequence[ComputeUnit]):
    """Compute units as a table that is a sequence; `measured` has what each was measured to do, by its name."""

    def __init__(self, found: Sequence[ComputeUnit], measured: dict[str, dict[str, Any]]) -> None:
        self._found = tuple(found)
        self.measured = measured

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> ComputeUnit: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ComputeUnit]: ...
    def __getitem__(self, index: int | slice) -> ComputeUnit | Sequence[ComputeUnit]:
        return self._found[index]

    def __iter__(self) -> Iterator[ComputeUnit]:
        return iter(self._found)

    def rows(self) -> list[list[str]]:
        """As tables show them."""
        return [
            [
                unit.unit,
                unit.kind,
                unit.abstraction,
                f"{unit.cores:g}",
                "" if unit.memory is None else format_bytes(unit.memory),
                _rates(unit.peak_flops),
                _rates(self.measured.get(unit.unit, {}).get("flops", {})),
                unit.name,
            ]
            for unit in self._found
        ]

    def __repr__(self) -> str:
        return table_text(COLUMNS, self.rows())

    def _repr_html_(self) -> str:
        return table_html(COLUMNS, self.rows())


def _rates(by_format: dict[str, float] | Any) -> str:
    """The first two formats: ``f64 147 GFLOPS, f32 294 GFLOPS``."""
    shown = [name for name in formats(by_format) if name in _SHOWN][:2]
    return ", ".join(f"{name.replace('float', 'f')} {format_flops(by_format[name])}" for name in shown)


def compute_units() -> UnitTable:
    """This machine's compute units, or the workers of the workspace's cluster, with what they were measured to do.

    ``jupyter mlops compute bench`` measures them. Raises `Unavailable` if the cluster does not answer.
    """
    return units_of(get_workspace())


def units_of(workspace: Workspace) -> UnitTable:
    """The same of a workspace."""
    compute = workspace.compute
    measured = {unit: dict(record.body) for unit, record in compute.measurements().items()}
    return UnitTable(compute.units(), measured)


def cost(
    subject: str | Path = "pipeline.yaml",
    *,
    task: str = "",
    runs_a_month: float | None = None,
    providers: Sequence[str] = (),
    instance: str = "",
    server: str = "",
    utilization: float = OWN_UTILIZATION,
) -> Estimate:
    """What something costs, here and elsewhere: a pipeline's file (a month of it, by its schedules and last runs),
    a run's id or ``latest`` (and one `task` of it), or ``models:/NAME/3``.

    `runs_a_month` is how often the pipeline runs instead; `providers`, `instance` and `server` choose where;
    `utilization` is the part of all hours in which servers of one's own are used. Shows itself with the break-even.
    """
    text = str(subject)
    if is_pipeline(text):
        subject = find_pipeline(text)
    return cost_in(
        get_workspace(), subject, task=task, runs_a_month=runs_a_month, providers=providers, instance=instance,
        server=server, utilization=utilization,
    )  # fmt: skip


def is_pipeline(text: str) -> bool:
    """Whether it names a pipeline's file or folder, be it there or not."""
    return not text.startswith("models:/") and (Path(text).suffix in (".yaml", ".yml") or Path(text).exists())


def cost_in(
    workspace: Workspace,
    subject: str | Path,
    *,
    task: str = "",
    runs_a_month: float | None = None,
    **chosen: Any,
) -> Estimate:
    """The same in a workspace; a path is a pipeline's file that is there."""
    if isinstance(subject, Path):
        if task:
            raise InvalidInput("a task's cost is of a run", hint="name the run, or `latest`")
        pipeline = load_pipeline(subject)
        crons = [(each.cron, each.timezone) for each in pipeline.schedules.values() if not each.is_paused]
        return workspace.compute.cost_of_pipeline(pipeline.name, schedules=crons, runs=runs_a_month, **chosen)
    if runs_a_month is not None:
        raise InvalidInput("runs a month are of a pipeline", hint="name its file")
    if subject.startswith("models:/"):
        if task:
            raise InvalidInput("a task's cost is of a run", hint="name the run, or `latest`")
        return workspace.compute.cost_of_version(workspace.models.get(subject), **chosen)
    try:
        run = workspace.runs.resolve_run(subject)
    except NotFound as error:
        hint = error.hint or "name a pipeline's file, a run, or models:/NAME/VERSION"
        raise NotFound(f"{subject!r} is no pipeline, run or model", hint=hint) from error
    return workspace.compute.cost_of_run(run, task, **chosen)
