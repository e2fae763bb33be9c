"""A version as an MLflow model directory, written without MLflow, and read back.

``mlflow.pyfunc.load_model`` and ``mlflow models serve`` take the directory: its loader is our `runtime`, whose text
lies in it under a module name of this version alone, so that two versions can be in one process. The directory
holds the manifest and the files as the store has them; local files are linked, not copied, where that can be.
"""

from __future__ import annotations

import inspect
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from ..blobs import BlobStore
from ..errors import Conflict, InvalidInput, NotFound, StorageUnavailable
from ..fingerprint import digest_bytes
from . import runtime, signature
from .manifest import Manifest, check_path
from .registration import Envelope

MLMODEL = "MLmodel"
INPUT_EXAMPLE = "input_example.json"
SERVING_EXAMPLE = "serving_input_example.json"
DATA = "artifacts"
_FAST_ONLY = "fast"
_LINKED_BYTES = 8 * 2**20  # smaller files are copied: a link shares its content with the store's blob


def export(manifest: Manifest, blobs: BlobStore, directory: Path, *, reference: str = "") -> Path:
    """Write the version to `directory`, which must not be there or be empty; it appears whole or not at all."""
    directory = Path(directory).absolute()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Conflict(f"{directory} is there already", hint="export to a folder that is not there")
    fresh = directory.with_name(f".{directory.name}.{uuid.uuid4().hex[:8]}")
    try:
        fresh.mkdir(parents=True)
        for path, text in texts(manifest, read_example(manifest, blobs), reference).items():
            _write(fresh / path, text.encode())
        for path, digest in exported_files(manifest).items():
            _link(blobs.local_path(digest), fresh.joinpath(DATA, *path.split("/")))
        os.replace(fresh, directory)
    except OSError as error:
        raise StorageUnavailable(f"cannot write {directory}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return directory


def read_example(manifest: Manifest, blobs: BlobStore) -> dict[str, Any] | None:
    """The input example as the runtime encodes it; None when the version came without one."""
    file = manifest.files.get(str(manifest.example.get("file", "")))
    if file is None:
        return None
    body: dict[str, Any] = json.loads(blobs.read_bytes(str(file["digest"])))
    return body


def exported_files(manifest: Manifest) -> dict[str, str]:
    """Path → digest of what leaves the store: everything but a pickle that a portable form stands beside."""
    forms = manifest.definition["forms"]
    left = forms.get(_FAST_ONLY) if "portable" in forms else None
    return {path: str(file["digest"]) for path, file in manifest.files.items() if path != left}


def texts(manifest: Manifest, example: Mapping[str, Any] | None, reference: str = "") -> dict[str, str]:
    """The directory's small files: path → text. Depends on nothing but the manifest and its example."""
    examples = _examples(example) if example else {}
    document = manifest.to_bytes()
    module = f"mlops_loader_{digest_bytes(document)[:8]}"
    python = str(manifest.dependencies["python"])
    pins = list(manifest.dependencies["direct"])
    pip = {
        "dependencies": [f"python={python}", "pip", {"pip": pins}],
        "name": "mlflow-env",
        "channels": ["conda-forge"],
    }
    env = {"python": python, "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}
    files = {
        MLMODEL: _yaml(_mlmodel(manifest, module, reference, has_example=bool(examples))),
        "requirements.txt": "".join(f"{pin}\n" for pin in pins),
        "python_env.yaml": _yaml(env),
        "conda.yaml": _yaml(pip),
        f"code/{module}/__init__.py": _LOADER.format(digest=digest_bytes(document)),
        f"code/{module}/runtime.py": inspect.getsource(runtime),
        f"{DATA}/{runtime.MANIFEST}": document.decode(),
    }
    return files | examples


_LOADER = '''"""Written by jupyter_mlops: lets MLflow run this version as it was registered."""

from .runtime import Refused, load

DIGEST = "{digest}"


class _Model:
    def __init__(self, folder):
        self.model = load(folder, DIGEST)

    def predict(self, data, params=None):
        return self.model.predict(self.model.conform(data))


def _load_pyfunc(path):
    return _Model(path)
'''


def _mlmodel(manifest: Manifest, module: str, reference: str, *, has_example: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "flavors": {
            "python_function": {
                "loader_module": module,
                "code": "code",
                "data": DATA,
                "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
                "python_version": manifest.dependencies["python"],
            }
        },
        "model_uuid": uuid.UUID(manifest.digest[:32]).hex,
        "utc_time_created": datetime.fromisoformat(manifest.created_at).strftime("%Y-%m-%d %H:%M:%S.%f"),
        "metadata": {"jupyter_mlops": {"reference": reference, "manifest": manifest.digest}},
    }
    if has_example:
        body["saved_input_example_info"] = {
            "artifact_path": INPUT_EXAMPLE,
            "serving_input_path": SERVING_EXAMPLE,
            "type": "dataframe",
            "pandas_orient": "split",
        }
    if manifest.run.get("run_id"):
        body["run_id"] = manifest.run["run_id"]
    if manifest.signature.get("inputs"):
        body["signature"] = signature.to_mlflow(manifest.signature["inputs"], manifest.signature["outputs"])
    return body


def _yaml(body: Any) -> str:
    return str(yaml.safe_dump(body, sort_keys=True, allow_unicode=True))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _link(blob: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if blob.stat().st_size >= _LINKED_BYTES:
        try:
            os.link(blob, target)
            return
        except OSError:  # another file system, or one without links
            pass
    shutil.copyfile(blob, target)


def _examples(example: Mapping[str, Any]) -> dict[str, str]:
    """The input example as MLflow shows it: as a frame, and as the body of a request."""
    if example["kind"] != "frame":
        return {}
    columns = [_plain_values(column) for column in example["columns"]]
    split = {
        "columns": [column["name"] for column in example["columns"]],
        "data": [list(row) for row in zip(*columns, strict=True)],
    }
    return {
        INPUT_EXAMPLE: json.dumps(split),
        SERVING_EXAMPLE: json.dumps({"dataframe_split": split}),
    }


def _plain_values(column: Mapping[str, Any]) -> list[Any]:
    if column["dtype"].startswith("datetime64") and "," in column["dtype"]:  # MLflow takes no zones
        return [None if value is None else _naive(value) for value in column["values"]]
    if column["dtype"] != "category":
        return list(column["values"])
    categories = column["categories"]["values"]
    return [None if code < 0 else categories[code] for code in column["values"]]


def _naive(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone(UTC).replace(tzinfo=None).isoformat()


# --- reading ----------------------------------------------------------------------------------------------


def read(directory: Path, name: str) -> Envelope:
    """The envelope of an MLflow model directory, to be registered as `name`.

    One that we wrote comes back as it was; of MLflow's own flavors scikit-learn's is read. Nothing in it is
    opened. `InvalidInput` for what is no such directory, for other flavors, and for damaged files.
    """
    directory = Path(directory)
    body = _read_mlmodel(directory)
    if (directory / DATA / runtime.MANIFEST).is_file():
        return _read_ours(directory / DATA, name)
    return _read_foreign(directory, body, name)


def _read_mlmodel(directory: Path) -> Mapping[str, Any]:
    path = directory / MLMODEL
    if not path.is_file():
        raise NotFound(f"{directory} is no MLflow model: there is no {MLMODEL} in it")
    try:
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} is no YAML: {error}") from None
    if not isinstance(body, Mapping) or not isinstance(body.get("flavors"), Mapping):
        raise InvalidInput(f"{path} names no flavors")
    return body


def _read_ours(folder: Path, name: str) -> Envelope:
    manifest = Manifest.from_bytes((folder / runtime.MANIFEST).read_bytes())
    forms = dict(manifest.definition["forms"])
    files = exported_files(manifest)
    if "portable" in forms:
        forms.pop(_FAST_ONLY, None)  # stayed in the store that it comes from
    contents = {path: _contents(folder, path, digest) for path, digest in files.items()}
    kept = {path: file for path, file in manifest.files.items() if path in files}
    definition = {**manifest.definition, "forms": forms}
    return Envelope(replace(manifest, name=name, definition=definition, files=kept), contents)


def _contents(folder: Path, path: str, digest: str) -> bytes:
    target = folder.joinpath(*check_path(path).split("/"))
    if target.is_symlink() or not target.resolve().is_relative_to(folder.resolve()):
        raise InvalidInput(f"{path} leads out of the model's folder")
    if not target.is_file():
        raise InvalidInput(f"{folder} lacks {path}", hint="the model was not copied whole")
    data = target.read_bytes()
    if digest and digest_bytes(data) != digest:
        raise InvalidInput(f"{path} is damaged: its content has another digest", hint="copy the model again")
    return data


_FORMS = {"cloudpickle": "pickle", "pickle": "pickle", "skops": "skops"}


def _read_foreign(directory: Path, body: Mapping[str, Any], name: str) -> Envelope:
    flavor = body["flavors"].get("sklearn")
    if not isinstance(flavor, Mapping):
        known = ", ".join(sorted(map(str, body["flavors"])))
        raise InvalidInput(
            f"{directory} has the flavors {known}; scikit-learn's, or an export of ours, can be imported",
            hint="load it with mlflow and register the model itself",
        )
    form = _FORMS.get(str(flavor.get("serialization_format", "cloudpickle")))
    source = str(flavor.get("pickled_model", "model.pkl"))
    if form is None:
        raise InvalidInput(f"{directory}: the format {flavor.get('serialization_format')!r} is not known")
    model = _contents(directory, source, "")
    path = f"model.{'skops' if form == 'skops' else 'pkl'}"
    requirements = directory / "requirements.txt"
    pins = requirements.read_text(encoding="utf-8").split("\n") if requirements.is_file() else []
    direct = sorted(pin.strip() for pin in pins if pin.strip() and not pin.startswith("mlflow"))
    python = str(body["flavors"].get("python_function", {}).get("python_version", ""))
    file = {"digest": digest_bytes(model), "size_bytes": len(model), "format": form}
    described = {"class": "sklearn", "library": "sklearn", "text": "", "source": ""}
    manifest = Manifest(
        name=name,
        definition={**described, "forms": {"portable" if form == "skops" else "fast": path}},
        parameters={},
        featurize=None,
        predict=None,
        dependencies={
            "python": python,
            "platform": "",
            "direct": direct,
            "locked": direct,
            "local_modules": [],
            "imported_by_name": [],
            "modules": [],
        },
        data=[],
        code={"cells": [], "notebook": "", "notebook_digest": "", "script": "", "git": {}},
        run={"run_id": "", "task": ""},
        artifacts={},
        metrics={},
        signature=signature.from_mlflow(body.get("signature")),
        example={},
        tags={},
        description="",
        files={path: file},
        check={"kind": "none", "is_rowwise": True},
        created_at=str(body.get("utc_time_created", "")),
        user_name="",
    )
    return Envelope(manifest, {path: model})
