"""What the body of a request says, whatever contract it follows. Pure: bytes → rows, columns or records.

The forms tell themselves apart: MLflow's ``dataframe_split``, ``dataframe_records`` and ``inputs``, the ``instances``
of Vertex AI and KServe, Open Inference's tensors, Azure's ``input_data`` and ``data``, a bare list or row, and CSV.
A body that says two things at once is refused.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import tensors
from .refusals import Invalid, WrongMediaType

_FORMS = (
    "dataframe_split",
    "dataframe_records",
    "instances",
    "inputs",
    "input_data",
    "data",
    "entities",
    "keys",
)
_BESIDE = {
    "parameters",
    "params",
    "id",
    "outputs",
    "signature_name",
}  # known beside a form, and without a meaning here


@dataclass(slots=True)
class Payload:
    """`kind` says how `data` is to be read: ``columns`` (name → values), ``records``, ``rows`` (positional; an array,
    too) or ``entities`` (a mapping of keys for each). `form` is the contract's word for it."""

    kind: str
    data: Any
    form: str = "instances"
    id: str = ""
    outputs: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


def parse(body: bytes, content_type: str) -> Payload:
    """The payload of a body; `Invalid`, `WrongMediaType`."""
    media, _, _ = content_type.partition(";")
    media = media.strip().lower()
    if media in ("", "application/json") or media.endswith("+json"):
        return _of_document(read_json(body))
    if media == "text/csv":
        return _of_csv(body)
    raise WrongMediaType(f"the body is {media[:100]!r}; application/json and text/csv are read")


def read_json(body: bytes) -> Any:
    """A JSON document."""
    import orjson

    if not body:
        raise Invalid("the body is empty")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        hint = "; NaN and Infinity are no JSON, null is a missing value" if _has_nan(body) else ""
        raise Invalid(
            f"the body is no JSON: {error.msg} (line {error.lineno}, column {error.colno}){hint}"
        ) from None
    except RecursionError:
        raise Invalid("the body is nested too deeply") from None


def _has_nan(body: bytes) -> bool:
    return b"NaN" in body or b"Infinity" in body


def _of_document(document: Any) -> Payload:
    if isinstance(document, list):
        return _of_rows(document, "instances")
    if not isinstance(document, dict):
        raise Invalid("the body is neither an object nor a list")
    forms = [name for name in _FORMS if name in document]
    if not forms:
        if not document:
            raise Invalid(f"the body says nothing; one of {', '.join(_FORMS)}")
        return Payload("records", [document], "row")
    if len(forms) > 1:
        raise Invalid(f"the body has {' and '.join(map(repr, forms))}; one of them is meant")
    (form,) = forms
    unknown = sorted(document.keys() - {form} - _BESIDE)
    if unknown:
        raise Invalid(f"the body has {unknown[0][:100]!r} beside {form!r}")
    given = document[form]
    if form == "inputs" and tensors.are_tensors(given):
        return _of_tensors(document)
    return _READERS[form](given, form)


def _of_tensors(document: Mapping[str, Any]) -> Payload:
    identity, outputs = document.get("id", ""), document.get("outputs", [])
    if not isinstance(identity, str):
        raise Invalid("'id' must be a text")
    if not isinstance(outputs, list) or not all(
        isinstance(one, dict) and isinstance(one.get("name"), str) for one in outputs
    ):
        raise Invalid("'outputs' must be a list of objects with a name")
    kind, data = tensors.decode(document["inputs"])
    return Payload(kind, data, "v2", identity, outputs)


