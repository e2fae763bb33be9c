"""What a team declares: entities, feature views, on-demand views, feature services. Values, without I/O.

A *version* is the digest of what decides the values: the source, the keys, the schema, the times, the ttl, the
windows. It cannot change, so a model that was trained on ``weather@3f2a…:temp`` knows what it gets. Owner,
tags, description and expectations may change without a new version.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ..errors import InvalidInput, did_you_mean
from .dtypes import KEY_TYPES, check_dtype
from .names import EVENT, RESERVED, check_column, check_name, parse_reference

_MICROSECOND = timedelta(microseconds=1)
FUNCTIONS = ("count", "sum", "avg", "min", "max", "stddev")
CHECKS = ("not_null", "between", "one_of", "matches", "row_count", "fresh_within")


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A Python function that the store keeps: its source for readers, its digest for versions, and the blob
    with its pickle (by value) for a process that calls it."""

    name: str
    source: str
    digest: str
    blob: str


AnyFunction = Callable[..., Any] | Function


@dataclass(frozen=True, slots=True)
class Entity:
    """What features describe. `join_keys` are its columns: one name, several, or name → ``int64 | string``."""

    name: str
    join_keys: Mapping[str, str] | Sequence[str] | str = ()
    description: str = ""
    owner: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.name, "an entity")
        keys: Any = self.join_keys or self.name
        if isinstance(keys, str):
            keys = [keys]
        if not isinstance(keys, Mapping):
            keys = dict.fromkeys(keys, "string")
        for key, dtype in keys.items():
            check_column(key, f"a join key of entity {self.name!r}")
            _not_reserved(key, f"entity {self.name!r}")
            check_dtype(dtype, f"join key {key!r} of entity {self.name!r}", KEY_TYPES)
        object.__setattr__(self, "join_keys", dict(keys))
        _check_labels(self)

    @property
    def keys(self) -> dict[str, str]:
        """Join key → type."""
        return dict(self.join_keys)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Aggregation:
    """`function` of `column` over the `window` that ends at the moment asked for: ``(T - window, T]``.

    The default name is such as ``delay_avg_7d``. ``count`` needs no column: it counts rows.
    """

    function: str
    column: str = ""
    window: timedelta = timedelta(days=1)
    name: str = ""

    def __post_init__(self) -> None:
        _check_word(self.function, "aggregation", FUNCTIONS)
        if self.column or self.function != "count":
            check_column(self.column, "the column of an aggregation")
        if not isinstance(self.window, timedelta) or self.window < timedelta(seconds=1):
            raise InvalidInput(f"aggregation {self.function}: a window is a timedelta of at least a second")
        default = "_".join(filter(None, [self.column, self.function, short(self.window)]))
        object.__setattr__(self, "name", check_column(self.name or default, "an aggregation"))


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must hold of each batch that is materialized. `severity` ``error`` keeps the batch out of the store,
    ``warning`` only reports.

    ``not_null`` (at most `most` of the rows may be null, 0.0 by default), ``between`` (`low`, `high`, both
    included, either may be None), ``one_of`` (`values`), ``matches`` (a regular expression for the whole text),
    ``row_count`` (`low`, `high`, no feature), ``fresh_within`` (`window` before the end of the batch, no feature).
    """

    check: str
    feature: str = ""
    low: float | None = None
    high: float | None = None
    values: Sequence[Any] = ()
    pattern: str = ""
    most: float = 0.0
    window: timedelta | None = None
    severity: str = "error"

    def __post_init__(self) -> None:
        _check_word(self.check, "expectation", CHECKS)
        _check_word(self.severity, f"expectation {self.check}: severity", ("error", "warning"))
        if (self.check in ("row_count", "fresh_within")) == bool(self.feature):
            is_needed = "needs a feature" if not self.feature else "is of all rows and takes no feature"
            raise InvalidInput(f"expectation {self.check} {is_needed}")
        for bound in (self.low, self.high, self.most):
            if bound is not None and (isinstance(bound, bool) or not math.isfinite(bound)):
                raise InvalidInput(f"expectation {self.check}: {bound!r} is not a finite number")
        for value in self.values:
            if not isinstance(value, str) and not (
                isinstance(value, (bool, int, float)) and math.isfinite(value)
            ):
                raise InvalidInput(
                    f"expectation {self.check}: {value!r} is not a number, a text or a boolean"
                )
        _freeze(self, "values")
        lacks = {
            "between": self.low is None and self.high is None,
            "row_count": self.low is None and self.high is None,
            "one_of": not self.values,
            "matches": not self.pattern,
            "fresh_within": self.window is None,
        }
        if lacks.get(self.check):
            raise InvalidInput(
                f"expectation {self.check} lacks its bounds", hint=(type(self).__doc__ or "").strip()
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureView:
    """Features with their keys, their times and where they come from.

    The source is one of `sql` (a query for DuckDB; on the file `database` if given, else on parquet, CSV and
    JSON files that it names), `function` (returns a frame, or yields frames; may take ``start`` and ``end``), or
    neither: then rows are only pushed. `schema` maps feature → type; left out, it is read off the source when
    the view is registered. `time_zone` says what the source's times without a zone mean; without it such times
    are refused. Rows older than `ttl` (inclusive) count as expired, in training and in serving alike.
    """

    name: str
    entities: Sequence[Entity | str]
    sql: str = ""
    function: AnyFunction | None = None
    database: str = ""
    schema: Mapping[str, str] = field(default_factory=dict)
    event_timestamp: str = EVENT
    created_timestamp: str = ""
    time_zone: str = ""
    ttl: timedelta | None = None
    aggregations: Sequence[Aggregation] = ()
    expectations: Sequence[Expectation] = ()
    description: str = ""
    owner: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

    def __post_init__(self) -> None:
        where = f"feature view {check_name(self.name, 'a feature view')!r}"
        if not self.entities:
            raise InvalidInput(f"{where} has no entity", hint="entities=[Entity('airport', 'origin')]")
        if self.sql and self.function:
            raise InvalidInput(f"{where} has two sources", hint="give sql or function, not both")
        for column in filter(None, (self.event_timestamp, self.created_timestamp)):
            check_column(column, f"a timestamp of {where}")
        if self.time_zone:
            _check_zone(self.time_zone, where)
        if self.ttl is not None and (not isinstance(self.ttl, timedelta) or self.ttl < timedelta(0)):
            raise InvalidInput(f"{where}: ttl is a timedelta of at least 0, or None for no limit")
        _check_schema(self.schema, where)
        if self.aggregations:
            _check_aggregations(self.aggregations, self.schema, where)
        if not (self.sql or self.function or self.schema):
            raise InvalidInput(
                f"{where} has no source and no schema", hint="rows that are pushed need a schema"
            )
        object.__setattr__(self, "sql", _tidy(self.sql))
        _freeze(self, "entities", "aggregations", "expectations")
        _check_labels(self)

    @property
    def ttl_microseconds(self) -> int | None:
        """The ttl as a whole number; None: no limit."""
        return None if self.ttl is None else self.ttl // _MICROSECOND

    @property
    def reference(self) -> str:
        """``name@version``."""
        return f"{self.name}@{self.version}"

    def __repr__(self) -> str:
        return (
            f"FeatureView({self.reference.rstrip('@')!r}, {', '.join(self.schema) or 'schema not read yet'})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDemandView:
    """Features computed when asked for, by one function for a batch and for a row.

    `inputs` are features of other views (``view:feature``, pinned when registered), `request` are values that
    come with the question (name → type). In `mode` ``frame`` the function gets a pandas frame and returns one
    (or a mapping of columns) with as many rows; in ``row`` it gets and returns a mapping. `example` are rows to
    prove with, at registration, that a row alone gives the same as the row in a batch.
    """

    name: str
    function: AnyFunction
    schema: Mapping[str, str]
    inputs: Sequence[str] = ()
    request: Mapping[str, str] = field(default_factory=dict)
    mode: str = "frame"
    example: Sequence[Mapping[str, Any]] = ()
    description: str = ""
    owner: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

    def __post_init__(self) -> None:
        where = f"on-demand view {check_name(self.name, 'an on-demand view')!r}"
        _check_schema(self.schema, where)
        _check_schema(self.request, where)
        _check_word(self.mode, f"{where}: mode", ("frame", "row"))
        if not self.schema:
            raise InvalidInput(f"{where} has no schema", hint="schema={'speed': 'float64'}")
        if not self.inputs and not self.request:
            raise InvalidInput(
                f"{where} has no inputs", hint="inputs=['view:feature'] or request={'name': 'type'}"
            )
        for text in self.inputs:
            if not parse_reference(text).feature:
                raise InvalidInput(f"{where}: input {text!r} names no feature", hint="write 'view:feature'")
        names = [parse_reference(text).feature for text in self.inputs] + list(self.request)
        _check_distinct(names, f"{where}: inputs")
        _freeze(self, "inputs", "example")
        _check_labels(self)

    @property
    def reference(self) -> str:
        """``name@version``."""
        return f"{self.name}@{self.version}"

    @property
    def input_names(self) -> list[str]:
        """The columns that the function gets."""
        return [parse_reference(text).feature for text in self.inputs] + list(self.request)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureService:
    """The selection that one model uses; registering it pins each feature to its view's version."""

    name: str
    features: Sequence[str]
    description: str = ""
    owner: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

    def __post_init__(self) -> None:
        check_name(self.name, "a feature service")
        if isinstance(self.features, str) or not self.features:
            raise InvalidInput(
                f"feature service {self.name!r} has no list of features", hint="['view:feature', …]"
            )
        for text in self.features:
            parse_reference(text)
        _freeze(self, "features")
        _check_labels(self)

    @property
    def reference(self) -> str:
        """``name@version``."""
        return f"{self.name}@{self.version}"


