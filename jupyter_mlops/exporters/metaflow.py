"""Metaflow 2: a flow of steps, one a notebook.

Metaflow's graphs are nested: what was split must be joined, by a step that does nothing else. An arbitrary graph is
none, so it is written in layers: the tasks of a layer run beside each other, and the next layer begins when all of
them have ended.

A step that fails ends a flow at once, which a failed task does not do to a run. So a step notes the failure when no
further attempt is left, what comes after it finds that in the outcomes, and the flow fails at its end.
"""

from __future__ import annotations

import math
import re
from typing import Any

from ..pipelines import Plan
from ..pipelines.schedules import CATCH_UP, OVERLAP
from .firing import lost, scheduled_arguments
from .images import image_table
from .steps import (
    Step,
    argument_secrets,
    comment,
    docstring,
    items,
    levels,
    literal,
    plain_arguments,
    secret_names,
    steps,
    wish_notes,
)
from .target import Exported, ExportOptions, Target, not_expressible

_FLOW_NAMES = (
    "next", "input", "inputs", "index", "name", "cmd", "notebook", "failed", "keys", "outcome", "merge_artifacts",
    "run", "current", "IMAGES", "kubernetes", "resources", "retry", "schedule", "step", "timeout",
)  # fmt: skip
# What a parameter, which is an attribute of the class, would hide.
_OWN = ("IMAGES", "step", "next", "notebook", "failed", "outcome")
_HEAD = '''\
    def notebook(self, key: str, *words: str, retries: int = 0) -> Any:
        """One task of the pipeline, in a process of its own. Whether it runs it decides by what the tasks
        before it left. What has failed for good is noted: the flow goes on, and fails at its end."""
        arguments = {arguments}
        run = {{
            "MLOPS_TASK_RUN": f"{{current.flow_name}}.{{current.run_id}}",
            "MLOPS_TASK_ARGUMENTS": json.dumps(arguments),
            "MLOPS_TASK_ATTEMPT": str(current.retry_count + 1),
        }}
        done = subprocess.run(
            ["jupyter-mlops", "task", {pipeline}, key, "--json", *words],
            cwd=PROJECT,
            env={{**os.environ, **run}},
            stdout=subprocess.PIPE,
            text=True,
        )
        said = json.loads(done.stdout)
        if done.returncode:
            told = f"{{key}}: {{said.get('error', {{}}).get('message') or said.get('reason')}}"
            if said.get("state") != "upstream_failed" and current.retry_count < retries:
                raise RuntimeError(told)  # Metaflow tries it again
            print(told)
            self.failed = [*self.failed, key]
        return said
'''
_INSTANCES = '''
    def instances(self, key: str, *words: str) -> list[str]:
        """The keys of a mapped task's instances; Metaflow wants at least one."""
        said = self.notebook(key, "--list", *words)
        return said if isinstance(said, list) and said else [""]
'''
_JOIN = "self.failed = sorted({key for each in inputs for key in each.failed})"
_END = [
    "if self.failed:",
    """    raise RuntimeError(f"failed: {', '.join(self.failed)}")""",
]


def export(plan: Plan, options: ExportOptions) -> Exported:
    """``<pipeline>.py``."""
    arguments = {**plain_arguments(plan, "Metaflow"), **scheduled_arguments(options.schedule, "Metaflow")}
    made = steps(plan, reserved=[*arguments, *_FLOW_NAMES, *_joints(plan)])
    module = re.sub(r"\W+", "_", plan.pipeline)
    layers = levels(made)
    decorators = sorted({line.partition("(")[0][1:] for step in made for line in _decorators(step, options)})
    for name in arguments:
        if name in (*_OWN, *decorators):
            raise not_expressible(f"free name for the parameter {name!r}", "Metaflow", "give it another one")
    names = [
        "FlowSpec",
        *(["JSONType"] if _has_json(arguments) else []),
        *(["Parameter"] if arguments else []),
    ]
    names += ["current", *decorators, *(["schedule"] if options.schedule else []), "step"]
    told = (
        "Each task is a notebook, run by `jupyter-mlops task` in the project's folder. Tasks beside each other run "
        f"together, layer by layer. Run it with `python {module}.py run`."
    )
    text = "\n".join(
        [
            docstring(plan, options, told), "", "from __future__ import annotations", "",
            "import json", "import os", "import subprocess", "from typing import Any", "",
            _import(names),
            "", f'PROJECT = os.environ.get("MLOPS_TASK_PROJECT", {literal(options.project)})',
            *_images(made, options), "", "",
            *_class(plan, options, arguments, has_mapped=any(step.is_mapped for step in made)),
            *_steps(layers, options),
            "", 'if __name__ == "__main__":', f"    {_class_name(plan)}()", "",
        ]
    )  # fmt: skip
    return Exported(files={f"{module}.py": text}, notes=tuple(_notes(plan, options, made, layers)))


