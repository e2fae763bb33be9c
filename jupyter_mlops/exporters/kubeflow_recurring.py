"""A schedule in Kubeflow: a recurring run, which a script makes."""

from __future__ import annotations

from ..pipelines import Plan
from ..pipelines.schedules import ScheduleSpec
from .firing import scheduled_arguments
from .steps import call, items, literal

OTHERWISE = {
    "catch_up none": "the latest missed fire runs",
    "overlap skip": "the latest fire that was left out runs when the earlier run has ended",
    "overlap cancel": "the earlier run goes on, and the fire waits for its end",
}
"""Ways of ours that hold in another way there."""


def script(plan: Plan, spec: ScheduleSpec, module: str) -> str:
    """What makes the recurring run."""
    given = [
        f"experiment_id=client.create_experiment({literal(plan.pipeline)}).experiment_id",
        f"job_name={literal(plan.pipeline)}",
        "pipeline_package_path=PACKAGE",
        f"cron_expression={literal('0 ' + spec.cron)}",
        "max_concurrency=1",
        f"no_catchup={spec.catch_up != 'all'}",
    ]
    arguments = scheduled_arguments(spec, "Kubeflow")
    if arguments:
        given.append(
            items("params={", [f"{literal(k)}: {literal(v)}" for k, v in arguments.items()], "}", 4).lstrip()
        )
    for name, moment in zip(("start_time", "end_time"), spec.bounds(), strict=True):
        if moment is not None:
            given.append(f"{name}={literal(moment.isoformat().replace('+00:00', 'Z'))}")
    if spec.is_paused:
        given.append("enabled=False")
    body = call("client.create_recurring_run", *given)
    return f'''\
"""Has {plan.pipeline} run by itself. Written by `jupyter mlops export`."""

import kfp
from {module} import {module}

PACKAGE = "{module}.yaml"

kfp.compiler.Compiler().compile({module}, PACKAGE)
client = kfp.Client()
# KFP's cron begins with seconds.
{body}
'''
