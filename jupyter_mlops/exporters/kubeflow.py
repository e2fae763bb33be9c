"""Kubeflow Pipelines 2: one component that runs any task, and a pipeline of it.

KFP lets no task outside of a condition depend on one inside. So only a task that nothing comes after stands in a
`dsl.If`; any other starts, finds that its condition does not hold, and ends at once.
"""

from __future__ import annotations

import re
from typing import Any

from ..pipelines import Plan
from ..spot_nodes import LABELS, TAINTS
from . import kubeflow_recurring
from .firing import lost
from .images import demand_images, image_table
from .kubeflow_component import COMPONENT, INSTANCES, NOTEBOOK, ON_SPOT
from .steps import (
    Equality,
    Step,
    argument_secrets,
    call,
    comment,
    docstring,
    equality,
    items,
    literal,
    plain_arguments,
    runs_after_failure,
    secret_names,
    steps,
)
from .target import Exported, ExportOptions, Target, not_expressible

_OF_ALL = ("kubernetes.", "may_be_taken_away(")  # functions that are given the task
_OWN = ("task_key", "run_id", "words", "result", "after", "IMAGES")


def export(plan: Plan, options: ExportOptions) -> Exported:
    """``<pipeline>.py``, and ``<pipeline>_schedule.py`` where there is a schedule."""
    arguments = plain_arguments(plan, "Kubeflow")
    for name, value in arguments.items():
        if _has_null(value) or name in _OWN:
            what = "default with a null" if _has_null(value) else "free name"
            raise not_expressible(f"{what} for the parameter {name!r}", "Kubeflow", "give it another one")
    made = steps(
        plan,
        reserved=[*arguments, "dsl", "compiler", "kubernetes", "step", "key", "may_be_taken_away", "IMAGES"],
    )
    demand_images(made, options, "Kubeflow")
    by_key = {step.key: step for step in made}
    module = re.sub(r"\W+", "_", plan.pipeline)
    secrets = bool(argument_secrets(plan)) or any(secret_names(step.task) for step in made)
    on_spot = any(step.task.resources.spot for step in made)
    shared = {
        "declared": "".join(f"    {name}: {type(value).__name__},\n" for name, value in arguments.items()),
        "arguments": ", ".join(f"{literal(name)}: {name}" for name in arguments),
        "pipeline": literal(options.pipeline_file),
        "project": literal(options.project),
    }
    kinds = [NOTEBOOK, *([INSTANCES] if any(step.is_mapped for step in made) else [])]
    components = "\n\n".join(COMPONENT.format(**shared, **kind) for kind in kinds)
    told = (
        f"Each task is a notebook, run by `jupyter-mlops task` in the image. `python {module}.py` compiles it to "
        f"{module}.yaml."
    )
    needed = {key for step in made for key in step.needs}
    text = "\n".join(
        [
            docstring(plan, options, told), "",
            f"from kfp import compiler, dsl{', kubernetes' if secrets or on_spot else ''}", "",
            *_images(options), "", "", components, "", *(_on_spot() if on_spot else []),
            *_pipeline(plan, options, module, arguments),
            *(line for step in made for line in _step(step, by_key, made, needed, plan, options)),
            "", "", 'if __name__ == "__main__":', f'    compiler.Compiler().compile({module}, "{module}.yaml")', "",
        ]
    )  # fmt: skip
    files = {f"{module}.py": text}
    if options.schedule:
        files[f"{module}_schedule.py"] = kubeflow_recurring.script(plan, options.schedule, module)
    return Exported(files=files, notes=tuple(_notes(plan, options, made, by_key, needed)))


def _on_spot() -> list[str]:
    marks = [
        items(head, [f"{literal(key)}: {literal(value)}" for key, value in known], "}", 0)
        for head, known in (("TAINTS = {", TAINTS), ("LABELS = {", LABELS))
    ]
    return [*marks, "", "", ON_SPOT, ""]


def _has_null(value: Any) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or any(_has_null(each) for each in inside)


