"""A plan as targets need it: names that they allow, and what each step waits for. Nothing here knows a target."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from ..pipelines import Plan, PlannedTask, conditions
from .target import ExportOptions, not_expressible

Trigger = Literal["success", "none_failed", "done"]
"""When a step's process is started: all before it succeeded; none failed; all ended, whatever way. It is never
started later than `run_if` needs, and what starts too early for it finds so itself and skips."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One task of the plan. `name` is a Python identifier, `slug` a DNS label, both unique in the plan."""

    key: str
    name: str
    slug: str
    task: PlannedTask
    needs: tuple[str, ...]
    trigger: Trigger

    @property
    def is_mapped(self) -> bool:
        """Whether its instances are known only while the run goes on."""
        return self.task.map is not None

    @property
    def settled(self) -> list[str]:
        """The entry point's option for a step that the target starts when all before it has ended somehow."""
        return [] if self.trigger == "success" else ["--settled"]

    @property
    def comment(self) -> str:
        """What the task says of itself that no target shows: its condition, and after what it runs."""
        said = [] if self.task.when is None else [f"when {self.task.when}"]
        if self.task.run_if != "all_success":
            said.append(f"run_if {self.task.run_if}")
        return "; ".join(" ".join(each.split()) for each in said)


def steps(plan: Plan, reserved: Iterable[str] = ()) -> list[Step]:
    """The steps in the plan's order, which is topological. `reserved` are names that the target needs itself."""
    taken = {*_RESERVED, *reserved}
    mapped = [_identifier(key) for key, task in plan.tasks.items() if task.map is not None]
    taken |= {f"{name}_{what}" for name in mapped for what in ("instances", "joined")}
    names = _unique(plan.tasks, _identifier, "_", taken)
    labels = {
        "main",
        *(f"{_label(key)}-instances" for key, task in plan.tasks.items() if task.map is not None),
    }
    slugs = _unique(plan.tasks, _label, "-", labels)
    return [
        Step(
            key=key,
            name=names[key],
            slug=slugs[key],
            task=task,
            needs=task.needs,
            trigger=_trigger(plan, task),
        )
        for key, task in plan.tasks.items()
    ]


def _identifier(key: str) -> str:
    return re.sub(r"\W+", "_", key).strip("_")


