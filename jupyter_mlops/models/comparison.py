"""Versions side by side, and the part of a search that SQL does not see: tags and metrics."""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ..catalog import ModelVersion
from ..errors import InvalidInput
from .manifest import Manifest

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_METRIC = "metrics."
_COMPARED = re.compile(r"(?P<metric>[\w.-]+)\s*(?P<operator>>=|<=|!=|=|<|>)\s*(?P<value>.+)")
_FIELDS = ("version", "created_at", "name", "size_bytes")


@dataclass(frozen=True, slots=True)
class Query:
    """What `ModelStore.find` is asked, divided: `fields` and `order` are SQL's, tags and metrics ours."""

    fields: Mapping[str, Any]
    order: Sequence[str]
    tags: Mapping[str, str]
    metrics: Sequence[tuple[str, str, float]]
    by_metric: str
    is_descending: bool

    @classmethod
    def of(
        cls,
        name: str | None,
        tags: Mapping[str, str] | None,
        where: Mapping[str, Any] | None,
        order_by: str | None,
    ) -> Query:
        fields = {key: value for key, value in (where or {}).items() if not key.startswith(_METRIC)}
        if name is not None:
            fields["name"] = name
        metrics = [
            (key.removeprefix(_METRIC), *_condition(value))
            for key, value in (where or {}).items()
            if key.startswith(_METRIC)
        ]
        natural = ["-version"] if name is not None else ["-created_at"]
        wanted = (order_by or "").removeprefix("-")
        by_metric = wanted.removeprefix(_METRIC) if wanted.startswith(_METRIC) else ""
        order = natural if by_metric or not order_by else [order_by]
        is_descending = bool(order_by) and str(order_by).startswith("-")
        return cls(fields, order, dict(tags or {}), metrics, by_metric, is_descending)

    @property
    def is_plain(self) -> bool:
        """Whether SQL can answer it alone."""
        return not self.tags and not self.metrics and not self.by_metric

    def select(self, versions: Iterable[ModelVersion]) -> list[ModelVersion]:
        """Those that match; one without the metric is last."""
        chosen = [version for version in versions if self._matches(version)]
        if self.by_metric:
            having = [version for version in chosen if self.by_metric in version.metrics]
            having.sort(key=lambda version: version.metrics[self.by_metric], reverse=self.is_descending)
            chosen = having + [version for version in chosen if self.by_metric not in version.metrics]
        return chosen

    def _matches(self, version: ModelVersion) -> bool:
        if any(version.tags.get(name) != value for name, value in self.tags.items()):
            return False
        return all(
            name in version.metrics and _OPERATORS[word](version.metrics[name], value)
            for name, word, value in self.metrics
        )


def _condition(value: Any) -> tuple[str, float]:
    word, number = value if isinstance(value, tuple) and len(value) == 2 else ("=", value)
    if word not in _OPERATORS or not isinstance(number, (int, float)):
        raise InvalidInput(
            f"{value!r} is no condition for a metric", hint=f"(operator, number): {', '.join(_OPERATORS)}"
        )
    return str(word), float(number)


def condition(text: str) -> tuple[str, tuple[str, float]]:
    """``auc > 0.9``, as people write it → what `ModelStore.find` takes in `where`."""
    found = _COMPARED.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(f"--where {text!r} is no comparison", hint="such as --where 'auc > 0.9'")
    try:
        value = float(found["value"])
    except ValueError:
        raise InvalidInput(f"--where {text!r}: {found['value']!r} is no number") from None
    return f"{_METRIC}{found['metric'].removeprefix(_METRIC)}", (found["operator"], value)


