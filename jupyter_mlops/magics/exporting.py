"""``%export_pipeline``."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidInput
from .magic import Call, Magic
from .options import Argument, Option, Syntax

_TARGETS = ("airflow", "argo", "prefect", "kubeflow", "metaflow")


def _export(call: Call) -> Any:
    from ..session.exporting import export_pipeline

    given = call.given
    if not given.has("to"):
        raise InvalidInput("for which orchestrator?", hint=f"--to {', '.join(_TARGETS)}")
    return export_pipeline(
        given["to"],
        given.get("output", given["to"]),
        given.get("path", "pipeline.yaml"),
        given.get("parameters"),
        image=given.get("image", ()),
        built=given.get("built"),
        project=given.get("project", ""),
        schedule=given.get("schedule", ""),
        timezone=given.get("timezone", "UTC"),
        is_forced=given.get("force", False),
        is_strict=given.get("strict", False),
        from_text=True,
    )


MAGICS = (
    Magic(
        name="export_pipeline",
        summary="Write a pipeline in the files of another orchestrator.",
        details="What holds there in another way is told. The folder is named after the target unless you name one.",
        syntax=Syntax(
            arguments=[
                Argument(
                    name="PATH", help="a file, or a folder with a pipeline.yaml; here by default", is_required=False,
                    completes="pipelines",
                )
            ],
            options=[
                Option(name="to", help="the orchestrator", choices=_TARGETS),
                Option(name="output", short="o", help="the folder where the files go", value="DIR"),
                Option(
                    name="parameters", short="p", help="an argument; its declared type reads the value", is_pair=True,
                    is_two_words=True, value="VALUE",
                ),
                Option(
                    name="image", help="a container image that has the project, for all tasks or one environment's",
                    is_repeated=True, value="[ENVIRONMENT=]IMAGE",
                ),
                Option(
                    name="built", help="what `dockerize PIPELINE --push IMAGE --json` wrote: its images", value="FILE"
                ),
                Option(name="project", help="the project's folder there", value="DIR"),
                Option(name="schedule", help="when it runs by itself: five fields of cron", value="CRON"),
                Option(name="timezone", help="the schedule's time zone", value="ZONE"),
                Option(name="force", help="overwrite files that differ", kind="flag"),
                Option(name="strict", help="what holds in another way there is an error", kind="flag"),
            ],
        ),
        examples=(
            "%export_pipeline --to airflow",
            "%export_pipeline pipeline.yaml --to argo -o argo --image registry/flights:1 --schedule '0 6 * * 1'",
        ),
        run=_export,
    ),
)  # fmt: skip
