"""What a notebook says to the pipeline: results, artifacts, inputs.

``mlops.result("auc", 0.91)`` stores a small JSON value in the notebook's outputs, in scrapbook's form.
``mlops.artifact("train", frame)`` stores a frame, file or object in the blob store and gives its reference,
which later notebooks receive as an argument. ``mlops.input("train")`` opens one. All three work anywhere: in
a run (which sets ``MLOPS_*`` in the kernel's environment), in JupyterLab, in a console, and in plain Python,
where nothing is displayed.

Equal values give equal bytes, hence equal digests, so that a task downstream stays cached when its input was
made anew but did not change.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from .blobs import BlobStore, make_reference, parse_reference
from .errors import InvalidInput, NotFound, did_you_mean
from .resources import format_bytes
from .settings import Settings, find_root

RESULT_MIME = "application/scrapbook.scrap.json+json"
ARTIFACT_MIME = "application/vnd.jupyter-mlops.artifact+json"
RESULT_LIMIT = 64 * 1024  # bytes of JSON: what is larger is an artifact
_SHOWN_CHARACTERS = 500


def result(name: str, value: Any) -> None:
    """Emit a small JSON value under `name`: a metric, a count, a list to fan out over.

    Numbers of NumPy become plain ones, tuples become lists. Raises `InvalidInput` for what JSON cannot hold
    (NaN included) and for more than 64 KiB.
    """
    _check_name(name)
    plain = _plain(value, name)
    size = len(json.dumps(plain, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if size > RESULT_LIMIT:
        raise InvalidInput(
            f"result {name!r} has {format_bytes(size)} of JSON; at most {format_bytes(RESULT_LIMIT)} fit",
            hint=f"store it with mlops.artifact({name!r}, …)",
        )
    shown = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    shown = shown if len(shown) <= _SHOWN_CHARACTERS else shown[:_SHOWN_CHARACTERS] + "…"
    scrap = {"name": name, "data": plain, "encoder": "json", "version": 1}
    _display(
        {
            RESULT_MIME: scrap,
            "text/plain": f"{name} = {shown}",
            "text/html": _line(name, [shown], code=True),
        },
        {"scrapbook": {"name": name, "data": True, "display": False}},
    )


def artifact(name: str, value: Any) -> str:
    """Store `value` under `name` in the blob store and return its reference, ``blob://sha256/…/name.format``.

    ==============================  =====================================================
    frame (pandas, Polars, Arrow)   parquet
    path of an existing file        that file, with its suffix
    Matplotlib figure               png
    bytes                           bin
    dict or list                    json, if JSON gives the same value back
    NumPy array                     npy
    anything else                   pkl, by cloudpickle
    ==============================  =====================================================
    """
    _check_name(name)
    summary: dict[str, Any] = {}
    if isinstance(value, (str, os.PathLike)):
        path = _existing_file(value)
        suffix = _suffix(path)
        digest, size = _store().put_file(path), path.stat().st_size
    else:
        data, suffix, summary = _serialize(name, value)
        digest, size = _store().put_bytes(data), len(data)
    reference = make_reference(digest, name, suffix)
    body = {"name": name, "reference": reference, "digest": digest, "format": suffix, "size_bytes": size}
    details = [*filter(None, [suffix]), *_describe(summary), format_bytes(size)]
    _display(
        {
            ARTIFACT_MIME: {**body, "summary": summary},
            "text/plain": f"{name}: {', '.join(details)}",
            "text/html": _line(name, details),
        },
        {},
    )
    return reference


def input(name_or_reference: str | os.PathLike[str], *, as_path: bool = False) -> Any:  # noqa: A001
    """Open an artifact: by its reference, by a parameter's or its own name, or a local file by its path.

    Gives a pandas frame (parquet), an array (npy), bytes (bin), the value (json, pkl), and for any other
    format the path of a local file, which must not be written to. `as_path` always gives the path. A name
    means, in a run, the argument of that name; elsewhere the newest artifact of that name in the workspace's
    catalog.

    Pickles are opened only from the blob store that this process is configured to use, where the digest has
    been verified: never from a bare path, since unpickling executes what the file says.
    """
    text = os.fspath(name_or_reference)
    if (reference := parse_reference(text)) is None and _is_file(text):
        return Path(text) if as_path else _open(Path(text), _suffix(Path(text)), is_trusted=False)
    if reference is None:
        reference = parse_reference(_find(text))
        if reference is None:
            raise InvalidInput(f"the argument for {text!r} is no artifact: {_find(text)!r}")
    blob = _store().local_path(reference.digest)
    if as_path or reference.format not in _OPENERS:
        return _named_path(blob, reference.digest, f"{reference.name}.{reference.format}".rstrip("."))
    return _open(blob, reference.format, is_trusted=True)


# --- values -> bytes --------------------------------------------------------------------------------------


def _plain(value: Any, where: str) -> Any:
    """`value` as plain JSON, or `InvalidInput` that says where it cannot be."""
    if value is None or isinstance(value, (bool, int)):
        return value if value is None or isinstance(value, bool) else int(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise InvalidInput(
                f"result {where} is {value}, which JSON has no word for", hint="give None instead"
            )
        return float(value)
    if isinstance(value, Mapping):
        wrong = next((key for key in value if not isinstance(key, str)), None)
        if wrong is not None:
            raise InvalidInput(
                f"result {where} has the key {wrong!r}; keys of JSON are text", hint="use str(key)"
            )
        return {str(key): _plain(item, f"{where}[{key!r}]") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == () and hasattr(value, "item"):
        converted = value.item()
        if isinstance(converted, (bool, int, float, str)):
            return _plain(converted, where)
    raise InvalidInput(
        f"result {where} is a {type(value).__qualname__}; results are JSON values", hint=_cure(value)
    )


def _cure(value: Any) -> str:
    if hasattr(value, "isoformat"):
        return "give value.isoformat()"
    if hasattr(value, "tolist"):
        return "give value.tolist(), or store it with mlops.artifact"
    return "convert it, or store it with mlops.artifact"


def _serialize(name: str, value: Any) -> tuple[bytes, str, dict[str, Any]]:
    """The bytes of a value, their format and a summary."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value), "bin", {}
    if (table := _as_table(name, value)) is not None:
        is_pandas = _is_a(value, "pandas", "DataFrame")  # whose index is a column of the table
        columns = [str(name) for name in (value.columns if is_pandas else table.column_names)]
        summary = {"rows": table.num_rows, "columns": len(columns), "column_names": columns[:100]}
        return _parquet_bytes(table), "parquet", summary
    if _is_a(value, "matplotlib.figure", "Figure"):
        buffer = io.BytesIO()
        value.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
        return buffer.getvalue(), "png", {}
    if _is_a(value, "numpy", "ndarray") and not value.dtype.hasobject:
        import numpy as np

        buffer = io.BytesIO()
        np.save(buffer, value, allow_pickle=False)
        return buffer.getvalue(), "npy", {"shape": list(value.shape), "dtype": str(value.dtype)}
    if isinstance(value, (dict, list)) and (text := _faithful_json(value)) is not None:
        return text.encode(), "json", {"items": len(value)}
    import cloudpickle

    try:
        data: bytes = cloudpickle.dumps(value, protocol=5)
    except Exception as error:
        kind = type(value).__qualname__
        raise InvalidInput(
            f"artifact {name!r} is a {kind} that cannot be pickled: {error}",
            hint="save it to a file by its own means and give the path",
        ) from error
    return data, "pkl", {"type": f"{type(value).__module__}.{type(value).__qualname__}"}


