"""What a batch image is told: flags and environment variables, by the parameters that its notebook declares.

``--week 20`` and ``MLOPS_PARAM_WEEK=20`` mean the same; the flag wins. A parameter whose name one of our own
flags has is given by ``-p NAME VALUE``. Nothing is run or read here.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ..errors import InvalidInput, InvalidParameter, NotFound, did_you_mean
from ..notebooks.parameters import Parameter

PREFIX = "MLOPS_PARAM_"
# Ours, by the flag that says the same; a command may come from a place that can only set variables.
VARIABLES: Mapping[str, str] = {
    "notebook": "MLOPS_IMAGE_NOTEBOOK",
    "output": "MLOPS_IMAGE_OUTPUT",
    "results": "MLOPS_IMAGE_RESULTS",
    "timeout": "MLOPS_IMAGE_TIMEOUT",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What was asked for; `arguments` are still text."""

    notebook: str
    output: str = ""
    results: str = ""
    timeout_seconds: float | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)


def choose(words: Sequence[str], env: Mapping[str, str], notebooks: Mapping[str, str]) -> str:
    """The notebook that is meant: named, or the only one. Raises `NotFound`, `InvalidInput`."""
    parser = _Parser(add_help=False)
    parser.add_argument("--notebook", default=env.get(VARIABLES["notebook"], ""))
    name = parser.parse_known_args(list(words))[0].notebook
    if not name and len(notebooks) == 1:
        return next(iter(notebooks))
    if not name:
        known = ", ".join(sorted(notebooks))
        raise InvalidInput("this image has several notebooks", hint=f"--notebook NAME: {known}")
    if name not in notebooks:
        raise NotFound(f"there is no notebook {name!r} in this image", hint=did_you_mean(name, notebooks))
    return str(name)


def read(
    words: Sequence[str], env: Mapping[str, str], parameters: Sequence[Parameter], notebook: str
) -> Line:
    """The command line and the environment. Raises `InvalidInput`; ``--help`` exits."""
    given = vars(_parser(env, parameters, notebook).parse_args(list(words)))
    arguments = _from_environment(env, parameters)
    for parameter in parameters:
        if (value := given.get(_key(parameter.name))) is not None:
            arguments[parameter.name] = value
    arguments |= dict(given["pairs"] or ())
    return Line(
        notebook=notebook,
        output=given["output"],
        results=given["results"],
        timeout_seconds=_seconds(given["timeout"]),
        arguments=arguments,
    )


class _Parser(argparse.ArgumentParser):
    """One that raises, so that there is one door for what is wrong."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message: str) -> NoReturn:
        """Say it our way."""
        hint = ""
        if message.startswith("unrecognized arguments: "):
            word = message.removeprefix("unrecognized arguments: ").split()[0]
            known = [flag for action in self._actions for flag in action.option_strings]
            near = did_you_mean(word.partition("=")[0], [flag for flag in known if flag.startswith("--")])
            message, hint = f"there is no option {word}", near if near.startswith("did") else "see --help"
        raise InvalidParameter(message, hint=hint)


def _parser(env: Mapping[str, str], parameters: Sequence[Parameter], notebook: str) -> _Parser:
    parser = _Parser(
        prog="",
        usage="docker run IMAGE [options]",
        description=f"Run {notebook} and print what came of it, as JSON on the last line of stdout.",
        epilog="exit codes: 0 done, 1 a cell failed, 64 wrong arguments, 124 timeout, 138 the kernel died,\n"
        "143 stopped (the notebook is saved as far as it came)",
    )
    own = {
        "notebook": ("NAME", "which notebook, in an image of several"),
        "output": ("PATH", "where the executed notebook goes: a file, a folder, or a URL; {parameter} is filled in"),
        "results": ("PATH", "a file or URL for the JSON of the last line"),
        "timeout": ("SECONDS", "after which the notebook is stopped"),
    }  # fmt: skip
    for name, (value, text) in own.items():
        default = env.get(VARIABLES[name], "")
        parser.add_argument(
            f"--{name}", metavar=value, default=default, help=f"{_plain(text)} [{VARIABLES[name]}]"
        )
    parser.add_argument(
        "-p", "--parameters", dest="pairs", nargs=2, action="append", metavar=("NAME", "VALUE"),
        help="an argument, whatever its name",
    )  # fmt: skip
    group = parser.add_argument_group("parameters" if parameters else "parameters: none are declared")
    for parameter in parameters:
        flags = [f"--{parameter.name}", f"--{parameter.name.replace('_', '-')}"]
        free = [flag for flag in dict.fromkeys(flags) if flag not in parser._option_string_actions]
        if free:
            group.add_argument(
                *free, dest=_key(parameter.name), metavar=_type(parameter), help=_help(parameter)
            )
    return parser


def _key(name: str) -> str:
    return f"parameter {name}"


def _type(parameter: Parameter) -> str:
    return str(parameter.kind).partition(" ")[0].upper() if parameter.annotation else "VALUE"


def _help(parameter: Parameter) -> str:
    default = "required" if parameter.is_required else f"default {parameter.default_source}"
    about = f"{parameter.kind}, {default}" if parameter.annotation else default
    text = f"{parameter.help} ({about})" if parameter.help else f"({about})"
    return _plain(f"{text} [{PREFIX}{parameter.name.upper()}]")


def _plain(text: str) -> str:
    """argparse takes a per cent sign for a place to fill in."""
    return text.replace("%", "%%")


def _from_environment(env: Mapping[str, str], parameters: Sequence[Parameter]) -> dict[str, str]:
    declared = {parameter.name.upper(): parameter.name for parameter in parameters}
    found = {}
    for variable in sorted(env):
        if variable.startswith(PREFIX):
            name = variable.removeprefix(PREFIX)
            if declared and name.upper() not in declared:
                near = did_you_mean(variable, [f"{PREFIX}{one}" for one in declared])
                raise InvalidParameter(f"{variable} is set, and there is no such parameter", hint=near)
            found[declared.get(name.upper(), name.lower())] = env[variable]
    return found


def _seconds(text: str) -> float | None:
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise InvalidInput(f"--timeout {text}: that is no number of seconds")
    return seconds
