"""Run with Google's SDK by test_vertex.py: our target through Google's real clients, over gRPC, to a server in this
process that reads and writes Google's own messages and keeps models and endpoints in memory.

Reads steps as JSON, prints what each gave and what there is then.
"""

import dataclasses
import json
import sys
from concurrent import futures

import grpc
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import aiplatform_v1 as v1
from google.cloud.aiplatform_v1.services.endpoint_service.transports import EndpointServiceGrpcTransport
from google.cloud.aiplatform_v1.services.model_service.transports import ModelServiceGrpcTransport
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2

from jupyter_mlops.errors import MlopsError
from jupyter_mlops.resources import ResourceRequest
from jupyter_mlops.targets.target import Wanted
from jupyter_mlops.targets.vertex import Account, VertexTarget

REQUESTS = {
    "upload_model": v1.UploadModelRequest,
    "create_endpoint": v1.CreateEndpointRequest,
    "deploy_model": v1.DeployModelRequest,
    "update_endpoint": v1.UpdateEndpointRequest,
}
log: list[str] = []
models: dict[str, v1.Model] = {}
endpoints: dict[str, v1.Endpoint] = {}


def done(answer, context=None):
    operation = operations_pb2.Operation(name="operations/1", done=True)
    operation.response.Pack(type(answer).pb(answer) if hasattr(type(answer), "pb") else answer)
    return operation


def get(places):
    def call(request, context):
        if request.name not in places:
            context.abort(grpc.StatusCode.NOT_FOUND, f"{request.name} is not found.")
        return places[request.name]

    return call


def upload(request, context):
    name = f"{request.parent}/models/{request.model_id}"
    log.append(f"upload {request.model_id.rpartition('-')[0]}")
    model = request.model
    model.name = name
    models[name] = model
    return done(v1.UploadModelResponse(model=name))


def create(request, context):
    endpoint = request.endpoint
    endpoint.name = f"{request.parent}/endpoints/{request.endpoint_id}"
    log.append("create endpoint")
    endpoints[endpoint.name] = endpoint
    return done(endpoint)


def deploy(request, context):
    image = models[request.deployed_model.model].container_spec.image_uri
    log.append(f"deploy {request.deployed_model.display_name}")
    if "@sha256:bad" in image:
        operation = operations_pb2.Operation(name="operations/1", done=True)
        operation.error.code, operation.error.message = (
            9,
            "Model server terminated: model server container exited.",
        )
        return operation
    endpoints[request.endpoint].deployed_models.append(request.deployed_model)
    return done(v1.DeployModelResponse(deployed_model=request.deployed_model))


def update(request, context):
    endpoint = endpoints[request.endpoint.name]
    split = dict(request.endpoint.traffic_split)
    if sum(split.values()) != 100 or not set(split) <= {each.id for each in endpoint.deployed_models}:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"traffic split {split} is invalid")
    assert set(request.update_mask.paths) == {"traffic_split", "labels"}
    log.append("move traffic")
    endpoint.traffic_split = split
    endpoint.labels = dict(request.endpoint.labels)
    return endpoint


def undeploy(request, context):
    endpoint = endpoints[request.endpoint]
    if request.traffic_split:
        endpoint.traffic_split = dict(request.traffic_split)
    if endpoint.traffic_split.get(request.deployed_model_id) and len(endpoint.deployed_models) > 1:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "it has traffic")
    log.append("undeploy")
    kept = [each for each in endpoint.deployed_models if each.id != request.deployed_model_id]
    endpoint.deployed_models = kept
    endpoint.traffic_split = {
        k: s for k, s in endpoint.traffic_split.items() if k != request.deployed_model_id
    }
    return done(v1.UndeployModelResponse())


def delete(places):
    def call(request, context):
        if request.name not in places:
            context.abort(grpc.StatusCode.NOT_FOUND, "gone")
        if request.name in endpoints and endpoints[request.name].deployed_models:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "models are deployed")
        if any(d.model == request.name for each in endpoints.values() for d in each.deployed_models):
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "it is deployed")
        log.append(f"delete {request.name.split('/')[-2]}")
        del places[request.name]
        return done(empty_pb2.Empty())

    return call


def list_models(request, context):
    label, _, value = request.filter.removeprefix("labels.").partition("=")
    return v1.ListModelsResponse(
        models=[m for m in models.values() if m.labels.get(label) == value.strip('"')]
    )


CALLS = {
    "ModelService": {
        "UploadModel": (upload, v1.UploadModelRequest, None),
        "GetModel": (get(models), v1.GetModelRequest, v1.Model),
        "ListModels": (list_models, v1.ListModelsRequest, v1.ListModelsResponse),
        "DeleteModel": (delete(models), v1.DeleteModelRequest, None),
    },
    "EndpointService": {
        "CreateEndpoint": (create, v1.CreateEndpointRequest, None),
        "GetEndpoint": (get(endpoints), v1.GetEndpointRequest, v1.Endpoint),
        "DeployModel": (deploy, v1.DeployModelRequest, None),
        "UpdateEndpoint": (update, v1.UpdateEndpointRequest, v1.Endpoint),
        "UndeployModel": (undeploy, v1.UndeployModelRequest, None),
        "DeleteEndpoint": (delete(endpoints), v1.DeleteEndpointRequest, None),
    },
}


def serve():
    server = grpc.server(futures.ThreadPoolExecutor(4))
    for service, calls in CALLS.items():
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                call,
                request_deserializer=asked.deserialize,
                response_serializer=answered.serialize
                if answered
                else operations_pb2.Operation.SerializeToString,
            )
            for name, (call, asked, answered) in calls.items()
        }
        full = f"google.cloud.aiplatform.v1.{service}"
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(full, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


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
            return dataclasses.asdict(target.apply(wanted_of(given), timeout_seconds=30))
        if verb == "requests":
            found = target.requests(wanted_of(given))
            for each in found:
                kind = REQUESTS[each.call.partition(".")[2]]
                kind(each.body)  # raises for a field that it does not have
                rebuilt = kind.from_json(json.dumps(kind.to_dict(kind(each.body))))
                assert rebuilt == kind(each.body)
            return [each.call for each in found]
        if verb == "status":
            return dataclasses.asdict(target.status(given["name"], given["options"]))
        return target.remove(given["name"], given["options"])
    except MlopsError as error:
        return error.to_json()
    except GoogleAPICallError as error:
        return {"code": "unmapped", "message": repr(error)}


def main():
    server, port = serve()

    class Local(Account):
        def clients(self, options):
            channel = grpc.insecure_channel(f"127.0.0.1:{port}")
            model = v1.ModelServiceClient(transport=ModelServiceGrpcTransport(channel=channel))
            return model, v1.EndpointServiceClient(transport=EndpointServiceGrpcTransport(channel=channel))

    target = VertexTarget()
    found = []
    for verb, given in json.load(sys.stdin):
        target.account = Account if verb == "real" else Local
        log.clear()
        answer = outcome(target, "status" if verb == "real" else verb, given)
        state = {
            "models": sorted(name.rpartition("/")[2].rpartition("-")[0] for name in models),
            "traffic": {
                next(d.display_name for d in each.deployed_models if d.id == own): share
                for each in endpoints.values()
                for own, share in each.traffic_split.items()
            },
            "deployed": sorted(d.display_name for each in endpoints.values() for d in each.deployed_models),
            "endpoints": len(endpoints),
        }
        found.append({"answer": answer, "log": list(log), **state})
    server.stop(0)
    print(json.dumps(found, default=str))


main()
