"""The OpenAPI document of a served version, typed by its signature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import _version
from . import tensors
from .options import Options
from .refusals import STATUSES, Refusal
from .version import Version

_TYPES = {"boolean": "boolean", "integer": "integer", "long": "integer", "float": "number", "double": "number",
          "string": "string", "binary": "string", "datetime": "string"}  # fmt: skip


def describe(version: Version, options: Options, *, has_features: bool) -> dict[str, Any]:
    """The document."""
    name = version.name
    predict = {"post": _predict(version, has_csv=True, has_features=has_features)}
    paths: dict[str, Any] = {
        "/ping": _probe("Whether requests are answered (SageMaker)."),
        "/health": _probe("The same (MLflow)."),
        "/healthz/live": _probe("Whether the process is well."),
        "/healthz/ready": _probe("Whether requests are answered."),
        "/invocations": predict,
        "/score": predict,
        f"/v1/models/{name}:predict": {"post": _predict(version, has_csv=False, has_features=has_features)},
        f"/v1/models/{name}": _get("What the model is called (KServe V1).", {"type": "object"}),
        "/v2": _get("What this server is (Open Inference V2).", {"type": "object"}),
        "/v2/health/live": _probe("Whether the process is well."),
        "/v2/health/ready": _probe("Whether requests are answered."),
        f"/v2/models/{name}": _get(
            "What the model takes and gives.", {"$ref": "#/components/schemas/Metadata"}
        ),
        f"/v2/models/{name}/ready": _get("Whether it answers.", {"type": "object"}),
        f"/v2/models/{name}/infer": {"post": _infer(version)},
        "/mlops/state": _get("Versions, shares and counts.", {"type": "object"}),
    }
    for route, path in (
        (options.predict_route, predict),
        (options.health_route, _probe("Vertex AI's probe.")),
    ):
        if route:
            paths.setdefault(route, path)
    body: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": name,
            "version": str(version.number),
            "description": str(version.manifest.get("description") or f"Predictions of {name}."),
        },
        "paths": paths,
        "components": {
            "schemas": {
                "Row": row_schema(version.inputs),
                "Prediction": prediction_schema(version.outputs),
                "Error": {
                    "type": "object",
                    "required": ["error", "code"],
                    "properties": {"error": {"type": "string"}, "code": {"type": "string"}},
                },
                "Metadata": {
                    "type": "object",
                    "required": ["name", "versions", "platform", "inputs", "outputs"],
                },
                "Tensor": _tensor(),
            }
        },
        "x-mlops": {"digest": version.digest, "server": _version.__version__},
    }
    if options.token:
        body["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        body["security"] = [{"token": []}]
    return body


def row_schema(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """One row as an object, or as a list or value where the model takes arrays."""
    kind = inputs.get("kind")
    if kind == "frame":
        columns = inputs["columns"]
        return {
            "type": "object",
            "required": [one["name"] for one in columns],
            "properties": {one["name"]: value_schema(one) for one in columns},
        }
    if kind == "records":
        fields = inputs["fields"]
        return {
            "type": "object",
            "required": [one["name"] for one in fields if one["is_required"]],
            "properties": {
                one["name"]: {} if one["type"] == "any" else {"description": one["type"]} for one in fields
            },
        }
    if kind == "array":
        schema = _number_schema(str(inputs["dtype"]))
        for size in reversed(inputs["shape"][1:]):
            schema = {"type": "array", "items": schema, "minItems": size, "maxItems": size}
        return schema
    if kind == "series":
        return value_schema(inputs["columns"][0])
    return {}


def value_schema(column: Mapping[str, Any]) -> dict[str, Any]:
    """A value of a column; one that may be missing may be null."""
    kind, dtype = column["type"], str(column["dtype"])
    schema: dict[str, Any] = {"type": _TYPES[kind]} if kind in _TYPES else {}
    if "categories" in column:
        values = list(column["categories"])
        return {"enum": [*values, None]}
    if kind in ("integer", "long") and dtype != "object":
        bits = int("".join(filter(str.isdigit, dtype)) or 64)
        is_signed = not dtype.lower().startswith("u")
        schema["minimum"] = -(2 ** (bits - 1)) if is_signed else 0
        schema["maximum"] = 2 ** (bits - 1 if is_signed else bits) - 1
    if kind == "datetime":
        schema["format"] = "date-time"
    may_be_null = kind in ("float", "double", "string", "datetime") or column.get("has_missing")
    if may_be_null and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    return schema


def _number_schema(dtype: str) -> dict[str, Any]:
    if dtype == "bool":
        return {"type": "boolean"}
    if dtype.startswith(("int", "uint")):
        return value_schema({"type": "long", "dtype": dtype})
    return {"type": "number"} if dtype.startswith("float") else {}


def prediction_schema(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """One prediction; a number may be null, which is how JSON says that it is none."""
    kind = outputs.get("kind")
    if kind in ("frame", "records"):
        columns = outputs.get("columns") or outputs.get("fields") or []
        return {"type": "object", "properties": {one["name"]: _given(one["type"]) for one in columns}}
    if kind == "series":
        return _given(outputs["columns"][0]["type"])
    if kind == "array":
        schema = _given(
            {"b": "boolean", "i": "long", "u": "long", "f": "double"}.get(str(outputs["dtype"])[:1], "")
        )
        for _ in outputs["shape"][1:]:
            schema = {"type": "array", "items": schema}
        return schema
    return {}


def _given(kind: str) -> dict[str, Any]:
    return {"type": [_TYPES[kind], "null"]} if kind in _TYPES else {}


# --- operations ---------------------------------------------------------------------------------------------


def _errors(*statuses: int) -> dict[str, Any]:
    words = {one.status: (one.__doc__ or "").partition("\n")[0] for one in (Refusal, *STATUSES)}
    return {
        str(status): {
            "description": words[status],
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
        for status in statuses
    }


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _get(words: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    answers = {"200": {"description": "So it is.", "content": _json(schema)}, **_errors(401, 404, 405, 503)}
    return {"get": {"summary": words, "responses": answers}}


def _probe(words: str) -> dict[str, Any]:
    path = _get(words, {"type": "object"})
    path["get"]["security"] = []
    return path


_FAILURES = (400, 401, 404, 405, 408, 411, 413, 415, 429, 431, 500, 503, 504)


def _predict(version: Version, *, has_csv: bool, has_features: bool) -> dict[str, Any]:
    rows = {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Row"}}
    forms = [_form("instances", rows)]
    if version.inputs.get("kind") in ("frame", "records"):
        forms.append(_form("dataframe_records", rows))
    if version.inputs.get("kind") == "frame":
        forms.append(_form("dataframe_split", _split_schema(version.inputs)))
    if has_features:
        forms.append(_form("entities", {"type": "array", "minItems": 1, "items": {"type": "object"}}))
    content: dict[str, Any] = _json({"anyOf": forms})
    answer = {
        "type": "object",
        "required": ["predictions"],
        "properties": {
            "predictions": {"type": "array", "items": {"$ref": "#/components/schemas/Prediction"}}
        },
    }
    answers: dict[str, Any] = {"200": {"description": "A prediction for each row.", "content": _json(answer)}}
    if has_csv:
        answers["200"]["content"]["text/csv"] = {"schema": {"type": "string"}}
    return {
        "summary": "Predict.",
        "requestBody": {"required": True, "content": content},
        "responses": {**answers, **_errors(*_FAILURES)},
    }


def _form(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [name], "properties": {name: schema}, "additionalProperties": False}


def _split_schema(inputs: Mapping[str, Any]) -> dict[str, Any]:
    columns = inputs["columns"]
    row = {
        "type": "array",
        "prefixItems": [value_schema(one) for one in columns],
        "minItems": len(columns),
        "maxItems": len(columns),
    }
    return {
        "type": "object",
        "required": ["data"],
        "properties": {
            "columns": {"const": [one["name"] for one in columns]},
            "index": {"type": "array"},
            "data": {"type": "array", "minItems": 1, "items": row},
        },
        "additionalProperties": False,
    }


def _tensor() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "shape": {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 0}},
            "datatype": {"enum": [*tensors.NUMPY, "BYTES"]},
            "data": {"type": "array"},
        },
    }


def _infer(version: Version) -> dict[str, Any]:
    tensor = {"$ref": "#/components/schemas/Tensor"}
    request = {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": "string"},
            "parameters": {"type": "object"},
            "inputs": {"type": "array", "minItems": 1, "items": tensor},
            "outputs": {
                "type": "array",
                "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
            },
        },
        "additionalProperties": False,
        "description": f"Tensors: {', '.join(one['name'] for one in tensors.describe(version.inputs, 'input'))}",
    }
    answer = {
        "type": "object",
        "required": ["model_name", "outputs"],
        "properties": {
            "model_name": {"type": "string"},
            "model_version": {"type": "string"},
            "id": {"type": "string"},
            "outputs": {"type": "array", "items": tensor},
        },
    }
    return {
        "summary": "Predict from tensors.",
        "requestBody": {"required": True, "content": _json(request)},
        "responses": {
            "200": {"description": "Tensors of predictions.", "content": _json(answer)},
            **_errors(*_FAILURES),
        },
    }
