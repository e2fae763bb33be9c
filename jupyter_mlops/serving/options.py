"""What can be set, once: the table is the command line, the environment (``MLOPS_SERVING_*``) and the documentation."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, NotFound

PREFIX = "MLOPS_SERVING_"
_FOLDERS = ("AZUREML_MODEL_DIR", "AIP_MODEL_DIR")
_PLACES = ("/opt/ml/model", "/mnt/models")
_PORTS = ("AIP_HTTP_PORT", "SAGEMAKER_BIND_TO_PORT", "PORT")


def _flag(default: Any, words: str, *, is_secret: bool = False) -> Any:
    return field(default=default, metadata={"help": words, "is_secret": is_secret})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Each is a flag (``--log-requests``) and a variable (``MLOPS_SERVING_LOG_REQUESTS``); the flag wins."""

    model: str = _flag("", "The folder of a version, as export_mlflow wrote it.")
    traffic: str = _flag("", "A traffic file instead: several versions, and changes while it runs.")
    name: str = _flag("", "The name by which the model is asked for; by default its own.")
    host: str = _flag("0.0.0.0", "Where to listen.")  # noqa: S104 - a container has to
    port: int = _flag(0, "AIP_HTTP_PORT, SAGEMAKER_BIND_TO_PORT or PORT, else 8080.")
    uds: str = _flag("", "A Unix socket to listen at, instead of a port.")
    fd: int = _flag(-1, "A listening socket that was inherited, instead of a port.")
    listen_when_ready: bool = _flag(False, "Listen only when the model is loaded.")  # noqa: FBT003 - a field's default
    workers: int = _flag(1, "Processes that share the port; by each the model is in memory once.")
    timeout_seconds: float = _flag(60.0, "How long a prediction may take.")
    batch_rows: int = _flag(1024, "How many rows of waiting requests the model gets at once.")
    waiting: int = _flag(512, "How many requests may wait for the model; more are refused with 429.")
    body_bytes: int = _flag(25 * 2**20, "How large a body may be.")
    held_bytes: int = _flag(256 * 2**20, "How much all bodies may be together; more are refused with 429.")
    head_seconds: float = _flag(10.0, "How long a client may take for the head of a request.")
    body_seconds: float = _flag(30.0, "How long a client may take for its body.")
    idle_seconds: float = _flag(75.0, "How long a connection is kept without a request.")
    connections: int = _flag(1024, "How many connections at once.")
    drain_seconds: float = _flag(25.0, "How long answers may take after SIGTERM.")
    linger_seconds: float = _flag(
        0.0, "How long to go on accepting after SIGTERM, while balancers hear of it."
    )
    token: str = _flag("", "A bearer token that every request but probes must have.", is_secret=True)
    token_file: str = _flag("", "A file that holds the token.")
    health_route: str = _flag("", "A further path for health; by default AIP_HEALTH_ROUTE.")
    predict_route: str = _flag("", "A further path for predictions; by default AIP_PREDICT_ROUTE.")
    log_requests: bool = _flag(False, "Log each request.")  # noqa: FBT003 - a field's default
    log_level: str = _flag("info", "debug, info, warning or error.")
    log_format: str = _flag("json", "json, or text for people.")
    journal: str = _flag("", "A folder for the log of predictions.")
    journal_share: float = _flag(1.0, "Which share of the keys is logged, all predictions of each.")
    journal_bytes: int = _flag(64 * 2**20, "How large a file of the log becomes.")
    journal_files: int = _flag(20, "How many files of the log are kept.")
    features: str = _flag(
        "", "The catalog (URL) whose feature services are looked up by key.", is_secret=True
    )
    features_blobs: str = _flag("", "The blob store of that catalog.")
    features_online: str = _flag("", "The online store: redis://…, sqlite:///….", is_secret=True)