def _import(names: list[str]) -> str:
    names = sorted(names, key=_import_order)
    line = f"from metaflow import {', '.join(names)}"
    return line if len(line) <= 88 else items("from metaflow import (", names, ")", 0)


def _import_order(name: str) -> tuple[int, str]:
    """As isort has it: constants, classes, the rest."""
    return (1 if name[0].isupper() else 2, name)


def _class_name(plan: Plan) -> str:
    return "".join(part.capitalize() for part in re.split(r"[\W_]+", plan.pipeline)) + "Flow"


def _has_json(arguments: dict[str, Any]) -> bool:
    return any(isinstance(value, list | dict) for value in arguments.values())


def _class(plan: Plan, options: ExportOptions, arguments: dict[str, Any], *, has_mapped: bool) -> list[str]:
    lines = []
    if options.schedule:
        cron, zone = literal(options.schedule.cron), literal(options.schedule.timezone)
        lines.append(f"@schedule(cron={cron}, timezone={zone})")
    lines += [f"class {_class_name(plan)}(FlowSpec):"]
    for name, value in arguments.items():
        default = literal(value)
        if isinstance(value, list | dict):
            import json

            default = f"{literal(json.dumps(value))}, type=JSONType"
        elif value is not None:
            default += f", type={type(value).__name__}"
        lines.append(f"    {name} = Parameter({literal(name)}, default={default})")
    told = items("arguments = {", [f"{literal(name)}: self.{name}" for name in arguments], "}", 8).lstrip()
    head = _HEAD.format(arguments=told.removeprefix("arguments = "), pipeline=literal(options.pipeline_file))
    return [*lines, *([""] if arguments else []), head + (_INSTANCES if has_mapped else "")]


def _joints(plan: Plan) -> list[str]:
    """The names of steps between layers."""
    return [f"{kind}_{number + 1}" for number in range(len(plan.tasks)) for kind in ("join", "split")]


def _images(made: list[Step], options: ExportOptions) -> list[str]:
    images = {step.task.name: options.image_of(step.task) for step in made}
    return image_table({name: image for name, image in images.items() if image}) if options.images else []


def _steps(layers: list[list[Step]], options: ExportOptions) -> list[str]:
    """start, the layers with a join after each that splits, end. No step may join and split at once."""
    lines = _method("start", [], ["self.failed: list[str] = []", _next(layers[0])])
    for number, layer in enumerate(layers, 1):
        following = layers[number] if number < len(layers) else []
        onward, split = _next(following), []
        if len(following) > 1 and (len(layer) > 1 or layer[0].is_mapped):
            split = _method(f"split_{number}", [], [onward])
            onward = f"self.next(self.split_{number})"
        target = onward if len(layer) == 1 else f"self.next(self.join_{number})"
        for step in layer:
            lines += _task(step, target, options)
        if len(layer) > 1:
            lines += _method(f"join_{number}", [], [_JOIN, onward], arguments="self, inputs")
        lines += split
    return [*lines, *_method("end", [], _END)]


def _next(layer: list[Step]) -> str:
    names = [f"self.{step.name}_instances" if step.is_mapped else f"self.{step.name}" for step in layer]
    return items("self.next(", names or ["self.end"], ")", 8).lstrip()


def _task(step: Step, onward: str, options: ExportOptions) -> list[str]:
    lines = [f"    {line}" for line in (comment(step.comment) if step.comment else [])]
    settled = "".join(f", {literal(word)}" for word in step.settled)
    retries = f", retries={step.task.retries.limit}" if step.task.retries.limit else ""
    if not step.is_mapped:
        body = [f"self.outcome = self.notebook({literal(step.key)}{settled}{retries})", onward]
        return [*lines, *_method(step.name, _decorators(step, options), body)]
    listing = [
        f"self.keys = self.instances({literal(step.key)}{settled})",
        f'self.next(self.{step.name}, foreach="keys")',
    ]
    body = [
        f"self.outcome = self.notebook(self.input{retries}) if self.input else None",
        f"self.next(self.{step.name}_joined)",
    ]
    return [
        *lines,
        *_method(f"{step.name}_instances", _own_image(step, options), listing),
        *_method(step.name, _decorators(step, options), body),
        *_method(f"{step.name}_joined", [], [_JOIN, onward], arguments="self, inputs"),
    ]


def _method(name: str, decorators: list[str], body: list[str], arguments: str = "self") -> list[str]:
    heads = [f"    {each}" for each in [*decorators, "@step", f"def {name}({arguments}):"]]
    return [*heads, *(f"        {line}" for line in body), ""]