def _of_split(given: Any, form: str) -> Payload:
    if not isinstance(given, dict) or not isinstance(given.get("data"), list):
        raise Invalid(f"{form!r} must be an object with 'columns' and 'data'")
    unknown = sorted(given.keys() - {"columns", "index", "data"})
    if unknown:
        raise Invalid(f"{form!r} has {unknown[0][:100]!r}; it takes 'columns', 'index' and 'data'")
    if not isinstance(given.get("index", []), list):
        raise Invalid(f"the index of {form!r} must be a list")
    if "columns" not in given:
        return _of_rows(given["data"], form)
    rows, columns = given["data"], given["columns"]
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise Invalid(f"the columns of {form!r} must be a list of names")
    if len(set(columns)) != len(columns):
        raise Invalid(f"the columns of {form!r} name one twice")
    if not rows:
        raise Invalid(f"{form!r} has no rows")
    for index, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(columns):
            raise Invalid(f"row {index} of {form!r} must be a list of {len(columns)} values")
    return Payload("columns", dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)), form)


def _of_rows(given: Any, form: str) -> Payload:
    if not isinstance(given, list):
        raise Invalid(f"{form!r} must be a list of rows")
    if not given:
        raise Invalid(f"{form!r} has no rows")
    dicts = sum(isinstance(row, dict) for row in given)
    if dicts == len(given):
        return Payload("records", given, form)
    if dicts:
        raise Invalid(f"{form!r} mixes objects with other rows")
    return Payload("rows", given, form)


def _of_inputs(given: Any, form: str) -> Payload:
    """MLflow's ``inputs``: name → values, or rows."""
    if not isinstance(given, dict):
        return _of_rows(given, form)
    return _of_columns(given, form)


def _of_columns(given: Mapping[str, Any], form: str) -> Payload:
    if not given:
        raise Invalid(f"{form!r} has no columns")
    lengths = {len(values) if isinstance(values, list) else -1 for values in given.values()}
    if lengths == {-1}:  # each a single value: one row
        return Payload("records", [dict(given)], form)
    if len(lengths) > 1 or -1 in lengths:
        raise Invalid(f"the columns of {form!r} must be lists of one length")
    if lengths == {0}:
        raise Invalid(f"{form!r} has no rows")
    return Payload("columns", dict(given), form)


def _of_records(given: Any, form: str) -> Payload:
    payload = _of_rows(given, form)
    if payload.kind != "records":
        raise Invalid(f"{form!r} must be a list of objects")
    return payload


def _of_either(given: Any, form: str) -> Payload:
    if isinstance(given, dict):
        return _of_split(given, form) if isinstance(given.get("data"), list) else _of_columns(given, form)
    return _of_rows(given, form)


def _of_entities(given: Any, form: str) -> Payload:
    payload = _of_records(given, form)
    return Payload("entities", payload.data, form)


_READERS = {
    "dataframe_split": _of_split,
    "dataframe_records": _of_records,
    "instances": _of_either,
    "inputs": _of_inputs,
    "input_data": _of_either,
    "data": _of_either,
    "entities": _of_entities,
    "keys": _of_entities,
}


def _of_csv(body: bytes) -> Payload:
    """A header and rows; what reads as a number is one, an empty field is missing."""
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid(f"the body is no CSV: {error}") from None
    rows = [line for line in lines if line]
    if len(rows) < 2:
        raise Invalid("the CSV needs a line of column names and at least one row")
    names, rows = rows[0], rows[1:]
    if len(set(names)) != len(names):
        raise Invalid("the CSV names a column twice")
    for index, row in enumerate(rows):
        if len(row) != len(names):
            raise Invalid(f"row {index} of the CSV has {len(row)} fields, not {len(names)}")
    columns = {name: _typed([row[place] for row in rows]) for place, name in enumerate(names)}
    return Payload("columns", columns, "csv")


def _typed(texts: Sequence[str]) -> list[Any]:
    """The fields of a column: numbers if all of them are, true and false likewise, else texts."""
    present = [text for text in texts if text != ""]
    for read in (int, float, _boolean):
        try:
            known: dict[str, Any] = {text: read(text) for text in present}
        except ValueError:
            continue
        return [known.get(text) for text in texts]
    return [text or None for text in texts]


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"
