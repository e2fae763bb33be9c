"""Runs a model version from its folder, anywhere: in MLflow, in an image, in the clean process of a trial.

The text of this file goes along with every version that leaves the store, so it imports nothing of ours, only
the standard library and what the version itself needs. The folder holds ``manifest.json`` and the files that
it names. Every file is read once, and verified against its digest before anything is made of it.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import importlib.machinery
import importlib.util
import json
import math
import os
import pickle
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

MANIFEST = "manifest.json"
FUNCTIONS = "functions.pkl"
CODE = "code"
EXAMPLE = "example.json"


class Refused(RuntimeError):
    """A file that is damaged, or a pickle where pickles are not allowed."""


def load(folder: str | os.PathLike[str], manifest_digest: str = "") -> Model:
    """The version in `folder` as a `Model`; its manifest must have the digest, if one is given."""
    folder = os.fspath(folder)
    data = _read(os.path.join(folder, MANIFEST))
    if manifest_digest and hashlib.sha256(data).hexdigest() != manifest_digest:
        raise Refused(f"{MANIFEST} is damaged: it has another digest")
    manifest = json.loads(data)

    def read(name: str) -> bytes:
        content = _read(os.path.join(folder, *name.split("/")))
        if hashlib.sha256(content).hexdigest() != manifest["files"][name]["digest"]:
            raise Refused(f"{name} is damaged: it has another digest")
        return content

    return assemble(manifest, read, os.path.join(folder, CODE))


def assemble(
    manifest: Mapping[str, Any],
    read: Callable[[str], bytes],
    code_folder: str,
    *,
    prefer_portable: bool = True,
    is_trusted: bool = False,
) -> Model:
    """A `Model` of a manifest; ``read(name)`` gives a file's verified bytes.

    `prefer_portable`: take the model's form that needs no pickle, where there is one. `is_trusted`: whoever
    loads it trusts its maker; nothing in the version can say so.
    """
    definition = manifest["definition"]
    forms = definition["forms"]
    name = forms.get("portable") if prefer_portable else forms.get("fast")
    name = name or forms.get("portable") or forms["fast"]
    by_name = manifest["dependencies"].get("imported_by_name") or ()
    if by_name:
        import_local(by_name, manifest, code_folder)
    model = open_model(read(name), manifest["files"][name]["format"], is_trusted=is_trusted)
    functions: Mapping[str, Any] = {}
    if FUNCTIONS in manifest["files"]:
        functions = unpickle(read(FUNCTIONS))
    return Model(manifest, model, functions.get("featurize"), functions.get("predict"))


class Model:
    """A version, ready: ``predict(data)`` is predict(model, featurize(data))."""

    def __init__(self, manifest: Mapping[str, Any], model: Any, featurize: Any, predict: Any) -> None:
        self.manifest = manifest
        self.model = model
        self.featurize_function = featurize
        self.predict_function = predict

    def featurize(self, data: Any) -> Any:
        """The features of raw data; the functions work on a copy of it."""
        data = data.copy() if hasattr(data, "copy") and not isinstance(data, list) else data
        if isinstance(data, list):
            data = [dict(row) if isinstance(row, dict) else row for row in data]
        return data if self.featurize_function is None else self.featurize_function(data)

    def predict_features(self, features: Any) -> Any:
        """The predictions for features."""
        if self.predict_function is not None:
            return self.predict_function(self.model, features)
        return default_predict(self.model, features)

    def predict(self, data: Any) -> Any:
        """The predictions for raw data."""
        return self.predict_features(self.featurize(data))

    def conform(self, data: Any) -> Any:
        """Data that MLflow has checked by its own few types, with the kinds and dtypes of the example again."""
        inputs = self.manifest["signature"].get("inputs") or {}
        kind = inputs.get("kind")
        if kind == "records" and hasattr(data, "to_dict"):
            return data.to_dict("records")
        if kind != "frame" or not hasattr(data, "columns"):
            return data
        data = data.copy()
        for column in inputs["columns"]:
            if column["name"] in data.columns and str(data[column["name"]].dtype) != column["dtype"]:
                data[column["name"]] = _conform_column(data[column["name"]], column)
        return data[[column["name"] for column in inputs["columns"] if column["name"] in data.columns]]


def _conform_column(series: Any, column: Mapping[str, Any]) -> Any:
    import pandas as pd

    dtype = column["dtype"]
    if dtype == "category" and "categories" in column:
        dtype = pd.CategoricalDtype(column["categories"], ordered=column["is_ordered"])
    elif dtype.startswith("datetime64") and "," in dtype and getattr(series.dtype, "tz", None) is None:
        series = pd.to_datetime(series).dt.tz_localize("UTC")  # as MLflow hands over moments
    try:
        return series.astype(dtype)
    except (TypeError, ValueError):
        return series


def default_predict(model: Any, features: Any) -> Any:
    """What is done when no predict function was given."""
    if hasattr(model, "predict"):
        return model.predict(features)
    return model(features)


# --- files ------------------------------------------------------------------------------------------------


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def unpickle(data: bytes) -> Any:
    """The value of a pickle, unless the environment forbids it, as it may for MLflow."""
    allowed = os.environ.get("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true").strip().lower()
    if allowed in ("false", "0"):
        raise Refused("MLFLOW_ALLOW_PICKLE_DESERIALIZATION is false, and this version holds a pickle")
    return pickle.loads(data)  # noqa: S301 - verified, and whoever loads a version decides on trust


def open_model(data: bytes, form: str, *, is_trusted: bool = False) -> Any:
    """The model from its file's bytes."""
    if form == "pickle":
        return unpickle(data)
    if form == "skops":
        return _open_skops(data, is_trusted=is_trusted)
    if form == "safetensors":
        from safetensors.numpy import load as load_arrays

        return load_arrays(data)
    if form == "lightgbm":
        import lightgbm

        return lightgbm.Booster(model_str=data.decode("utf-8"))
    if form == "xgboost":
        import xgboost

        booster = xgboost.Booster()
        booster.load_model(bytearray(data))
        return booster
    raise Refused(f"the model is of a format {form!r} that is not known here")


