"""``%%feature_view`` and ``%features``: the feature store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .code import execute, is_python, last_function
from .magic import Call, Magic
from .options import Argument, Option, Syntax


def _feature_view(call: Call) -> Any:
    __tracebackhide__ = True
    from ..features.listing import DefinitionTable
    from ..session import featuring

    given, body = call.given, call.cell or ""
    fields: dict[str, Any] = {
        keyword: given[option] for option, keyword in _FIELDS.items() if given.has(option)
    }
    fields["aggregations"] = [*given.get("window", ()), *given.get("aggregations", ())]
    if is_python(body):
        name = last_function(body, given["name"] if f"def {given['name']}" in body else None)
        execute(call.shell, body)
        fields["function"] = call.names[name]
        fields.setdefault("description", featuring.first_line(call.names[name].__doc__))
    else:
        fields["sql"] = body
        if given.has("database"):
            fields["database"] = _from_root(given["database"], featuring.feature_store().root)
    view = featuring.register_view(given["name"], entities=given.get("entities", ()), **fields)
    return DefinitionTable([view])


# Option → argument of `FeatureView`.
_FIELDS = {
    "ttl": "ttl", "time_zone": "time_zone", "event_timestamp": "event_timestamp",
    "created_timestamp": "created_timestamp", "expectations": "expectations", "description": "description",
    "owner": "owner", "tag": "tags",
}  # fmt: skip


def _from_root(path: str, root: Path) -> str:
    """A path of this directory, as the store takes it: relative to the workspace if it lies within."""
    full = Path(os.path.abspath(path))
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else str(full)


def _features(call: Call) -> Any:
    from ..session import featuring

    return featuring.find_features(call.given.get("name"))


MAGICS = (
    Magic(
        name="feature_view",
        kind="cell",
        summary="Register the cell as a feature view: a SQL query, or a Python function that gives a frame.",
        details="A query names files (relative to the workspace's folder) or tables of --database. A function may"
        " take start and end.",
        syntax=Syntax(
            arguments=[Argument(name="NAME", help="the view's name", completes="views")],
            options=[
                Option(
                    name="entities",
                    short="e",
                    help="what the features describe: airport, airport=origin, plane=id:int64; several with commas",
                    completes="entities",
                ),
                Option(name="ttl", help="how long a row counts", value="6h"),
                Option(name="time-zone", help="what times without a zone mean", value="UTC"),
                Option(
                    name="event-timestamp", help="the column of the event (event_timestamp)", value="COLUMN"
                ),
                Option(
                    name="created-timestamp",
                    help="the column that says when a row became known",
                    value="COLUMN",
                ),
                Option(
                    name="window", short="w", help="an aggregation", value="'avg delay 3h'", is_repeated=True
                ),
                Option(
                    name="aggregations",
                    help="a list of Aggregation",
                    kind="expression",
                    completes="variables",
                ),
                Option(
                    name="expectations",
                    help="a list of Expectation",
                    kind="expression",
                    completes="variables",
                ),
                Option(
                    name="database",
                    help="a DuckDB file on which the query runs",
                    value="PATH",
                    completes="databases",
                ),
                Option(name="description", help="for readers"),
                Option(name="owner", help="whom to ask"),
                Option(name="tag", short="t", help="a tag", is_pair=True),
            ],
        ),
        examples=(
            "%%feature_view weather --entities airport=origin --ttl 6h --time-zone UTC\n"
            "  SELECT origin, time_hour AS event_timestamp, temp FROM 'weather.parquet'",
        ),
        run=_feature_view,
    ),
    Magic(
        name="features",
        summary="The features that there are: entities, views, services; or those of a name, or that tell of a word.",
        syntax=Syntax(
            arguments=[
                Argument(
                    name="NAME",
                    help="a name, or words to look for",
                    is_required=False,
                    takes_rest=True,
                    completes="views",
                )
            ]
        ),
        examples=("%features", "%features weather"),
        run=_features,
    ),
)
