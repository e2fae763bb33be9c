"""What travels by value, what by name, and what is said of what cannot travel."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.models.capture import capture, restore
from jupyter_mlops.models.dependencies import distributions_of, gather, top_levels

FACTOR = 3


def helper(value: int) -> int:
    return value * FACTOR


class Scaler:
    def __init__(self) -> None:
        self.lock = threading.Lock()


class Pipeline:
    def __init__(self) -> None:
        self.steps = [("first", {}), ("scale", Scaler())]


def rows_of(generator: Any) -> Callable[[Any], Any]:
    def featurize(data: Any) -> Any:
        return [next(generator) for _ in data]

    return featurize


def test_functions_of_a_module_that_lies_about_travel_with_all_that_they_use() -> None:
    captured = capture(helper, "helper")
    code = f"import pickle; print(pickle.loads({captured.data!r})(2))"
    assert subprocess.check_output([sys.executable, "-I", "-c", code], text=True).strip() == "6"
    assert helper in captured.functions


def test_functions_of_distributions_are_only_named() -> None:
    import pandas as pd

    captured = capture(pd.read_csv, "the function")
    assert len(captured.data) < 100
    assert captured.functions == ()
    assert {module.partition(".")[0] for module in captured.modules} == {"pandas"}


@pytest.mark.parametrize(
    ("value", "path", "hint"),
    [
        (Scaler(), "the model.lock is a _thread.lock", "locks and threads stay"),
        (Pipeline(), "the model.steps[1][1].lock is a _thread.lock", "locks and threads stay"),
        ({"a": [1, (n for n in "x")]}, "the model['a'][1] is a generator", "a list"),
        (rows_of(n for n in "x"), "the model uses generator, which is a generator", "a list"),
        (Scaler().lock.acquire, "the model.__self__ is a _thread.lock", "locks"),
    ],
)  # fmt: skip
def test_the_part_that_cannot_be_pickled_is_named_with_its_cure(value: Any, path: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        capture(value, "the model")
    assert str(caught.value).startswith(path)
    assert hint in caught.value.hint


def test_an_object_whose_pickling_raises_is_told() -> None:
    class Stubborn:
        def __reduce__(self) -> Any:
            raise ZeroDivisionError("no")

    with pytest.raises(InvalidInput, match="cannot be pickled: no"):
        capture(Stubborn(), "the model")


def test_a_value_that_contains_itself_comes_back() -> None:
    value: list[Any] = [1]
    value.append(value)
    again = restore(capture(value, "the model").data)
    assert again[1] is again


# --- dependencies -----------------------------------------------------------------------------------------


def names_of(value: Any, **more: Any) -> set[str]:
    return {pin.partition("==")[0] for pin in gather([capture(value, "it")], **more).direct}


def test_only_what_is_used_is_a_dependency() -> None:
    import numpy as np
    import pandas as pd

    def featurize(data: Any) -> Any:
        return np.log(data)

    def lazy(data: Any) -> Any:
        import yaml

        def inner() -> Any:
            from sqlalchemy import text

            return text

        return yaml, inner

    assert pd  # is imported, but not used
    assert names_of(featurize) == {"numpy", "cloudpickle"}
    assert names_of(lazy) == {"pyyaml", "sqlalchemy", "cloudpickle"}
    assert names_of(1, requires=["Click >= 8", "rich"]) == {"click", "rich"}


def test_pins_are_of_what_is_installed_and_the_lock_has_what_that_needs() -> None:
    from importlib.metadata import version

    import pandas as pd

    found = gather([capture(pd.DataFrame, "it")])
    assert found.direct == (f"pandas=={version('pandas')}",)
    assert {f"pandas=={version('pandas')}", f"numpy=={version('numpy')}"} <= set(found.locked)
    assert not any(pin.startswith("pytest==") for pin in found.locked)
    assert found.python == ".".join(map(str, sys.version_info[:3]))


def test_a_module_leads_to_its_distribution_whatever_that_is_called() -> None:
    assert distributions_of("sklearn") == ("scikit-learn",)
    assert distributions_of("yaml") == ("pyyaml",)
    assert distributions_of("dateutil") == ("python-dateutil",)
    assert distributions_of("_pytest") == ("pytest",)
    assert distributions_of("no_such_module") == ()
    assert "sklearn" in top_levels("scikit-learn")


def test_modules_that_lie_about_go_along_and_what_they_import_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "mine_about"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "late.py").write_text("from . import deep\nimport yaml\n")
    (package / "deep.py").write_text("import click\n")
    (tmp_path / "mine_head.py").write_text("import rich\ndef twice(x):\n    return rich and x * 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    import mine_head  # type: ignore[import-not-found]

    def featurize(data: Any) -> Any:
        import mine_about.late

        return mine_head.twice(data), mine_about

    found = gather([capture(featurize, "it")])
    assert set(found.sources) - {"tests/models/test_model_capture.py"} == {
        "mine_about/__init__.py",
        "mine_about/late.py",
        "mine_about/deep.py",
        "mine_head.py",
    }
    assert {pin.partition("==")[0] for pin in found.direct} == {"rich", "pyyaml", "click", "cloudpickle"}
    assert found.by_name == ("mine_about", "mine_about.deep", "mine_about.late")
