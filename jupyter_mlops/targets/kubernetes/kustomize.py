"""Manifests as a folder for Kustomize: ``base/``, a file for each object, and an overlay for each environment.

Production is the base as it is. The others live in namespaces of their own and are smaller; whatever else differs
between environments goes into the overlays, which are written once and then belong to their readers.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...errors import Conflict, InvalidInput, StorageUnavailable
from .text import document

OVERLAYS = ("dev", "staging", "prod")
_API = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
_SIZES = {"dev": (1, 2), "staging": (2, 2)}
_SHORT = {
    "HorizontalPodAutoscaler": "hpa",
    "PodDisruptionBudget": "pdb",
    "InferenceService": "inferenceservice",
}


def files(manifests: Iterable[Mapping[str, Any]], namespace: str) -> dict[str, str]:
    """Relative path → text."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for each in manifests:
        kind = str(each["kind"])
        found.setdefault(f"{_SHORT.get(kind, kind.lower())}-{each['metadata']['name']}.yaml", []).append(each)
    twice = [path for path, objects in found.items() if len(objects) > 1]
    if twice:  # KServe's canary is the same object, twice; a folder can hold one state only
        raise InvalidInput(
            f"{twice[0]}: the canary of a KServe service is two steps, which files cannot say",
            hint="write one version, or deploy to the cluster",
        )
    written = {f"base/{path}": document(objects[0]) for path, objects in found.items()}
    written["base/kustomization.yaml"] = document({**_API, "resources": list(found)})
    every = [each for objects in found.values() for each in objects]
    for overlay in OVERLAYS:
        written[f"overlays/{overlay}/kustomization.yaml"] = document(_overlay(overlay, every, namespace))
    return written


def _overlay(name: str, manifests: list[Mapping[str, Any]], namespace: str) -> dict[str, Any]:
    own = namespace if name == "prod" else f"{namespace}-{name}"
    body: dict[str, Any] = {**_API, "namespace": own, "resources": ["../../base"]}
    body["labels"] = [{"pairs": {"jupyter-mlops/environment": name}, "includeSelectors": False}]
    patches = [patch for each in manifests for patch in _patches(name, each)]
    return {**body, "patches": patches} if patches else body


def _patches(overlay: str, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is smaller, or has another name, outside of production."""
    kind, name, spec = manifest["kind"], manifest["metadata"]["name"], manifest.get("spec", {})
    changes: dict[str, Any] = {}
    if overlay in _SIZES:
        least, most = _SIZES[overlay]
        if kind == "HorizontalPodAutoscaler":
            low = min(least, spec["minReplicas"])
            changes = {
                "/spec/minReplicas": low,
                "/spec/maxReplicas": max(low, min(most, spec["maxReplicas"])),
            }
        if kind == "InferenceService":
            changes = {
                "/spec/predictor/minReplicas": min(least, spec["predictor"]["minReplicas"]),
                "/spec/predictor/maxReplicas": min(most, spec["predictor"]["maxReplicas"]),
            }
        if kind == "Ingress":
            host = f"{overlay}.{spec['rules'][0]['host']}"
            changes["/spec/rules/0/host"] = host
            if "tls" in spec:
                changes["/spec/tls/0/hosts/0"] = host
        if kind == "HTTPRoute" and "hostnames" in spec:
            changes["/spec/hostnames/0"] = f"{overlay}.{spec['hostnames'][0]}"
    if overlay == "dev" and kind == "CronJob":
        changes["/spec/suspend"] = True  # nothing fires by itself where people try things
    if not changes:
        return []
    operations = [{"op": "replace", "path": path, "value": value} for path, value in changes.items()]
    return [{"target": {"kind": kind, "name": name}, "patch": document(operations)}]


def write(texts: Mapping[str, str], folder: Path, *, is_forced: bool = False) -> list[Path]:
    """Write them; a base that somebody changed is not overwritten unasked (`Conflict`), an overlay that is there
    never is: it belongs to its readers. Returns what was written."""
    kept = {
        path for path in texts if path.startswith("overlays/") and (folder / path).exists() and not is_forced
    }
    try:
        for path, text in texts.items():
            place = folder / path
            is_fine = path in kept or is_forced or not place.exists()
            if not is_fine and place.read_text(encoding="utf-8", errors="replace") != text:
                raise Conflict(f"{place} is there and differs", hint="overwrite it with --force")
        wrote = []
        for path, text in texts.items():
            if path not in kept:
                _replace(folder / path, text)
                wrote.append(folder / path)
        return wrote
    except OSError as error:
        raise StorageUnavailable(f"cannot write {folder}: {error.strerror}") from error


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
