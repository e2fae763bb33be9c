"""Writes the pages that are made from the code: docs/errors.md and docs/python.md.

``python docs/tools/reference.py``; `tests/docs/test_reference.py` fails when they are not fresh.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupyter_mlops
from jupyter_mlops import errors

DOCS = Path(__file__).parents[1]
MADE = "<!-- made by `python docs/tools/reference.py` from the code; change it there -->"

# What to do, by the class's name: an error's hint is about the case at hand, this about all of its kind.
CURES = {
    "MlopsError": "read its hint; `--debug` of the command line shows where it came from.",
    "InvalidInput": "change what was given: the message names the argument or field, the hint the nearest right one.",
    "InvalidParameter": "`jupyter mlops execute --help-notebook FILE` shows the names and types.",
    "InvalidNotebook": "open it in JupyterLab and save it again; `git diff` shows markers of a conflict.",
    "InvalidPipeline": "`jupyter mlops check` lists every problem with its line.",
    "InvalidSettings": "`jupyter mlops doctor` lists all of them, with the commands that mend them.",
    "ExpectationFailed": "look at the rows that `problems` names; mend the source, or the expectation.",
    "PreflightFailed": "`jupyter mlops check` shows the same list without starting anything.",
    "NotFound": "the hint has the nearest name; `runs`, `%models`, `%features` and `deployments` list what there is.",
    "SecretNotFound": "set the variable, put it into `.env`, or `keyring set jupyter_mlops NAME`.",
    "AccessDenied": "log in again (`docker login`, `aws sso login`, …), or ask for the right that the message names.",
    "Conflict": "wait for the other one, choose another name, or say `--force` where the hint offers it.",
    "TaskError": "`jupyter mlops show RUN TASK`.",
    "NotebookFailed": "`jupyter mlops show RUN TASK` has traceback and executed notebook; mend it, then `rerun`.",
    "TimedOut": "give `timeout:` or `cell_timeout:` more, or find the slow cell in the executed notebook.",
    "KernelDied": "its last output tells why: native code that crashed, `os._exit`, a signal from outside.",
    "OutOfMemory": "ask for more by `resources: {memory: …}`; `jupyter mlops compute suggest` tells how much.",
    "Cancelled": "`jupyter mlops rerun RUN --failed` starts what is missing.",
    "WorkerLost": "nothing: the attempt is made up for, three times; then look at the worker's memory and logs.",
    "RunFailed": "`jupyter mlops show RUN`; mend the task that failed, then `jupyter mlops rerun RUN`.",
    "BuildFailed": "read the end of `log`; `jupyter mlops dockerize -o FOLDER` writes what was being built.",
    "DeploymentFailed": "`jupyter mlops deployments logs NAME`; what was served before still answers.",
    "Unavailable": "`jupyter mlops doctor`, then try again.",
    "KernelUnavailable": "`jupyter kernelspec list`; `jupyter mlops doctor` starts each kernel that the project names.",
    "CatalogUnavailable": "`jupyter mlops doctor`; is the database up, the password right, the disk full?",
    "RegistryUnavailable": "look whether its name is right, the network reaches it, and no proxy stands between.",
    "StorageUnavailable": "free space (`jupyter mlops clean`), or look at rights, bucket and keys.",
    "CorruptBlob": "run the task that made it again with `--force`; then look at the disk.",
    "MissingExtra": "the hint has the command: `pip install 'jupyter-mlops[…]'`.",
}
ERRORS = """\
# Errors

{made}

Every error that you can meet is one of these. On the command line it is `error: …` and mostly `hint: …`, the cure, with
its exit code; over REST and with `--json` its JSON has `code`, `message` and `hint`, and the HTTP status; in Python it
is a class of `jupyter_mlops.errors`, and `except mlops.MlopsError` catches all of them. What is wrong in several
places is told at once, in `problems`.

| class | code | HTTP status | exit code |
|---|---|--:|--:|
{rows}

