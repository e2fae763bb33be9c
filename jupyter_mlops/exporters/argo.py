"""Argo Workflows 4: a `WorkflowTemplate`, and a `CronWorkflow` where there is a schedule.

Argo's schemas want what may be a number or a text as text, and its names are DNS labels. What a node waits for is
always said in full, since Argo's own default lets a node run after one that was skipped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..pipelines import Plan
from ..pipelines.references import as_text
from ..pipelines.schedules import ScheduleSpec
from ..spot_nodes import placement
from .firing import lost, moving_names, scheduled_arguments
from .images import demand_images
from .steps import Equality, Step, argument_secrets, equality, plain_arguments, secret_names, steps
from .target import Exported, ExportOptions, Target
from .yaml_text import dump

_HOWEVER_LATE = 31_622_400  # a year: the latest missed fire runs
_OUTPUTS = "/tmp/outputs"  # noqa: S108 - a path in the task's own container
_AFTER = {
    "success": "{0}.Succeeded",
    "none_failed": "({0}.Succeeded || {0}.Skipped || {0}.Omitted)",
    "done": "({0}.Succeeded || {0}.Skipped || {0}.Omitted || {0}.Failed || {0}.Errored)",
}
_HEAD = """\
# {title}
# Written by `jupyter mlops export`: change the pipeline and export it again. Check it with: argo lint {file}
# The ConfigMap `jupyter-mlops` says where results go, for all tasks: MLOPS_BLOBS (an s3:// URL), MLOPS_CATALOG.
"""


def export(plan: Plan, options: ExportOptions) -> Exported:
    """``<pipeline>.yaml``."""
    made = steps(plan)
    demand_images(made, options, "Argo")
    by_key = {step.key: step for step in made}
    arguments = {name: as_text(value) for name, value in plain_arguments(plan, "Argo").items()}
    name = re.sub(r"[^a-z0-9]+", "-", plan.pipeline.lower()).strip("-")
    equalities = {step.key: equality(step, by_key) for step in made}
    templates: list[dict[str, Any]] = [{"name": "main", "dag": {"tasks": _tasks(made, by_key, equalities)}}]
    shared = argument_secrets(plan)
    for step in made:
        asked = sorted(
            {each.result for each in equalities.values() if each is not None and each.step is step}
        )
        if step.is_mapped:
            templates.append(
                _template(f"{step.slug}-instances", step, arguments, name, options, shared, is_list=True)
            )
        templates.append(_template(step.slug, step, arguments, name, options, shared, results=asked))
    spec: dict[str, Any] = {"entrypoint": "main"}
    if arguments:
        spec["arguments"] = {
            "parameters": [{"name": key, "value": value} for key, value in arguments.items()]
        }
    metadata: dict[str, Any] = {"name": name}
    if options.description:
        metadata["annotations"] = {"workflows.argoproj.io/description": options.description}
    spec["templates"] = templates
    documents = [_document("WorkflowTemplate", metadata, spec)]
    if options.schedule:
        documents.append(_document("CronWorkflow", {"name": name}, _cron(options.schedule, name)))
    title = f"{plan.pipeline}: {options.description}" if options.description else plan.pipeline
    head = _HEAD.format(title=" ".join(title.split()), file=f"{name}.yaml")
    text = head + "".join("---\n" + dump(each) for each in documents)
    return Exported(
        files={f"{name}.yaml": text}, notes=tuple(_notes(made, equalities, options, name, shared))
    )


def _cron(spec: ScheduleSpec, name: str) -> dict[str, Any]:
    workflow: dict[str, Any] = {"workflowTemplateRef": {"name": name}}
    given = scheduled_arguments(spec, "Argo", tells_fire=True)
    if given:
        parameters = [{"name": key, "value": as_text(value)} for key, value in given.items()]
        workflow["arguments"] = {"parameters": parameters}
    if spec.overlap == "queue":
        workflow["synchronization"] = {"mutexes": [{"name": name}]}
    cron: dict[str, Any] = {
        "schedules": [spec.cron],
        "timezone": spec.timezone,
        "concurrencyPolicy": {"skip": "Forbid", "cancel": "Replace", "queue": "Allow"}[spec.overlap],
    }
    if spec.catch_up != "none":
        cron["startingDeadlineSeconds"] = _HOWEVER_LATE
    if spec.is_paused:
        cron["suspend"] = True
    return {**cron, "workflowSpec": workflow}


def _document(kind: str, metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def _tasks(
    made: list[Step], by_key: Mapping[str, Step], equalities: Mapping[str, Equality | None]
) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = []
    for step in made:
        depends = " && ".join(_AFTER[step.trigger].format(by_key[key].slug) for key in step.needs)
        task: dict[str, Any] = {"name": step.slug, "template": step.slug}
        if step.is_mapped:
            listing = {"name": f"{step.slug}-instances", "template": f"{step.slug}-instances"}
            tasks.append({**listing, **({"depends": depends} if depends else {})})
            depends = f"{step.slug}-instances.Succeeded"
            task["arguments"] = {"parameters": [{"name": "key", "value": "{{item}}"}]}
            task["withParam"] = f"{{{{tasks.{step.slug}-instances.outputs.parameters.instances}}}}"
        if depends:
            task["depends"] = depends
        equal = equalities[step.key]
        if equal is not None:
            task["when"] = (
                f"'{{{{tasks.{equal.step.slug}.outputs.parameters.{equal.result}}}}}' == '{equal.value}'"
            )
        tasks.append(task)
    return tasks


def _template(
    name: str,
    step: Step,
    arguments: Mapping[str, str],
    pipeline: str,
    options: ExportOptions,
    shared_secrets: list[str],
    *,
    is_list: bool = False,
    results: list[str] | None = None,
) -> dict[str, Any]:
    task = step.task
    key = "{{inputs.parameters.key}}" if step.is_mapped and not is_list else step.key
    words = [options.pipeline_file, key, "--run-id", "{{workflow.name}}", "--outputs", _OUTPUTS]
    words += [*(["--list"] if is_list else []), *(step.settled if is_list or not step.is_mapped else [])]
    # In a workflow that people start it stays as it stands here, and no argument waits for it.
    if moving_names(options.schedule):
        words += ["--fired-at", "{{workflow.scheduledTime}}"]
    for argument in arguments:
        words += ["-p", argument, f"{{{{workflow.parameters.{argument}}}}}"]
    container: dict[str, Any] = {
        "name": "main",
        "image": options.image_of(task),
        "workingDir": options.project,
        "command": ["jupyter-mlops", "task"],
        "args": words,
        "envFrom": [{"configMapRef": {"name": "jupyter-mlops"}}],
    }
    secrets = sorted({*secret_names(task), *shared_secrets})
    if secrets and not is_list:
        reference = {"name": f"{pipeline}-secrets"}
        container["env"] = [
            {"name": secret, "valueFrom": {"secretKeyRef": {**reference, "key": secret}}}
            for secret in secrets
        ]
    template: dict[str, Any] = {"name": name}
    if is_list:
        template["outputs"] = {"parameters": [_output("instances", "instances.json", "[]")]}
        return {**template, "container": container}
    if step.is_mapped:
        template["inputs"] = {"parameters": [{"name": "key"}]}
    if results:
        template["outputs"] = {"parameters": [_output(result, f"results/{result}", "") for result in results]}
    if task.retries.limit:
        template["retryStrategy"] = _retries(step)
    if task.timeout_seconds:
        template["activeDeadlineSeconds"] = str(round(task.timeout_seconds) + 60)
    resources = _resources(step)
    if resources:
        container["resources"] = resources
    if task.resources.spot:
        template |= placement()
    return {**template, "container": container}


def _output(name: str, path: str, default: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"path": f"{_OUTPUTS}/{path}", "default": default}}


def _retries(step: Step) -> dict[str, Any]:
    policy = step.task.retries
    strategy: dict[str, Any] = {"limit": str(policy.limit), "retryPolicy": "Always"}
    if policy.delay_seconds:
        strategy["backoff"] = {
            "duration": f"{policy.delay_seconds:g}s",
            "factor": f"{policy.backoff:g}",
            "cap": f"{policy.max_delay_seconds:g}s",
        }
    return strategy


def _resources(step: Step) -> dict[str, Any]:
    wanted = step.task.resources
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    if wanted.cpu:
        requests["cpu"] = f"{wanted.cpu:g}"
    if wanted.memory:
        requests["memory"] = limits["memory"] = str(wanted.written()["memory"])
    if wanted.gpu:
        limits["nvidia.com/gpu"] = str(wanted.gpu)
    return {name: each for name, each in (("requests", requests), ("limits", limits)) if each}


def _notes(
    made: list[Step],
    equalities: Mapping[str, Equality | None],
    options: ExportOptions,
    pipeline: str,
    shared_secrets: list[str],
) -> list[str]:
    notes = [
        "results: the ConfigMap jupyter-mlops must name a blob store that all tasks reach (MLOPS_BLOBS: s3://…)"
    ]
    secrets = sorted({name for step in made for name in secret_names(step.task)} | set(shared_secrets))
    if secrets:
        notes.append(f"secrets: the Secret {pipeline}-secrets must have {', '.join(secrets)}")
    for step in made:
        if step.task.when is not None and equalities[step.key] is None:
            notes.append(
                f"when: {step.key} starts, finds that its condition does not hold, and ends as succeeded"
            )
        if step.task.priority:
            notes.append(f"priority: {step.key}: Argo has priorities of whole workflows only")
        if step.task.resources.accelerator:
            notes.append(
                f"resources: {step.key}: choose nodes with {step.task.resources.accelerator} by a nodeSelector"
            )
    if options.schedule:
        notes.append(
            "schedule: Argo starts nothing that daylight saving time leaves out, and twice what it repeats"
        )
    told = {"catch_up all": "of the missed fires the latest runs"}
    return notes + lost(options.schedule, held={"is_paused"}, told=told, tells_fire=True)


TARGET = Target(
    name="argo",
    title="Argo Workflows 4",
    export=export,
    capabilities={
        "parameters": ("native", "`spec.arguments`"),
        "needs": ("native", "`depends`"),
        "results": ("ours", "and as outputs where a condition asks for them"),
        "when": ("native", "`when` for `result == 'text'`; any other by the task itself"),
        "matrix": ("native", "a node for each combination"),
        "map": ("native", "`withParam`"),
        "join": ("ours", ""),
        "run_if": ("native", "`depends`"),
        "run_if failure": ("native", "`depends`"),
        "retries": ("native", "`retryStrategy`"),
        "retries.on": ("ours", "the next attempt ends at once"),
        "timeout": ("native", "`activeDeadlineSeconds`"),
        "resources": ("native", "requests and limits"),
        "resources.spot": ("native", "`tolerations`, `affinity`"),
        "resources.image": ("native", "`container.image`"),
        "priority": ("refused", "told in a note"),
        "secrets": ("native", "`secretKeyRef`"),
        "env": ("ours", ""),
        "image": ("native", "required"),
        "images": ("native", "`container.image`"),
        "schedule": ("native", "`CronWorkflow`"),
        "schedule.parameters": ("native", "`arguments` of the `CronWorkflow`"),
        "schedule.fire": ("ours", "for `workflow.scheduledTime`"),
        "schedule.catch_up": ("native", "`startingDeadlineSeconds`; at most the latest"),
        "schedule.overlap": ("native", "`concurrencyPolicy`; a mutex for `queue`"),
        "cache": ("ours", ""),
    },
)
