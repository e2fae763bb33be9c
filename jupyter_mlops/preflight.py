"""Everything that would fail later, told before the first kernel starts: all of it at once.

Here pipelines meet their notebooks: files and kernels that are not there, arguments that the notebooks do not
take, names that nobody emits, undefined names in the code, secrets that nobody knows, resources that no worker
has. Reading is by file time and size, so a thousand tasks take well under a second.
"""

from __future__ import annotations

import glob
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from .backends.clusters import LOCAL, demand_startable, find_cluster
from .backends.looking import unreachable
from .backends.suiting import unsuitable
from .compute.offers import machine_resources
from .errors import InvalidInput, KernelUnavailable, MlopsError, NotFound, Unavailable, did_you_mean
from .kernels import interpreter_of
from .notebooks.facts import NotebookFacts, inspect_notebook
from .notebooks.files import load_notebook
from .notebooks.inject import secret_environment
from .notebooks.lint import lint
from .notebooks.parameters import bind
from .notebooks.secrets import SecretReference, resolve
from .pipelines import Plan, PlannedTask, checks, graph, load_pipeline, lower, references
from .problems import Problem
from .resources import ResourceRequest
from .settings import Settings


def check(
    pipeline_path: Path | str,
    arguments: Mapping[str, Any] | None = None,
    *,
    settings: Settings,
    env: Mapping[str, str] | None = None,
) -> list[Problem]:
    """The problems of a pipeline file and its notebooks, errors and warnings; never raises for them."""
    try:
        pipeline = load_pipeline(pipeline_path)
        problems = checks.check(pipeline)
        plan = lower(pipeline, arguments)
    except InvalidInput as error:
        return list(error.fields.get("problems") or [Problem(message=error.message, hint=error.hint)])
    except NotFound as error:
        return [Problem(message=error.message, hint=error.hint)]
    folder = Path(pipeline_path).absolute().parent
    places = {task.name: pipeline.where(task) for task in pipeline.tasks}
    return problems + check_plan(plan, folder, settings, env=env, places=places)


def check_plan(
    plan: Plan,
    folder: Path,
    settings: Settings,
    *,
    cluster: str | None = None,
    env: Mapping[str, str] | None = None,
    places: Mapping[str, str] | None = None,
) -> list[Problem]:
    """The problems of a plan whose notebooks lie in `folder`. `places` says where a task is defined."""
    address = cluster or settings.cluster
    offer = machine_resources() if address == "local" else None
    checker = _Checker(plan, folder, settings, os.environ if env is None else env, places or {}, offer)
    problems = [*checker.problems()]
    try:
        demand_cluster(address, settings)
        spec = None if address == LOCAL else find_cluster(address, settings.clusters)
        problems += unsuitable(spec, {task.name: checker.wanted(task) for task in plan.tasks.values()})
    except MlopsError as error:
        problems.append(Problem(message=error.message, hint=error.hint))
    return problems


def demand_cluster(cluster: str, settings: Settings) -> None:
    """Raises `Unavailable` if nobody listens where a scheduler should, `InvalidSettings` or `MissingExtra` for a
    cluster that cannot be started; ``local`` needs none."""
    if cluster == LOCAL:
        return
    spec = find_cluster(cluster, settings.clusters)
    if not spec.is_address:
        demand_startable(spec)
        return
    address = spec.address
    problem = unreachable(address)
    if problem:
        raise Unavailable(
            f"no dask scheduler answers at {address}: {problem}",
            hint="start one with `dask scheduler` and `dask worker`, or leave --cluster out to run here",
        )


def matching(folder: Path, pattern: str) -> list[Path]:
    """The files that a pattern of a task's ``files`` names, from the folder of the pipeline. The path of a folder
    names all files in it."""
    if not glob.has_magic(pattern) and (folder / pattern).is_dir():
        pattern = os.path.join(pattern, "**")
    try:
        found = glob.glob(os.path.join(glob.escape(str(folder)), pattern), recursive=True)
    except (ValueError, re.error, RecursionError):
        return []
    return sorted(Path(os.path.normpath(name)) for name in found if os.path.isfile(name))


