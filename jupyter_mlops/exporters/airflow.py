"""Apache Airflow 3: a DAG of Bash tasks, one a notebook. Skips, retries and trigger rules are Airflow's own."""

from __future__ import annotations

from ..pipelines import Plan
from ..pipelines.schedules import ScheduleSpec
from .firing import lost, moving_names, scheduled_arguments
from .images import by_image
from .steps import (
    Step,
    argument_secrets,
    call,
    comment,
    docstring,
    literal,
    plain_arguments,
    secret_names,
    steps,
    wish_notes,
)
from .target import Exported, ExportOptions, Target

_RULES = {"success": "all_success", "none_failed": "none_failed_min_one_success", "done": "all_done"}
_MARGIN_SECONDS = 60  # the task's own process ends it first, with a better message

_FIRED = """    "MLOPS_TASK_FIRED_AT": "{{ dag_run.logical_date or '' }}",\n"""
_HEAD = '''\
PROJECT = os.environ.get("MLOPS_TASK_PROJECT", {project})
PIPELINE = {pipeline}
ENVIRONMENT = {{
    "MLOPS_TASK_RUN": "{{{{ dag.dag_id }}}}.{{{{ run_id }}}}",
    "MLOPS_TASK_ARGUMENTS": "{{{{ params | tojson }}}}",
{fired}    "MLOPS_TASK_ATTEMPT": "{{{{ ti.try_number }}}}",
}}
DEFAULTS = {{
    "cwd": PROJECT,
    "env": ENVIRONMENT,
    "append_env": True,
    "skip_on_exit_code": 99,
    "output_processor": json.loads,  # the outcome of a task is its XCom
    "weight_rule": "absolute",
}}


def command(key: str) -> str:
    """One task of the pipeline. Whether it runs it decides by what the tasks before it left: 99 is a skip."""
    return f"jupyter-mlops task {{shlex.quote(PIPELINE)}} {{shlex.quote(key)}} --json --skip-code 99"
'''


def export(plan: Plan, options: ExportOptions) -> Exported:
    """``dags/<pipeline>.py``."""
    made = steps(plan)
    scheduled = scheduled_arguments(options.schedule, "Airflow", tells_fire=True)
    arguments = {**plain_arguments(plan, "Airflow"), **scheduled}
    imports = ["import json", "import os", "import shlex"]
    times = ["datetime"] if options.schedule and any(options.schedule.bounds()) else []
    times += ["timedelta"] if any(_uses_time(step) for step in made) else []
    if times:
        imports.append(f"from datetime import {', '.join(times)}")
    imports += ["", "from airflow.providers.standard.operators.bash import BashOperator"]
    imports.append("from airflow.sdk import DAG, Param" if arguments else "from airflow.sdk import DAG")
    if options.schedule:
        imports.append("from airflow.timetables.trigger import CronTriggerTimetable")
    told = "Each task is a notebook, run by `jupyter-mlops task` in the project's folder on the worker."
    head = _HEAD.format(
        project=literal(options.project),
        pipeline=literal(options.pipeline_file),
        fired=_FIRED if moving_names(options.schedule) else "",
    )
    body = [line for step in made for line in _step(step)]
    edges = [line for step in made for line in _edges(step, {each.key: each for each in made})]
    text = "\n".join(
        [
            docstring(plan, options, told), "", "from __future__ import annotations", "", *imports, "", head, "",
            _dag(plan, options, arguments), *body, *([""] if edges else []), *edges, "", "",
            'if __name__ == "__main__":', "    dag.test()", "",
        ]
    )  # fmt: skip
    return Exported(files={f"dags/{plan.pipeline}.py": text}, notes=tuple(_notes(plan, options, made)))


def _dag(plan: Plan, options: ExportOptions, arguments: dict[str, object]) -> str:
    given = [f"dag_id={literal(plan.pipeline)}"]
    if options.description:
        given.append(f"description={literal(options.description)}")
    given += ["schedule=None", "catchup=False"] if options.schedule is None else _schedule(options.schedule)
    if arguments:
        entries = "".join(
            f"        {literal(name)}: Param({literal(value)}),\n" for name, value in arguments.items()
        )
        given.append("params={\n" + entries + "    }")
    given += ["default_args=DEFAULTS", 'tags=["jupyter-mlops"]']
    return call("with DAG", *given) + " as dag:"


def _schedule(spec: ScheduleSpec) -> list[str]:
    given = [
        f"schedule=CronTriggerTimetable({literal(spec.cron)}, timezone={literal(spec.timezone)})",
        f"catchup={spec.catch_up == 'all'}",
        "max_active_runs=1",
    ]
    for name, moment in zip(("start_date", "end_date"), spec.bounds(), strict=True):
        if moment is not None:
            given.append(f"{name}=datetime.fromisoformat({literal(moment.isoformat())})")
    return [*given, *(["is_paused_upon_creation=True"] if spec.is_paused else [])]


