"""Manifests as YAML: the same text each time, with lists indented as linters want them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def document(manifest: Mapping[str, Any] | Sequence[Any]) -> str:
    """One manifest, or a list of changes to one."""
    return yaml.dump(manifest, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


def documents(manifests: Iterable[Mapping[str, Any]]) -> str:
    """Several, in one text."""
    return "---\n".join(document(manifest) for manifest in manifests)
