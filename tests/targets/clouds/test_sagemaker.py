"""SageMaker: bodies that botocore's own model of the service accepts, and deeds against moto's server over HTTP."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from jupyter_mlops.errors import Conflict, DeploymentFailed, InvalidInput, NotFound, Unavailable
from jupyter_mlops.resources import ResourceRequest
from jupyter_mlops.targets import TARGETS, Wanted
from jupyter_mlops.targets.sagemaker import explained, plan, read

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/flights"
OPTIONS = {
    "region": "us-east-1",
    "role": "arn:aws:iam::123456789012:role/serving",
    "tags": {"team": "delays"},
}
BAD = "bad" + "0" * 61
MORE = {
    "subnets": ["subnet-1"],
    "security_groups": "sg-1",
    "kms_key": "alias/disks",
    "env": "LOG_LEVEL=info",
    "instance_type": "ml.c5.xlarge",
}


def wanted(*, traffic=None, shadow=None, is_bad=None, **more) -> Wanted:
    traffic, shadow = traffic or {3: 1.0}, shadow or {}
    options = {**OPTIONS, **more.pop("options", {})}
    images = {v: f"{REGISTRY}@sha256:{BAD if v == is_bad else f'{v:064x}'}" for v in [*traffic, *shadow]}
    return Wanted(
        **{
            "name": "flights", "model": "late-flights", "revision": 1, "traffic": traffic, "shadow": shadow,
            "images": images, "resources": ResourceRequest(cpu=1, memory=2**30), "options": options, **more,
        }
    )  # fmt: skip


CASES = {
    "first": wanted(),
    "update": wanted(revision=2, traffic={4: 1.0}),
    "canary": wanted(revision=3, traffic={3: 0.9, 4: 0.1}),
    "shadow": wanted(revision=4, shadow={4: 0.5}),
    "everything": wanted(options=MORE),
    "fixed": wanted(replicas=(2, 2)),
}


@pytest.mark.parametrize("name", CASES)
def test_every_body_is_right_by_the_services_own_model(name):
    """What botocore checks before it sends; and nothing that it would not know."""
    import botocore.session
    from botocore.validate import validate_parameters

    loader = botocore.session.get_session()
    found = TARGETS.get("sagemaker")(None).requests(CASES[name])
    for request in found:
        service, _, method = request.call.partition(".")
        model = loader.get_service_model(service)
        operation = model.operation_model("".join(part.title() for part in method.split("_")))
        validate_parameters(dict(request.body), operation.input_shape)
        json.dumps(request.body)
    assert len({(each.call, str(each.body)) for each in found}) == len(found)


def bodies(case: Wanted, call: str) -> list[Any]:
    return [each.body for each in plan(case, read(case.options)) if each.call.endswith(call)]


def test_shares_are_weights_and_a_shadow_stands_apart():
    (config,) = bodies(CASES["canary"], "create_endpoint_config")
    assert {v["VariantName"]: v["InitialVariantWeight"] for v in config["ProductionVariants"]} == {
        "primary": 0.9,
        "v4": 0.1,
    }
    (config,) = bodies(CASES["shadow"], "create_endpoint_config")
    assert [v["InitialVariantWeight"] for v in config["ShadowProductionVariants"]] == [0.5]
    assert len(config["ProductionVariants"]) == 1


def test_a_new_version_keeps_the_variants_name_and_so_its_instances():
    (update,) = bodies(CASES["update"], "update_endpoint")
    assert update["RetainAllVariantProperties"] is True
    assert update["ExcludeRetainedVariantProperties"] == [{"VariantPropertyType": "DesiredWeight"}]
    for case in ("first", "update"):
        (config,) = bodies(CASES[case], "create_endpoint_config")
        assert [each["VariantName"] for each in config["ProductionVariants"]] == ["primary"]


@pytest.mark.parametrize(
    ("asked", "instance"),
    [
        (ResourceRequest(), "ml.m5.large"),
        (ResourceRequest(cpu=3), "ml.m5.xlarge"),
        (ResourceRequest(memory=60 * 2**30), "ml.m5.4xlarge"),
        (ResourceRequest(gpu=1), "ml.g5.xlarge"),
        (ResourceRequest(gpu=2), "ml.g5.12xlarge"),
    ],
)
def test_the_smallest_instance_that_holds_it(asked, instance):
    (config,) = bodies(replace(CASES["first"], resources=asked), "create_endpoint_config")
    assert config["ProductionVariants"][0]["InstanceType"] == instance


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"options": {"region": ""}}, "is no region"),
        ({"options": {"role": "serving"}}, "needs the role"),
        ({"options": {"rolle": "x"}}, "no option 'rolle'"),
        ({"options": {"region": "eu-west-1"}}, "of its region only"),
        ({"images": {3: "docker.io/flights@sha256:" + "0" * 64}}, "of its region only"),
        ({"options": {"instance_type": "m5.large"}}, "no instance type"),
        ({"options": {"startup_seconds": 5}}, "60 … 3600"),
        ({"options": {"subnets": "subnet-1"}}, "subnets and security_groups"),
        ({"options": {"env": {"KEY": "secret:KEY"}}}, "not written anywhere"),
        ({"traffic": {3: 0.5, 4: 0.5}, "shadow": {5: 1.0}}, "one shadow"),
        ({"resources": ResourceRequest(memory=2**50)}, "no usual instance"),
        ({"name": "x" * 50}, "cannot call"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_made(change, message):
    with pytest.raises(InvalidInput, match=message):
        TARGETS.get("sagemaker")(None).check(wanted(**change))


@pytest.fixture(scope="module")
def amazon():
    """moto's server. It has no UpdateEndpoint, so it learns it here; an endpoint whose image is `BAD` never works."""
    from moto.sagemaker.models import sagemaker_backends
    from moto.sagemaker.responses import SageMakerResponse
    from moto.server import ThreadedMotoServer

    def is_bad(backend, config_name: str) -> bool:
        variants = backend.endpoint_configs[config_name].production_variants
        return any(BAD in str(vars(backend._models[each["ModelName"]])) for each in variants)

    def update_endpoint(self):
        backend, name = self.sagemaker_backend, self._get_param("EndpointName")
        endpoint, config = backend.endpoints[name], self._get_param("EndpointConfigName")
        if is_bad(backend, config):
            endpoint.failure_reason = "The primary container did not pass the ping health check."
        else:
            kept = {each["VariantName"]: each for each in endpoint.production_variants}
            new = endpoint._process_production_variants(backend.endpoint_configs[config].production_variants)
            for each in new:
                if each["VariantName"] in kept:
                    each["CurrentInstanceCount"] = kept[each["VariantName"]]["CurrentInstanceCount"]
            endpoint.production_variants, endpoint.endpoint_config_name = new, config
            endpoint.failure_reason = None
        from moto.core.responses import ActionResult

        return ActionResult({"EndpointArn": endpoint.arn})

    create = SageMakerResponse.create_endpoint

    def create_endpoint(self):
        answer = create(self)
        endpoint = self.sagemaker_backend.endpoints[self._get_param("EndpointName")]
        if is_bad(self.sagemaker_backend, endpoint.endpoint_config_name):
            endpoint.endpoint_status = "Failed"
            endpoint.failure_reason = "The primary container did not pass the ping health check."
        return answer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SageMakerResponse, "update_endpoint", update_endpoint, raising=False)
        patch.setattr(SageMakerResponse, "create_endpoint", create_endpoint)
        yield f"http://{host}:{port}", sagemaker_backends
    server.stop()


