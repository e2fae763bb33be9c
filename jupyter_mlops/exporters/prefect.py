"""Prefect 3: a flow of tasks, one a notebook, and a `prefect.yaml` that deploys it."""

from __future__ import annotations

import re
from typing import Any

from ..pipelines import Plan
from ..pipelines.schedules import ScheduleSpec
from .firing import lost, moving_names, scheduled_arguments
from .steps import (
    Step,
    argument_secrets,
    call,
    comment,
    docstring,
    items,
    literal,
    plain_arguments,
    secret_names,
    steps,
    wish_notes,
)
from .target import Exported, ExportOptions, Target, not_expressible
from .yaml_text import dump

_HEAD = '''\
PROJECT = os.environ.get("MLOPS_TASK_PROJECT", {project})


def command(key: str, run: dict[str, str], *words: str) -> Any:
    """One task of the pipeline, in a process of its own. What its cells print goes to the worker's log."""
    done = subprocess.run(
        ["jupyter-mlops", "task", {pipeline}, key, "--json", *words],
        cwd=PROJECT,
        env={{**os.environ, **run}},
        stdout=subprocess.PIPE,
        text=True,
    )
    said = json.loads(done.stdout)
    if done.returncode:
        raise RuntimeError(f"{{key}}: {{said.get('error', {{}}).get('message') or said.get('reason')}}")
    return said


@task(task_run_name="{{key}}", cache_policy=NO_CACHE)
def notebook(key: str, run: dict[str, str], *words: str) -> Any:
    """Whether it runs it decides by what the tasks before it left."""
    outcome = command(key, run, "--attempt", str(task_run.run_count), *words)
    if outcome["state"] in ("skipped", "cached"):
        return Completed(name=outcome["state"].capitalize(), message=outcome["reason"], data=outcome)
    return outcome
'''
_INSTANCES = '''

@task(task_run_name="{key}_instances", cache_policy=NO_CACHE)
def instances(key: str, run: dict[str, str], *words: str) -> list[str]:
    """The keys of a mapped task's instances."""
    return command(key, run, "--list", *words)


def keys_of(listing: PrefectFuture[list[str]]) -> list[str]:
    """What was listed; nothing if that failed, which is told by the flow's end."""
    listing.wait()
    return listing.result() if listing.state.is_completed() else []
'''


def export(plan: Plan, options: ExportOptions) -> Exported:
    """``<pipeline>.py`` and ``prefect.yaml``."""
    made = steps(plan)
    if options.images:
        raise not_expressible(
            f"image for each environment: all tasks run in the flow's process: {', '.join(options.images)}",
            "Prefect",
            "give the pipeline one environment, and --image IMAGE; Argo, Kubeflow and Metaflow have several",
        )
    by_key = {step.key: step for step in made}
    arguments = plain_arguments(plan, "Prefect")
    module = re.sub(r"\W+", "_", plan.pipeline)
    has_mapped = any(step.is_mapped for step in made)
    is_tolerant = any(step.trigger != "success" for step in made if step.needs)
    names = ["allow_failure"] * is_tolerant + ["flow", "task"] + ["unmapped"] * has_mapped
    imports = ["import json", "import os", "import subprocess", "from typing import Any", ""]
    imports += [f"from prefect import {', '.join(names)}", "from prefect.cache_policies import NO_CACHE"]
    imports += ["from prefect.futures import PrefectFuture"] * has_mapped
    imports += ["from prefect.runtime import flow_run, task_run", "from prefect.states import Completed"]
    told = (
        "Each task is a notebook, run by `jupyter-mlops task` in the project's folder on the worker. Try it with "
        f"`python {module}.py`; deploy it with `prefect deploy --all`."
    )
    head = _HEAD.format(project=literal(options.project), pipeline=literal(options.pipeline_file))
    text = "\n".join(
        [
            docstring(plan, options, told), "", "from __future__ import annotations", "", *imports, "",
            head + (_INSTANCES if has_mapped else ""), "",
            *_flow(plan, options, module, arguments),
            *(line for step in made for line in _step(step, by_key)),
            items("return [", [f"*{step.name}" if step.is_mapped else step.name for step in made], "]"),
            "", "", 'if __name__ == "__main__":', f"    {module}()", "",
        ]
    )  # fmt: skip
    files = {f"{module}.py": text, "prefect.yaml": _deployment(plan, options, module, arguments)}
    return Exported(files=files, notes=tuple(_notes(plan, options, made)))


def _flow(plan: Plan, options: ExportOptions, module: str, arguments: dict[str, Any]) -> list[str]:
    given = [f"name={literal(plan.pipeline)}"]
    if options.description:
        given.append(f"description={literal(options.description)}")
    moving = moving_names(options.schedule)
    declared = "".join(
        f"    {name}: {_annotation(value, is_moving=name in moving)} = {literal(value)},\n"
        for name, value in arguments.items()
    )
    return [
        call("@flow", *given),
        f"def {module}(\n{declared}) -> list[Any]:" if arguments else f"def {module}() -> list[Any]:",
        items("arguments = {", [f"{literal(name)}: {name}" for name in arguments], "}"),
        "    run = {",
        f'        "MLOPS_TASK_RUN": f"{plan.pipeline}.{{flow_run.id}}",',
        '        "MLOPS_TASK_ARGUMENTS": json.dumps(arguments),',
        *(['        "MLOPS_TASK_FIRED_AT": flow_run.scheduled_start_time.isoformat(),'] if moving else []),
        "    }",
    ]


