"""The cluster's own tool, and what it says when it does not want to: in our errors, with a cure.

Context and namespace are always said; the kubeconfig's current ones are never used.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from ...errors import Conflict, InvalidInput, MissingExtra, MlopsError, NotFound, Unavailable
from .pods import MANAGER
from .text import documents

# The client's own log, which tells of each try before what came of them.
_LOG = re.compile(r"[IWEF]\d{4} [\d:.]+ ")
_INCOMPLETE = "unable to retrieve the complete list of server APIs"
_SIGNS: tuple[tuple[tuple[str, ...], type[MlopsError], str], ...] = (
    (
        ("does not exist", "no context exists", "context was not found"),
        NotFound,
        "see which there are: kubectl config get-contexts",
    ),
    (
        ("x509: ", "failed to verify certificate"),
        Unavailable,
        "the kubeconfig has another certificate authority for it than the cluster's own",
    ),
    (
        (
            "unable to connect",
            "connection refused",
            "no such host",
            "i/o timeout",
            "tls handshake",
            "was refused",
        ),
        Unavailable,
        "is the cluster up, and can it be reached from here?",
    ),
    (
        ("unauthorized", "must be logged in", "getting credentials", "no auth provider"),
        Unavailable,
        "log in to the cluster again; kubectl get pods must work",
    ),
    (("being terminated",), Conflict, "wait until it is gone, or take another one"),
    (("exceeded quota",), Unavailable, "ask for a larger quota, or for less: --replicas, --cpu, --memory"),
    (("forbidden",), Unavailable, "ask for the permissions that docs/targets.md lists"),
    (
        ("no matches for kind", "doesn't have a resource type"),
        InvalidInput,
        "the cluster lacks it: install it (Gateway API, KServe), or leave the option out",
    ),
    (("namespaces", "not found"), NotFound, "make it, or let it be made: create_namespace=true"),
    (("field manager", "conflict"), Conflict, "somebody else manages these fields"),
    (("is invalid", "strict decoding error", "validationerror"), InvalidInput, ""),
)


class Kubectl:
    """``kubectl`` in one namespace of one context."""

    def __init__(self, context: str, namespace: str) -> None:
        if not context:
            raise InvalidInput(
                "which cluster? kubernetes needs a context",
                hint="see kubectl config get-contexts, then: -o context=NAME",
            )
        binary = shutil.which("kubectl")
        if binary is None:
            raise MissingExtra(
                "kubectl is not installed", hint="see kubernetes.io/docs/tasks/tools, or write files only"
            )
        self._head = [binary, "--context", context, "--namespace", namespace]
        self.context = context

    def apply(
        self, manifests: Iterable[Mapping[str, Any]], *, manager: str = MANAGER, timeout_seconds: float
    ) -> None:
        """Server-side, by our own field manager; forced, since kubectl's own undo takes fields over."""
        words = ["--server-side", f"--field-manager={manager}", "--force-conflicts"]
        self.run("apply", *words, "-f", "-", given=documents(manifests), timeout_seconds=timeout_seconds)

    def items(self, kinds: Iterable[str], selector: str) -> list[dict[str, Any]]:
        """The objects of these kinds that have these labels."""
        text = self.run("get", ",".join(kinds), "-l", selector, "-o", "json", "--show-managed-fields")
        try:
            found: list[dict[str, Any]] = json.loads(text)["items"]
        except (ValueError, KeyError, TypeError):
            raise Unavailable(f"kubectl answered no list: {text[:200]!r}") from None
        return found

    @cached_property
    def kinds(self) -> frozenset[str]:
        """What the cluster knows: ``deployments.apps``, ``services``, … An API whose own server is away (metrics,
        often) is not among them, and none of ours is such a one."""
        done = self._call("api-resources", "--namespaced", "-o", "name")
        if done.returncode and _INCOMPLETE not in done.stderr:
            raise explained("api-resources", done.stderr, self.context)
        return frozenset(done.stdout.split())

    def delete(self, kinds: Iterable[str], selector: str, *, unless_forbidden: Iterable[str] = ()) -> None:
        """Take these away, if they are there, and do not wait for their pods' last words. Kinds that the cluster
        does not know cannot be there; of some an account may know nothing."""
        rarer = frozenset(unless_forbidden)
        for each in (kind for kind in kinds if kind in rarer & self.kinds):
            done = self._call("delete", each, "-l", selector, "--ignore-not-found", "--wait=false")
            if done.returncode and "forbidden" not in done.stderr.lower():
                raise explained("delete", done.stderr, self.context)
        there = [kind for kind in kinds if kind in self.kinds - rarer]
        self.run("delete", ",".join(there), "-l", selector, "--ignore-not-found", "--wait=false")

    def run(self, *words: str, given: str | None = None, timeout_seconds: float = 60) -> str:
        """What a command prints. Raises what it says, as one of our errors."""
        done = self._call(*words, given=given, timeout_seconds=timeout_seconds)
        if done.returncode:
            raise explained(words[0], done.stderr, self.context)
        return done.stdout

    def _call(
        self, *words: str, given: str | None = None, timeout_seconds: float = 60
    ) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [*self._head, *words],
                input=given,
                stdin=None if given is not None else subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(
                f"kubectl {words[0]} did not end within {timeout_seconds:g} s", hint="is the cluster up?"
            ) from None
        except OSError as error:
            raise Unavailable(f"kubectl does not start: {error.strerror}") from error


def explained(verb: str, said: str, context: str) -> MlopsError:
    """What kubectl said on stderr, as an error."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("Warning:")]
    told_once = dict.fromkeys(line for line in lines if not _LOG.match(line))  # each object says it
    lines = list(told_once) or lines
    message = " ".join("; ".join(lines[:3]).split())[:600] or "it failed and said nothing"
    lowered = "\n".join(lines).lower()
    for signs, kind, hint in _SIGNS:
        matched = (
            all(sign in lowered for sign in signs)
            if signs[0] in ("namespaces", "field manager")
            else any(sign in lowered for sign in signs)
        )
        if matched:
            return kind(f"kubectl {verb} in {context}: {message}", hint=hint)
    return Unavailable(f"kubectl {verb} in {context}: {message}")
