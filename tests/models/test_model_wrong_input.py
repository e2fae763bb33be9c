"""What a user may get wrong when registering: one clear message each, and nothing is stored, not even by half."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog, RegisteredModel
from jupyter_mlops.errors import InvalidInput, MlopsError
from jupyter_mlops.models import ModelStore

Register = Callable[..., Any]


def nothing(data: Any) -> None:
    data["hour"] = data["departure"] // 100  # and no return


class Unfit:
    """Neither predicts nor can be called."""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metrics": [0.9]}, "metrics is a list, not a mapping"),
        ({"metrics": 0.9}, "metrics is a float, not a mapping"),
        ({"metrics": {1: 0.9}}, "metrics: 1 is no name"),
        ({"metrics": {"auc": "good"}}, "the metric 'auc' is 'good', no number"),
        ({"metrics": {"auc": float("nan")}}, "the metric 'auc' is nan"),
        ({"tags": ["a"]}, "tags is a list, not a mapping"),
        ({"parameters": ["a"]}, "parameters is a list, not a mapping"),
        ({"artifacts": ["report.html"]}, "artifacts is a list, not a mapping"),
        ({"artifacts": {1: b"x"}}, "artifacts: 1 is no name"),
        ({"artifacts": {"../x": b"x"}}, "cannot be a file of a model version"),
        ({"artifacts": {"x": "no-such-file.html"}}, "there is no file no-such-file.html"),
        ({"code": ["fit()"]}, "code is a list, not a mapping"),
        ({"run": 7}, "run is 7"),
        ({"run": {"task": "train"}}, "run is {'task': 'train'}"),
        ({"aliases": 3}, "aliases is 3, no list of texts"),
        ({"aliases": ["champion", "a b"]}, "'a b' cannot be an alias"),
        ({"requires": 3}, "requires is 3, no list of texts"),
        ({"requires": "no-such-distribution"}, "'no-such-distribution' is not installed"),
        ({"data": 7}, "data: a int has no rows"),
        ({"data": "no-such-file.csv"}, "there is no file no-such-file.csv"),
        ({"featurize": nothing}, "featurize returns nothing for the example"),
        ({"predict": None, "model": {"a": 1}}, "a dict cannot predict by itself"),
        ({"predict": None, "model": Unfit()}, "a Unfit cannot predict by itself"),
        ({"predict": None, "model": Unfit}, "the model is the class Unfit, not one of its objects"),
        ({"predict": lambda model, features: 1 / 0}, "the model fails on its own example: ZeroDivisionError"),
        ({"predict": lambda model, features: [1]}, "6 rows went in, 1 predictions came out"),
    ],
)
def test_each_has_one_message_and_stores_nothing(
    register: Register, catalog: Catalog, blobs: BlobStore, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(MlopsError) as caught:
        register(**changes)
    assert message in str(caught.value)
    assert catalog.count(RegisteredModel) == 0
    assert not list(blobs.digests())


def test_tags_are_texts_and_none_is_no_tag(register: Register, store: ModelStore) -> None:
    assert register(tags={"week": 20, "nothing": None}).tags == {"week": "20"}
    assert store.set_tags("delay/1", week=21, region="eu").tags == {"week": "21", "region": "eu"}
    assert [one.version for one in store.find("delay", tags={"week": "21"})] == [1]
    with pytest.raises(InvalidInput, match="tags is a list"):
        store.find("delay", tags=["week"])  # type: ignore[arg-type]


def test_one_requirement_may_be_given_as_a_text(register: Register, store: ModelStore) -> None:
    register(requires="packaging")
    assert any(one.startswith("packaging==") for one in store.manifest("delay/1").dependencies["direct"])