def _pipeline(plan: Plan, options: ExportOptions, module: str, arguments: dict[str, Any]) -> list[str]:
    name = re.sub(r"[^a-z0-9]+", "-", plan.pipeline.lower()).strip("-")
    given = [f"name={literal(name)}"]
    if options.description:
        given.append(f"description={literal(options.description)}")
    declared = "".join(
        f"    {name}: {type(value).__name__} = {literal(value)},\n" for name, value in arguments.items()
    )
    passed = [f"{name}={name}" for name in arguments]
    return [
        call("@dsl.pipeline", *given),
        f"def {module}(\n{declared}):" if arguments else f"def {module}():",
        "    def step(task_key: str, component=notebook, **settings) -> dsl.PipelineTask:",
        call(
            "made = component", "task_key=task_key", "run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER", *passed, "**settings",
            indent=8,
        ),
        "        return made.set_caching_options(False)",
        "",
    ]  # fmt: skip


def _in_condition(step: Step, by_key: dict[str, Step], needed: set[str]) -> Equality | None:
    equal = equality(step, by_key)
    return None if equal is None or step.key in needed or runs_after_failure(step.task) else equal


def _step(
    step: Step,
    by_key: dict[str, Step],
    made: list[Step],
    needed: set[str],
    plan: Plan,
    options: ExportOptions,
) -> list[str]:
    asked = next(
        (
            each.result
            for other in made
            if (each := _in_condition(other, by_key, needed)) and each.step is step
        ),
        "",
    )
    lines = [f"    {line}" for line in (comment(step.comment) if step.comment else [])]
    mapped = [by_key[key] for key in step.needs if by_key[key].is_mapped]
    if len(mapped) > 1:
        raise not_expressible(
            f"way for {step.key} to collect two mapped tasks", "Kubeflow", "collect each by a task of its own"
        )
    given = [literal(step.key)]
    if mapped:
        given.append(f"after=dsl.Collected({mapped[0].name}.output)")
    settled = runs_after_failure(step.task)
    if settled and not mapped:  # `ignore_upstream_failure` looks for each input, also for those with defaults
        given.append("after=[]")
    words = [literal(word) for word in step.settled] if settled else []
    plain = [by_key[key].name for key in step.needs if not by_key[key].is_mapped]
    after = [f"after({', '.join(plain)})"] if plain else []
    if settled:
        after.append("ignore_upstream_failure()")
    display = f"set_display_name({literal(step.key)})"
    if step.is_mapped:
        name = f"{step.name}_instances"
        listing = _made(
            name,
            [*given, "component=instances", items("words=[", ['"--list"', *words], "]", 0)],
            [*after, f"set_display_name({literal(name)})", *_own_image(step, options)],
            4,
        )
        loop = f"    with dsl.ParallelFor(items={name}.output, name={literal(step.slug)}) as key:"
        return [
            *lines,
            *listing,
            loop,
            *_made(step.name, ["key"], [display, *_settings(step, plan, options)], 8),
        ]
    if words:
        given.append(f"words=[{', '.join(words)}]")
    if asked or settled:
        given.append(f"result={literal(asked)}")
    settings = [*after, display, *_settings(step, plan, options)]
    equal = _in_condition(step, by_key, needed)
    if equal is None:
        return [*lines, *_made(step.name, given, settings, 4)]
    test = f"{equal.step.name}.output == {literal(equal.value)}"
    return [
        *lines,
        f"    with dsl.If({test}, name={literal(step.slug)}):",
        *_made(step.name, given, settings, 8),
    ]


def _made(name: str, given: list[str], settings: list[str], indent: int) -> list[str]:
    pad = " " * indent
    lines = [f"{pad}{name} = step({', '.join(given)})"]
    return lines + [f"{pad}{each if each.startswith(_OF_ALL) else f'{name}.{each}'}" for each in settings]