def ordering(name: str, *, is_ascending: bool = False) -> str:
    """A metric, or a field that every version has → what `ModelStore.find` takes as `order_by`; the greatest is first
    unless `is_ascending`."""
    name = name.lstrip("-")
    field = name if name in _FIELDS else f"{_METRIC}{name.removeprefix(_METRIC)}"
    return field if is_ascending else f"-{field}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table for each part, a row for each name, a value for each version (None where it has none); and the
    code's differences, each version against the one before."""

    versions: tuple[ModelVersion, ...]
    tables: Mapping[str, Mapping[str, tuple[Any, ...]]]
    code: tuple[str, ...]

    def differences(self, table: str) -> dict[str, tuple[Any, ...]]:
        """The rows of a table in which the versions differ."""
        return {
            name: row for name, row in self.tables[table].items() if any(one != row[0] for one in row[1:])
        }

    @property
    def names(self) -> list[str]:
        """``NAME/VERSION`` of each."""
        return [f"{one.name}/{one.version}" for one in self.versions]

    def __str__(self) -> str:
        lines = ["\t".join(["", *self.names])]
        for title in self.tables:
            rows = self.tables[title] if title == "metrics" else self.differences(title)
            lines += (
                [title, *("\t".join([f"  {name}", *map(_shown, row)]) for name, row in rows.items())]
                if rows
                else []
            )
        return "\n".join([*lines, *filter(None, self.code)])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in ["", *self.names])
        body = ""
        for title in self.tables:
            rows = self.tables[title] if title == "metrics" else self.differences(title)
            if rows:
                body += f'<tr><th colspan="{len(self.versions) + 1}" style="text-align:left">{escape(title)}</th></tr>'
            for name, row in rows.items():
                cells = "".join(f"<td>{escape(_shown(value))}</td>" for value in row)
                body += f'<tr><td style="text-align:left">{escape(name)}</td>{cells}</tr>'
        code = "".join(
            f'<pre style="max-height:24em;overflow:auto">{escape(text)}</pre>' for text in self.code if text
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{code}"


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def compare(versions: Sequence[tuple[ModelVersion, Manifest]]) -> Comparison:
    """The comparison of two versions or more."""
    manifests = [manifest for _, manifest in versions]
    tables = {
        "metrics": _table([dict(one.metrics) for one in manifests]),
        "parameters": _table([dict(one.parameters) for one in manifests]),
        "data": _table([_data(one) for one in manifests]),
        "features": _table([_features(one) for one in manifests]),
        "dependencies": _table([_pins(one) for one in manifests]),
        "signature": _table([_columns(one) for one in manifests]),
        "origin": _table([_origin(one) for one in manifests]),
        "tags": _table([dict(version.tags) for version, _ in versions]),
    }
    names = [f"{version.name}/{version.version}" for version, _ in versions]
    texts = [_code(one) for one in manifests]
    pairs = zip(texts, texts[1:], names, names[1:], strict=False)
    return Comparison(
        versions=tuple(version for version, _ in versions),
        tables=tables,
        code=tuple(
            "\n".join(difflib.unified_diff(a.splitlines(), b.splitlines(), old, new, lineterm=""))
            for a, b, old, new in pairs
        ),
    )


def _table(columns: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
    names = sorted({name for column in columns for name in column})
    return {name: tuple(column.get(name) for column in columns) for name in names}


def _data(manifest: Manifest) -> dict[str, Any]:
    return {
        f"{one['name']}.{field}": one[field]
        for one in manifest.data
        for field in ("digest", "uri", "rows", "query")
        if one.get(field)
    }


def _features(manifest: Manifest) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in manifest.data:
        if one.get("feature_service"):
            found[f"{one['name']}.service"] = one["feature_service"]
        for view in one.get("feature_views", ()):
            name, _, version = view.partition("@")
            found[name] = version or view
    return found


def _pins(manifest: Manifest) -> dict[str, str]:
    pins = {"python": str(manifest.dependencies.get("python", ""))}
    for text in manifest.dependencies.get("direct", ()):
        name, _, version = text.partition("==")
        pins[name] = version
    return pins


def _columns(manifest: Manifest) -> dict[str, str]:
    found = {}
    for side, one in manifest.signature.items():
        for column in (
            one.get("columns") or one.get("fields") or [{"name": "", "type": one.get("dtype", one["kind"])}]
        ):
            found[f"{side}.{column['name']}".rstrip(".")] = column["type"]
    return found


def _origin(manifest: Manifest) -> dict[str, Any]:
    git = manifest.code.get("git") or {}
    told = {
        "class": manifest.definition["class"],
        "commit": git.get("commit"),
        "notebook": manifest.code.get("notebook_digest") or manifest.code.get("notebook"),
        "run": manifest.run.get("run_id"),
    }
    return {name: value for name, value in told.items() if value}


def _code(manifest: Manifest) -> str:
    parts = []
    for name in ("featurize", "predict"):
        function = getattr(manifest, name)
        if function:
            parts.append(f"# --- {name}\n{function['source']}")
    if manifest.definition.get("source"):
        parts.append(f"# --- model\n{manifest.definition['source']}")
    parts += [f"# --- cell {index}\n{cell}" for index, cell in enumerate(manifest.code.get("cells", ()), 1)]
    if manifest.code.get("script"):
        parts.append(f"# --- script\n{manifest.code['script']}")
    return "\n".join(parts)
