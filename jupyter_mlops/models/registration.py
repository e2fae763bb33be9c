"""From what a notebook hands over to an envelope: manifest and files, tried out, nothing stored yet.

Everything that can be wrong is found here, before the store has seen a byte; storing then is one transaction.
"""

from __future__ import annotations

import ast
import inspect
import io
import json
import linecache
import os
import tempfile
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..blobs import parse_reference
from ..encoding import to_json
from ..errors import InvalidInput, MlopsError, NotFound
from ..events import now
from ..fingerprint import digest_bytes
from . import arguments, formats, runtime, signature, trial
from .capture import Captured, capture
from .dependencies import gather
from .manifest import Manifest, check_path
from .origin import DataSource, generating_code, masked, profiles_of, run_identity, secrets

Check = Literal["quick", "full", "none"]
EXAMPLE_ROWS = 20  # of an input example are kept
OUTPUT = "example_output.json"
_LONGEST_TEXT = 2000  # characters of a model's repr
_READ_BLOB = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A version that is not stored yet: its manifest, and the bytes of its files by path."""

    manifest: Manifest
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The arguments of a registration; see `ModelStore.register`."""

    name: str
    model: Any
    featurize: Callable[[Any], Any] | None = None
    predict: Callable[[Any, Any], Any] | None = None
    input_example: Any = None
    metrics: Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] | None = None
    tags: Mapping[str, Any] | None = None
    description: str = ""
    data: tuple[DataSource, ...] = ()
    code: Mapping[str, Any] | None = None
    artifacts: Mapping[str, Any] | None = None
    run: Any = None
    requires: Sequence[str] = ()
    format: str = "auto"
    check: Check = "quick"
    is_rowwise: bool = True
    user_name: str = ""


def prepare(request: Request, read_blob: _READ_BLOB) -> Envelope:
    """The envelope of what is asked for, tried out; `InvalidInput` says what is wrong with it."""
    if request.check not in ("quick", "full", "none"):
        raise InvalidInput(f"check={request.check!r}", hint="'quick', 'full' or 'none'")
    for name in ("metrics", "parameters", "tags", "code", "artifacts"):
        arguments.check_mapping(getattr(request, name), name)
    arguments.check_functions(request.model, request.featurize, request.predict)
    requires = arguments.texts(request.requires, "requires")
    metrics, tags = arguments.metrics_of(request.metrics), arguments.tags_of(request.tags)
    example = _example(request.input_example)
    inputs = signature.infer(request.input_example, "the input example")
    output = trial.run_original(_original(request), example)
    outputs = signature.infer(output, "the prediction for the input example")

    saved = formats.save(request.model, request.format)
    functions = _functions(request)
    captured = [*saved.captured, *([functions] if functions else [])]
    modules = {*saved.modules, *_modules_of(request.input_example), *({"cloudpickle"} if functions else ())}
    dependencies = gather(captured, modules=modules, requires=requires)
    artifacts, artifact_files = _artifacts(request.artifacts, read_blob)
    files = {path: data for path, (_, data) in saved.files.items()}
    if functions:
        files[runtime.FUNCTIONS] = functions.data
    files |= {f"{runtime.CODE}/{path}": data for path, data in dependencies.sources.items()}
    files |= artifact_files
    files[runtime.EXAMPLE] = _encoded(example)
    files[OUTPUT] = _encoded(output)
    _refuse_secrets(files)
    formats_of = {path: form for path, (form, _) in saved.files.items()} | {runtime.FUNCTIONS: "pickle"}
    manifest = Manifest(
        name=request.name,
        definition=_definition(request.model, saved, captured),
        parameters=_parameters(request),
        featurize=_function(request.featurize),
        predict=_function(request.predict),
        dependencies=dependencies.to_json(),
        data=[one.to_json() for one in request.data],
        profiles=profiles_of(request.data),
        code=generating_code(request.code),
        run=run_identity(request.run),
        artifacts=artifacts,
        metrics=metrics,
        signature={"inputs": inputs, "outputs": outputs},
        example={
            "file": runtime.EXAMPLE,
            "output": OUTPUT,
            "rows": len(example),
            "rows_given": len(request.input_example),
        },
        tags=tags,
        description=request.description,
        files={path: _file(data, formats_of.get(path, "")) for path, data in sorted(files.items())},
        check={"kind": request.check, "is_rowwise": request.is_rowwise},
        created_at=now().isoformat(),
        user_name=request.user_name,
    )
    envelope = Envelope(manifest, files)
    if request.check != "none":
        _try(envelope, example, output, request)
    return envelope


