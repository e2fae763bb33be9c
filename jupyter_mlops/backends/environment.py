"""Whether workers elsewhere can run our jobs at all, asked before the first one is sent."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

_NAMES = ("jupyter-mlops", "distributed", "cloudpickle", "papermill", "nbformat", "ipykernel")
_SECONDS = 15.0
# A text that every Python evaluates: a function of ours could only be sent to where we are installed.
_ASK = f"""(lambda metadata, platform: {{
    "python": platform.python_version(),
    **{{name: next((each.version for each in metadata.distributions(name=name)), "") for name in {_NAMES!r}}}
}})(__import__("importlib.metadata").metadata, __import__("platform"))"""


def misfits(client: Any, workers: Sequence[str]) -> dict[str, str]:
    """The workers that cannot run our jobs: address → why. One that does not answer is none: it is on its way out."""
    if not workers:
        return {}
    told = client.run(eval, _ASK, workers=list(workers), on_error="ignore")
    return {worker: why for worker, there in told.items() if (why := difference(here(), there))}


def here() -> dict[str, str]:
    """What this process has."""
    found = {"python": platform.python_version()}
    for name in _NAMES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def difference(mine: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    """Why what is pickled here cannot be opened there, or run; "" when it can. What is installed in other versions is
    told only where it matters: Python by its minor version, cloudpickle and distributed by their major one."""
    missing = [name for name in _NAMES if mine.get(name) and not theirs.get(name)]
    if missing:
        return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed there"
    wrong = [
        f"{name} {theirs[name]} there, {mine[name]} here"
        for name, parts in (("python", 2), ("jupyter-mlops", 2), ("cloudpickle", 1), ("distributed", 1))
        if mine.get(name) and mine[name].split(".")[:parts] != theirs[name].split(".")[:parts]
    ]
    return ", ".join(wrong)