def _label(key: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")


def _unique(keys: Iterable[str], write: Callable[[str], str], joint: str, taken: set[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for key in keys:
        base = name = write(key) or "task"
        number = 1
        while name in taken:
            number += 1
            name = f"{base}{joint}{number}"
        taken.add(name)
        names[key] = name
    return names


_RESERVED = frozenset(
    {
        *keyword.kwlist,
        "start",
        "end",
        "dag",
        "flow",
        "run",
        "arguments",
        "notebook",
        "instances",
        "command",
        "task",
    }
    | {"json", "os", "timedelta", "self", "shlex", "subprocess"}
)
"""What the files of the targets, and Python, call otherwise."""


def _trigger(plan: Plan, task: PlannedTask) -> Trigger:
    fans_out = any(plan.tasks[need].map is not None or _is_filtered(plan.tasks[need]) for need in task.needs)
    if task.run_if == "all_success" and not fans_out:
        return "success"
    # An empty list makes targets skip what comes after it, and so does a single skipped instance; here it does not.
    return "none_failed" if task.run_if == "none_failed" and not fans_out else "done"


def _is_filtered(task: PlannedTask) -> bool:
    return bool(task.matrix) and task.when is not None


def runs_after_failure(task: PlannedTask) -> bool:
    """Whether the task may run although one before it failed."""
    return task.run_if in ("all_done", "at_least_one_success", "all_failed", "at_least_one_failed")


def levels(plan_steps: list[Step]) -> list[list[Step]]:
    """The steps in layers: each after all that it needs."""
    depth: dict[str, int] = {}
    layers: list[list[Step]] = []
    for step in plan_steps:
        depth[step.key] = 1 + max((depth[need] for need in step.needs), default=-1)
        while len(layers) <= depth[step.key]:
            layers.append([])
        layers[depth[step.key]].append(step)
    return layers


def plain_arguments(plan: Plan, target: str) -> dict[str, Any]:
    """The pipeline's arguments as JSON that any target can hold; the entry point reads them by their types."""
    return {name: plain(name, value, target) for name, value in plan.arguments.items()}


def plain(name: str, value: Any, target: str) -> Any:
    """An argument as JSON; refused if it is none."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [plain(name, item, target) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: plain(name, item, target) for key, item in value.items()}
    raise not_expressible(
        f"way to hold the parameter {name!r}, which is a {type(value).__name__}",
        target,
        "give it as text, number, date, list or mapping",
    )


def wish_notes(made: Iterable[Step], how: Mapping[str, str]) -> list[str]:
    """What tasks ask for that the target does not see to: `how` it can be had there, for ``spot`` and ``image``."""
    notes = []
    for wish, told in how.items():
        asking = [step.key for step in made if getattr(step.task.resources, wish)]
        if asking:
            notes.append(f"{wish}: {', '.join(asking)}: {told}")
    return notes


def secret_names(task: PlannedTask) -> list[str]:
    """The names of the secrets that the task's settings and arguments refer to."""
    texts = [*task.secrets.values(), *(value for value in task.parameters.values() if isinstance(value, str))]
    return sorted({text.removeprefix("secret:") for text in texts if text.startswith("secret:")})


def argument_secrets(plan: Plan) -> list[str]:
    """The names of the secrets among the pipeline's arguments."""
    return sorted(
        value.removeprefix("secret:")
        for value in plan.arguments.values()
        if isinstance(value, str) and value.startswith("secret:")
    )


# --- writing Python -------------------------------------------------------------------------------------------


def literal(value: Any) -> str:
    """A JSON value as Python writes it, with double quotes."""
    if isinstance(value, str):
        body = value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
        body = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in body)
        quote = "'" if body.count('"') > body.count("'") else '"'
        return quote + body.replace(quote, f"\\{quote}") + quote
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    return repr(value)


def call(head: str, *arguments: str, indent: int = 0) -> str:
    """A call, an argument a line, as formatters lay it out."""
    pad = " " * indent
    if not arguments:
        return f"{pad}{head}()"
    return "\n".join([f"{pad}{head}(", *(f"{pad}    {each}," for each in arguments), f"{pad})"])


def items(head: str, inside: list[str], tail: str, indent: int = 4) -> str:
    """A bracketed list on one line, or an item a line where that is long."""
    pad = " " * indent
    line = f"{pad}{head}{', '.join(inside)}{tail}"
    if len(line) <= 88:
        return line
    return "\n".join([f"{pad}{head}", *(f"{pad}    {each}," for each in inside), f"{pad}{tail}"])


def docstring(plan: Plan, options: ExportOptions, told: str) -> str:
    """What the file is, at its head."""
    first = f"{plan.pipeline}: {options.description}" if options.description else plan.pipeline
    paragraphs = [first, told, "Written by `jupyter mlops export`: change the pipeline and export it again."]
    text = "\n\n".join(textwrap.fill(" ".join(each.split()), 100) for each in paragraphs)
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""{text}\n"""'


def comment(text: str) -> list[str]:
    """A comment's lines."""
    return [f"# {line}" for line in textwrap.wrap(text, 98)]


# --- conditions -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Equality:
    """A condition that every target can say itself: a result of a step equals a text."""

    step: Step
    result: str
    value: str


def equality(step: Step, by_key: Mapping[str, Step]) -> Equality | None:
    """The step's condition, if it is of that kind; any other is left to the entry point."""
    match None if step.task.when is None else conditions.parse(step.task.when):
        case conditions.Compare("==", conditions.Named(named), conditions.Value(str(value))):
            other = by_key.get(named.task) if named.field == "results" and not named.path else None
            is_plain = re.fullmatch(r"[A-Za-z0-9 _.:/-]*", value) is not None
            if other is not None and not other.is_mapped and not step.is_mapped and is_plain:
                return Equality(other, named.name, value)
    return None
