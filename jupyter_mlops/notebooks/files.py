"""Notebook files: read and written in milliseconds, never half.

Format 4 is plain JSON, so a notebook is read and written with ``json`` alone: importing nbformat costs a
third of a second, and validating against its schema costs more than running a small notebook. What is read
has the shape that ``nbformat.read`` gives (text joined, ids present, format 4.5), what is written is byte
for byte what ``nbformat.write`` writes; tests hold both to it. Only older formats go through nbformat itself.

A notebook in memory is a plain ``dict``; a ``NotebookNode`` is one too and is taken everywhere.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any, NoReturn

from ..errors import InvalidNotebook, MlopsError, NotFound, StorageUnavailable, did_you_mean
from .percent import parse_percent

Notebook = dict[str, Any]
SUFFIXES = (".ipynb", ".py")  # a script of cells, ``# %%``, is a notebook too

_CELL_TYPES = ("code", "markdown", "raw")
_MINOR = 5  # the first minor version with cell ids
_SPLIT_MIMES = ("application/javascript", "image/svg+xml")


def load_notebook(path: Path | str) -> Notebook:
    """The notebook at `path`, as ``nbformat.read(path, as_version=4)`` gives it; of a ``.py`` its cells.

    Raises `NotFound`, or `InvalidNotebook` with the place and the cure.
    """
    file = Path(path)
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        near = did_you_mean(file.name, [sibling.name for sibling in file.parent.glob(f"*{file.suffix}")])
        raise NotFound(f"there is no notebook {path}", hint=near) from None
    except IsADirectoryError:
        raise InvalidNotebook(f"{path} is a folder, not a notebook", hint="name a file in it") from None
    except PermissionError:
        raise InvalidNotebook(f"{path} may not be read", hint="check the file's permissions") from None
    except OSError as error:
        raise StorageUnavailable(f"{path} cannot be read: {error.strerror}") from error
    return (_parse_script if file.suffix == ".py" else parse_notebook)(content, where=str(path))


def parse_notebook(content: bytes | str, *, where: str = "notebook") -> Notebook:
    """The notebook that `content` is; `where` names it in errors. Raises `InvalidNotebook`."""
    return _checked(_upgrade(_parse_json(content, where), where), where)


def _parse_script(content: bytes, *, where: str) -> Notebook:
    """The notebook that a script of cells is. Raises `InvalidNotebook`."""
    if content.lstrip().startswith(b"{") and b'"nbformat"' in content:
        return parse_notebook(content, where=where)  # as an image has it, under the name that tasks use
    try:
        return _checked(parse_percent(content.decode("utf-8-sig")), where)
    except ValueError as error:
        hint = 'begin each cell with a line `# %%`, the parameters with `# %% tags=["parameters"]`'
        raise InvalidNotebook(f"{where} is not a script of cells: {error}", hint=hint) from error


def _checked(nb: Notebook, where: str) -> Notebook:
    """`nb` in the form that it has in memory. Raises `InvalidNotebook`."""
    cells = nb["cells"] if isinstance(nb.get("cells"), list) else _refuse(where, "its 'cells' are no list")
    metadata = nb.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        _refuse(where, "its 'metadata' are no object")
    for name in ("orig_nbformat", "orig_nbformat_minor", "signature"):
        metadata.pop(name, None)
    for index, cell in enumerate(cells):
        _read_cell(cell, f"{where}, cell {index + 1}")
    _identify(cells)
    nb["nbformat_minor"] = max(nb["nbformat_minor"], _MINOR)
    return nb


def dump_notebook(nb: Mapping[str, Any], cell_texts: Sequence[str] | None = None) -> str:
    """The text of a notebook file, as ``nbformat.write`` writes it. Raises `InvalidNotebook`.

    `cell_texts` are the cells as `dump_cell` gave them, for a caller who keeps those that did not change.
    """
    try:
        texts = [dump_cell(cell) for cell in nb["cells"]] if cell_texts is None else cell_texts
        rest = _rest_for_disk(nb)
        parts: list[str] = []  # joined once: cells may hold many megabytes
        for name in sorted({*rest, "cells"}):
            parts += [",\n " if parts else "{\n ", encode_basestring(name), ": "]
            if name != "cells":
                parts.append(_json_text(rest[name], " "))
            elif texts:
                parts += [part for text in texts for part in (",\n  ", text)]
                parts[-2 * len(texts)] = "[\n  "
                parts.append("\n ]")
            else:
                parts.append("[]")
        return "".join([*parts, "\n}\n"])
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidNotebook(f"the notebook holds a value that JSON has no form for: {error}") from error


def dump_cell(cell: Mapping[str, Any]) -> str:
    """The text of one cell within its notebook's file; see `dump_notebook`."""
    return _json_text(_cell_for_disk(cell), "  ")


