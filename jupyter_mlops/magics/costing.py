"""``%compute`` and ``%cost``: what there is to compute on, and what something costs."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidInput
from .magic import Call, Magic
from .options import Argument, Option, Syntax


def _compute(_: Call) -> Any:
    from ..session import costing

    return costing.compute_units()


def _cost(call: Call) -> Any:
    from ..session import costing

    given = call.given
    return costing.cost(
        given.get("subject", "pipeline.yaml"),
        task=given.get("task", ""),
        runs_a_month=_number("runs-per-month", given.get("runs_per_month")),
        providers=given.get("provider", ()),
        instance=given.get("instance", ""),
        server=given.get("server", ""),
        **(
            {}
            if (part := _number("utilization", given.get("utilization"))) is None
            else {"utilization": part}
        ),
    )


def _number(name: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise InvalidInput(f"--{name} {text}: that is no number", hint=f"such as --{name} 0.5") from None


MAGICS = (
    Magic(
        name="compute",
        summary="Show what there is to compute on, and what it was measured to do.",
        details="`jupyter mlops compute bench` measures it.",
        examples=("%compute",),
        run=_compute,
    ),
    Magic(
        name="cost",
        summary="Tell what a pipeline, a run or a model costs, here and elsewhere.",
        details="A pipeline's cost is of a month, by its schedules and its last runs.",
        syntax=Syntax(
            arguments=[
                Argument(
                    name="SUBJECT",
                    help="a pipeline's file (here by default), a run's id or latest, or models:/NAME/3",
                    is_required=False,
                )
            ],
            options=[
                Option(name="task", help="only this task of a run", value="TASK"),
                Option(name="runs-per-month", help="how often the pipeline runs", value="NUMBER"),
                Option(name="provider", help="only this cloud", is_repeated=True, value="NAME"),
                Option(name="instance", help="this instance, not the cheapest", value="NAME"),
                Option(name="server", help="this server of one's own, not the cheapest", value="NAME"),
                Option(
                    name="utilization", help="of all hours, in which one's own servers are used", value="PART"
                ),
            ],
        ),
        examples=("%cost", "%cost latest --task train", "%cost models:/delay@champion --provider gcp"),
        run=_cost,
    ),
)
