"""The operations on what something costs: a run, a version of a model, a month of a pipeline. And on units, what there
is to compute on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..catalog.records import ComputeMeasurement, Run
from ..compute.cost import Quote
from ..compute.estimate import Estimate
from ..compute.units import ComputeUnit
from ..session.costing import cost_in
from ..words import iso
from . import files
from .panel import Panel


def of_run(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getRunCost`."""
    workspace = panel.workspace
    return estimate_body(workspace.compute.cost_of_run(workspace.catalog.get(Run, asked["run_id"])))


def of_version(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getModelCost`."""
    reference = f"models:/{asked['name']}/{asked['version']}"
    return estimate_body(cost_in(panel.workspace, reference))


def of_pipeline(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getPipelineCost`."""
    path = panel.places.inside(asked["path"], *files.SUFFIXES)
    files.read_text(path, asked["path"])  # it is there, and says so in the words of a client
    return estimate_body(cost_in(panel.workspace, path, runs_a_month=asked["runs_a_month"]))


def units(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`listUnits`."""
    compute = panel.workspace.compute
    measured = compute.measurements()
    found = compute.units()
    return {"items": [_unit_body(each, measured.get(each.unit), compute.rent_of(each)) for each in found]}


def _unit_body(unit: ComputeUnit, measured: ComputeMeasurement | None, rent: Quote | None) -> dict[str, Any]:
    return {
        "unit": unit.unit,
        "kind": unit.kind,
        "name": unit.name,
        "abstraction": unit.abstraction,
        "cores": unit.cores,
        "memory_bytes": unit.memory,
        "peak_flops": dict(unit.peak_flops),
        "measured_flops": dict(measured.body.get("flops", {})) if measured else {},
        "measured_bandwidth": measured.body.get("memory_bandwidth") if measured else None,
        "measured_at": iso(measured.measured_at) if measured else None,
        "price_an_hour": rent.total if rent else None,
        "price_of": f"{rent.place} {rent.tasks[0].machine}, price of {rent.as_of}" if rent else "",
    }


def estimate_body(found: Estimate) -> dict[str, Any]:
    """`Estimate`."""
    server = found.server
    return {
        "subject": found.subject,
        "hours": found.hours,
        "currency": "USD",
        "runs_a_month": found.runs_a_month,
        "basis": found.basis,
        "quotes": [{**quote.to_json(), "monthly": found.monthly(quote)} for quote in found.quotes],
        "server": None
        if server is None
        else {"name": server.name, "monthly": sum(server.monthly().values())},
        "utilization": found.utilization,
        "load": found.load,
        "break_evens": [
            {
                "place": each.place,
                "own_monthly": each.own_monthly,
                "cloud_full": each.cloud_full,
                "utilization": each.utilization,
                "months": each.months,
            }
            for each in found.break_evens
        ],
        "suggestions": [
            {
                **{name: told for name, told in each.to_json().items() if name != "resources"},
                "text": str(each),
            }
            for each in found.suggestions
        ],
        "warnings": list(found.warnings),
    }