def _is_a(value: Any, module: str, name: str) -> bool:
    """isinstance without importing: a value's class can only come from a module that is loaded."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _as_table(name: str, value: Any) -> Any:
    """The frame as an Arrow table, or None if it is no frame."""
    if _is_a(value, "pyarrow", "Table"):
        return value
    if _is_a(value, "polars", "DataFrame"):
        return value.to_arrow()
    if _is_a(value, "polars", "LazyFrame"):
        return value.collect().to_arrow()
    if not _is_a(value, "pandas", "DataFrame"):
        return None
    import pyarrow as pa

    try:
        return pa.Table.from_pandas(value)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise InvalidInput(
            f"artifact {name!r} cannot become parquet: {' '.join(map(str, error.args))}",
            hint="give each column one type and a name of its own",
        ) from error


def _parquet_bytes(table: Any) -> bytes:
    """Parquet that depends on nothing but the table's content and pyarrow's version.

    Where the table came from shows in its chunks, which would move the borders of pages, so they are joined.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table.combine_chunks(), sink, compression="zstd", row_group_size=1 << 20)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _faithful_json(value: Any) -> str | None:
    """JSON that gives the same value back; None if tuples, integer keys, NaN… would change on the way."""
    try:
        text = json.dumps(value, ensure_ascii=False, indent=1)
        return text if json.loads(text) == value else None
    except (TypeError, ValueError):
        return None


def _existing_file(value: str | os.PathLike[str]) -> Path:
    path = Path(value)
    if _is_file(os.fspath(value)):
        return path
    if isinstance(value, str) and ("\n" in value or len(value) > 255):
        raise InvalidInput(
            "the artifact is a text; a str means the path of a file", hint="give text.encode()"
        )
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder; an artifact is one file", hint="use shutil.make_archive")
    raise NotFound(f"there is no file {path} here ({Path.cwd()})", hint="a text is stored by text.encode()")


def _suffix(path: Path) -> str:
    """The format that a file's name tells: ``csv``, ``tar.gz``, or "" if it tells none."""
    count = 2 if path.suffix in (".gz", ".bz2", ".xz", ".zst") else 1
    suffix = "".join(path.suffixes[-count:]).lstrip(".").lower()
    return suffix if re.fullmatch(r"[a-z0-9_.]+", suffix) else ""


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long, or a null byte
        return False


# --- bytes -> values --------------------------------------------------------------------------------------


def _open_parquet(path: Path) -> Any:
    import pandas as pd

    return pd.read_parquet(path)


def _open_array(path: Path) -> Any:
    import numpy as np

    return np.load(path, allow_pickle=False)


