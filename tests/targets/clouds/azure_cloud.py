"""Run with Azure's SDK by test_azureml.py: our target through Azure's real client, over a transport that ends in this
process at a small resource manager, which keeps what is put as the REST API has it.

Reads steps as JSON, prints what each gave and what there is then.
"""

import dataclasses
import io
import json
import sys
import time
from urllib.parse import urlsplit

import requests
import yaml
from azure.ai.ml import MLClient, load_environment, load_online_deployment, load_online_endpoint
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import BaseAdapter

from jupyter_mlops.errors import MlopsError
from jupyter_mlops.resources import ResourceRequest
from jupyter_mlops.targets.azureml import Account, AzureMLTarget
from jupyter_mlops.targets.target import Wanted

LOADERS = {
    "environments": load_environment,
    "online_endpoints": load_online_endpoint,
    "online_deployments": load_online_deployment,
}
log: list[str] = []
things: dict[str, dict] = {}


def short(path: str) -> str:
    return path.lower().partition("/workspaces/ws/")[2]


def put(path: str, body: dict) -> tuple[int, dict]:
    kind = short(path).split("/")[-2]
    properties = body.setdefault("properties", {})
    properties["provisioningState"] = "Succeeded"
    if kind == "onlineendpoints":
        shares = properties.get("traffic") or {}
        there = {key.rpartition("/")[2] for key in things if f"{short(path)}/deployments/" in key}
        if not set(shares) | set(properties.get("mirrorTraffic") or {}) <= there or sum(
            shares.values()
        ) not in (0, 100):
            return 400, {"error": {"code": "BadRequest", "message": f"traffic {shares} is invalid"}}
        properties["scoringUri"] = "https://flights.westeurope.inference.ml.azure.com/score"
        log.append("move traffic" if shares else "create endpoint")
    elif kind == "deployments":
        properties.setdefault("scaleSettings", {"scaleType": "Default"})
        environment = things[short(properties["environmentId"])]
        log.append(f"deploy {short(path).rpartition('/')[2].partition('-')[0]}")
        if "@sha256:bad" in environment["properties"]["image"]:
            properties["provisioningState"] = "Failed"
            things[short(path)] = {**body, "id": path, "name": path.rpartition("/")[2]}
            return 201, things[short(path)]
    else:
        log.append(f"environment {short(path).split('/')[1]}")
    things[short(path)] = {**body, "id": path, "name": path.rpartition("/")[2]}
    return 200, things[short(path)]


def get(path: str) -> tuple[int, dict]:
    if path.startswith("/operations/"):
        message = {"code": "ResourceNotReady", "message": "User container has crashed."}
        return 200, {"status": "Failed", "error": message}
    if path.lower().endswith("/workspaces/ws"):
        return 200, {"id": path, "name": "ws", "location": "westeurope", "properties": {}}
    if short(path) in things:
        return 200, things[short(path)]
    if short(path).endswith("/deployments"):
        found = [each for key, each in things.items() if key.startswith(short(path) + "/")]
        return 200, {"value": found}
    return 404, {"error": {"code": "NotFound", "message": f"{short(path)} is not there"}}


def delete(path: str) -> tuple[int, dict]:
    name = short(path).rpartition("/")[2]
    for each in things.values():
        if (each["properties"].get("traffic") or {}).get(name):
            return 400, {"error": {"code": "BadRequest", "message": f"{name} has traffic"}}
    log.append(f"delete {name.partition('-')[0]}")
    for key in [key for key in things if key == short(path) or key.startswith(short(path) + "/")]:
        del things[key]
    return 200, {}


class Here(BaseAdapter):
    def send(self, request, **more):
        path = urlsplit(request.url).path
        call = {"GET": get, "DELETE": delete}.get(request.method)
        code, body = call(path) if call else put(path, json.loads(request.body))
        response = requests.Response()
        response.request, response.url, response.status_code = request, request.url, code
        response.headers["Content-Type"] = "application/json"
        if code == 201:  # a long operation, which fails
            response.headers["Azure-AsyncOperation"] = "https://management.azure.com/operations/1"
            response.headers["Retry-After"] = "0"
        response.raw = io.BytesIO(json.dumps(body).encode())
        response._content = json.dumps(body).encode()
        return response

    def close(self): ...


class Credential:
    def get_token(self, *scopes, **more):
        return AccessToken("token", int(time.time()) + 3600)


class Local(Account):
    def make_client(self, options):
        session = requests.Session()
        session.mount("https://", Here())
        place = (options.subscription, options.resource_group, options.workspace)
        transport = RequestsTransport(session=session, session_owner=False)
        return MLClient(
            Credential(), *place, transport=transport, show_progress=False, enable_telemetry=False
        )


def wanted_of(body):
    numbers = {
        key: {int(version): value for version, value in body[key].items()}
        for key in ("traffic", "shadow", "images")
    }
    resources = ResourceRequest.parse(body.get("resources"))
    return Wanted(**{**body, **numbers, "replicas": tuple(body["replicas"]), "resources": resources})


def outcome(target, verb, given):
    try:
        if verb == "apply":
            return dataclasses.asdict(target.apply(wanted_of(given), timeout_seconds=60))
        if verb == "requests":
            found = target.requests(wanted_of(given))
            for each in found:
                entity = LOADERS[each.call.split(".")[1]](io.StringIO(yaml.safe_dump(dict(each.body))))
                assert entity.name == each.body["name"]
                if hasattr(entity, "endpoint_name"):
                    entity._to_rest_object(location="westeurope")
            return [each.call for each in found]
        if verb == "status":
            return dataclasses.asdict(target.status(given["name"], given["options"]))
        return target.remove(given["name"], given["options"])
    except MlopsError as error:
        return error.to_json()


def main():
    target = AzureMLTarget()
    found = []
    for verb, given in json.load(sys.stdin):
        target.account = Account if verb == "real" else Local
        log.clear()
        answer = outcome(target, "status" if verb == "real" else verb, given)
        endpoint = things.get("onlineendpoints/flights", {"properties": {}})["properties"]
        found.append(
            {
                "answer": answer,
                "log": list(log),
                "traffic": {k.partition("-")[0]: v for k, v in (endpoint.get("traffic") or {}).items()},
                "copies": {k.partition("-")[0]: v for k, v in (endpoint.get("mirrorTraffic") or {}).items()},
                "deployed": sorted(
                    k.rpartition("/")[2].partition("-")[0] for k in things if "/deployments/" in k
                ),
                "endpoints": sum("/" not in key.removeprefix("onlineendpoints/") for key in things),
            }
        )
    print(json.dumps(found, default=str))


main()
