"""Arguments put into a notebook, as papermill puts them.

A cell tagged ``injected-parameters`` goes after the cell tagged ``parameters``, in place of an earlier
injected one, or to the top; ``metadata.papermill`` is filled; error markers of an earlier run go. A notebook
prepared here and one that papermill prepared (``prepare_only``) are equal, and the tests compare them. The
differences: rich values arrive as themselves (`.literals`), a secret only as the name of an environment
variable, and the text is never reformatted (papermill runs it through Black where Black happens to be
installed, so that its notebooks differ from machine to machine).

Python cells are written without importing papermill. Other languages use its translators.
"""

from __future__ import annotations

import logging
import string
import uuid
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from ..encoding import to_json
from ..errors import InvalidInput, InvalidParameter, did_you_mean
from . import files
from .conversion import with_secrets
from .literals import is_python, name_problem, python_source, secret_variable
from .secrets import SecretReference

logger = logging.getLogger(__name__)

PARAMETERS_TAG = "parameters"
INJECTED_TAG = "injected-parameters"
ERROR_MARKER_TAG = "papermill-error-cell-tag"
_COMMENT = "Parameters"

# How a language reads an environment variable, by papermill's name of its translator.
_SECRET_SOURCE: Mapping[str, str] = {
    "R": 'Sys.getenv("{}")',
    "sparkrkernel": 'Sys.getenv("{}")',
    "scala": 'sys.env("{}")',
    "sparkkernel": 'sys.env("{}")',
    "julia": 'ENV["{}"]',
    "matlab": "getenv('{}')",
    ".net-csharp": 'System.Environment.GetEnvironmentVariable("{}")',
    ".net-fsharp": 'System.Environment.GetEnvironmentVariable("{}")',
    ".net-powershell": "$Env:{}",
    "bash": '"${}"',
}


def inject(
    nb: Mapping[str, Any],
    arguments: Mapping[str, Any],
    *,
    input_path: Path | str | None = None,
    output_path: Path | str | None = None,
    kernel_name: str = "",
    language: str = "",
    is_report: bool = False,
) -> files.Notebook:
    """A copy of `nb` with `arguments` injected and papermill's metadata; `nb` stays as it is.

    Without arguments there is no injected cell, and an earlier one stays. `kernel_name` and `language`
    override the notebook's own; `is_report` hides all input. ``secret:NAME`` is a secret here too, since that
    is how it travels. Raises `InvalidParameter` for a name that is not one in the notebook's language and for
    a value that cannot be written in it.
    """
    copy = _copy(nb)
    arguments = with_secrets(dict(arguments))
    if arguments:
        source = parameters_source(
            arguments,
            kernel_name=kernel_name or files.kernel_name(nb),
            language=language or files.language(nb),
            where=str(input_path or "notebook"),
        )
        _place(copy, source)
        copy["metadata"]["papermill"]["parameters"] = to_json(named_secrets(arguments))
    copy["cells"] = [cell for cell in copy["cells"] if ERROR_MARKER_TAG not in files.cell_tags(cell)]
    if is_report:
        for cell in copy["cells"]:
            if cell["cell_type"] == "code":
                cell["metadata"]["jupyter"] = {**cell["metadata"].get("jupyter", {}), "source_hidden": True}
    for key, path in (("input_path", input_path), ("output_path", output_path)):
        copy["metadata"]["papermill"][key] = None if path is None else str(path)
    return copy


def parameters_source(
    arguments: Mapping[str, Any], *, kernel_name: str = "", language: str = "python", where: str = "notebook"
) -> str:
    """The source of the injected cell. Raises `InvalidParameter`, naming `where` and the parameter."""
    for name in arguments:
        if reason := name_problem(name, "python" if is_python(kernel_name, language) else language):
            raise InvalidParameter(f"{where}: {name!r} cannot be a parameter: {reason}")
    if not is_python(kernel_name, language):
        return _translated(arguments, kernel_name, language, where)
    lines = [f"# {_COMMENT}\n"]
    for name, value in arguments.items():
        try:
            lines.append(f"{name} = {python_source(value)}\n")
        except InvalidInput as error:
            raise InvalidParameter(f"{where}: parameter {name!r}: {error}", hint=error.hint) from error
    return "".join(lines)


