"""Export to a Feast repository: the way to warehouses and online stores that we do not speak.

Pure text and plain parquet: ``feature_store.yaml``, ``definitions.py``, and for each view a file with its log in
microseconds (nanoseconds break Feast's DuckDB store). It names that store, since Feast's default one loses rows.
What Feast cannot say is refused, not left out: on-demand views, and what it answers otherwise is said in the
file's head.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from ..errors import InvalidInput
from .definitions import Entity, FeatureService, FeatureView
from .names import CREATED, EVENT, parse_reference

_TYPES = {
    "int64": "Int64", "int32": "Int32", "float64": "Float64", "float32": "Float32", "bool": "Bool",
    "string": "String", "bytes": "Bytes", "timestamp": "UnixTimestamp",
}  # fmt: skip
_KEY_TYPES = {"int64": "INT64", "string": "STRING"}
_HEAD = '''"""Made by jupyter_mlops from its feature store; make it again rather than change it.

Two answers differ from ours. Feast's online store does not apply the ttl, and its offline stores take the
created timestamp for ties only: a row that was created after the moment asked for counts, unless it is filtered.
"""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import {types}
'''


def repository(
    project: str,
    entities: Sequence[Entity],
    views: Sequence[FeatureView],
    services: Sequence[FeatureService],
    keys_of: Mapping[str, Mapping[str, str]],
) -> dict[str, str]:
    """Path → text of the repository, without the data. `keys_of` maps a view's name to its join keys."""
    _check(project, entities, services, views)
    config = (
        f"project: {project}\nprovider: local\nregistry: registry.db\n"
        "offline_store:\n  type: duckdb\n"
        "online_store:\n  type: sqlite\n  path: online.db\n"
        "entity_key_serialization_version: 3\n"
    )
    types = sorted(
        {_TYPES[dtype] for view in views for dtype in [*view.schema.values(), *keys_of[view.name].values()]}
    )
    parts = [_HEAD.replace("{types}", ", ".join(types))]
    parts += [_entity(one) for one in entities]
    parts += [_view(one, keys_of[one.name]) for one in views]
    parts += [_service(one) for one in services]
    return {"feature_store.yaml": config, "definitions.py": "\n".join(parts)}


def data_path(view: FeatureView) -> Path:
    """Where the view's rows are, within the repository."""
    return Path("data", f"{view.version}.parquet")


def _entity(entity: Entity) -> str:
    ((key, dtype),) = entity.keys.items()
    return (
        f"{_name('entity', entity.name)} = Entity(\n    name={entity.name!r},\n    join_keys=[{key!r}],\n"
        f"    value_type=ValueType.{_KEY_TYPES[dtype]},\n    description={entity.description!r},\n"
        f"    owner={entity.owner!r},\n    tags={dict(entity.tags)!r},\n)\n"
    )


def _view(view: FeatureView, keys: Mapping[str, str]) -> str:
    fields = [
        f"        Field(name={name!r}, dtype={_TYPES[dtype]}),\n"
        for name, dtype in [*keys.items(), *view.schema.items()]
    ]
    entities = ", ".join(_name("entity", str(one)) for one in view.entities)
    tags = {**view.tags, "jupyter_mlops": view.reference}
    ttl = (view.ttl or timedelta(0)) // timedelta(microseconds=1)  # 0 is "no limit" to Feast
    return (
        f"{_name('source', view.name)} = FileSource(\n    name={view.name + '_source'!r},\n"
        f"    path={data_path(view).as_posix()!r},\n    timestamp_field={EVENT!r},\n"
        f"    created_timestamp_column={CREATED!r},\n)\n\n"
        f"{_name('view', view.name)} = FeatureView(\n    name={view.name!r},\n    entities=[{entities}],\n"
        f"    ttl=timedelta(microseconds={ttl}),\n    schema=[\n{''.join(fields)}    ],\n"
        f"    source={_name('source', view.name)},\n    description={view.description!r},\n"
        f"    owner={view.owner!r},\n    tags={tags!r},\n)\n"
    )


def _service(service: FeatureService) -> str:
    chosen: dict[str, list[str]] = {}
    for text in service.features:
        reference = parse_reference(text)
        chosen.setdefault(reference.view, []).append(reference.feature)
    features = ", ".join(f"{_name('view', name)}[{names!r}]" for name, names in chosen.items())
    return (
        f"{_name('service', service.name)} = FeatureService(\n    name={service.name!r},\n    features=[{features}],\n"
        f"    description={service.description!r},\n    owner={service.owner!r},\n    tags={dict(service.tags)!r},\n)\n"
    )


def _name(kind: str, name: str) -> str:
    return f"{kind}_{re.sub(r'[^A-Za-z0-9_]', '_', name)}"


def _check(
    project: str, entities: Sequence[Entity], services: Sequence[FeatureService], views: Sequence[FeatureView]
) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", project):
        raise InvalidInput(f"{project!r} is not a name for a Feast project", hint="lower case, digits and _")
    for view in views:
        if not re.fullmatch(r"[A-Za-z0-9_]+", view.name):
            raise InvalidInput(
                f"Feast's online stores put names into SQL as they are: {view.name!r} would break them",
                hint="register the view under a name of letters, digits and _",
            )
    for entity in entities:
        if len(entity.keys) != 1:
            raise InvalidInput(
                f"Feast's entities have one join key, {entity.name!r} has {len(entity.keys)}",
                hint="make an entity of each, and give the view both",
            )
    for kind, names in (("entity", [one.name for one in entities]), ("view", [one.name for one in views])):
        made = [_name(kind, name) for name in names]
        if len(set(made)) != len(made):
            raise InvalidInput(f"two names of a kind ({kind}) are one in Python: {', '.join(sorted(names))}")
    exported = {view.reference for view in views}
    for service in services:
        for text in service.features:
            if text.partition(":")[0] not in exported:
                raise InvalidInput(
                    f"feature service {service.name!r} uses {text}, which is on demand or not the current version",
                    hint="Feast's repository holds the current version of feature views; export without that service",
                )