@pytest.fixture
def account(amazon, monkeypatch, tmp_path):
    url, backends = amazon
    for name, value in {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    yield backends["123456789012"]["us-east-1"]
    backends["123456789012"]["us-east-1"].reset()


@pytest.fixture
def target(tmp_path):
    return TARGETS.get("sagemaker")(tmp_path)


def scaled() -> dict[str, tuple[int, int]]:
    import boto3

    client = boto3.client("application-autoscaling", region_name="us-east-1")
    found = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return {each["ResourceId"].split("/")[-1]: (each["MinCapacity"], each["MaxCapacity"]) for each in found}


@pytest.mark.slow
class TestDeeds:
    def test_an_endpoint_is_made_scaled_changed_and_removed(self, account, target):
        status = target.apply(wanted())
        assert (status.state, status.revision, len(status.replicas)) == ("running", 1, 2)
        assert status.url.endswith("/endpoints/flights/invocations")
        assert scaled() == {"primary": (2, 4)}
        status = target.apply(wanted(revision=2, traffic={3: 0.9, 4: 0.1}))
        assert (status.revision, [each.name for each in status.replicas]) == (
            2,
            ["primary/0", "primary/1", "v4/0"],
        )
        assert scaled() == {"primary": (2, 4), "v4": (1, 4)}
        assert sorted(account.endpoint_configs) == ["flights-r2"], "what an earlier revision made is deleted"
        assert sorted(account._models) == ["flights-r2-v3", "flights-r2-v4"]
        assert target.apply(wanted(revision=3, traffic={4: 1.0})).revision == 3
        assert scaled() == {"primary": (2, 4)}
        for _ in range(2):
            target.remove("flights", OPTIONS)
            assert not account.endpoints
            assert not account.endpoint_configs
            assert not account._models
            assert not scaled()
            assert target.status("flights", OPTIONS).state == "removed"

    def test_a_revision_that_never_answers_is_taken_back(self, account, target):
        target.apply(wanted())
        with pytest.raises(DeploymentFailed, match="did not pass the ping health check") as caught:
            target.apply(wanted(revision=2, traffic={4: 1.0}, is_bad=4))
        assert "CloudWatch" in caught.value.hint
        assert sorted(account.endpoint_configs) == ["flights-r1"]
        assert sorted(account._models) == ["flights-r1-v3"]
        assert scaled() == {"primary": (2, 4)}, "its scaling is back"
        status = target.status("flights", OPTIONS)
        assert (status.state, status.revision) == ("running", 1)
        target.remove("flights", OPTIONS)

    def test_a_first_revision_that_never_answers_leaves_nothing(self, account, target):
        with pytest.raises(DeploymentFailed, match="ping health check"):
            target.apply(wanted(is_bad=3))
        assert not account.endpoints
        assert not account.endpoint_configs
        assert not account._models

    def test_other_deployments_are_left_alone(self, account, target):
        target.apply(wanted())
        target.apply(wanted(name="flights-r"))
        target.remove("flights", OPTIONS)
        assert list(account.endpoints) == ["flights-r"]
        assert sorted(account.endpoint_configs) == ["flights-r-r1"]
        target.remove("flights-r", OPTIONS)

    def test_a_removed_endpoint_is_made_again_whatever_its_revision(self, account, target):
        assert target.apply(wanted(revision=5)).revision == 5
        target.remove("flights", OPTIONS)


def test_without_credentials_the_cure_is_told(target, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(Unavailable, match="credentials") as caught:
        target.status("flights", OPTIONS)
    assert "aws configure" in caught.value.hint
    with pytest.raises(NotFound, match="profile"):
        target.status("flights", {**OPTIONS, "profile": "nobody"})
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(Unavailable, match="Could not connect"):
        target.status("flights", OPTIONS)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDeniedException", Unavailable),
        ("ResourceLimitExceeded", Unavailable),
        ("ExpiredTokenException", Unavailable),
        ("ThrottlingException", Unavailable),
        ("ResourceInUse", Conflict),
        ("ValidationException", InvalidInput),
        ("SomethingNew", Unavailable),
    ],
)
def test_what_amazon_says_becomes_one_of_our_errors(code, kind):
    from botocore.exceptions import ClientError

    error = explained(ClientError({"Error": {"Code": code, "Message": "no"}}, "CreateModel"), "deploying")
    assert type(error) is kind
    assert "CreateModel" in error.message
    assert error.hint or code == "SomethingNew"