Definition = Entity | FeatureView | OnDemandView | FeatureService


def short(duration: timedelta) -> str:
    """``7d``, ``90m``: for names."""
    seconds = duration // timedelta(seconds=1)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


# --- checks ---------------------------------------------------------------------------------------------


def _tidy(sql: str) -> str:
    lines = (line.rstrip() for line in textwrap.dedent(sql).strip().splitlines())
    return "\n".join(lines).rstrip("; \n")


def _not_reserved(name: str, where: str) -> None:
    if name in RESERVED:
        raise InvalidInput(f"{where}: {name!r} is the store's own name for a time", hint="rename it with AS")


def _check_schema(schema: Mapping[str, str], where: str) -> None:
    if not isinstance(schema, Mapping):
        raise InvalidInput(f"{where}: a schema maps names to types", hint="schema={'temp': 'float64'}")
    for name, dtype in schema.items():
        check_column(name, f"a feature of {where}")
        _not_reserved(name, where)
        check_dtype(dtype, f"{where}: feature {name!r}")


def _check_aggregations(aggregations: Sequence[Aggregation], schema: Mapping[str, str], where: str) -> None:
    names = [one.name for one in aggregations]
    _check_distinct(names, f"{where}: aggregations")
    if schema and list(schema) != names:
        raise InvalidInput(
            f"{where}: the features of a view with aggregations are just these: {', '.join(names)}",
            hint="leave the schema out, and put other features into a view of their own",
        )


