"""All of a version for a reader, as text and as HTML: every part of the envelope, the long ones folded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ..catalog import ModelVersion
from ..display import tab
from .lineage import Lineage
from .manifest import Manifest

_STYLE = (
    "color:inherit;background:none;font-variant-numeric:tabular-nums;text-align:left;vertical-align:top;"
    "padding:.1em 1em .1em 0;overflow-wrap:anywhere"
)
_LONG_LINES = 6


@dataclass(frozen=True, slots=True, repr=False)
class VersionView:
    """What `ModelStore.show` gives: print it, or let a notebook show it."""

    version: ModelVersion
    manifest: Manifest
    aliases: Sequence[str]
    lineage: Lineage

    @property
    def parts(self) -> Mapping[str, Mapping[str, str]]:
        """Title of a part → name → text; a part that is empty says so."""
        manifest, version = self.manifest, self.version
        definition, dependencies, code = manifest.definition, manifest.dependencies, manifest.code
        return {
            "version": {
                "reference": f"models:/{version.name}/{version.version}",
                "aliases": ", ".join(self.aliases),
                "description": version.description,
                "registered": f"{version.created_at:%Y-%m-%d %H:%M:%S} UTC by {version.user_name or 'nobody'}",
                "tried": version.check,
                "origin": version.origin,
                "digest": version.manifest,
            },
            "definition": {
                "class": definition["class"],
                "text": definition["text"],
                "format": version.format,
                "source": definition["source"],
            },
            "parameters": {name: _text(value) for name, value in manifest.parameters.items()},
            "featurize": _function(manifest.featurize),
            "predict": _function(manifest.predict),
            "dependencies": {
                "python": str(dependencies["python"]),
                "direct": "\n".join(dependencies["direct"]),
                "locked": "\n".join(dependencies["locked"]),
                "local modules": "\n".join(dependencies["local_modules"]),
            },
            "data": {
                f"{one['name']} {field}": _text(value)
                for one in manifest.data
                for field, value in one.items()
                if field != "name" and value
            },
            "code": {
                "notebook": " ".join(filter(None, [code["notebook"], code["notebook_digest"]])),
                "commit": _commit(code.get("git") or {}),
                "run": " ".join(filter(None, manifest.run.values())),
                "script": code["script"],
                **{f"cell {index}": cell for index, cell in enumerate(code["cells"], 1)},
            },
            "artifacts": {
                name: f"{one['file']} ({one['size_bytes']:,} bytes)"
                for name, one in manifest.artifacts.items()
            },
            "metrics": {name: f"{value:.6g}" for name, value in manifest.metrics.items()},
            "signature": dict(_signature(manifest.signature)),
            "input example": {name: _text(value) for name, value in manifest.example.items()},
            "tags": dict(version.tags),
            "lineage": {
                "made from": "\n".join(map(str, self.lineage.upstream)),
                "used by": "\n".join(map(str, self.lineage.downstream)),
            },
        }

    def __str__(self) -> str:
        lines = []
        for title, rows in self.parts.items():
            lines.append(title)
            shown = {name: text for name, text in rows.items() if text}
            for name, text in (shown or {"": "–"}).items():
                first, *more = text.split("\n")
                lines.append(f"  {name:<14} {first}".rstrip())
                lines += [f"  {'':<14} {line}".rstrip() for line in more]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        link = tab(f"{self.version.name} in the panel", "model", name=self.version.name)
        return f"<div>{link}</div>" + "".join(
            f"<details{' open' if title in ('version', 'metrics') else ''}><summary>{escape(title)}</summary>"
            f"<table>{''.join(_row(name, text) for name, text in rows.items() if text) or '<tr><td>–</td></tr>'}"
            "</table></details>"
            for title, rows in self.parts.items()
        )


def _row(name: str, text: str) -> str:
    if "\n" in text:
        is_long = text.count("\n") > _LONG_LINES
        body = f'<pre style="margin:0;color:inherit;background:none">{escape(text)}</pre>'
        shown = (
            f"<details><summary>{text.count(chr(10)) + 1} lines</summary>{body}</details>"
            if is_long
            else body
        )
    else:
        shown = escape(text)
    return f'<tr><th style="{_STYLE}">{escape(name)}</th><td style="{_STYLE}">{shown}</td></tr>'


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _function(function: Mapping[str, Any] | None) -> dict[str, str]:
    return {} if function is None else {"name": str(function["name"]), "source": str(function["source"])}


def _commit(git: Mapping[str, Any]) -> str:
    if not git:
        return ""
    changed = " (with changes)" if git.get("is_dirty") else ""
    return f"{git.get('commit', '')}{changed} {git.get('remote', '')}".rstrip()


def _signature(signature: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for side, one in signature.items():
        if "columns" in one or "fields" in one:
            columns = one.get("columns") or one["fields"]
            yield side, "\n".join(f"{column['name']}: {column['type']}".lstrip(": ") for column in columns)
        elif one["kind"] == "array":
            shape = ", ".join("n" if size == -1 else str(size) for size in one["shape"])
            yield side, f"{one['dtype']} ({shape})"
        else:
            yield side, f"list of {one['type']}"