`retries: {{on: […]}}` in [pipeline.yaml](pipeline.md#retries) takes these names; a class covers those below it.

## What to do

{told}
"""
PYTHON = """\
# Python

{made}

What `import jupyter_mlops as mlops` has. Nothing else is promised to stay, except for what the pages of the
[model store](models.md), the [feature store](features.md), [pipelines](pipeline.md#in-python) and [errors](errors.md)
show. Functions work in the workspace around the notebook; in a run, in the run's. Their twins are the
[magics](magics.md), which `%load_ext jupyter_mlops` loads.

{entries}
"""


def errors_page() -> str:
    """docs/errors.md."""
    kinds = list(_tree(errors.MlopsError))
    rows = [
        f"| {'&nbsp;' * 4 * depth}`{kind.__name__}` | `{kind.code}` | {kind.status} | {kind.exit_code} |"
        for kind, depth in kinds
    ]
    told = [f"### {kind.__name__}\n\n{_prose(kind)}\n\n**Cure:** {CURES[kind.__name__]}" for kind, _ in kinds]
    return ERRORS.format(made=MADE, rows="\n".join(rows), told="\n\n".join(told))


def python_page() -> str:
    """docs/python.md."""
    names = [name for name in jupyter_mlops.__all__ if name not in ("__version__", "load_ipython_extension")]
    entries = [_entry(name, getattr(jupyter_mlops, name)) for name in sorted(names, key=str.lower)]
    return PYTHON.format(made=MADE, entries="\n\n".join(entries))


def pages() -> dict[Path, str]:
    """All pages that are made here."""
    return {DOCS / "errors.md": errors_page(), DOCS / "python.md": python_page()}


def _tree(kind: type[errors.MlopsError], depth: int = 0) -> Iterator[tuple[type[errors.MlopsError], int]]:
    yield kind, depth
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from _tree(below, depth + 1)


def _entry(name: str, thing: Any) -> str:
    if not inspect.isclass(thing):
        return f"## {name}\n\n```python\n{_signature(name, thing)}\n```\n\n{_prose(thing)}"
    lines = [f"## {name}", "", f"```python\n{_signature(name, thing)}\n```", "", _prose(thing)]
    members = [
        _member(attribute, value)
        for attribute, value in vars(thing).items()
        if not attribute.startswith("_") and inspect.getdoc(value) and _is_member(value)
    ]
    return "\n".join([*lines, "", *members] if members else lines).rstrip()


def _is_member(value: Any) -> bool:
    return (
        inspect.isfunction(value)
        or isinstance(value, classmethod | staticmethod | property)
        or hasattr(value, "func")
    )


def _member(name: str, value: Any) -> str:
    function = getattr(value, "__func__", value)
    called = f"{name}(…)" if inspect.isfunction(function) else name
    first = _prose(value).split("\n\n")[0].replace("\n", " ")
    return f"- `{called}`: {first}"


def _signature(name: str, thing: Any) -> str:
    signature = inspect.signature(thing)
    parameters = [each for each in signature.parameters.values() if each.name != "self"]
    signature = signature.replace(parameters=parameters)
    if inspect.isclass(thing):
        signature = signature.replace(return_annotation=inspect.Signature.empty)
    text = f"mlops.{name}{_plain(signature)}"
    if len(text) <= 100:
        return text
    return (
        f"mlops.{name}(\n"
        + "".join(f"    {part},\n" for part in _parts(signature))
        + f"){_returned(signature)}"
    )


def _plain(signature: inspect.Signature) -> str:
    return f"({', '.join(_parts(signature))}){_returned(signature)}"


def _parts(signature: inspect.Signature) -> list[str]:
    """Parameters as the source has them: annotations are texts already."""
    parts, is_keyword = [], False
    for each in signature.parameters.values():
        if each.kind is each.KEYWORD_ONLY and not is_keyword:
            is_keyword = True
            parts.append("*")
        is_keyword = is_keyword or each.kind is each.VAR_POSITIONAL
        star = {each.VAR_POSITIONAL: "*", each.VAR_KEYWORD: "**"}.get(each.kind, "")
        kind = "" if each.annotation is each.empty else f": {_annotation(each.annotation)}"
        default = "" if each.default is each.empty else f" = {_default(each.default)}"
        parts.append(f"{star}{each.name}{kind}{default}")
    return parts


def _default(value: Any) -> str:
    """A default as the source has it; what has no short text is only said to be there."""
    is_plain = value is None or isinstance(value, str | int | float | tuple | frozenset)
    return repr(value).replace("'", '"') if is_plain else "…"


def _returned(signature: inspect.Signature) -> str:
    kind = signature.return_annotation
    return "" if kind is signature.empty else f" -> {_annotation(kind)}"


def _annotation(kind: Any) -> str:
    return kind if isinstance(kind, str) else inspect.formatannotation(kind)


def _prose(thing: Any) -> str:
    """A docstring as Markdown: its literals, its code and its tables."""
    text = re.sub(r"``([^`]+)``", r"`\1`", inspect.cleandoc(thing.__doc__ or ""))
    text = re.sub(r"^::\n\n((?:    .*\n|\n)*(?:    .*))$", _code, text, flags=re.MULTILINE)
    return re.sub(r"^(=+) +(=+)\n(.*?)\n=+ +=+$", _table, text, flags=re.DOTALL | re.MULTILINE)


def _code(match: re.Match[str]) -> str:
    return f"```python\n{inspect.cleandoc(match[1])}\n```"


def _table(match: re.Match[str]) -> str:
    """A table of two columns, as reStructuredText has it; its second column begins where its second rule does."""
    begin = len(match[0].split("\n")[0]) - len(match[2])
    rows = [f"| {line[:begin].strip()} | {line[begin:].strip()} |" for line in match[3].split("\n")]
    return "\n".join(["| | |", "|---|---|", *rows])


def main() -> None:
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