def _check_distinct(names: Sequence[str], where: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInput(f"{where}: {', '.join(twice)} occurs twice", hint="give each a name of its own")


def _check_word(word: str, where: str, known: Sequence[str]) -> None:
    if word not in known:
        raise InvalidInput(f"{where}: {word!r} is none of {', '.join(known)}", hint=did_you_mean(word, known))


def _check_zone(name: str, where: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise InvalidInput(
            f"{where}: {name!r} is not a time zone", hint="such as 'UTC' or 'America/New_York'"
        ) from None


def _freeze(definition: Any, *names: str) -> None:
    for name in names:
        value = getattr(definition, name)
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise InvalidInput(
                f"{definition.name!r}: {name} is {value!r}, no list", hint=f"{name}=[{value!r}]"
            )
        object.__setattr__(definition, name, tuple(getattr(definition, name)))


def _check_labels(definition: Any) -> None:
    for name in ("description", "owner"):
        if not isinstance(getattr(definition, name), str):
            raise InvalidInput(f"{definition.name!r}: {name} is a text")
    tags = definition.tags
    if not isinstance(tags, Mapping) or not all(
        isinstance(one, str) for pair in tags.items() for one in pair
    ):
        raise InvalidInput(f"{definition.name!r}: tags map texts to texts")
    object.__setattr__(definition, "tags", dict(tags))