def secret_environment(arguments: Any) -> dict[str, str]:
    """The secrets that `arguments` ask for: environment variable of the kernel → name of the secret."""
    if isinstance(arguments, SecretReference):
        return {secret_variable(arguments.name): arguments.name}
    found: dict[str, str] = {}
    if isinstance(arguments, Mapping):
        arguments = list(arguments.values())
    if isinstance(arguments, list | tuple):
        for item in arguments:
            found.update(secret_environment(item))
    return found


def named_secrets(value: Any) -> Any:
    """`value` with each secret as text, ``secret:NAME``: the form in which arguments travel and are kept."""
    if isinstance(value, SecretReference):
        return str(value)
    if not secret_environment(value):
        return value
    if isinstance(value, Mapping):
        return {key: named_secrets(item) for key, item in value.items()}
    return type(value)(named_secrets(item) for item in value)


def template_path(path: Path | str, arguments: Mapping[str, Any]) -> str:
    """`path` with ``{parameter}`` filled in, as papermill does: ``out/{region}-{week:02d}.ipynb``.

    ``{pm.run_uuid}``, ``{pm.current_datetime_local}`` and ``{pm.current_datetime_utc}`` are known too, with
    a dot or with brackets. Raises `InvalidParameter` for a name without an argument.
    """
    builtin = _Builtin(
        run_uuid=str(uuid.uuid4()),
        current_datetime_local=datetime.now().astimezone(),
        current_datetime_utc=datetime.now(UTC),
    )
    text = str(path)
    try:
        return _PathFormatter().vformat(text, (), {"pm": builtin, **arguments})
    except InvalidParameter as error:
        raise InvalidParameter(f"path {text!r}: {error}", hint=error.hint) from None
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise InvalidParameter(
            f"path {text!r} cannot be filled in: {error}", hint="write {{ and }} for braces that are meant"
        ) from error