def _open_pickle(path: Path) -> Any:
    import cloudpickle

    with path.open("rb") as file:
        return cloudpickle.load(file)


_OPENERS = {
    "parquet": _open_parquet,
    "npy": _open_array,
    "json": lambda path: json.loads(path.read_bytes()),
    "bin": Path.read_bytes,
    "pkl": _open_pickle,
}


def _open(path: Path, suffix: str, *, is_trusted: bool) -> Any:
    if suffix == "pkl" and not is_trusted:
        raise InvalidInput(
            f"{path} is a pickle outside the blob store; opening it would execute what it says",
            hint="store it with mlops.artifact, or open it yourself if you trust it",
        )
    return _OPENERS[suffix](path) if suffix in _OPENERS else path


def _named_path(blob: Path, digest: str, file_name: str) -> Path:
    """The blob under its own name and suffix, by which many libraries tell the format."""
    named = _root() / ".mlops" / "inputs" / digest[:32] / file_name
    if not named.exists():
        try:
            named.parent.mkdir(parents=True, exist_ok=True)
            named.unlink(missing_ok=True)  # a link whose blob has gone
            named.symlink_to(blob)
        except FileExistsError:  # another process was faster
            return named
        except OSError:  # a file system without links, or one that is read-only
            return blob
    return named


# --- where things are -------------------------------------------------------------------------------------


def _root() -> Path:
    given = os.environ.get("MLOPS_ROOT", "")
    return Path(given) if given and Path(given).is_dir() else find_root(Path.cwd())


def _store() -> BlobStore:
    if url := os.environ.get("MLOPS_BLOBS"):
        return _open_store(url, os.environ.get("MLOPS_BLOB_OPTIONS") or "{}")
    settings = Settings.load(_root())
    return _open_store(str(settings.blobs), json.dumps(dict(settings.blob_options)))


@lru_cache(maxsize=4)
def _open_store(url: str, options: str) -> BlobStore:
    return BlobStore(url, json.loads(options))


def _find(name: str) -> str:
    """The reference that a name stands for: the run's argument, else the newest one in the catalog."""
    inputs: dict[str, str] = json.loads(os.environ.get("MLOPS_INPUTS") or "{}")
    if name in inputs:
        return inputs[name]
    if os.environ.get("MLOPS_RUN_ID"):
        raise NotFound(f"this task has no input {name!r}", hint=_hint(name, inputs))
    settings = Settings.load(_root())
    database = str(settings.catalog).removeprefix("sqlite:///")
    if str(settings.catalog).startswith("sqlite:") and not Path(database).exists():
        raise NotFound(f"no artifact is called {name!r}: nothing has run in {_root()} yet")
    # The one inner import of ours: the catalog brings SQLAlchemy along, and in a run nobody gets here.
    from .catalog import Catalog
    from .catalog.records import Artifact

    catalog = Catalog.open(str(settings.catalog))
    try:
        found = catalog.find(Artifact, where={"name": name}, order_by="-created_at", limit=1)
        if found:
            return str(found[0].reference)
        known = {known.name for known in catalog.find(Artifact, order_by="-created_at", limit=1000)}
    finally:
        catalog.close()
    raise NotFound(f"no artifact is called {name!r} in {_root()}", hint=_hint(name, known))


def _hint(name: str, known: Iterable[str]) -> str:
    return did_you_mean(name, known) or "pass it as a parameter, such as ${tasks.pull.artifacts.flights}"


# --- display ----------------------------------------------------------------------------------------------


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not name.replace("-", "_").isidentifier():
        raise InvalidInput(
            f"{name!r} cannot name a result or an artifact",
            hint="letters, digits, _ and -, beginning with a letter",
        )


def _describe(summary: Mapping[str, Any]) -> list[str]:
    if "rows" in summary:
        rows, columns = summary["rows"], summary["columns"]
        return [
            f"{rows:,} {'row' if rows == 1 else 'rows'} × {columns} {'column' if columns == 1 else 'columns'}"
        ]
    if "shape" in summary:
        return [f"{' × '.join(map(str, summary['shape'])) or 'scalar'} {summary['dtype']}"]
    if "items" in summary:
        return [f"{summary['items']:,} {'item' if summary['items'] == 1 else 'items'}"]
    return [str(summary["type"])] if "type" in summary else []


def _line(name: str, details: Iterable[str], *, code: bool = False) -> str:
    """One line of HTML that takes its colors and fonts from the page."""
    tag = "code" if code else "span"
    style = "color:inherit;background:none;opacity:.8;overflow-wrap:anywhere"
    parts = "".join(f'<{tag} style="{style}">{escape(text)}</{tag}>' for text in details)
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:0 1em;font-variant-numeric:tabular-nums">'
        f"<strong>{escape(name)}</strong>{parts}</div>"
    )


def _display(data: dict[str, Any], metadata: dict[str, Any]) -> None:
    """Show it if this is an IPython session; a program without one gets no output."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = get_ipython() if get_ipython is not None else None
    if shell is not None:
        shell.display_pub.publish(data=data, metadata=metadata)