def _own_image(step: Step, options: ExportOptions) -> list[str]:
    """Where all have one image, it is given when the flow is started; `@kubernetes` lets a step run nowhere else."""
    has_one = bool(options.images) and bool(options.image_of(step.task))
    return [f"@kubernetes(image=IMAGES[{literal(step.task.name)}])"] if has_one else []


def _decorators(step: Step, options: ExportOptions) -> list[str]:
    task = step.task
    made = _own_image(step, options)
    if task.resources.cpu or task.resources.memory or task.resources.gpu:
        given = [f"cpu={math.ceil(task.resources.cpu)}"] if task.resources.cpu else []
        given += [f"memory={math.ceil(task.resources.memory / 2**20)}"] if task.resources.memory else []
        given += [f"gpu={task.resources.gpu}"] if task.resources.gpu else []
        made.append(f"@resources({', '.join(given)})")
    if task.retries.limit:
        minutes = round(task.retries.delay_seconds / 60)
        made.append(f"@retry(times={task.retries.limit}, minutes_between_retries={minutes})")
    if task.timeout_seconds:
        made.append(f"@timeout(seconds={round(task.timeout_seconds) + 60})")
    return made


def _notes(plan: Plan, options: ExportOptions, made: list[Step], layers: list[list[Step]]) -> list[str]:
    notes = []
    if any(len(layer) > 1 for layer in layers[:-1]):
        notes.append("needs: tasks run in layers; each begins when the one before it has ended")
    secrets = sorted(
        {name for step in made for name in secret_names(step.task)} | set(argument_secrets(plan))
    )
    if secrets:
        notes.append(f"secrets: {', '.join(secrets)} must be in the step's environment, .env file or keyring")
    for step in made:
        if step.task.retries.delay_seconds % 60:
            notes.append(
                f"retries: {step.key}: Metaflow waits whole minutes, and does not wait longer each time"
            )
        if step.task.priority:
            notes.append(
                f"priority: {step.key}: give it to a whole flow: argo-workflows create --workflow-priority"
            )
    wishes = {
        "spot": "Metaflow's queues and node selectors decide: --with kubernetes:node_selector=…, tolerations=…",
        "image": "a step with @kubernetes(image=…) runs nowhere else: add it where the flow may run there only",
    }
    if options.images:
        del wishes["image"]
        notes.append("image: steps with @kubernetes(image=…) run on Kubernetes only")
    notes += wish_notes(made, wishes)
    if options.image and not options.images:
        notes.append(f"image: give it when the flow is started: --with kubernetes:image={options.image}")
    if options.schedule:
        notes.append("schedule: it holds once the flow is deployed: argo-workflows create")
    if options.schedule and options.schedule.parameters:
        notes.append(
            "schedule: its parameters are the defaults of the flow, for runs that people start as well"
        )
    return notes + lost(options.schedule, told=_SCHEDULES)


_LATE = "Metaflow has Argo run the latest missed fire if it is less than an hour late"
_BESIDE = "Metaflow has Argo start a run beside the earlier one"
_SCHEDULES = {f"catch_up {way}": _LATE for way in CATCH_UP} | {f"overlap {way}": _BESIDE for way in OVERLAP}


TARGET = Target(
    name="metaflow",
    title="Metaflow 2",
    export=export,
    capabilities={
        "parameters": ("native", "`Parameter`"),
        "needs": ("native", "in layers"),
        "results": ("ours", "and as `self.outcome`"),
        "when": ("ours", ""),
        "matrix": ("native", "a step for each combination"),
        "map": ("native", "`foreach`"),
        "join": ("native", "a join step"),
        "run_if": ("ours", ""),
        "run_if failure": ("ours", "a failed flow fails at its end"),
        "retries": ("native", "`@retry`, whole minutes"),
        "retries.on": ("ours", "the next attempt ends at once"),
        "timeout": ("native", "`@timeout`"),
        "resources": ("native", "`@resources`"),
        "resources.spot": ("refused", "told in a note"),
        "resources.image": ("refused", "told in a note"),
        "priority": ("refused", "told in a note"),
        "secrets": ("ours", "of the step's environment"),
        "env": ("ours", ""),
        "image": ("ours", "`--with kubernetes:image=…`"),
        "images": ("native", "`@kubernetes`: such steps run nowhere else"),
        "schedule": ("native", "`@schedule`, when deployed to Argo"),
        "schedule.parameters": ("native", "defaults of the flow"),
        "schedule.fire": ("refused", "told in a note: the default"),
        "schedule.catch_up": ("refused", "told in a note: the latest, for an hour"),
        "schedule.overlap": ("refused", "told in a note: runs beside each other"),
        "cache": ("ours", ""),
    },
)