def read(arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """The options of a command line and an environment; `InvalidInput`."""
    given = vars(_parser().parse_args(_without_verb(arguments)))
    values: dict[str, Any] = {}
    for one in dataclasses.fields(Options):
        variable = PREFIX + one.name.upper()
        if given.get(one.name) is not None:
            values[one.name] = _typed(f"--{one.name.replace('_', '-')}", given[one.name], one.default)
        elif environment.get(variable, "") != "":
            values[one.name] = _typed(variable, environment[variable], one.default)
    for name, other in (("model", "traffic"), ("traffic", "model")):
        if given.get(name) is not None and given.get(other) is None:
            values.pop(other, None)  # an image says where its model is; a flag wins
    options = Options(**values)
    _check(options)
    return dataclasses.replace(
        options,
        port=options.port or _port(environment),
        model=options.model if options.traffic else _folder(options.model, environment),
        token=options.token or _token(options.token_file),
        health_route=options.health_route or environment.get("AIP_HEALTH_ROUTE", ""),
        predict_route=options.predict_route or environment.get("AIP_PREDICT_ROUTE", ""),
    )


def table() -> list[tuple[str, str, str, str]]:
    """(flag, variable, default, meaning) of each, for the documentation."""
    return [
        (f"--{one.name.replace('_', '-')}", PREFIX + one.name.upper(), str(one.default), one.metadata["help"])
        for one in dataclasses.fields(Options)
    ]


def to_arguments(options: Options) -> list[str]:
    """The command line of these options, without secrets: those go by the environment."""
    default = Options()
    arguments = []
    for one in dataclasses.fields(Options):
        value = getattr(options, one.name)
        if value == getattr(default, one.name) or one.metadata["is_secret"]:
            continue
        flag = f"--{one.name.replace('_', '-')}"
        arguments += [flag] if value is True else [flag, str(value)]
    return arguments


def secrets_of(options: Options) -> dict[str, str]:
    """The secret options as environment variables."""
    return {
        PREFIX + one.name.upper(): value
        for one in dataclasses.fields(Options)
        if one.metadata["is_secret"] and (value := getattr(options, one.name))
    }


def _without_verb(arguments: Sequence[str]) -> list[str]:
    """SageMaker starts an image with the argument ``serve``."""
    return list(arguments[1:]) if arguments and arguments[0] == "serve" else list(arguments)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise InvalidInput(message, hint="python -m jupyter_mlops.serving --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m jupyter_mlops.serving",
        description="Serve a model version. Every flag is a variable, too: --port is MLOPS_SERVING_PORT.",
        allow_abbrev=False,
    )
    for one in dataclasses.fields(Options):
        flag, words = f"--{one.name.replace('_', '-')}", one.metadata["help"].replace("%", "%%")
        if isinstance(one.default, bool):
            parser.add_argument(flag, action="store_const", const="true", help=words)
        else:
            parser.add_argument(flag, help=words)
    return parser


def _typed(where: str, text: str, default: Any) -> Any:
    try:
        if isinstance(default, bool):
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[
                text.lower()
            ]
        return type(default)(text)
    except (ValueError, KeyError):
        kind = {bool: "true or false", int: "a whole number", float: "a number"}[type(default)]
        raise InvalidInput(f"{where} is {text!r}, not {kind}") from None


def _check(options: Options) -> None:
    for one in dataclasses.fields(Options):
        value = getattr(options, one.name)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if is_number and one.name not in ("fd",) and not 0 <= value < 2**62:
            raise InvalidInput(f"--{one.name.replace('_', '-')} is {value}")
    for name in (
        "workers",
        "batch_rows",
        "waiting",
        "body_bytes",
        "held_bytes",
        "connections",
        "timeout_seconds",
    ):
        if getattr(options, name) <= 0:
            raise InvalidInput(f"--{name.replace('_', '-')} must be more than 0")
    if options.port > 65535:
        raise InvalidInput(f"--port is {options.port}, no port")
    if options.model and options.traffic:
        raise InvalidInput("--model and --traffic are one or the other")
    if options.log_level not in ("debug", "info", "warning", "error"):
        raise InvalidInput(f"--log-level is {options.log_level!r}", hint="debug, info, warning or error")
    if options.log_format not in ("json", "text"):
        raise InvalidInput(f"--log-format is {options.log_format!r}", hint="json or text")
    if options.journal_share > 1:
        raise InvalidInput("--journal-share is a share from 0 to 1")


def _port(environment: Mapping[str, str]) -> int:
    for name in _PORTS:
        text = environment.get(name, "")
        if text:
            if not text.isdigit() or not 0 < int(text) < 65536:
                raise InvalidInput(f"{name} is {text!r}, no port")
            return int(text)
    return 8080


def _folder(given: str, environment: Mapping[str, str]) -> str:
    """Where the model is, or where a cloud put it: a folder that is a version, or one that holds a version."""
    places = (
        [given] if given else [environment[name] for name in _FOLDERS if environment.get(name)] + [*_PLACES]
    )
    for place in map(Path, places):
        for folder in [place, *(sorted(place.iterdir()) if place.is_dir() else [])]:
            if (folder / "MLmodel").is_file():
                return str(folder)
    if given:
        raise NotFound(f"{given} holds no model version", hint="a folder that export_mlflow wrote")
    raise NotFound("there is no model to serve", hint="--model FOLDER, or mount one at /opt/ml/model")


def _token(file: str) -> str:
    if not file:
        return ""
    try:
        token = Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InvalidInput(f"the token cannot be read from {file}: {error.strerror}") from None
    if not token:
        raise InvalidInput(f"the file {file} holds no token")
    return token