def _try(envelope: Envelope, example: Any, output: Any, request: Request) -> None:
    body = envelope.manifest.to_json()
    forms = body["definition"]["forms"]
    for form in forms:  # each must hold; that rows are independent is a matter of the functions, asked once
        model = runtime.assemble(body, envelope.files.__getitem__, "", prefer_portable=form == "portable")
        is_rowwise = request.is_rowwise and form == next(iter(forms))
        trial.check(model, example, output, is_rowwise=is_rowwise)
    if request.check == "full":
        _try_clean(body, envelope.files.__getitem__, output)


def try_again(
    manifest: Manifest, read: _READ_BLOB, model: runtime.Model, example: Any, expected: Any
) -> None:
    """The full trial of a version that is stored, by its example and the prediction that was kept for it."""
    trial.check(model, example, expected, is_rowwise=bool(manifest.check.get("is_rowwise", True)))
    _try_clean(manifest.to_json(), read, expected)


def _try_clean(body: Mapping[str, Any], read: _READ_BLOB, output: Any) -> None:
    with tempfile.TemporaryDirectory(prefix="mlops-trial-") as folder:
        write_folder(body, read, Path(folder))
        trial.check_clean(Path(folder), body, output)


def write_folder(manifest: Mapping[str, Any], read: _READ_BLOB, folder: Path) -> None:
    """The version as a folder that `runtime.load` takes: the manifest, and every file at its path."""
    (folder / runtime.MANIFEST).write_bytes(Manifest.from_bytes(json.dumps(manifest).encode()).to_bytes())
    for path in manifest["files"]:
        target = folder.joinpath(*check_path(path).split("/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(read(path))


def _original(request: Request) -> runtime.Model:
    return runtime.Model({}, request.model, request.featurize, request.predict)


def _functions(request: Request) -> Captured | None:
    """Both functions in one pickle, so that they go on sharing their globals."""
    given = {"featurize": request.featurize, "predict": request.predict}
    given = {name: function for name, function in given.items() if function is not None}
    if not given:
        return None
    try:
        return capture(given, "the functions")
    except InvalidInput:
        for name, function in given.items():
            capture(function, name)  # its message names the function
        raise


def _example(value: Any) -> Any:
    """The rows of the example that are kept, checked to come back from JSON as they are."""
    if value is None:
        raise InvalidInput(
            "input_example is missing", hint="a few rows as the model will be given: frame.head()"
        )
    try:
        kind = runtime.kind_of(value)
    except ValueError as error:
        hint = (
            "frame.to_pandas()"
            if hasattr(value, "to_pandas")
            else "a pandas frame, an array, or a list of dicts"
        )
        raise InvalidInput(f"the input example: {error}", hint=hint) from None
    if kind == "frame":
        signature.infer(value, "the input example")  # names of columns, before anything is made of them
        value = _without_index(value)
    rows = value.iloc[:EXAMPLE_ROWS] if kind in ("frame", "series") else value[:EXAMPLE_ROWS]
    try:
        again = runtime.decode_data(json.loads(json.dumps(runtime.encode_data(rows), allow_nan=False)))
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"the input example cannot be kept as JSON: {error}", hint=_EXAMPLE_HINT) from None
    _check_same(rows, again, kind)
    return rows


_EXAMPLE_HINT = "numbers, texts, booleans, moments, categories, bytes, lists and dicts can be kept"


def _without_index(frame: Any) -> Any:
    """Requests have no index: what the model needs of it must be a column."""
    index = frame.index
    if index.name is not None or getattr(index, "nlevels", 1) > 1 or index.dtype.kind not in "iu":
        raise InvalidInput(
            f"the input example has an index of its own ({index.name or type(index).__name__})",
            hint="make it a column: frame.reset_index(), or drop it: frame.reset_index(drop=True)",
        )
    return frame.reset_index(drop=True)


def _check_same(rows: Any, again: Any, kind: str) -> None:
    if kind == "frame":
        for name in rows.columns:
            if str(rows[name].dtype) != str(again[name].dtype) or not rows[name].equals(again[name]):
                shown = next((v for v in rows[name] if v is not None), None)
                raise InvalidInput(
                    f"the input example: the column {name!r} ({rows[name].dtype}, such as {shown!r}) cannot be "
                    "kept as JSON",
                    hint=_EXAMPLE_HINT,
                )
    elif trial.difference(trial.columns_of(rows), trial.columns_of(again)):
        raise InvalidInput("the input example cannot be kept as JSON", hint=_EXAMPLE_HINT)


def _encoded(value: Any) -> bytes:
    try:
        return json.dumps(runtime.encode_data(value), allow_nan=False).encode()
    except (ValueError, TypeError) as error:
        raise InvalidInput(
            f"the prediction for the input example cannot be kept as JSON: {error}", hint=_EXAMPLE_HINT
        ) from None


def _refuse_secrets(files: Mapping[str, bytes]) -> None:
    for name, value in secrets().items():
        found = next((path for path, data in files.items() if value.encode() in data), None)
        if found is not None:
            raise InvalidInput(
                f"{found} would hold the value of the secret {name}",
                hint=f"read os.environ['{name}'] inside the function that needs it, and keep it in no variable",
            )


def _modules_of(example: Any) -> set[str]:
    return {type(example).__module__.partition(".")[0]} - {"builtins"}


def _file(data: bytes, form: str) -> dict[str, Any]:
    body: dict[str, Any] = {"digest": digest_bytes(data), "size_bytes": len(data)}
    return {**body, "format": form} if form else body


# --- what stands in the manifest --------------------------------------------------------------------------


def _parameters(request: Request) -> dict[str, Any]:
    """The estimator's own, then what is given; what JSON cannot hold stands there as text."""
    own: Any = {}
    if hasattr(request.model, "get_params") and not isinstance(request.model, type):
        try:
            own = request.model.get_params()
        except Exception:  # noqa: BLE001 - an estimator's own method; without it the rest still holds
            own = {}
    return {
        str(name): _jsonable(value) for name, value in {**dict(own), **(request.parameters or {})}.items()
    }


def _jsonable(value: Any) -> Any:
    try:
        return to_json(value)
    except MlopsError:
        return repr(value)[:_LONGEST_TEXT]


def _definition(model: Any, saved: formats.Saved, captured: Sequence[Captured]) -> dict[str, Any]:
    kind = model if isinstance(model, type) else type(model)
    return {
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "library": kind.__module__.partition(".")[0],
        "text": repr(model)[:_LONGEST_TEXT],
        "source": "\n\n".join(filter(None, (_source(one) for item in captured for one in item.classes))),
        "forms": dict(saved.forms),
    }


def _function(function: Any) -> dict[str, Any] | None:
    if function is None:
        return None
    name = getattr(function, "__qualname__", type(function).__qualname__)
    source = _source(function) or _source(type(function))
    return {"name": name, "source": source, "digest": digest_bytes(source.encode()) if source else ""}


def _source(value: Any) -> str:
    try:
        return masked(textwrap.dedent(inspect.getsource(value)).strip())
    except (OSError, TypeError, IndentationError):
        return masked(_source_of_class(value)) if isinstance(value, type) else ""


def _source_of_class(kind: type) -> str:
    """A class of a notebook, which has no file: its methods know their cell."""
    for function in vars(kind).values():
        code = getattr(function, "__code__", None)
        if code is None:
            continue
        text = "".join(linecache.getlines(code.co_filename))
        try:
            nodes = list(ast.walk(ast.parse(text)))
        except SyntaxError:  # a cell with magics
            continue
        for node in nodes:
            if isinstance(node, ast.ClassDef) and node.name == kind.__name__:
                return ast.get_source_segment(text, node) or ""
    return ""


# --- experiment artifacts ---------------------------------------------------------------------------------


def _artifacts(
    given: Mapping[str, Any] | None, read_blob: _READ_BLOB
) -> tuple[dict[str, dict[str, Any]], dict[str, bytes]]:
    described: dict[str, dict[str, Any]] = {}
    files: dict[str, bytes] = {}
    for name, value in (given or {}).items():
        suffix, data = _artifact(name, value, read_blob)
        path = check_path(f"artifacts/{name}" if name.endswith(suffix) else f"artifacts/{name}{suffix}")
        described[name] = {"file": path, "size_bytes": len(data)}
        files[path] = data
    return described, files


def _artifact(name: str, value: Any, read_blob: _READ_BLOB) -> tuple[str, bytes]:
    if isinstance(value, (bytes, bytearray)):
        return "", bytes(value)
    if reference := parse_reference(value):
        return f".{reference.format}" if reference.format else "", read_blob(reference.digest)
    if isinstance(value, (str, os.PathLike)):
        path = Path(value)
        if not path.is_file():
            raise NotFound(f"artifact {name!r}: there is no file {path} here ({Path.cwd()})")
        return path.suffix, path.read_bytes()
    if hasattr(value, "savefig"):
        buffer = io.BytesIO()
        value.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
        return ".png", buffer.getvalue()
    if hasattr(value, "to_parquet"):
        buffer = io.BytesIO()
        value.to_parquet(buffer)
        return ".parquet", buffer.getvalue()
    try:
        return ".json", json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False).encode()
    except (TypeError, ValueError):
        raise InvalidInput(
            f"artifact {name!r} is a {type(value).__qualname__}",
            hint="a path, bytes, a Matplotlib figure, a frame, JSON, or what mlops.artifact(…) returned",
        ) from None
