"""Tab: what may stand next in the line of one of our magics.

What is offered is decided by the words so far (`offers`, pure); names come from the notebook or from the catalog.
The catalog is asked in a thread that has a moment's time, and nobody waits for one that does not answer: no names
then. A folder where nothing has been registered is left as it is.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .magic import Magic
from .options import Argument, Option, Word, is_option, split, unquoted

_LINE = re.compile(r"(?:^|[=\s])(?P<sign>%%?)(?P<name>\w+)\s(?P<rest>.*)$", re.DOTALL)
_SECONDS = 1.0  # the longest that Tab waits for the catalog
_FRESH_SECONDS = 2.0  # how long names are offered without asking again
_MOST = 200
_HIDDEN = {"In", "Out", "exit", "quit", "open", "get_ipython"}


def complete_with(shell: Any, magics: Sequence[Magic]) -> None:
    """Let the shell's completer ask us too; once, however often the extension is loaded."""
    try:
        from IPython.core.completer import SimpleCompletion, context_matcher
    except ImportError:  # before 8.6: no completions of ours
        return
    matchers = getattr(shell.Completer, "custom_matchers", None)
    if matchers is None or any(hasattr(one, "of_jupyter_mlops") for one in matchers):
        return
    names = Names(shell)

    def mlops_matcher(context: Any) -> Any:
        try:
            fragment, found = completions(magics, context.text_until_cursor, names)
        except Exception:  # noqa: BLE001 - a Tab never shows a traceback
            fragment, found = "", []
        offered = [SimpleCompletion(text=one, type="mlops") for one in found[:_MOST]]
        return {
            "completions": offered,
            "matched_fragment": fragment,
            "suppress": bool(found),
            "ordered": True,
        }

    matcher: Any = context_matcher(identifier="jupyter_mlops")(mlops_matcher)
    matcher.of_jupyter_mlops = True
    matchers.append(matcher)


def completions(magics: Sequence[Magic], text: str, names: Names) -> tuple[str, list[str]]:
    """The piece before the cursor that is completed, and what it may become; nothing outside of our magics."""
    found = _LINE.search(text)
    if found is None:
        return "", []
    kind = "cell" if found["sign"] == "%%" else "line"
    magic = next((one for one in magics if (one.name, one.kind) == (found["name"], kind)), None)
    if magic is None:
        return "", []
    words = split(found["rest"], is_partial=True)
    is_new = not found["rest"] or found["rest"][-1].isspace()
    before = words if is_new else words[:-1]
    fragment = "" if is_new else words[-1].text
    return _offered(magic, before, fragment, names)


def _offered(magic: Magic, before: Sequence[Word], word: str, names: Names) -> tuple[str, list[str]]:
    arguments, waiting, given = list(magic.syntax.arguments), None, []
    for one in before:
        if waiting is not None:
            waiting = None
        elif is_option(one):
            waiting = _option(magic, one.text)
        elif arguments:
            given.append(unquoted(one.text))
            if not arguments[0].takes_rest:
                arguments.pop(0)
    if waiting is None and word.startswith("-"):
        head, has_value, value = word.partition("=")
        option = _option(magic, head) if has_value else None
        if option is None:
            return word, _beginning(word, [*(f"--{one.name}" for one in magic.syntax.options), "--help"])
        return _of(option, value, given, names)
    if waiting is not None:
        return _of(waiting, word, given, names)
    if not arguments:
        return "", []
    return _of(arguments[0], word, given, names)


def _option(magic: Magic, text: str) -> Option | None:
    """The option that still needs a value after this word."""
    if "=" in text:
        return None
    for one in magic.syntax.options:
        if one.kind != "flag" and text in (f"--{one.name}", f"-{one.short}"):
            return one
    return None


def _of(one: Argument | Option, word: str, given: Sequence[str], names: Names) -> tuple[str, list[str]]:
    if isinstance(one, Option) and one.choices:
        return word, _beginning(word, one.choices)
    if isinstance(one, Option) and one.is_pair:
        word = word.partition("=")[2]
        return (word, _beginning(word, names.variables())) if one.kind == "expression" and word else ("", [])
    if one.kind == "expression" and not word.isidentifier() and word:
        return "", []  # within an expression IPython knows more
    return word, _beginning(word, names.of(one.completes, given))


