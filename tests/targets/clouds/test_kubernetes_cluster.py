"""Revisions applied by the real kubectl to a small cluster: what is made, waited for, undone and taken away."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.errors import Conflict, DeploymentFailed, InvalidInput, MissingExtra, NotFound, Unavailable
from jupyter_mlops.resources import ResourceRequest
from jupyter_mlops.targets import TARGETS, Wanted
from jupyter_mlops.targets.kubernetes.kubectl import explained

BAD = "bad" + "0" * 61


def wanted(*, traffic=None, shadow=None, is_bad=None, **more) -> Wanted:
    traffic = traffic or {3: 1.0}
    options = {"namespace": "models", "context": "here", **more.pop("options", {})}
    every = [*traffic, *(shadow or {})]
    images = {v: f"registry.example/flights@sha256:{v:064x}" for v in every}
    if is_bad:
        images[is_bad] = f"registry.example/flights@sha256:{BAD}"
    return Wanted(
        **{
            "name": "flights", "model": "late-flights", "revision": 1, "traffic": traffic, "shadow": shadow or {},
            "images": images, "resources": ResourceRequest(cpu=1, memory=2**30), "options": options, **more,
        }
    )  # fmt: skip


@pytest.fixture
def target(tmp_path: Path):
    return TARGETS.get("kubernetes")(tmp_path)


def image_of(cluster, name: str) -> str:
    return cluster.get("Deployment", name)["spec"]["template"]["spec"]["containers"][0]["image"]


@pytest.mark.slow
class TestApply:
    def test_a_first_revision_runs_and_the_way_in_comes_last(self, cluster, target):
        status = target.apply(wanted(), timeout_seconds=60)
        assert (status.state, status.revision, status.url) == ("running", 1, "http://flights.models.svc")
        assert [each.state for each in status.replicas] == ["running", "running"]
        assert cluster.log[-1] == "apply Service flights by jupyter-mlops"
        # It is not left to an autoscaler that may look at it only later.
        assert "apply Deployment flights by jupyter-mlops-replicas" in cluster.log
        assert target.status("flights", wanted().options) == status

    def test_a_new_version_takes_the_place_of_the_old(self, cluster, target):
        target.apply(wanted(), timeout_seconds=60)
        status = target.apply(wanted(traffic={4: 1.0}, revision=2), timeout_seconds=60)
        assert (status.state, status.revision) == ("running", 2)
        assert image_of(cluster, "flights").endswith("4")
        assert cluster.names("Deployment") == ["flights"]

    def test_a_canary_comes_and_goes_and_the_number_of_pods_never_falls(self, cluster, target):
        replicas = {"replicas": (4, 8)}
        target.apply(wanted(**replicas), timeout_seconds=60)
        target.apply(wanted(traffic={3: 0.75, 4: 0.25}, revision=2, **replicas), timeout_seconds=60)
        assert cluster.names("Deployment") == ["flights", "flights-v4"]
        assert not cluster.names("HorizontalPodAutoscaler")
        assert {n: cluster.get("Deployment", n)["spec"]["replicas"] for n in cluster.names("Deployment")} == {
            "flights": 3,
            "flights-v4": 1,
        }
        cluster.fewest.clear()
        target.apply(wanted(traffic={4: 1.0}, revision=3, **replicas), timeout_seconds=60)
        assert cluster.names("Deployment") == ["flights"] == cluster.names("PodDisruptionBudget")
        assert image_of(cluster, "flights").endswith("4")
        assert cluster.fewest["flights"] == 3, "it fell to the default of 1 before the autoscaler raised it"
        assert cluster.get("Deployment", "flights")["spec"]["replicas"] == 4

    def test_a_version_that_never_runs_is_taken_back_and_said_why(self, cluster, target):
        target.apply(wanted(), timeout_seconds=60)
        spec = cluster.get("Deployment", "flights")["spec"]["template"]
        with pytest.raises(DeploymentFailed, match="ImagePullBackOff: manifest unknown"):
            target.apply(wanted(traffic={4: 1.0}, revision=2, is_bad=4), timeout_seconds=60)
        assert cluster.get("Deployment", "flights")["spec"]["template"] == spec
        status = target.status("flights", wanted().options)
        assert (status.state, status.revision) == ("running", 1)
        assert target.apply(wanted(traffic={5: 1.0}, revision=3), timeout_seconds=60).revision == 3

    def test_a_bad_canary_leaves_the_primary_as_it_was(self, cluster, target):
        target.apply(wanted(), timeout_seconds=60)
        with pytest.raises(DeploymentFailed):
            target.apply(wanted(traffic={3: 0.75, 4: 0.25}, revision=2, is_bad=4), timeout_seconds=60)
        assert cluster.names("Deployment") == ["flights"] == cluster.names("HorizontalPodAutoscaler")
        assert target.status("flights", wanted().options).revision == 1

    def test_a_first_revision_that_never_runs_leaves_nothing(self, cluster, target):
        with pytest.raises(DeploymentFailed):
            target.apply(wanted(is_bad=3), timeout_seconds=60)
        assert {plural for plural, _, _ in cluster.objects} == {"namespaces"}
        assert target.status("flights", wanted().options).state == "removed"

    def test_pods_that_a_quota_refuses_are_told_though_there_are_none(self, cluster, target):
        target.apply(wanted(), timeout_seconds=60)
        cluster.refused["pods"] = "exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2"
        with pytest.raises(DeploymentFailed, match=r"flights: no pod: .* exceeded quota: small"):
            target.apply(wanted(traffic={4: 1.0}, revision=2), timeout_seconds=60)
        cluster.refused.clear()
        assert target.apply(wanted(traffic={4: 1.0}, revision=3), timeout_seconds=60).state == "running"

    def test_a_way_in_that_is_refused_takes_the_revision_back(self, cluster, target):
        cluster.refused["services"] = "exceeded quota: small, requested: services=1, used: services=5"
        with pytest.raises(DeploymentFailed, match="exceeded quota: small") as caught:
            target.apply(wanted(), timeout_seconds=60)
        assert "larger quota" in caught.value.hint
        assert {plural for plural, _, _ in cluster.objects} == {"namespaces"}

    def test_kinds_that_it_does_not_use_need_no_rights(self, cluster, target):
        cluster.resources["gateway.networking.k8s.io/v1"] = [("httproutes", "HTTPRoute")]
        cluster.hidden.add("httproutes")
        assert target.apply(wanted(), timeout_seconds=60).state == "running"
        target.remove("flights", wanted().options)
        cluster.hidden = {"services"}
        with pytest.raises(Unavailable, match="services is forbidden"):
            target.remove("flights", wanted().options)

    def test_an_api_whose_own_server_is_away_stops_nothing(self, cluster, target):
        cluster.away.append("metrics.k8s.io/v1beta1")
        assert target.apply(wanted(), timeout_seconds=60).state == "running"
        with pytest.raises(InvalidInput, match="has no Gateway API"):
            target.apply(wanted(options={"gateway": "infra/public"}, revision=2), timeout_seconds=60)
        target.remove("flights", wanted().options)
        assert target.status("flights", wanted().options).state == "removed"

    def test_remove_takes_all_of_it_and_nothing_else(self, cluster, target):
        target.apply(wanted(), timeout_seconds=60)
        target.apply(wanted(name="other"), timeout_seconds=60)
        target.remove("flights", wanted().options)
        target.remove("flights", wanted().options)
        assert {name for _, _, name in cluster.objects if "flights" in name} == set()
        assert target.status("other", wanted().options).state == "running"

    def test_a_gateway_splits_between_services(self, cluster, target):
        from_gateway = {"gateway": "infra/public", "host": "flights.example.com"}
        with pytest.raises(InvalidInput, match="has no Gateway API"):
            target.apply(wanted(options=from_gateway), timeout_seconds=60)
        cluster.resources["gateway.networking.k8s.io/v1"] = [("httproutes", "HTTPRoute")]
        made = wanted(traffic={3: 0.9, 4: 0.1}, shadow={5: 0.5}, options=from_gateway, revision=2)
        status = target.apply(made, timeout_seconds=60)
        assert (status.state, status.url) == ("running", "http://flights.example.com")
        assert cluster.names("Service") == ["flights", "flights-v4", "flights-v5"]
        target.apply(wanted(options=from_gateway, revision=3), timeout_seconds=60)
        assert cluster.names("Service") == ["flights"]
        target.apply(wanted(revision=4), timeout_seconds=60)
        assert cluster.names("HTTPRoute") == [], "without the option the route goes, too"

    def test_kserve_rolls_out_the_primary_and_then_the_canary(self, cluster, target):
        cluster.resources["serving.kserve.io/v1beta1"] = [("inferenceservices", "InferenceService")]
        options = {"kserve": True}
        status = target.apply(wanted(traffic={3: 0.9, 4: 0.1}, options=options), timeout_seconds=60)
        assert (status.state, status.url) == ("running", "http://flights.models.example.com")
        assert [line for line in cluster.log if "Inference" in line] == [
            "apply InferenceService flights by jupyter-mlops"
        ] * 2
        assert cluster.get("InferenceService", "flights")["spec"]["predictor"]["canaryTrafficPercent"] == 10
        target.remove("flights", wanted(options=options).options)
        assert cluster.names("InferenceService") == []

    def test_a_namespace_that_is_not_there(self, cluster, target):
        with pytest.raises(NotFound, match='namespaces "elsewhere" not found') as caught:
            target.apply(wanted(options={"namespace": "elsewhere"}), timeout_seconds=60)
        assert "create_namespace" in caught.value.hint
        made = wanted(options={"namespace": "elsewhere", "create_namespace": True})
        assert target.apply(made, timeout_seconds=60).state == "running"
        assert (
            cluster.get("Namespace", "elsewhere", "")["metadata"]["labels"][
                "pod-security.kubernetes.io/enforce"
            ]
            == "restricted"
        )

    @pytest.mark.parametrize(
        ("context", "error", "message"),
        [
            ("", InvalidInput, "which cluster"),
            ("typo", NotFound, "typo"),
            ("nowhere", Unavailable, "refused"),
        ],
    )
    def test_another_cluster_is_never_guessed(self, cluster, target, context, error, message):
        for call in (
            lambda o: target.status("flights", o),
            lambda o: target.remove("flights", o),
            lambda o: target.apply(wanted(options=o), timeout_seconds=20),
        ):
            with pytest.raises(error, match=message) as caught:
                call(wanted(options={"context": context}).options)
            assert caught.value.hint
        assert not cluster.log


def test_without_kubectl_the_cure_is_told(target, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(MissingExtra, match="kubectl is not installed"):
        target.status("flights", wanted().options)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('Error from server (Forbidden): deployments.apps is forbidden: User "me" cannot patch', Unavailable),
        ("error: You must be logged in to the server (Unauthorized)", Unavailable),
        ("Unable to connect to the server: dial tcp: lookup k8s.example: no such host", Unavailable),
        ('error: context "typo" does not exist', NotFound),
        ('The Deployment "x" is invalid: spec.replicas: Invalid value: -1', InvalidInput),
        ('error: resource mapping not found: no matches for kind "HTTPRoute"', InvalidInput),
        ('Apply failed with 1 conflict: conflict with field manager "helm": .spec.replicas', Conflict),
        ('services "x" is forbidden: exceeded quota: small, requested: services=1', Unavailable),
        ('services "x" is forbidden: unable to create: namespace models is being terminated', Conflict),
        ("Unable to connect: tls: failed to verify certificate: x509: unknown authority", Unavailable),
        ("something nobody has seen", Unavailable),
        ("", Unavailable),
    ],
)
def test_what_kubectl_says_becomes_one_of_our_errors(said, kind):
    error = explained("apply", said, "here")
    assert type(error) is kind
    assert "kubectl apply in here" in error.message


def test_the_clients_own_log_does_not_hide_what_is_said():
    tried = 'E1127 08:13:45.49 23650 memcache.go:265] "Unhandled Error" err="no API group list"'
    said = "\n".join([*[tried] * 5, "The connection to the server 127.0.0.1:1 was refused"])
    error = explained("get", said, "here")
    assert error.message == "kubectl get in here: The connection to the server 127.0.0.1:1 was refused"
    missing = 'namespaces "x" not found'
    assert (
        explained("apply", f"{missing}\n{missing}\n", "here").message == f"kubectl apply in here: {missing}"
    )
    assert explained("get", tried, "here").message.endswith('group list"'), "if there is nothing else"