class _Checker:
    def __init__(
        self,
        plan: Plan,
        folder: Path,
        settings: Settings,
        env: Mapping[str, str],
        places: Mapping[str, str],
        offer: ResourceRequest | None,
    ) -> None:
        self.plan, self.folder, self.settings, self.env = plan, folder, settings, env
        self.places, self.offer = places, offer
        self.facts: dict[str, NotebookFacts | None] = {}
        self.kernels: dict[tuple[str, str], str] = {}
        self.secrets: dict[str, str] = {}

    def problems(self) -> Iterator[Problem]:
        for notebook in self.tasks_of:
            yield from self.notebook(notebook)
        seen: set[str] = set()
        for task in self.plan.tasks.values():
            if task.name not in seen:  # the instances of a matrix differ in values only
                seen.add(task.name)
                yield from self.task(task)

    @cached_property
    def tasks_of(self) -> Mapping[str, list[PlannedTask]]:
        """Notebook → the tasks that run it."""
        tasks: dict[str, list[PlannedTask]] = defaultdict(list)
        for task in self.plan.tasks.values():
            tasks[task.notebook].append(task)
        return tasks

    def problem(self, task: PlannedTask, error: MlopsError) -> Problem:
        where = self.places.get(task.name, "")
        return Problem(message=f"{task.name}: {error.message}", hint=error.hint, where=where)

    def notebook(self, notebook: str) -> Iterator[Problem]:
        path = self.folder / notebook
        self.facts[notebook] = None
        if not path.is_file():
            named = self.tasks_of[notebook][0]
            near = [
                p.relative_to(self.folder).as_posix()
                for p in sorted(self.folder.glob(f"**/*{path.suffix or '.ipynb'}"))[:200]
            ]
            hint = did_you_mean(notebook, near)
            where = self.places.get(named.name, "")
            yield Problem(message=f"{named.name}: there is no notebook {notebook}", where=where, hint=hint)
            return
        try:
            self.facts[notebook] = inspect_notebook(path)
            given = {name for task in self.tasks_of[notebook] for name in task.parameters}
            yield from lint(load_notebook(path), notebook, known_names=given)
        except MlopsError as error:
            yield Problem(message=error.message, hint=error.hint)

    def task(self, task: PlannedTask) -> Iterator[Problem]:
        facts = self.facts.get(task.notebook)
        if facts is not None:
            yield from self.arguments(task, facts)
            yield from self.kernel(task, facts)
        yield from self.references(task)
        yield from self.secrets_of(task)
        yield from self.files(task)
        wanted = self.wanted(task)
        if self.offer is not None and not wanted.fits(self.offer):
            shortfall = "; ".join(wanted.shortfall(self.offer))
            hint = "lower resources:, or run on a cluster: --cluster tcp://…"
            yield self.problem(task, InvalidInput(f"this machine can never run it: {shortfall}", hint=hint))

    def wanted(self, task: PlannedTask) -> ResourceRequest:
        """What it asks for, or else its notebook."""
        facts = self.facts.get(task.notebook)
        return task.resources or (ResourceRequest() if facts is None else facts.resources)

    def arguments(self, task: PlannedTask, facts: NotebookFacts) -> Iterator[Problem]:
        """Those that are known by now are converted; for the others, the name is checked."""
        known: dict[str, Any] = {}
        pending: list[str] = []
        for name, value in task.parameters.items():
            try:
                known[name] = references.resolve(value, self.lookup(task))
            except _Later:
                pending.append(name)
            except (InvalidInput, NotFound) as error:
                pending.append(name)
                yield self.problem(task, error)
        try:
            bound = bind(
                facts.parameters, known, where=task.notebook, language=facts.language, pending=pending
            )
            for name in secret_environment(bound).values():
                yield from self.secret(task, name)
        except InvalidInput as error:
            for problem in error.fields.get("problems") or [Problem(message=error.message, hint=error.hint)]:
                where = self.places.get(task.name, "") or problem.where
                yield Problem(message=f"{task.name}: {problem.message}", hint=problem.hint, where=where)

    def lookup(self, task: PlannedTask) -> references.Lookup:
        def lookup(reference: references.Reference) -> Any:
            if reference.root == "params":
                return references.follow(self.plan.arguments[reference.name], reference)
            if reference.root == "matrix":
                return references.follow(task.matrix[reference.name], reference)
            raise _Later

        return lookup

    def kernel(self, task: PlannedTask, facts: NotebookFacts) -> Iterator[Problem]:
        key = (task.kernel or facts.kernel_name, facts.language)
        if key not in self.kernels:
            try:
                interpreter_of(*key)
                self.kernels[key] = ""
            except KernelUnavailable as error:
                self.kernels[key] = error.message
                yield self.problem(task, error)

    def references(self, task: PlannedTask) -> Iterator[Problem]:
        """A result or artifact that the other notebook, as far as its code says, never emits."""
        found, _ = graph.scan(task)
        for field, reference in found:
            if reference.root != "tasks" or reference.field not in ("results", "artifacts"):
                continue
            other = self.plan.tasks[self.plan.keys_of[reference.task][0]]
            facts = self.facts.get(other.notebook)
            if facts is None or facts.emits_unknown:
                continue
            emitted = facts.results if reference.field == "results" else facts.artifacts
            if reference.name not in emitted:
                verb = "result" if reference.field == "results" else "artifact"
                yield self.problem(
                    task,
                    InvalidInput(
                        f"{field}: {other.notebook} emits no {verb} {reference.name!r}",
                        hint=did_you_mean(reference.name, emitted)
                        or f'add mlops.{verb}("{reference.name}", …) to it',
                    ),
                )

    def secrets_of(self, task: PlannedTask) -> Iterator[Problem]:
        for variable, text in task.secrets.items():
            reference = SecretReference.parse(text)
            if reference is None:
                yield self.problem(task, InvalidInput(f"secrets.{variable} must be secret:NAME"))
            else:
                yield from self.secret(task, reference.name)

    def secret(self, task: PlannedTask, name: str) -> Iterator[Problem]:
        if name not in self.secrets:
            self.secrets[name] = ""
            try:
                resolve(name, env=self.env, dotenv=self.settings.dotenv)
            except MlopsError as error:
                yield self.problem(task, error)

    def files(self, task: PlannedTask) -> Iterator[Problem]:
        for pattern in task.files:
            if not matching(self.folder, pattern):
                hint = "it may be made by an earlier task; if not, correct the pattern"
                message = f"{task.name}: files: nothing matches {pattern!r} yet"
                where = self.places.get(task.name, "")
                yield Problem(message=message, hint=hint, where=where, severity="warning")


class _Later(Exception):
    """A value that only the run knows."""
