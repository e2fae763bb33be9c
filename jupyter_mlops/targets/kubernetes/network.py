"""How requests come to the pods, and who may send them: Service, NetworkPolicy, Ingress, HTTPRoute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .options import Options, endpoint
from .pods import COMPONENT, INSTANCE, PORT, manifest


def service(
    name: str, selector: Mapping[str, str], options: Options, marks: Mapping[str, str]
) -> dict[str, Any]:
    """Port 80 of a name in the cluster → the pods."""
    spec = {
        "type": "ClusterIP",
        "selector": dict(selector),
        "ports": [
            {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP", "appProtocol": "http"}
        ],
    }
    return manifest("v1", "Service", name, options.namespace, marks, spec)


def policy(name: str, component: str, options: Options, marks: Mapping[str, str]) -> dict[str, Any]:
    """Its own namespace and those that were named may ask; out go DNS and the endpoints that were named. A pod of a
    batch is asked nothing, and may go anywhere unless endpoints are named."""
    own = {"podSelector": {"matchLabels": {INSTANCE: name, COMPONENT: component}}}
    egress: list[dict[str, Any]] = [
        {
            "to": [_namespace(options.dns_namespace)],
            "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
        }
    ]
    for text in options.egress:
        network, port = endpoint(text)
        egress.append({"to": [{"ipBlock": {"cidr": network}}], "ports": [{"protocol": "TCP", "port": port}]})
    namespaces = list(options.allow_from)
    if options.gateway and options.gateway.split("/")[0] not in namespaces:
        namespaces.append(options.gateway.split("/")[0])
    senders: list[dict[str, Any]] = [{"podSelector": {}}]
    senders += [_namespace(each) for each in namespaces]
    ingress = (
        [{"from": senders, "ports": [{"protocol": "TCP", "port": PORT}]}] if component == "serving" else []
    )
    spec = {**own, "policyTypes": ["Ingress", "Egress"], "ingress": ingress, "egress": egress}
    if component == "batch" and not options.egress:  # a notebook gets its data from anywhere
        spec = {**own, "policyTypes": ["Ingress"], "ingress": ingress}
    return manifest("networking.k8s.io/v1", "NetworkPolicy", name, options.namespace, marks, spec)


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def ingress(name: str, options: Options, marks: Mapping[str, str]) -> dict[str, Any]:
    """A host name from outside, all of it to the service."""
    backend = {"service": {"name": name, "port": {"name": "http"}}}
    spec: dict[str, Any] = {"ingressClassName": options.ingress_class} if options.ingress_class else {}
    if options.tls_secret:
        spec["tls"] = [{"hosts": [options.host], "secretName": options.tls_secret}]
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    spec["rules"] = [{"host": options.host, "http": {"paths": [path]}}]
    return manifest("networking.k8s.io/v1", "Ingress", name, options.namespace, marks, spec)


def route(
    name: str,
    weights: Iterable[tuple[str, int]],
    shadows: Iterable[tuple[str, int]],
    options: Options,
    marks: Mapping[str, str],
) -> dict[str, Any]:
    """Exact shares between services by the gateway; a shadow gets copies, whose answers the gateway drops."""
    namespace, _, gateway = options.gateway.partition("/")
    rule: dict[str, Any] = {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]}
    filters = []
    for service_name, percent in shadows:
        mirror: dict[str, Any] = {"backendRef": {"name": service_name, "port": 80}}
        if percent < 100:
            mirror["percent"] = percent  # Gateway API 1.3 and later; without it all are copied
        filters.append({"type": "RequestMirror", "requestMirror": mirror})
    if filters:
        rule["filters"] = filters
    rule["backendRefs"] = [
        {"name": service_name, "port": 80, "weight": weight} for service_name, weight in weights
    ]
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": gateway,
        "namespace": namespace,
    }
    spec: dict[str, Any] = {"parentRefs": [parent]}
    if options.host:
        spec["hostnames"] = [options.host]
    return manifest(
        "gateway.networking.k8s.io/v1", "HTTPRoute", name, options.namespace, marks, {**spec, "rules": [rule]}
    )
