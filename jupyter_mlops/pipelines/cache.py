"""Cache keys: what an outcome depends on, and what made it stale.

The runner gathers the components of a task; here they become one key, and two sets of them become sentences.
Components by kind: ``code`` ``arguments`` ``inputs`` ``files`` ``modules`` ``distributions`` ``env`` map
names to digests, versions or short texts; ``kernel`` is one text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..fingerprint import fingerprint

Components = Mapping[str, Mapping[str, str] | str]

_DIGEST = re.compile(r"(?:\w+:)?[0-9a-f]{32,}")
_LONGEST = 60
_WORDS = {
    "code": "code of",
    "arguments": "argument",
    "inputs": "input",
    "files": "file",
    "modules": "module",
    "distributions": "",
    "kernel": "kernel",
    "env": "environment variable",
}


def task_key(components: Components) -> str:
    """One digest of all components, whatever their order; an empty kind counts as one that is not there."""
    present = {kind: dict(part) if isinstance(part, Mapping) else part for kind, part in components.items()}
    return fingerprint({kind: present[kind] for kind in sorted(present) if present[kind]})


def explain(old: Components, new: Components) -> list[str]:
    """What differs, one sentence each: ``argument week: 20 → 21``, ``module features.py changed``. Empty when
    the keys are equal."""
    kinds = [*_WORDS, *sorted((old.keys() | new.keys()) - _WORDS.keys())]
    return [sentence for kind in kinds for sentence in _differences(kind, old.get(kind), new.get(kind))]


def _differences(
    kind: str, old: Mapping[str, str] | str | None, new: Mapping[str, str] | str | None
) -> list[str]:
    word = _WORDS.get(kind, kind)
    if isinstance(old, str) or isinstance(new, str):
        return _change(word, old or None, new or None)
    before, after = old or {}, new or {}
    sentences = []
    for name in sorted(before.keys() | after.keys()):
        sentences += _change(f"{word} {name}".strip(), before.get(name), after.get(name))
    return sentences


def _change(what: str, old: object, new: object) -> list[str]:
    if old == new:
        return []
    if old is None:
        return [f"{what} is new" + (f": {new}" if _is_readable(new) else "")]
    if new is None:
        return [f"{what} is gone"]
    if _is_readable(old) and _is_readable(new):
        # A version reads best without a colon: "scikit-learn 1.8 → 1.9".
        is_version = " " not in what
        return [f"{what}{' ' if is_version else ': '}{old} → {new}"]
    return [f"{what} changed"]


def _is_readable(value: object) -> bool:
    text = str(value)
    return len(text) <= _LONGEST and "\n" not in text and not _DIGEST.fullmatch(text)