class _Builtin(dict[str, Any]):
    """papermill's own values, which its documentation writes with a dot and its code with brackets."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"pm has no {name!r}") from None


class _PathFormatter(string.Formatter):
    """``str.format`` for names, items and attributes; nothing private, and no secrets."""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        name = field_name.partition(".")[0].partition("[")[0]
        if name not in kwargs:
            raise InvalidParameter(f"no argument is called {name!r}", hint=did_you_mean(name, kwargs))
        if "._" in field_name:
            raise InvalidParameter(f"{field_name!r} is private")
        value, _ = super().get_field(field_name, args, kwargs)
        if secret_environment(value):
            raise InvalidParameter(f"{name!r} is a secret, and a path is seen by everybody")
        return value, name


# The notebook


def _copy(nb: Mapping[str, Any]) -> files.Notebook:
    """A copy to change, all but the outputs themselves, with metadata as papermill completes them."""
    metadata = dict(nb["metadata"])
    metadata["papermill"] = dict(
        metadata.get("papermill")
        or {
            "default_parameters": {},
            "parameters": {},
            "environment_variables": {},
            "version": _papermill_version(),
        }
    )
    cells = []
    for cell in nb["cells"]:
        own = dict(cell["metadata"])
        own.setdefault("tags", [])
        own["papermill"] = dict(own.get("papermill") or {})
        cells.append({**cell, "metadata": own})
        if "outputs" in cell:
            cells[-1]["outputs"] = list(cell["outputs"])
    return {**nb, "metadata": metadata, "cells": cells}


@cache
def _papermill_version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # slow to import, and needed once

    try:
        return version("papermill")
    except PackageNotFoundError:  # in an image, which has no need of it
        return ""


def _place(nb: files.Notebook, source: str) -> None:
    """Put the injected cell where papermill puts it."""
    cells = nb["cells"]
    injected, declared = files.tagged_cell(nb, INJECTED_TAG), files.tagged_cell(nb, PARAMETERS_TAG)
    if injected is not None:
        before, after = cells[:injected], cells[injected + 1 :]
    elif declared is not None:
        before, after = cells[: declared + 1], cells[declared + 1 :]
    else:
        logger.warning("the notebook has no cell tagged 'parameters': its arguments go to the top")
        before, after = [], cells
    cell: files.Notebook = {
        "cell_type": "code",
        "execution_count": None,
        "id": _free_id({other.get("id") for other in before + after}),
        "metadata": {"tags": [INJECTED_TAG]},
        "outputs": [],
        "source": source,
    }
    nb["cells"] = [*before, cell, *after]


def _free_id(taken: Set[object]) -> str:
    """The same at each run, so that executed notebooks can be compared."""
    wanted, number = INJECTED_TAG, 1
    while wanted in taken:
        number += 1
        wanted = f"{INJECTED_TAG}-{number}"
    return wanted


# Other languages


def _translated(arguments: Mapping[str, Any], kernel_name: str, language: str, where: str) -> str:
    from papermill.exceptions import PapermillException
    from papermill.translators import papermill_translators

    try:
        translator = papermill_translators.find_translator(kernel_name, language)
    except PapermillException:
        raise InvalidParameter(
            f"{where}: parameters cannot be written in {language!r} (kernel {kernel_name!r})",
            hint=f"papermill has translators for {', '.join(sorted(papermill_translators._translators))}",
        ) from None
    translator = _hardened(translator, kernel_name, language)
    secrets = {f"mlops-{uuid.uuid4().hex}": variable for variable in secret_environment(arguments)}
    stand_ins = {variable: stand_in for stand_in, variable in secrets.items()}
    plain: dict[str, Any] = {}
    for name, value in arguments.items():
        try:
            plain[name] = _plain(value, stand_ins)
            translator.translate(plain[name])
        except (InvalidInput, NotImplementedError, RecursionError) as error:
            reason = str(error) or "papermill has no translation for it"
            raise InvalidParameter(
                f"{where}: parameter {name!r} cannot be written in {language}: {reason}",
                hint="pass text, numbers, lists or, where the language has them, dicts",
            ) from error
    source = str(translator.codify(plain, _COMMENT))
    for stand_in, variable in secrets.items():
        lookup = _SECRET_SOURCE.get(kernel_name) or _SECRET_SOURCE.get(language)
        if lookup is None:
            raise InvalidParameter(
                f"{where}: secrets cannot be passed to {language} (kernel {kernel_name!r})"
            )
        source = source.replace(translator.translate(stand_in), lookup.format(variable))
    return source


def _hardened(translator: Any, kernel_name: str, language: str) -> Any:
    """The translator, without papermill's holes: text with ``$(…)`` was code to Julia and PowerShell."""
    escapes = {
        "julia": lambda text: translator.translate_escaped_str(text).replace("$", r"\$"),
        ".net-powershell": _powershell_text,
    }
    escape = escapes.get(kernel_name) or escapes.get(language)
    if escape is None:
        return translator
    return type("Hardened", (translator,), {"translate_escaped_str": staticmethod(escape)})


def _powershell_text(text: object) -> str:
    """A verbatim string: nothing is special in it but its quotes, of which PowerShell knows five."""
    doubled = "".join(2 * char if char in "'‘’‚‛" else char for char in str(text))
    return f"'{doubled}'"


def _plain(value: Any, stand_ins: Mapping[str, str]) -> Any:
    """The nearest value that every language has: lists, dicts with text keys, ISO dates, text, numbers."""
    if isinstance(value, SecretReference):
        return stand_ins[secret_variable(value.name)]
    if type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "item"):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item, stand_ins) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(item, stand_ins) for item in value]
    if isinstance(value, Set):
        return sorted((_plain(item, stand_ins) for item in value), key=repr)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, PurePath | Decimal):
        return str(value)
    python_source(value)  # raises for what has no source in Python either, and says why
    raise InvalidInput(f"there is no {type(value).__name__} in it")