def save_notebook(nb: Mapping[str, Any], path: Path | str) -> None:
    """Write `nb` to `path` at once: see `write_text`."""
    write_text(dump_notebook(nb), path)


def write_text(text: str, path: Path | str) -> None:
    """Write the JSON `text` to `path` at once: a reader sees the old file or the new one, never a part.

    Raises `StorageUnavailable` (the disk is full, the folder may not be written); the old file then stays as
    it was. Raises `NotFound` if there is no such folder.
    """
    target = Path(os.path.realpath(path))  # a link stays a link
    temporary = target.with_name(f".{target.name[:100]}.{uuid.uuid4().hex[:12]}.tmp")
    try:
        _write_file(temporary, encode_text(text), target)
        os.replace(temporary, target)
    except OSError as error:
        raise _cannot_write(path, target, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()  # after a success there is none


def encode_text(text: str) -> bytes:
    """The bytes of a notebook's text."""
    try:
        return text.encode()
    except UnicodeEncodeError:  # lone surrogates have no UTF-8; JSON can still spell them
        return json.dumps(json.loads(text), indent=1, sort_keys=True, separators=(",", ": ")).encode() + b"\n"


def tagged_cell(nb: Mapping[str, Any], tag: str) -> int | None:
    """The index of the first cell with `tag`, as papermill finds it."""
    return next((index for index, cell in enumerate(nb["cells"]) if tag in cell_tags(cell)), None)


def cell_tags(cell: Mapping[str, Any]) -> list[str]:
    """The tags of a cell; none where its metadata hold something else than a list."""
    tags = cell["metadata"].get("tags")
    return tags if isinstance(tags, list) else []


def kernel_name(nb: Mapping[str, Any]) -> str:
    """The kernel that the notebook names, or ""."""
    return _text_in(nb["metadata"], "kernelspec", "name")


def language(nb: Mapping[str, Any]) -> str:
    """The language that the notebook names, as papermill looks it up; "python" where it names none."""
    metadata = nb["metadata"]
    return (
        _text_in(metadata, "language_info", "name")
        or _text_in(metadata, "kernelspec", "language")
        or "python"
    )


def _text_in(metadata: Mapping[str, Any], group: str, name: str) -> str:
    members = metadata.get(group)
    value = members.get(name) if isinstance(members, Mapping) else None
    return value if isinstance(value, str) else ""


# Reading


def _refuse(where: str, reason: str, hint: str = "") -> NoReturn:
    hint = hint or "open and save it in JupyterLab, or restore it from version control"
    raise InvalidNotebook(f"{where} is not a notebook: {reason}", hint=hint)


def _parse_json(content: bytes | str, where: str) -> Notebook:
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse(where, f"it is not UTF-8 text (byte {error.start})")
    if not text.strip():
        _refuse(where, "it is empty")
    try:
        nb = json.loads(text)
    except json.JSONDecodeError as error:
        if any(line.startswith("<<<<<<<") for line in text.splitlines()):
            _refuse(where, "it holds an unresolved merge conflict", "resolve it, for example with nbdime")
        _refuse(where, f"it is not JSON: line {error.lineno}, column {error.colno}: {error.msg}")
    except (ValueError, RecursionError) as error:
        _refuse(where, f"its JSON cannot be read: {error}")
    if not isinstance(nb, dict) or not isinstance(nb.get("nbformat"), int):
        _refuse(where, "it is JSON without 'nbformat'", "give a file that Jupyter saved (.ipynb)")
    return nb


def _upgrade(nb: Notebook, where: str) -> Notebook:
    """`nb` in format 4: as it is, or converted by nbformat if it is older."""
    version, minor = nb["nbformat"], nb.setdefault("nbformat_minor", 0)
    if not isinstance(minor, int):
        _refuse(where, "its 'nbformat_minor' is no number")
    if version == 4:
        return nb
    if version > 4:
        _refuse(
            where, f"it has format {version}; known: up to 4", "update jupyter-mlops, or save it as format 4"
        )
    import nbformat

    try:
        converted = nbformat.reads(json.dumps(nb), as_version=4)
        return dict(json.loads(json.dumps(converted)))
    except Exception as error:  # noqa: BLE001 - nbformat raises whatever a malformed old notebook provokes
        _refuse(
            where,
            f"it has the old format {version} and cannot be converted: {type(error).__name__}: {error}",
            "convert it: jupyter nbconvert --to notebook --nbformat 4 --inplace FILE",
        )


def _read_cell(cell: Any, where: str) -> None:
    """Bring a cell in place to the form it has in memory; refuse what cannot be one."""
    if not isinstance(cell, dict) or cell.get("cell_type") not in _CELL_TYPES:
        _refuse(where, f"its 'cell_type' is none of {', '.join(_CELL_TYPES)}")
    cell["source"] = _joined(cell.get("source", ""))
    if not isinstance(cell["source"], str):
        _refuse(where, "its 'source' is no text")
    if not isinstance(cell.setdefault("metadata", {}), dict):
        _refuse(where, "its 'metadata' are no object")
    cell["metadata"].pop("trusted", None)
    attachments = cell.get("attachments", {})
    if not isinstance(attachments, dict):
        _refuse(where, "its 'attachments' are no object")
    for bundle in attachments.values():
        _join_bundle(bundle, where)
    if cell["cell_type"] == "code":
        cell.setdefault("execution_count", None)
        _read_outputs(cell.setdefault("outputs", []), where)


def _read_outputs(outputs: Any, where: str) -> None:
    if not isinstance(outputs, list) or not all(
        isinstance(output, dict) and isinstance(output.get("output_type"), str) for output in outputs
    ):
        _refuse(where, "its 'outputs' are no list of outputs")
    for output in outputs:
        if output["output_type"] in ("execute_result", "display_data"):
            _join_bundle(output.setdefault("data", {}), where)
            output.setdefault("metadata", {})
        elif "text" in output:
            output["text"] = _joined(output["text"])


def _join_bundle(bundle: Any, where: str) -> None:
    if not isinstance(bundle, dict):
        _refuse(where, "it has an output or attachment whose data are no object")
    for mime, value in bundle.items():
        if not (mime == "application/json" or (mime.startswith("application/") and mime.endswith("+json"))):
            bundle[mime] = _joined(value)


def _joined(value: Any) -> Any:
    is_lines = isinstance(value, list) and all(isinstance(line, str) for line in value)
    return "".join(value) if is_lines else value


def _identify(cells: list[Notebook]) -> None:
    """Give each cell an id of its own, the same at each reading, so that runs can be compared."""
    seen: set[str] = set()
    for index, cell in enumerate(cells):
        identity, salt = cell.get("id"), 0
        while not isinstance(identity, str) or not identity or identity in seen:
            seed = f"{index}\0{salt}\0{cell['source']}".encode("utf-8", "surrogatepass")
            identity, salt = hashlib.sha256(seed).hexdigest()[:8], salt + 1
        seen.add(identity)
        cell["id"] = identity


# Writing


def _rest_for_disk(nb: Mapping[str, Any]) -> Notebook:
    """All but the cells, nothing transient."""
    transient = ("orig_nbformat", "orig_nbformat_minor", "signature")
    metadata = {name: value for name, value in nb["metadata"].items() if name not in transient}
    return {**{name: value for name, value in nb.items() if name != "cells"}, "metadata": metadata}


def _cell_for_disk(cell: Mapping[str, Any]) -> Notebook:
    copy = {**cell, "source": _lines(cell.get("source", ""))}
    copy["metadata"] = {name: value for name, value in cell["metadata"].items() if name != "trusted"}
    if cell.get("attachments"):
        copy["attachments"] = {name: _split(bundle) for name, bundle in cell["attachments"].items()}
    if cell["cell_type"] == "code":
        copy["outputs"] = [_output_for_disk(output) for output in cell["outputs"]]
    return copy


def _output_for_disk(output: Mapping[str, Any]) -> Mapping[str, Any]:
    if output["output_type"] in ("execute_result", "display_data"):
        return {**output, "data": _split(output.get("data", {}))}
    if output["output_type"] == "stream":
        return {**output, "text": _lines(output["text"])}
    return output


def _split(bundle: Mapping[str, Any]) -> Notebook:
    return {
        mime: _lines(value) if mime.startswith("text/") or mime in _SPLIT_MIMES else value
        for mime, value in bundle.items()
    }


def _lines(value: Any) -> Any:
    return value.splitlines(keepends=True) if isinstance(value, str) else value


def _json_text(value: Any, margin: str) -> str:
    """JSON with one space of indent and sorted keys, character for character as ``json.dumps`` writes it.

    ``json.dumps`` leaves its C encoder as soon as it has to indent. This keeps it for the lines of text,
    which most of a notebook is.
    """
    parts: list[str] = []
    _append_json(parts, value, margin)
    return "".join(parts)


def _append_json(parts: list[str], value: Any, margin: str) -> None:
    inner = f"\n{margin} "
    if isinstance(value, str):
        parts.append(encode_basestring(value))
    elif isinstance(value, bytes):
        parts.append(encode_basestring(value.decode("ascii")))
    elif not isinstance(value, Mapping | list | tuple):
        parts.append(json.dumps(value))
    elif not value:
        parts.append("{}" if isinstance(value, Mapping) else "[]")
    elif isinstance(value, Mapping):
        for index, key in enumerate(sorted(value)):
            name = key if isinstance(key, str) else json.dumps(key)
            parts.append(f"{',' if index else '{'}{inner}{encode_basestring(name)}: ")
            _append_json(parts, value[key], margin + " ")
        parts.append(f"\n{margin}}}")
    elif all(isinstance(item, str) for item in value):
        parts += ["[", inner, f",{inner}".join(map(encode_basestring, value)), f"\n{margin}]"]
    else:
        for index, item in enumerate(value):
            parts.append(f"{',' if index else '['}{inner}")
            _append_json(parts, item, margin + " ")
        parts.append(f"\n{margin}]")


def _write_file(temporary: Path, content: bytes, target: Path) -> None:
    """Create `temporary` with the permissions of `target`, or those that the umask gives a new file."""
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with os.fdopen(descriptor, "wb") as stream:
        with suppress(OSError):
            os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
        stream.write(content)


def _cannot_write(path: Path | str, target: Path, error: OSError) -> MlopsError:
    if error.errno == errno.ENOENT and not target.parent.exists():
        return NotFound(
            f"{path} cannot be written: there is no folder {target.parent}", hint="create it first"
        )
    hints = {
        errno.ENOSPC: "the disk is full: make room, for example with `jupyter mlops clean`",
        errno.EDQUOT: "your quota is used up: make room, for example with `jupyter mlops clean`",
        errno.EFBIG: "the file is larger than this process may write",
        errno.EACCES: "check the folder's permissions",
        errno.EROFS: "the file system is read-only; name another folder",
        errno.EISDIR: "a folder of that name is in the way",
    }
    hint = hints.get(error.errno or 0, "")
    return StorageUnavailable(f"{path} cannot be written: {error.strerror or error}", hint=hint)