def _settings(step: Step, plan: Plan, options: ExportOptions) -> list[str]:
    task, policy = step.task, step.task.retries
    given = []
    if policy.limit:
        duration, longest = f"{max(policy.delay_seconds, 0):g}s", f"{policy.max_delay_seconds:g}s"
        given.append(
            f'set_retry({policy.limit}, backoff_duration="{duration}", backoff_factor={policy.backoff:g}, '
            f'backoff_max_duration="{longest}")'
        )
    if task.resources.cpu:
        given.append(f'set_cpu_request("{task.resources.cpu:g}")')
    if task.resources.memory:
        amount = task.resources.written()["memory"]
        given += [f'set_memory_request("{amount}")', f'set_memory_limit("{amount}")']
    if task.resources.gpu:
        kind = task.resources.accelerator or "nvidia.com/gpu"
        given += [f"set_accelerator_type({literal(kind)})", f"set_accelerator_limit({task.resources.gpu})"]
    given += _own_image(step, options)
    if task.resources.spot:
        given.append(f"may_be_taken_away({step.name})")
    secrets = sorted({*secret_names(task), *argument_secrets(plan)})
    if secrets:
        keys = "{" + ", ".join(f"{literal(name)}: {literal(name)}" for name in secrets) + "}"
        given.append(f"kubernetes.use_secret_as_env({step.name}, {literal(_secret(plan))}, {keys})")
    return given


def _images(options: ExportOptions) -> list[str]:
    """A component has one image: that of all tasks, or the first of several. Who has another is given it."""
    base = options.image or next(iter(options.images.values()))
    return [f"IMAGE = {literal(base)}", *(image_table(options.images) if options.images else [])]


def _own_image(step: Step, options: ExportOptions) -> list[str]:
    own, name = step.task.resources.image, step.task.name
    image = literal(own) if own else f"IMAGES[{literal(name)}]" if name in options.images else ""
    return [f"set_container_image({image})"] if image else []


def _secret(plan: Plan) -> str:
    return re.sub(r"[^a-z0-9]+", "-", plan.pipeline.lower()).strip("-") + "-secrets"


def _notes(
    plan: Plan, options: ExportOptions, made: list[Step], by_key: dict[str, Step], needed: set[str]
) -> list[str]:
    notes = [
        'results: the mlops.toml in the image must name a blob store that all tasks reach (blobs = "s3://…")',
        "image: it must have kfp beside jupyter-mlops",
    ]
    if argument_secrets(plan) or any(secret_names(step.task) for step in made):
        notes.append(f"secrets: the Secret {_secret(plan)} must have them")
    for step in made:
        if step.task.when is not None and _in_condition(step, by_key, needed) is None:
            notes.append(
                f"when: {step.key} starts, finds that its condition does not hold, and ends as succeeded"
            )
        if step.task.priority:
            notes.append(f"priority: {step.key}: Kubeflow has none")
    if options.schedule and options.schedule.timezone != "UTC":
        notes.append(
            f"schedule: the zone {options.schedule.timezone} is a setting of KFP's controller, not of a pipeline"
        )
    return notes + lost(
        options.schedule, held={"start", "end", "is_paused"}, told=kubeflow_recurring.OTHERWISE
    )


TARGET = Target(
    name="kubeflow",
    title="Kubeflow Pipelines 2",
    export=export,
    capabilities={
        "parameters": ("native", "parameters of the pipeline"),
        "needs": ("native", "`after`"),
        "results": ("ours", "and as an output where a condition asks for it"),
        "when": ("native", "`dsl.If` for `result == 'text'` of a last task; any other by the task itself"),
        "matrix": ("native", "a task for each combination"),
        "map": ("native", "`dsl.ParallelFor`"),
        "join": ("native", "`dsl.Collected`, of one mapped task"),
        "run_if": ("ours", ""),
        "run_if failure": ("native", "`ignore_upstream_failure`"),
        "retries": ("native", "`set_retry`"),
        "retries.on": ("ours", "the next attempt ends at once"),
        "timeout": ("ours", ""),
        "resources": ("native", "requests and limits"),
        "resources.spot": ("native", "`add_toleration`, `add_node_affinity`"),
        "resources.image": ("native", "`set_container_image`"),
        "priority": ("refused", "told in a note"),
        "secrets": ("native", "`use_secret_as_env`"),
        "env": ("ours", ""),
        "image": ("native", "required"),
        "images": ("native", "`set_container_image`"),
        "schedule": ("native", "`create_recurring_run`; the zone is the controller's"),
        "schedule.parameters": ("native", "`params`"),
        "schedule.fire": ("refused", "told in a note: the default"),
        "schedule.catch_up": ("native", "`no_catchup`; at least the latest"),
        "schedule.overlap": ("native", "`max_concurrency`: the fire waits"),
        "cache": ("ours", "Kubeflow's own is off"),
    },
)