def _step(step: Step) -> list[str]:
    settings = [f"task_id={literal(step.name)}", *_settings(step)]
    lines = [f"    {line}" for line in (comment(step.comment) if step.comment else [])]
    if not step.is_mapped:
        command = f"bash_command=command({literal(step.key)})" + _more(step.settled)
        return [*lines, call(f"{step.name} = BashOperator", settings[0], command, *settings[1:], indent=4)]
    listing = call(
        f"{step.name}_instances = BashOperator",
        f'task_id="{step.name}_instances"',
        f"bash_command=command({literal(step.key)})" + _more(["--list", *step.settled]),
        f'trigger_rule="{_RULES[step.trigger]}"',
        indent=4,
    )
    mapped = call(f"{step.name} = BashOperator.partial", *settings, indent=4)
    return [*lines, listing, f"{mapped}.expand(bash_command={step.name}_instances.output.map(command))"]


def _more(words: list[str]) -> str:
    return f' + " {" ".join(words)}"' if words else ""


def _settings(step: Step) -> list[str]:
    task, retries = step.task, step.task.retries
    given = [] if step.is_mapped or step.trigger == "success" else [f'trigger_rule="{_RULES[step.trigger]}"']
    if task.priority:
        given.append(f"priority_weight={task.priority}")
    if retries.limit:
        given += [f"retries={retries.limit}", f"retry_delay=timedelta(seconds={retries.delay_seconds:g})"]
        if retries.delay_seconds and retries.backoff > 1:
            given.append("retry_exponential_backoff=True")
            given.append(f"max_retry_delay=timedelta(seconds={retries.max_delay_seconds:g})")
    if task.timeout_seconds:
        given.append(f"execution_timeout=timedelta(seconds={task.timeout_seconds + _MARGIN_SECONDS:g})")
    if task.description:
        given.append(f"doc_md={literal(task.description)}")
    return given


def _uses_time(step: Step) -> bool:
    return bool(step.task.retries.limit or step.task.timeout_seconds)


def _edges(step: Step, by_key: dict[str, Step]) -> list[str]:
    needs = [by_key[key].name for key in step.needs]
    if not needs:
        return []
    first = f"{step.name}_instances" if step.is_mapped else step.name
    return [f"    {needs[0]} >> {first}" if len(needs) == 1 else f"    [{', '.join(needs)}] >> {first}"]


def _notes(plan: Plan, options: ExportOptions, made: list[Step]) -> list[str]:
    notes = []
    secrets = sorted(
        {name for step in made for name in secret_names(step.task)} | set(argument_secrets(plan))
    )
    if secrets:
        notes.append(
            f"secrets: {', '.join(secrets)} must be in the worker's environment, .env file or keyring"
        )
    if any(step.task.resources.cpu or step.task.resources.gpu for step in made):
        notes.append(
            "resources: memory is held by the task's own process; cpu and gpu do not place it: choose `queue` or "
            "`pool` for that, or an executor_config"
        )
    for step in made:
        if step.task.retries.limit and step.task.retries.backoff not in (1.0, 2.0):
            notes.append(
                f"retries: {step.key}: Airflow doubles delays; {step.task.retries.backoff:g} is not kept"
            )
    notes += wish_notes(
        made,
        {
            "spot": "Airflow does not place tasks; choose a `queue` of workers that can be taken away",
            "image": "Airflow starts no containers for it; choose a `queue` of workers that have it",
        },
    )
    if options.image:
        notes.append(
            f"image: {options.image} is not started by Airflow; install jupyter-mlops on its workers"
        )
    for image, keys in by_image(made, options).items():
        notes.append(
            f"image: {', '.join(keys)}: {image} is not started by Airflow; choose a `queue` of workers that are like it"
        )
    if options.schedule and options.schedule.parameters:
        notes.append(
            "schedule: its parameters are the defaults of the DAG, for runs that people start as well"
        )
    held = {"start", "end", "is_paused"}
    return notes + lost(options.schedule, held=held, told=_SCHEDULES, tells_fire=True)


_SCHEDULES = {
    "catch_up none": "the latest missed fire runs",
    "overlap skip": "the latest fire that was left out runs when the earlier run has ended",
    "overlap cancel": "the earlier run goes on, and the fire waits for its end",
}
TARGET = Target(
    name="airflow",
    title="Airflow 3",
    export=export,
    capabilities={
        "parameters": ("native", "`Param`, in the form of *Trigger DAG*"),
        "needs": ("native", "`>>`"),
        "results": ("ours", "and as XCom"),
        "when": ("native", "`skip_on_exit_code`"),
        "matrix": ("native", "a task for each combination"),
        "map": ("native", "`expand`"),
        "join": ("ours", "`trigger_rule`"),
        "run_if": ("native", "`trigger_rule`"),
        "run_if failure": ("native", "`trigger_rule`"),
        "retries": ("native", "delays double"),
        "retries.on": ("ours", "the next attempt ends at once"),
        "timeout": ("native", "`execution_timeout`"),
        "resources": ("ours", "memory; no placement"),
        "resources.spot": ("refused", "told in a note"),
        "resources.image": ("refused", "told in a note"),
        "priority": ("native", "`priority_weight`"),
        "secrets": ("ours", "of the worker"),
        "env": ("ours", ""),
        "image": ("refused", "told in a note: workers have it installed"),
        "images": ("refused", "told in a note: a `queue` of workers for each"),
        "schedule": ("native", "`CronTriggerTimetable`"),
        "schedule.parameters": ("native", "defaults of the DAG"),
        "schedule.fire": ("ours", "for the `logical_date`"),
        "schedule.catch_up": ("native", "`catchup`; at least the latest"),
        "schedule.overlap": ("native", "`max_active_runs`: the fire waits"),
        "cache": ("ours", ""),
    },
)