def _beginning(word: str, known: Iterable[str]) -> list[str]:
    return [one for one in dict.fromkeys(known) if one.startswith(word)]


class Names:
    """The names that may be offered, by what they are names of."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._kept: dict[tuple[str, ...], tuple[float, list[str]]] = {}
        self._asking: threading.Thread | None = None

    def of(self, what: str, given: Sequence[str]) -> list[str]:
        """`given` are the words before: the aliases are those of the model that is named."""
        here: Mapping[str, Callable[[], list[str]]] = {
            "variables": self.variables,
            "pipelines": _pipelines,
            "databases": lambda: sorted(str(one) for one in Path().glob("*.duckdb")),
            "help": self._help,
        }
        if what in here:
            return here[what]()
        return self._asked(what, given[0] if given else "") if what else []

    def variables(self) -> list[str]:
        """The notebook's variables."""
        hidden = {*_HIDDEN, *getattr(self._shell, "user_ns_hidden", ())}
        return sorted(name for name in self._shell.user_ns if not name.startswith("_") and name not in hidden)

    def _help(self) -> list[str]:
        return ["help"]

    def _asked(self, what: str, model: str) -> list[str]:
        """Names of the catalog, some of them a moment old."""
        key = (what, model, str(Path.cwd()))
        until, known = self._kept.get(key, (0.0, []))
        if until > time.monotonic() or (self._asking is not None and self._asking.is_alive()):
            return known

        def ask() -> None:
            try:
                found = catalog_names(what, model)
            except Exception:  # noqa: BLE001 - no catalog, no names
                found = []
            self._kept[key] = (time.monotonic() + _FRESH_SECONDS, found)

        self._asking = threading.Thread(target=ask, name="mlops-completion", daemon=True)
        self._asking.start()
        self._asking.join(_SECONDS)
        return self._kept.get(key, (0.0, []))[1]


def catalog_names(what: str, model: str = "") -> list[str]:
    """Names from the catalog of this workspace; none where there is no catalog yet."""
    from ..catalog import Artifact, Deployment, FeatureDefinition, ModelAlias, ModelVersion, RegisteredModel
    from ..session.place import current_settings, get_workspace, has_catalog

    if not has_catalog(current_settings()):
        return list(_USUAL) if what == "aliases" else []
    catalog = get_workspace().catalog
    if what == "models":
        found = catalog.find(
            RegisteredModel, where={"is_deleted": False}, order_by="-updated_at", limit=_MOST
        )
        return [one.name for one in found]
    if what == "versions":
        versions = catalog.find(ModelVersion, where={"name": model}, order_by="-version", limit=_MOST)
        return [str(one.version) for one in versions]
    if what == "aliases":
        aliases = catalog.find(
            ModelAlias, where={"name": model} if model else {}, order_by="alias", limit=_MOST
        )
        return [*(one.alias for one in aliases), *_USUAL]
    if what in ("views", "entities"):
        kinds = ["entity"] if what == "entities" else ["view", "on_demand", "service"]
        definitions = catalog.find(
            FeatureDefinition, where={"kind": kinds}, order_by="name", omit=("definition",)
        )
        return [one.name for one in definitions]
    if what == "deployments":
        served = catalog.find(Deployment, where={"state": ("!=", "removed")}, order_by="name", limit=_MOST)
        return [one.name for one in served]
    if what == "inputs":
        artifacts = catalog.find(Artifact, order_by="-created_at", limit=_MOST)
        return [one.name for one in artifacts]
    return []


_USUAL = ("champion", "challenger")


def _pipelines() -> list[str]:
    """Files that may be pipelines, and folders with one."""
    found = [*Path().glob("*.yaml"), *Path().glob("*.yml"), *Path().glob("*/pipeline.yaml")]
    return sorted(str(one) for one in found)