def _open_skops(data: bytes, *, is_trusted: bool) -> Any:
    import skops.io

    unknown = skops.io.get_untrusted_types(data=data)
    if unknown and not is_trusted:
        raise Refused(f"it holds types that skops does not know to be safe: {', '.join(unknown)}")
    return skops.io.loads(data, trusted=unknown)


def import_local(names: Iterable[str], manifest: Mapping[str, Any], code_folder: str) -> None:
    """Let modules that went along be found when a function imports them.

    No folder: they are found as it is. A module of the same name that is loaded or found already must be the
    same: two versions that bring different ones cannot be in one process.
    """
    if code_folder and code_folder not in sys.path:
        sys.path.append(code_folder)
        importlib.invalidate_caches()
    for name in names:
        spec = importlib.util.find_spec(name)
        stem, files = CODE + "/" + name.replace(".", "/"), manifest["files"]
        paths = (stem + ".py", stem + "/__init__.py")
        wanted = [files[path]["digest"] for path in paths if path in files]
        origin = getattr(spec, "origin", None)
        if not wanted or origin is None:
            continue
        if hashlib.sha256(_read(origin)).hexdigest() not in wanted:
            raise Refused(
                f"the module {name} of this version is not the one that is found here ({origin}); "
                "load the version in a process of its own"
            )


# --- examples, as JSON --------------------------------------------------------------------------------------


def encode_data(value: Any) -> dict[str, Any]:
    """A frame, series, array, list of records or list of values as JSON; ValueError for anything else."""
    kind = kind_of(value)
    if kind == "frame":
        columns = [_encode_column(name, value[name]) for name in value.columns]
        return {"kind": kind, "rows": len(value), "columns": columns}
    if kind == "series":
        return {"kind": kind, **_encode_column(value.name, value)}
    if kind == "array":
        if value.dtype.kind not in "biufUSM":
            raise ValueError(f"arrays of dtype {value.dtype} cannot be kept")
        data = value.astype(str).tolist() if value.dtype.kind in "MS" else _plain(value.tolist())
        return {"kind": kind, "dtype": str(value.dtype), "shape": list(value.shape), "data": data}
    return {"kind": kind, "data": _plain(value)}


def decode_data(body: Mapping[str, Any]) -> Any:
    """What `encode_data` encoded."""
    kind = body["kind"]
    if kind in ("frame", "series"):
        import pandas as pd

        if kind == "series":
            return _decode_column(body).rename(body["name"])
        columns = {column["name"]: _decode_column(column) for column in body["columns"]}
        return pd.DataFrame(columns, index=pd.RangeIndex(body["rows"]))
    if kind == "array":
        import numpy as np

        dtype = np.dtype(body["dtype"])
        return np.array(_numbers(body["data"], dtype.kind), dtype=dtype).reshape(body["shape"])
    return _restored(body["data"])


def kind_of(value: Any) -> str:
    """``frame``, ``series``, ``array``, ``records`` or ``list``; ValueError for what is none of them."""
    library = type(value).__module__.partition(".")[0]
    if library == "pandas" and hasattr(value, "iloc"):
        return "frame" if hasattr(value, "columns") else "series"
    if library == "numpy" and hasattr(value, "dtype") and getattr(value, "ndim", 0) > 0:
        return "array"
    if isinstance(value, (list, tuple)):
        return "records" if value and all(isinstance(row, dict) for row in value) else "list"
    raise ValueError(f"a {type(value).__qualname__} is neither a frame, nor an array, nor a list")


