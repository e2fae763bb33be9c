"""A small cluster behind the real kubectl: an API server over HTTP that discovers, lists, applies server-side by field
managers and deletes, and the controllers that matter here (pods of a Deployment, an autoscaler's least). It checks no
schemas: other tests do. And environments with the clouds' own SDKs, apart from ours, since they pin much."""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

ROOT = Path(__file__).parents[3]
RESOURCES = {  # group/version → (plural, kind)
    "v1": [
        ("pods", "Pod"),
        ("services", "Service"),
        ("serviceaccounts", "ServiceAccount"),
        ("namespaces", "Namespace"),
    ],
    "apps/v1": [("deployments", "Deployment")],
    "autoscaling/v2": [("horizontalpodautoscalers", "HorizontalPodAutoscaler")],
    "policy/v1": [("poddisruptionbudgets", "PodDisruptionBudget")],
    "networking.k8s.io/v1": [("networkpolicies", "NetworkPolicy"), ("ingresses", "Ingress")],
}
SHORT = {"horizontalpodautoscalers": ["hpa"], "poddisruptionbudgets": ["pdb"], "inferenceservices": ["isvc"]}
BAD = "bad" + "0" * 61  # the digest of an image that never runs


def leaves(body: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Fields and their values; lists are one value."""
    if isinstance(body, dict) and body:
        for key, value in body.items():
            yield from leaves(value, (*path, key))
    else:
        yield path, body


def put(body: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        body = body.setdefault(key, {})
    body[path[-1]] = value


def drop(body: dict[str, Any], path: tuple[str, ...]) -> None:
    for key in path[:-1]:
        body = body.get(key, {})
    body.pop(path[-1], None)


class Cluster:
    """Objects by (plural, namespace, name), and what each field manager applied."""

    def __init__(self) -> None:
        self.resources = {**RESOURCES}
        self.objects: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.applied: dict[tuple[tuple[str, str, str], str], dict[tuple[str, ...], Any]] = {}
        self.log: list[str] = []
        self.fewest: dict[str, int] = {}  # Deployment → fewest replicas that it ever had since it has two
        self.away: list[str] = []  # group/version of APIs whose own servers do not answer
        self.hidden: set[str] = set()  # plurals that this account may not list
        self.refused: dict[str, str] = {}  # plural → what admission says to it
        self.lock = threading.RLock()
        self.objects[("namespaces", "", "models")] = {
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "models"},
        }  # fmt: skip

    def plural_of(self, kind: str) -> str:
        return next(plural for every in self.resources.values() for plural, each in every if each == kind)

    def names(self, kind: str) -> list[str]:
        plural = self.plural_of(kind)
        return sorted(name for found, _, name in self.objects if found == plural)

    def get(self, kind: str, name: str, namespace: str = "models") -> dict[str, Any]:
        return self.objects[(self.plural_of(kind), namespace, name)]

    def apply(self, key: tuple[str, str, str], body: dict[str, Any], manager: str) -> dict[str, Any]:
        live = self.objects.setdefault(
            key,
            {
                "apiVersion": body["apiVersion"],
                "kind": body["kind"],
                "metadata": {"generation": 0, "uid": key[2]},
            },
        )
        before = copy.deepcopy(live.get("spec"))
        new = dict(
            leaves({name: value for name, value in body.items() if name not in ("apiVersion", "kind")})
        )
        others = {
            path for (k, m), fields in self.applied.items() if k == key and m != manager for path in fields
        }
        for path in self.applied.get((key, manager), {}):
            if path not in new and path not in others:
                drop(live, path)
        for path, value in new.items():
            put(live, path, value)
        self.applied[(key, manager)] = new
        if key[0] == "deployments":
            live["spec"].setdefault("replicas", 1)
        live["metadata"]["managedFields"] = [self.owned(key, m) for k, m in self.applied if k == key]
        if live.get("spec") != before:
            live["metadata"]["generation"] += 1
        self.control()
        return live

    def owned(self, key: tuple[str, str, str], manager: str) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for path in self.applied[(key, manager)]:
            put(fields, tuple(f"f:{each}" for each in path), {})
        return {"manager": manager, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": fields}

    def control(self) -> None:
        """What controllers make of it."""
        for (plural, namespace, name), each in list(self.objects.items()):
            if plural == "deployments":
                scaler = self.objects.get(("horizontalpodautoscalers", namespace, name))
                self.fewest[name] = min(self.fewest.get(name, 9), each["spec"]["replicas"])
                if scaler is not None:
                    least, most = (scaler["spec"][f"{word}Replicas"] for word in ("min", "max"))
                    each["spec"]["replicas"] = min(most, max(least, each["spec"]["replicas"]))
                self.roll(namespace, name, each)
            if plural == "inferenceservices":
                is_bad = BAD in json.dumps(each["spec"])
                each["status"] = {
                    "conditions": [{"type": "Ready", "status": str(not is_bad)}],
                    "url": f"http://{name}.{namespace}.example.com",
                    "observedGeneration": each["metadata"]["generation"],
                }

    def roll(self, namespace: str, name: str, deployment: dict[str, Any]) -> None:
        spec = deployment["spec"]
        is_refused = "pods" in self.refused
        is_bad = BAD in json.dumps(spec["template"]) or is_refused
        kept = [
            k
            for k, pod in self.objects.items()
            if k[0] == "pods" and pod["metadata"]["labels"].get("of") == name
        ]
        pods = [self.objects.pop(key) for key in kept]
        good = [pod for pod in pods if pod["status"]["phase"] == "Running"] if is_bad else []
        for number in range(0 if is_refused else 1 if is_bad else spec["replicas"]):
            pod_name = f"{name}-{deployment['metadata']['generation']}-{number}"
            labels = {**spec["template"]["metadata"]["labels"], "of": name}
            waiting = {"reason": "ImagePullBackOff", "message": "manifest unknown"}
            own = {"restartCount": 0, "state": {"waiting": waiting} if is_bad else {"running": {}}}
            good.append(
                {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": {"name": pod_name, "namespace": namespace, "labels": labels},
                    "spec": {},
                    "status": {
                        "phase": "Pending" if is_bad else "Running",
                        "conditions": [{"type": "Ready", "status": str(not is_bad)}],
                        "containerStatuses": [own],
                    },
                }
            )
        for pod in good:
            self.objects[("pods", namespace, pod["metadata"]["name"])] = pod
        reason = "ProgressDeadlineExceeded" if is_bad else "NewReplicaSetAvailable"
        ready = len([pod for pod in good if pod["status"]["phase"] == "Running"])
        deployment["status"] = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": len(good),
            "updatedReplicas": 0 if is_bad else spec["replicas"],
            "availableReplicas": ready,
            "readyReplicas": ready,
            "conditions": [{"type": "Progressing", "status": str(not is_bad), "reason": reason}],
        }
        if is_refused:
            told = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
            message = f'pods "{name}-1-x" is forbidden: {self.refused["pods"]}'
            deployment["status"]["conditions"].append({**told, "message": message})

    def delete(self, key: tuple[str, str, str]) -> bool:
        found = self.objects.pop(key, None)
        for each in [each for each in self.applied if each[0] == key]:
            del self.applied[each]
        if key[0] == "deployments":
            for pod in [
                k
                for k, p in self.objects.items()
                if k[0] == "pods" and p["metadata"]["labels"]["of"] == key[2]
            ]:
                del self.objects[pod]
        return found is not None

    def find(self, plural: str, namespace: str, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        found = [each for (p, n, _), each in sorted(self.objects.items()) if p == plural and n == namespace]
        for term in filter(None, query.get("labelSelector", [""])[0].split(",")):
            name, _, value = term.replace("!=", "=").partition("=")
            is_not = "!=" in term
            found = [e for e in found if (e["metadata"].get("labels", {}).get(name) == value) is not is_not]
        for term in filter(None, query.get("fieldSelector", [""])[0].split(",")):
            found = [e for e in found if e["metadata"]["name"] == term.partition("=")[2]]
        return found


class Handler(BaseHTTPRequestHandler):
    """The API, as far as kubectl asks."""

    cluster: Cluster
    protocol_version = "HTTP/1.1"

    def log_message(self, *words: Any) -> None: ...

    def answer(self, body: Any, code: int = 200) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, code: int, reason: str, message: str) -> None:
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
        self.answer({**body, "reason": reason, "message": message, "details": {}}, code)

    def handle_call(self, verb: str) -> None:
        split = urlsplit(self.path)
        parts, query = split.path.strip("/").split("/"), parse_qs(split.query)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        with self.cluster.lock:
            if not self.discover(split.path, parts):
                self.act(verb, parts, query, body)

    def do_GET(self) -> None:
        self.handle_call("GET")

    def do_PATCH(self) -> None:
        self.handle_call("PATCH")

    def do_DELETE(self) -> None:
        self.handle_call("DELETE")

    def discover(self, path: str, parts: list[str]) -> bool:
        groups = [each for each in (*self.cluster.resources, *self.cluster.away) if "/" in each]
        if path == "/version":
            self.answer({"major": "1", "minor": "31", "gitVersion": "v1.31.0"})
        elif path == "/api":
            self.answer({"kind": "APIVersions", "versions": ["v1"]})
        elif path == "/apis":
            listed = [
                {"name": each.split("/")[0], "versions": [version], "preferredVersion": version}
                for each in groups
                for version in [{"groupVersion": each, "version": each.split("/")[1]}]
            ]
            self.answer({"kind": "APIGroupList", "apiVersion": "v1", "groups": listed})
        elif path == "/openapi/v3":
            places = {("apis/" if "/" in each else "api/") + each: each for each in self.cluster.resources}
            self.answer({"paths": {key: {"serverRelativeURL": f"/openapi/v3/{key}"} for key in places}})
        elif path.startswith("/openapi/v3/"):
            version = "/".join(parts[3:])
            group, _, number = version.rpartition("/")
            patches = {
                f"/{'/'.join(parts[2:])}/namespaces/{{namespace}}/{plural}/{{name}}": {
                    "patch": {
                        "parameters": [
                            {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}
                        ],
                        "x-kubernetes-group-version-kind": {"group": group, "version": number, "kind": kind},
                    }
                }
                for plural, kind in self.cluster.resources[version]
            }
            self.answer({"openapi": "3.0.0", "info": {"title": "", "version": ""}, "paths": patches})
        elif "/".join(parts[1:]) in self.cluster.away:
            message = "the server is currently unable to handle the request"
            self.refuse(503, "ServiceUnavailable", message)
        elif "/".join(parts[1:]) in self.cluster.resources and parts[0] in ("api", "apis"):
            version = "/".join(parts[1:])
            listed = [
                {
                    "name": plural,
                    "singularName": kind.lower(),
                    "namespaced": plural != "namespaces",
                    "kind": kind,
                    "verbs": ["get", "list", "patch", "delete", "watch", "create"],
                    "shortNames": SHORT.get(plural, []),
                }
                for plural, kind in self.cluster.resources[version]
            ]
            self.answer(
                {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": listed}
            )
        else:
            return False
        return True

    def act(self, verb: str, parts: list[str], query: dict[str, list[str]], body: bytes) -> None:
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        if rest[:1] == ["namespaces"] and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        else:
            namespace = ""
        if not rest or rest[0] not in {
            plural for each in self.cluster.resources.values() for plural, _ in each
        }:
            self.refuse(404, "NotFound", "the server could not find the requested resource")
            return
        plural, name = rest[0], rest[1] if len(rest) > 1 else ""
        key = (plural, namespace, name)
        if verb == "GET" and not name:
            if query.get("watch"):
                self.answer(
                    {"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": {"resourceVersion": "1"}}}
                )
                return
            if plural in self.cluster.hidden:
                self.refuse(
                    403, "Forbidden", f'{plural} is forbidden: User "me" cannot list resource "{plural}"'
                )
                return
            found = self.cluster.find(plural, namespace, query)
            kind = next(k for each in self.cluster.resources.values() for p, k in each if p == plural)
            version = next(v for v, each in self.cluster.resources.items() if (plural, kind) in each)
            self.answer(
                {
                    "kind": f"{kind}List",
                    "apiVersion": version,
                    "metadata": {"resourceVersion": "1"},
                    "items": found,
                }
            )
            return
        if verb == "PATCH":
            given = yaml.safe_load(body)
            if namespace and ("namespaces", "", namespace) not in self.cluster.objects:
                self.refuse(404, "NotFound", f'namespaces "{namespace}" not found')
                return
            if plural in self.cluster.refused:
                message = f'{plural} "{name}" is forbidden: {self.cluster.refused[plural]}'
                self.refuse(403, "Forbidden", message)
                return
            manager = query["fieldManager"][0]
            assert self.headers["Content-Type"] == "application/apply-patch+yaml"
            assert query["force"] == ["true"]
            self.cluster.log.append(f"apply {given['kind']} {name} by {manager}")
            self.answer(self.cluster.apply(key, given, manager))
            return
        if key not in self.cluster.objects:
            self.refuse(404, "NotFound", f'{plural} "{name}" not found')
            return
        if verb == "DELETE":
            self.cluster.log.append(f"delete {self.cluster.objects[key]['kind']} {name}")
            self.cluster.delete(key)
            self.answer({"kind": "Status", "apiVersion": "v1", "status": "Success"})
            return
        self.answer(self.cluster.objects[key])


@pytest.fixture(scope="session")
def kubectl() -> str:
    """A kubectl that knows today's kustomizations and shows managed fields; else the test is skipped."""
    binary = shutil.which("kubectl")
    if binary is None:
        pytest.skip("kubectl is not installed")
    said = subprocess.run(
        [binary, "version", "--client", "-o", "json"], capture_output=True, text=True, timeout=60
    )
    minor = str(json.loads(said.stdout or "{}").get("clientVersion", {}).get("minor", "0"))
    if int("".join(filter(str.isdigit, minor)) or 0) < 27:
        pytest.skip(f"kubectl 1.{minor} is too old")
    return binary


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kubectl: str) -> Iterator[Cluster]:
    """A cluster that the context ``here`` of the kubeconfig names; another context leads nowhere."""
    made = Cluster()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"cluster": made}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    clusters = {"here": f"http://127.0.0.1:{server.server_address[1]}", "nowhere": "http://127.0.0.1:1"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in clusters.items()],
        "users": [{"name": "me", "user": {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}} for name in clusters],
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setenv("HOME", str(tmp_path))
    yield made
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture(scope="session")
def cloud_sdk(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Callable[..., Any]]:
    """``cloud_sdk("google-cloud-aiplatform")(script, argument)``: what a script prints as JSON, run with that SDK and
    our package. Where the SDK cannot be had the test is skipped; in CI it fails."""
    made: dict[tuple[str, ...], Path] = {}

    def environment(*packages: str) -> Callable[..., Any]:
        if packages not in made:
            folder = tmp_path_factory.mktemp("cloud-sdk") / "venv"
            python, ours = str(folder / "bin" / "python"), sys.executable
            install = [ours, "-m", "uv", "pip", "install", "-q", "--python", python, *packages, "pyyaml"]
            commands = [[ours, "-m", "uv", "venv", "-q", "--python", ours, str(folder)], install]
            if importlib.util.find_spec("uv") is None:
                commands = [
                    [ours, "-m", "venv", str(folder)],
                    [python, "-m", "pip", "install", "-q", *packages, "pyyaml"],
                ]
            for words in commands:
                done = subprocess.run(words, capture_output=True, text=True, timeout=280)
                if done.returncode:
                    (pytest.fail if os.environ.get("CI") else pytest.skip)(done.stderr[-2000:])
            made[packages] = folder

        def run(script: str, argument: Any = None) -> Any:
            kept = {
                k: v for k, v in os.environ.items() if not k.startswith(("PYTHONDONT", "VIRTUAL", "MLOPS"))
            }
            done = subprocess.run(
                [str(made[packages] / "bin" / "python"), "-W", "ignore", "-c", script],
                input=json.dumps(argument),
                env={**kept, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                timeout=200,
            )
            assert done.returncode == 0, done.stderr[-6000:]
            return json.loads(done.stdout.strip().splitlines()[-1])

        return run

    return environment
