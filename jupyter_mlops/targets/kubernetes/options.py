"""What a person may choose about Kubernetes, checked before anything is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from ...errors import InvalidInput
from ..given import environment, option, read_options

OLDEST, NEWEST = 29, 37  # minors whose schemas the tests hold the manifests against
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_HOST = re.compile(r"([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.ASCII)
_NAMES = (
    "namespace",
    "service_account",
    "image_pull_secret",
    "tls_secret",
    "ingress_class",
    "priority_class",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Where in a cluster, and how."""

    namespace: str = option(
        "", "Where it goes; always given, so that nothing lands in `default` by accident."
    )
    context: str = option(
        "", "The kubeconfig's context; needed to apply, so that nobody deploys to another cluster."
    )
    version: str = option(
        "1.31", f"The cluster's minor version, 1.{OLDEST} … 1.{NEWEST}: what is newer is left out."
    )
    create_namespace: bool = option(
        default=False, help="Make the namespace too, held to the *restricted* pod standard."
    )
    host: str = option("", "A host name from outside; by an Ingress, or by the gateway.")
    ingress_class: str = option("", "The Ingress's class.")
    tls_secret: str = option("", "The Secret with the host's certificate, of the Ingress.")
    gateway: str = option("", "`namespace/name` of a Gateway: an HTTPRoute with exact shares and shadows.")
    kserve: bool = option(
        default=False, help="A KServe InferenceService in place of Deployment, Service and autoscaler."
    )
    cpu_utilization: int = option(70, "Percent of the asked CPU at which pods are added.")
    cpu_limit: bool = option(
        default=False, help="Limit CPU to what is asked; off, since throttling costs latency."
    )
    startup_seconds: int = option(240, "How long a pod may take until its model answers.")
    env: Mapping[str, str] = option({}, "Environment variables.")
    secrets: Mapping[str, str] = option(
        {}, "Environment variable → `secret/key` of a Secret of the namespace."
    )
    image_pull_secret: str = option("", "The Secret with the registry's password.")
    service_account: str = option("", "A service account that is there; else one is made.")
    service_account_annotations: Mapping[str, str] = option(
        {}, "Of the one that is made: a cloud's identity."
    )
    allow_from: tuple[str, ...] = option(
        (), "Namespaces whose pods may ask, besides its own: the ingress controller's, …"
    )
    dns_namespace: str = option("kube-system", "Where the cluster's DNS runs.")
    egress: tuple[str, ...] = option((), "Where pods may connect to, besides DNS: `10.0.0.0/8:6379`, …")
    node_selector: Mapping[str, str] = option({}, "Labels of the nodes that it runs on.")
    accelerator_label: str = option("", "The nodes' label whose value is the accelerator that was asked for.")
    priority_class: str = option("", "The pods' priority class.")
    config_map: str = option("", "Of batch: a ConfigMap with settings (`MLOPS_BLOBS`, `MLOPS_CATALOG`, …).")

    @property
    def minor(self) -> int:
        """31 of "1.31"."""
        return int(self.version.split(".")[1])


def read(given: Mapping[str, Any]) -> Options:
    """Options as a person wrote them. Raises `InvalidInput`."""
    options = read_options(Options, given, "kubernetes")
    if not options.namespace:
        raise InvalidInput("kubernetes needs a namespace", hint="for example -o namespace=models")
    for name in _NAMES:
        value = getattr(options, name)
        if value and not _NAME.fullmatch(value):
            raise InvalidInput(
                f"kubernetes: {name}: {value!r} is no name there", hint="lowercase, digits, dashes"
            )
    found = re.fullmatch(r"v?1\.(\d{1,2})(\.\d+)?", options.version)
    if not found or not OLDEST <= int(found[1]) <= NEWEST:
        raise InvalidInput(
            f"kubernetes: version {options.version!r} is not among 1.{OLDEST} … 1.{NEWEST}",
            hint="take the nearest: what is written for an older one holds in a newer one",
        )
    if options.host and not _HOST.fullmatch(options.host):
        raise InvalidInput(f"kubernetes: {options.host!r} is no host name")
    if not 1 <= options.cpu_utilization <= 100 or options.startup_seconds < 10:
        raise InvalidInput("kubernetes: cpu_utilization is 1 … 100 percent, startup_seconds at least 10")
    if options.gateway and options.gateway.count("/") != 1:
        raise InvalidInput(f"kubernetes: gateway {options.gateway!r} is not namespace/name")
    if options.kserve and (options.gateway or options.host):
        raise InvalidInput("kubernetes: KServe has its own way in: leave host and gateway out")
    if options.host and not options.gateway and not options.allow_from:
        raise InvalidInput(
            "kubernetes: the ingress controller could not reach the pods",
            hint="name its namespace: allow_from=ingress-nginx",
        )
    for reference in options.secrets.values():
        if not re.fullmatch(r"[a-z0-9.-]+/[-._A-Za-z0-9]+", reference):
            raise InvalidInput(
                "kubernetes: secrets refer to a Secret's key, they do not hold values",
                hint="TOKEN=secret-name/key",
            )
    environment(dict.fromkeys(options.secrets, ""), "kubernetes")
    environment(options.env, "kubernetes")
    for each in options.egress:
        endpoint(each)
    for each in options.allow_from:
        if not _NAME.fullmatch(each):
            raise InvalidInput(f"kubernetes: allow_from: {each!r} is no namespace")
    return options


def endpoint(text: str) -> tuple[str, int]:
    """``10.0.0.0/8:6379`` as network and port; IPv6 networks stand in brackets."""
    network, _, port = text.rpartition(":")
    try:
        if not 0 < int(port) < 65536:
            raise ValueError
        return str(ip_network(network.strip("[]"))), int(port)
    except ValueError:
        raise InvalidInput(
            f"kubernetes: egress {text!r} is no network with a port", hint="for example 10.20.0.0/16:5432"
        ) from None
