"""Versions to and from an MLflow tracking server, by its REST API: MLflow itself is not needed.

A push makes a run with the version's metrics and parameters, uploads the model directory to it, and registers that
under the same name; the server gives a number of its own, so ours stands in a tag. A pull downloads the directory
and registers it here, with the server as its origin: whether its pickles may be opened is up to `trusted_models`.
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..catalog import ModelVersion
from ..errors import InvalidInput, InvalidSettings, NotFound, StorageUnavailable
from .manifest import Manifest, check_path
from .names import ModelReference, check_name, parse_model_reference
from .store import ModelStore

_API = "/api/2.0/mlflow"
_FILES = "/api/2.0/mlflow-artifacts/artifacts"
_SCHEME = "mlflow-artifacts:"
_MOST_PARAMS = 100  # of a batch, as the server wants it
_LONGEST_PARAM = 6000


@dataclass(frozen=True, slots=True)
class MlflowServer:
    """A tracking server at an ``http(s)://`` URL. Credentials come from ``MLFLOW_TRACKING_USERNAME`` and
    ``…_PASSWORD`` or ``MLFLOW_TRACKING_TOKEN``, as for MLflow's own client."""

    url: str
    timeout_seconds: float = 60.0

    def __post_init__(self) -> None:
        if urllib.parse.urlsplit(self.url).scheme not in ("http", "https"):
            raise InvalidSettings(f"{self.url!r} is no MLflow server", hint="http://host:5000")

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One call of the API; a query for GET, JSON otherwise. `NotFound` for what is not there."""
        query = "?" + urllib.parse.urlencode(body) if body and method == "GET" else ""
        data = json.dumps(body).encode() if body is not None and method != "GET" else None
        headers = {"Content-Type": "application/json"} if data is not None else {}
        answer = self._request(method, f"{_API}/{path}{query}", data, headers)
        told: dict[str, Any] = json.loads(answer or b"{}")
        return told

    def put_file(self, path: str, source: Path) -> None:
        """Upload one file to the server's artifacts."""
        size = str(source.stat().st_size)
        with source.open("rb") as file:
            headers = {"Content-Length": size, "Content-Type": "application/octet-stream"}
            self._request("PUT", f"{_FILES}/{urllib.parse.quote(path)}", file, headers)

    def read_file(self, path: str) -> bytes:
        """One file of the server's artifacts."""
        return self._request("GET", f"{_FILES}/{urllib.parse.quote(path)}")

    def files(self, folder: str, below: str = "") -> Iterator[str]:
        """The paths of all files under a folder of the server's artifacts, relative to it."""
        where = f"{folder}/{below}".rstrip("/")
        query = urllib.parse.urlencode({"path": where})
        for entry in json.loads(self._request("GET", f"{_FILES}?{query}")).get("files", []):
            name = check_path(f"{below}/{entry['path'].rpartition('/')[2]}".lstrip("/"))
            if entry.get("is_dir"):
                yield from self.files(folder, name)
            else:
                yield name

    def _request(
        self, method: str, path: str, data: Any = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        address = self.url.rstrip("/") + path
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            address, data=data, method=method, headers={**_credentials(), **(headers or {})}
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_seconds) as answer:  # noqa: S310
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            raise _translated(error, method, path) from None
        except (OSError, urllib.error.URLError) as error:
            reason = getattr(error, "reason", error)
            raise StorageUnavailable(
                f"the MLflow server {self.url} does not answer: {reason}",
                hint="check that it runs, and the URL",
            ) from error


def _credentials() -> dict[str, str]:
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    if token:
        return {"Authorization": f"Bearer {token}"}
    user, password = (os.environ.get(f"MLFLOW_TRACKING_{name}", "") for name in ("USERNAME", "PASSWORD"))
    if user:
        return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
    return {}


def _translated(error: urllib.error.HTTPError, method: str, path: str) -> Exception:
    text = error.read().decode("utf-8", "replace")
    try:
        told = json.loads(text)
        code, message = str(told.get("error_code", "")), str(told.get("message", text))
    except (ValueError, AttributeError):
        code, message = "", text
    shown = message.strip().partition("\n")[0][:300]
    what = f"the MLflow server refused {method} {path.partition('?')[0]} ({error.code}): {shown}"
    if code == "RESOURCE_DOES_NOT_EXIST" or error.code == 404:
        return NotFound(what, mlflow_code=code)
    if error.code in (401, 403):
        return InvalidInput(
            what,
            hint="set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or …_TOKEN",
            mlflow_code=code,
        )
    if error.code >= 500:
        return StorageUnavailable(what)
    return InvalidInput(what, mlflow_code=code)


# --- push -------------------------------------------------------------------------------------------------


def push(
    store: ModelStore, reference: str, server: MlflowServer, *, experiment: str = "jupyter_mlops"
) -> dict[str, Any]:
    """Mirror a version, and the aliases that name it; ``{"name", "version", "run_id"}`` as the server has it."""
    version = store.get(reference)
    manifest = store.manifest(version)
    run = _create_run(server, _experiment(server, experiment), version, manifest)
    root = _server_path(run["artifact_uri"])
    with tempfile.TemporaryDirectory(prefix="mlops-push-") as place:
        folder = store.export_mlflow(f"{version.name}/{version.version}", Path(place) / "model")
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            server.put_file(f"{root}/model/{path.relative_to(folder).as_posix()}", path)
    _log(server, run["run_id"], manifest)
    made = _register(server, version, f"{run['artifact_uri']}/model", run["run_id"])
    for alias, number in store.aliases(version.name).items():
        if number == version.version:
            body = {"name": version.name, "alias": alias, "version": made}
            server.call("POST", "registered-models/alias", body)
    end = {"run_id": run["run_id"], "status": "FINISHED", "end_time": _milliseconds()}
    server.call("POST", "runs/update", end)
    return {"name": version.name, "version": int(made), "run_id": run["run_id"]}