def _encode_column(name: Any, series: Any) -> dict[str, Any]:
    import pandas as pd

    dtype = series.dtype
    body: dict[str, Any] = {"name": name, "dtype": str(dtype)}
    if isinstance(dtype, pd.CategoricalDtype):
        body["dtype"] = "category"
        body["ordered"] = bool(dtype.ordered)
        body["categories"] = _encode_column("", pd.Series(dtype.categories))
        body["values"] = [int(code) for code in series.cat.codes]
        return body
    if pd.api.types.is_datetime64_any_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        body["values"] = [None if one is pd.NaT else one.isoformat() for one in series]
        return body
    body["values"] = [_value(one) for one in series.tolist()]
    return body


def _value(one: Any) -> Any:
    if one is None or isinstance(one, (bool, int, str)):
        return one
    if isinstance(one, float):
        return one if math.isfinite(one) else None if one != one else {"$float": repr(one)}
    if isinstance(one, bytes):
        return {"$bytes": base64.b64encode(one).decode("ascii")}
    if isinstance(one, dict):
        return {str(key): _value(item) for key, item in one.items()}
    if isinstance(one, (list, tuple)):
        return [_value(item) for item in one]
    if type(one).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(one, "tolist"):  # scalars and arrays of NumPy
        return _value(one.tolist())
    raise ValueError(f"a {type(one).__qualname__} cannot be kept as JSON")


def _plain(value: Iterable[Any]) -> list[Any]:
    return [_value(item) for item in value]


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        if "$float" in value:
            return float(value["$float"])
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
        return {key: _restored(item) for key, item in value.items()}
    return [_restored(item) for item in value] if isinstance(value, list) else value


def _numbers(value: Any, kind: str) -> Any:
    if isinstance(value, list):
        return [_numbers(item, kind) for item in value]
    if value is None:
        return math.nan if kind == "f" else None
    return float(value["$float"]) if isinstance(value, dict) else value


def _decode_column(body: Mapping[str, Any]) -> Any:
    import pandas as pd

    dtype, values = body["dtype"], body["values"]
    if dtype == "category":
        categories = pd.Index(_decode_column(body["categories"]))
        codes = pd.Categorical.from_codes(values, categories=categories, ordered=body["ordered"])
        return pd.Series(codes)
    if dtype.startswith("datetime64"):
        zone = dtype.partition(",")[2]
        if not zone:
            return pd.to_datetime(pd.Series(values, dtype="object"), format="ISO8601").astype(dtype)
        return pd.to_datetime(pd.Series(values, dtype="object"), format="ISO8601", utc=True).astype(dtype)
    if dtype.startswith("timedelta64"):
        return pd.to_timedelta(pd.Series(values, dtype="object")).astype(dtype)
    if dtype == "bool":
        return pd.Series(values, dtype="bool")
    return pd.Series([_restored(one) for one in values], dtype=dtype)


# --- the clean process of a trial ---------------------------------------------------------------------------


class _OnlyDependencies:
    """Lets nothing be imported but what the version's lock brings: an import that is missing there shows."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = set(allowed) | set(sys.stdlib_module_names)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        top = name.partition(".")[0]
        if path is None and top not in self.allowed and _is_installed(name):
            raise ModuleNotFoundError(f"{top} is not among the dependencies of this version", name=top)


def _is_installed(name: str) -> bool:
    """Whether a module is one of a distribution, not a part of Python itself under an odd name."""
    spec = importlib.machinery.PathFinder.find_spec(name)
    places = [spec.origin or "", *(spec.submodule_search_locations or [])] if spec else []
    return any("-packages" in place for place in places)


def replay(folder: str) -> dict[str, Any]:
    """Predict the version's own example; ``{"output": …}`` or ``{"error": …}``."""
    os.chdir(folder)
    try:
        model = load(folder)
        example = decode_data(json.loads(_read(os.path.join(folder, EXAMPLE))))
        return {"output": encode_data(model.predict(example))}
    except BaseException as error:  # noqa: BLE001 - it is told, whatever it is
        import traceback

        return {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}


def serve(requests: IO[str], answers: IO[str]) -> None:
    """The first line of JSON says what may be imported; each further one is a version to replay.

    Where there is a fork, each is replayed in one of this process, which itself does nothing but import what
    versions need. Nothing was imported before the rule, so nothing is there that it forbids.
    """
    sys.meta_path.insert(0, _OnlyDependencies(json.loads(requests.readline())["allowed"]))
    for line in requests:
        request = json.loads(line)
        for name in request["modules"]:
            try:
                importlib.import_module(name)
            except Exception:  # noqa: BLE001, S112 - the version will tell, if it needs it
                continue
        told = _in_a_fork(request["folder"]) if hasattr(os, "fork") else json.dumps(replay(request["folder"]))
        answers.write(told + "\n")
        answers.flush()


def _in_a_fork(folder: str) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            with os.fdopen(writing, "w", encoding="utf-8") as answer:
                json.dump(replay(folder), answer)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as told:
        text = told.read()
    status = os.waitpid(child, 0)[1]
    return text or json.dumps({"error": f"the process ended by itself (status {status})", "traceback": ""})


if __name__ == "__main__":
    # Only the answers may go to stdout: the functions may print.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(sys.stdin, channel)