def _annotation(value: Any, *, is_moving: bool) -> str:
    """Of a parameter of the flow; a schedule may give a template in its place, which is text."""
    kind = "Any" if value is None else type(value).__name__
    return f"{kind} | str" if is_moving and kind not in ("Any", "str") else kind


def _step(step: Step, by_key: dict[str, Step]) -> list[str]:
    waits = [f"*{by_key[key].name}" if by_key[key].is_mapped else by_key[key].name for key in step.needs]
    if step.trigger != "success":
        waits = [
            f"*[allow_failure(each) for each in {name[1:]}]"
            if name.startswith("*")
            else f"allow_failure({name})"
            for name in waits
        ]
    wait_for = [items("wait_for=[", waits, "]", 8).lstrip()] if waits else []
    settled = [literal(word) for word in step.settled]
    lines = [f"    {line}" for line in (comment(step.comment) if step.comment else [])]
    options = ", ".join([f"name={literal(step.name)}", *_retries(step)])
    if not step.is_mapped:
        head = f"{step.name} = notebook.with_options({options}).submit"
        return [*lines, call(head, literal(step.key), "run", *settled, *wait_for, indent=4)]
    listing = call(
        f"{step.name}_instances = instances.submit", literal(step.key), "run", *settled, *wait_for, indent=4
    )
    head = f"{step.name} = notebook.with_options({options}).map"
    return [*lines, listing, call(head, f"keys_of({step.name}_instances)", "unmapped(run)", indent=4)]


def _retries(step: Step) -> list[str]:
    policy = step.task.retries
    if not policy.limit:
        return []
    delays = [round(policy.delay_before(number), 3) for number in range(1, policy.limit + 1)]
    return [f"retries={policy.limit}", f"retry_delay_seconds={literal(delays)}"]


def _deployment(plan: Plan, options: ExportOptions, module: str, arguments: dict[str, Any]) -> str:
    deployment: dict[str, Any] = {
        "name": plan.pipeline,
        "entrypoint": f"{module}.py:{module}",
        "parameters": arguments,
        "work_pool": {"name": "default"},
    }
    if options.image:
        deployment["work_pool"]["job_variables"] = {"image": options.image}
    if options.schedule:
        deployment |= _schedule(options.schedule)
    head = "# Written by `jupyter mlops export`: change the pipeline and export it again.\n"
    body = {"name": plan.pipeline, "deployments": [deployment]}
    return f"{head}---\n{dump(body)}"


def _schedule(spec: ScheduleSpec) -> dict[str, Any]:
    schedule: dict[str, Any] = {"cron": spec.cron, "timezone": spec.timezone, "active": not spec.is_paused}
    given = scheduled_arguments(spec, "Prefect", tells_fire=True)
    if given:
        schedule["parameters"] = given
    strategy = "ENQUEUE" if spec.overlap == "queue" else "CANCEL_NEW"
    return {"schedules": [schedule], "concurrency_limit": {"limit": 1, "collision_strategy": strategy}}


def _notes(plan: Plan, options: ExportOptions, made: list[Step]) -> list[str]:
    notes = []
    secrets = sorted(
        {name for step in made for name in secret_names(step.task)} | set(argument_secrets(plan))
    )
    if secrets:
        notes.append(
            f"secrets: {', '.join(secrets)} must be in the worker's environment, .env file or keyring"
        )
    if any(step.task.resources for step in made):
        notes.append(
            "resources: memory is held by the task's own process; the work pool decides about machines"
        )
    notes += wish_notes(
        made,
        {
            "spot": "all tasks run in the flow's process; its work pool decides about machines",
            "image": "all tasks run in the flow's process, in the image of --image",
        },
    )
    for step in made:
        if step.task.priority:
            notes.append(f"priority: {step.key}: Prefect has priorities of work queues, for whole flow runs")
    return notes + lost(options.schedule, held={"is_paused"}, told=_SCHEDULES, tells_fire=True)


_SCHEDULES = {
    "catch_up none": "what no worker took in time runs late, all of it",
    "catch_up last": "what no worker took in time runs late, all of it",
    "overlap cancel": "the earlier run goes on, and the new one is left out",
}


TARGET = Target(
    name="prefect",
    title="Prefect 3",
    export=export,
    capabilities={
        "parameters": ("native", "parameters of the flow"),
        "needs": ("native", "`wait_for`"),
        "results": ("ours", "and as results of the tasks"),
        "when": ("native", "a `Completed` state named Skipped"),
        "matrix": ("native", "a task for each combination"),
        "map": ("native", "`map`"),
        "join": ("native", "`wait_for`"),
        "run_if": ("native", "`allow_failure`"),
        "run_if failure": ("native", "`allow_failure`"),
        "retries": ("native", "`retries`, `retry_delay_seconds`"),
        "retries.on": ("ours", "the next attempt ends at once"),
        "timeout": ("ours", "a thread of Prefect's cannot be interrupted"),
        "resources": ("ours", "memory; machines by the work pool"),
        "resources.spot": ("refused", "told in a note"),
        "resources.image": ("refused", "told in a note: one for the flow"),
        "priority": ("refused", "told in a note"),
        "secrets": ("ours", "of the worker"),
        "env": ("ours", ""),
        "image": ("native", "`job_variables`"),
        "images": ("refused", "an error: one for the flow"),
        "schedule": ("native", "`schedules`"),
        "schedule.parameters": ("native", "`parameters` of the schedule"),
        "schedule.fire": ("ours", "for the `scheduled_start_time`"),
        "schedule.catch_up": ("refused", "told in a note: late runs, as `all`"),
        "schedule.overlap": ("native", "`concurrency_limit`; no `cancel`"),
        "cache": ("ours", "and as a state named Cached"),
    },
)