def _experiment(server: MlflowServer, name: str) -> str:
    try:
        found = server.call("GET", "experiments/get-by-name", {"experiment_name": name})
        return str(found["experiment"]["experiment_id"])
    except NotFound:
        return str(server.call("POST", "experiments/create", {"name": name})["experiment_id"])


def _create_run(
    server: MlflowServer, experiment_id: str, version: ModelVersion, manifest: Manifest
) -> dict[str, Any]:
    tags = {
        "mlflow.runName": f"{version.name}/{version.version}",
        "mlflow.user": version.user_name,
        "mlflow.source.git.commit": str((manifest.code.get("git") or {}).get("commit", "")),
        "jupyter_mlops.run_id": version.run_id,
    }
    body = {
        "experiment_id": experiment_id,
        "start_time": _milliseconds(),
        "tags": [{"key": key, "value": value} for key, value in tags.items() if value],
    }
    made: dict[str, Any] = server.call("POST", "runs/create", body)["run"]["info"]
    return made


def _log(server: MlflowServer, run_id: str, manifest: Manifest) -> None:
    at = _milliseconds()
    metrics = [
        {"key": key, "value": value, "timestamp": at, "step": 0} for key, value in manifest.metrics.items()
    ]
    params = [{"key": key, "value": _param(value)} for key, value in manifest.parameters.items()]
    for start in range(0, max(len(params), 1), _MOST_PARAMS):
        part = {"run_id": run_id, "params": params[start : start + _MOST_PARAMS]}
        server.call("POST", "runs/log-batch", part | ({"metrics": metrics} if start == 0 else {}))


def _param(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value))[:_LONGEST_PARAM]


def _register(server: MlflowServer, version: ModelVersion, source: str, run_id: str) -> str:
    try:
        server.call("POST", "registered-models/create", {"name": version.name})
    except InvalidInput as error:
        if error.fields.get("mlflow_code") != "RESOURCE_ALREADY_EXISTS":
            raise
    ours = {
        "jupyter_mlops.version": str(version.version),
        "jupyter_mlops.manifest": version.manifest,
        "jupyter_mlops.origin": version.origin,
    }
    body = {
        "name": version.name,
        "source": source,
        "run_id": run_id,
        "description": version.description,
        "tags": [{"key": key, "value": value} for key, value in {**version.tags, **ours}.items() if value],
    }
    return str(server.call("POST", "model-versions/create", body)["model_version"]["version"])


def _server_path(uri: str) -> str:
    """The path below the server's artifacts; only what the server itself hands out is read or written."""
    if not uri.startswith(_SCHEME):
        raise InvalidInput(
            f"the server keeps its artifacts at {uri}, not behind itself",
            hint="start it with --artifacts-destination, or import the directory with import_mlflow",
        )
    path = urllib.parse.unquote(urllib.parse.urlsplit(uri).path).strip("/")
    return check_path(path)


def _milliseconds() -> int:
    return round(time.time() * 1000)


# --- pull -------------------------------------------------------------------------------------------------


def pull(store: ModelStore, server: MlflowServer, reference: str, *, name: str = "") -> ModelVersion:
    """Register a version of the server (``models:/NAME/3``, ``@alias`` or the newest) here, as `name` or as it
    is called there."""
    wanted = parse_model_reference(reference)
    number = _number(server, wanted)
    there = {"name": wanted.name, "version": number}
    told = server.call("GET", "model-versions/get", there)["model_version"]
    uri = server.call("GET", "model-versions/get-download-uri", there)["artifact_uri"]
    root = _server_path(uri)
    with tempfile.TemporaryDirectory(prefix="mlops-pull-") as folder:
        for path in server.files(root):
            target = Path(folder).joinpath(*path.split("/"))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(server.read_file(f"{root}/{path}"))
        origin = f"{server.url.rstrip('/')}/models/{wanted.name}/{number}"
        run = _run_of(server, str(told.get("run_id") or ""))
        return store.import_mlflow(
            folder,
            check_name(name or wanted.name),
            origin=origin,
            metrics={metric["key"]: metric["value"] for metric in run.get("metrics", [])},
            parameters={param["key"]: param["value"] for param in run.get("params", [])},
            tags={tag["key"]: tag["value"] for tag in told.get("tags", [])},
            description=str(told.get("description") or ""),
        )


def _number(server: MlflowServer, wanted: ModelReference) -> str:
    if wanted.version is not None:
        return str(wanted.version)
    if wanted.alias is not None:
        body = {"name": wanted.name, "alias": wanted.alias}
        return str(server.call("GET", "registered-models/alias", body)["model_version"]["version"])
    filtered = {"filter": f"name='{wanted.name}'", "max_results": 1, "order_by": "version_number DESC"}
    found = server.call("GET", "model-versions/search", filtered).get("model_versions", [])
    if not found:
        raise NotFound(f"the MLflow server has no model {wanted.name!r}")
    return str(found[0]["version"])


def _run_of(server: MlflowServer, run_id: str) -> dict[str, Any]:
    if not run_id:
        return {}
    try:
        data: dict[str, Any] = server.call("GET", "runs/get", {"run_id": run_id})["run"].get("data", {})
    except NotFound:  # it was deleted there, the version stayed
        return {}
    return data
