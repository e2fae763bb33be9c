"""Everything that must be in order before work goes well, looked at in a moment: `examine`.

Nothing is changed. What waits for others (kernels, databases, clusters) is looked at at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import stores, surroundings
from .checkup import Check
from .kernels import kernels

Look = Callable[[], Check | Iterable[Check]]
GROUPS = ("environment", "jupyter", "kernels", "workspace")


def examine(root: Path, env: Mapping[str, str], *, groups: Sequence[str] = GROUPS) -> list[Check]:
    """The checks of the workspace at `root` and of the environment that this process runs in, in order."""
    loaded, told = stores.settings(root, env)
    looks: dict[str, list[Look]] = {
        "environment": [
            lambda: surroundings.python(env),
            lambda: surroundings.command(env),
            surroundings.libraries,
            surroundings.open_files,
        ],
        "jupyter": [surroundings.server_extension, surroundings.panel],
        "kernels": [lambda: kernels(root), stores.zygotes],
        "workspace": [lambda: told],
    }
    if loaded is not None:
        good = loaded
        looks["workspace"] += [
            lambda: stores.catalog(good, env),
            lambda: stores.blobs(good, env),
            lambda: stores.features(good, env),
            lambda: stores.cluster(good, env),
            lambda: stores.disk(good),
            lambda: stores.secrets(good),
        ]
    looks["environment"].append(lambda: surroundings.tools(env))
    wanted = [look for group in groups for look in looks[group]]
    with ThreadPoolExecutor(max(1, len(wanted))) as threads:
        return [check for found in threads.map(_all_of, wanted) for check in found]


def _all_of(look: Look) -> list[Check]:
    found = look()
    return [found] if isinstance(found, Check) else list(found)
