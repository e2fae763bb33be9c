"""Bodies, rows, batches and metrics, without a server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.models import signature
from jupyter_mlops.serving import options as serving_options
from jupyter_mlops.serving import outcome, tensors
from jupyter_mlops.serving.batching import Batcher, Counted, Raised
from jupyter_mlops.serving.intake import Input, Intake
from jupyter_mlops.serving.metrics import LATENCY, Histogram, Metrics
from jupyter_mlops.serving.payload import Payload, parse
from jupyter_mlops.serving.refusals import Busy, Invalid, Refusal, TookTooLong, WrongMediaType
from jupyter_mlops.serving.server import named
from jupyter_mlops.serving.version import load
from jupyter_mlops.signatures import enforce

from .conftest import FLIGHTS, ROW

# --- bodies -------------------------------------------------------------------------------------------------

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)
forms = st.sampled_from(
    [
        "dataframe_split",
        "dataframe_records",
        "instances",
        "inputs",
        "input_data",
        "data",
        "entities",
        "outputs",
        "id",
        "columns",
    ]
)
documents = values | st.dictionaries(forms, values | st.lists(st.fixed_dictionaries({
    "name": st.text(max_size=3), "shape": st.lists(st.integers(-1, 4), max_size=3),
    "datatype": st.sampled_from([*tensors.NUMPY, "BYTES", "X"]), "data": values,
}), max_size=2), max_size=3)  # fmt: skip
SIGNATURES = [
    signature.infer(FLIGHTS, "x"),
    signature.infer(np.ones((2, 3)), "x"),
    signature.infer([{"a": 1, "b": "x"}], "x"),
    signature.infer([1.0, 2.0], "x"),
    signature.infer(pd.Series([1.0, 2.0], name="a"), "x"),
    {},
]


@settings(max_examples=2 * settings.default.max_examples, deadline=None)
@given(documents, st.sampled_from(SIGNATURES))
def test_any_json_is_rows_or_a_refusal(document: Any, inputs: dict[str, Any]) -> None:
    try:
        body = orjson.dumps(document)
    except orjson.JSONEncodeError:
        return
    try:
        payload = parse(body, "application/json")
        if payload.kind == "entities":
            return
        taken = Intake(inputs).take(payload)
    except Invalid as error:
        return _is_told(error)
    assert taken.rows > 0
    return None


@settings(max_examples=2 * settings.default.max_examples, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["application/json", "text/csv", ""]))
def test_any_bytes_are_rows_or_a_refusal(body: bytes, kind: str) -> None:
    try:
        assert parse(body, kind).data
    except (Invalid, WrongMediaType) as error:
        _is_told(error)


def _is_told(error: Refusal) -> None:
    assert error.message


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a\n1\n\n3\n", [1, 3]),
        ("a,b\n1,x\n,y\n", [1, None]),
        ("a\n1.5\n2\n", [1.5, 2.0]),
        ("a\nTrue\nfalse\n", [True, False]),
        ('a\n"x,y"\nz\n', ["x,y", "z"]),
    ],
)
def test_fields_of_a_csv_are_what_they_look_like(text: str, wanted: list[Any]) -> None:
    assert parse(text.encode(), "text/csv; charset=utf-8").data["a"] == wanted


# --- rows ---------------------------------------------------------------------------------------------------

finite = st.floats(allow_nan=False, allow_infinity=False)
columns = {
    "float64": st.none() | st.integers(-(2**80), 2**80) | finite | st.booleans() | st.text(max_size=2),
    "float32": st.none() | st.integers(-1000, 1000) | st.floats(-1e6, 1e6),
    "int64": st.integers(-(2**64), 2**64) | st.floats(-10, 10) | st.none() | st.just(3.0) | st.booleans(),
    "int8": st.integers(-300, 300),
    "bool": st.booleans() | st.none() | st.integers(0, 1),
    "str": st.none() | st.text(max_size=3) | st.integers(0, 3),
    "category": st.sampled_from(["a", "b", "c", None, 1]),
}  # fmt: skip
EXAMPLES = pd.DataFrame({
    "float64": [0.5], "float32": np.array([0.5], "float32"), "int64": [1], "int8": np.array([1], "int8"),
    "bool": [True],
    "str": ["x"], "category": pd.Categorical(["a"], categories=["a", "b"]),
})  # fmt: skip


@settings(max_examples=2 * settings.default.max_examples, deadline=None)
@given(st.data(), st.sampled_from(sorted(columns)), st.booleans())
def test_the_quick_way_agrees_with_the_rules(data: Any, name: str, is_right: bool) -> None:
    """What the quick way takes, `enforce` takes too, and makes the same of it; also joined with other requests."""
    inputs = signature.infer(EXAMPLES[[name]], "x")
    parts = [data.draw(st.lists(columns[name], min_size=1, max_size=4)) for _ in range(3)]
    intake = Intake(inputs)
    taken = []
    for part in parts:
        try:
            wanted = enforce(inputs, pd.DataFrame({name: part}), "x")
        except InvalidInput:
            wanted = None
        try:
            one = intake.take(Payload("records", [{name: value} for value in part]))
        except Refusal:
            assert wanted is None
            continue
        assert wanted is not None
        pd.testing.assert_frame_equal(intake.join([one]), wanted)
        taken.append((one, wanted))
    if taken:
        joined = intake.join([one for one, _ in taken])
        pd.testing.assert_frame_equal(joined, pd.concat([frame for _, frame in taken], ignore_index=True))


def test_moments_and_missing_columns_take_the_long_way() -> None:
    frame = pd.DataFrame({"at": pd.to_datetime(["2026-01-01T00:00Z"]), "distance": [1.0]})
    intake = Intake(signature.infer(frame, "x"))
    one = intake.take(Payload("records", [{"at": "2026-01-01T00:00:00+00:00", "distance": 2}]))
    assert one.columns is None
    joined = intake.join([one, one])
    assert list(joined["distance"]) == [2.0, 2.0]
    assert joined["at"].dtype == frame["at"].dtype
    with pytest.raises(Refusal, match="time zone"):
        intake.take(Payload("records", [{"at": "2026-01-01T00:00:00", "distance": 2}]))
    with pytest.raises(Refusal, match="is it called 'Distance'"):
        intake.take(Payload("records", [{"at": "2026-01-01T00:00:00+00:00", "Distance": 2}]))


# --- predictions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        (np.array([1, 2]), [1, 2]),
        (np.array([0.5, np.nan, np.inf]), [0.5, None, None]),
        (np.array([0.1], "float32"), [0.1]),
        (np.array([[1.0, 2.0]]), [[1.0, 2.0]]),
        (np.array(["a", None], object), ["a", None]),
        (pd.Series([1.5, None]), [1.5, None]),
        (pd.DataFrame({"a": [1], "b": ["x"]}), [{"a": 1, "b": "x"}]),
        (pd.Series(pd.to_datetime(["2026-01-01"])), ["2026-01-01T00:00:00"]),
        ([{"a": np.int64(3)}, {"a": np.float64("nan")}], [{"a": 3}, {"a": None}]),
        (pd.array([1, None], dtype="Int64"), [1, None]),
    ],
)
def test_predictions_are_json(output: Any, wanted: Any) -> None:
    plain = outcome.plain(output)
    assert plain == wanted
    assert json.loads(json.dumps(plain, allow_nan=False)) == wanted
    assert outcome.agree(output, output)


def test_predictions_are_split_by_request() -> None:
    array, frame = np.arange(5), pd.DataFrame({"a": range(5)})
    assert [part.tolist() for part in outcome.split(array, [2, 3])] == [[0, 1], [2, 3, 4]]
    assert [len(part) for part in outcome.split(frame, [1, 4])] == [1, 4]
    assert outcome.split([1, 2], [1, 1]) == [[1], [2]]
    with pytest.raises(ValueError, match="another number"):
        outcome.split(array, [2, 2])
    assert outcome.to_csv(frame.head(2)) == b"a\n0\n1\n"
    assert outcome.to_csv(np.array([[1, 2]])) == b"1,2\n"
    assert not outcome.agree(array, array + 1)
    assert not outcome.agree(array, array[:2])


# --- batches ------------------------------------------------------------------------------------------------


def run_batcher(
    predict: Callable[..., Any], body: Callable[[Batcher], Any], **given: Any
) -> tuple[Any, list[tuple[int, int]]]:
    seen: list[tuple[int, int]] = []
    options = {"is_joined": True, "most_rows": 100, "most_waiting": 100, **given}

    async def call() -> Any:
        counted = Counted(lambda requests, rows, seconds: seen.append((requests, rows)))
        batcher = Batcher(predict, counted=counted, **options)
        try:
            return await body(batcher)
        finally:
            batcher.close()

    return asyncio.run(call()), seen


def rows_of(inputs: list[Input]) -> list[Any]:
    return [one.data for one in inputs]


def test_what_waits_while_one_runs_is_the_next_batch() -> None:
    go = threading.Event()

    def predict(inputs: list[Input]) -> list[Any]:
        go.wait(10)
        return rows_of(inputs)

    async def body(batcher: Batcher) -> Any:
        futures = [batcher.submit(Input(1, None, index), 10) for index in range(10)]
        go.set()
        return await asyncio.gather(*futures)

    answers, seen = run_batcher(predict, body)
    assert answers == list(range(10))
    assert seen == [(1, 1), (9, 9)]
    go.clear()
    _, seen = run_batcher(predict, body, most_rows=4)
    assert seen == [(1, 1), (4, 4), (4, 4), (1, 1)]
    go.clear()
    _, seen = run_batcher(predict, body, is_joined=False)
    assert seen == [(1, 1)] * 10


def test_one_that_is_at_fault_fails_alone() -> None:
    def predict(inputs: list[Input]) -> list[Any]:
        if any(one.data in (3, 11) for one in inputs):
            raise StopIteration("unlucky")
        return rows_of(inputs)

    async def body(batcher: Batcher) -> Any:
        return await asyncio.gather(
            *[batcher.submit(Input(1, None, index), 10) for index in range(20)], return_exceptions=True
        )

    answers, _ = run_batcher(predict, body)
    assert [index for index, answer in enumerate(answers) if isinstance(answer, Raised)] == [3, 11]
    assert [answer for answer in answers if not isinstance(answer, Raised)] == [
        i for i in range(20) if i not in (3, 11)
    ]


def test_a_full_queue_and_a_deadline() -> None:
    go = threading.Event()

    def predict(inputs: list[Input]) -> list[Any]:
        go.wait(10)
        return rows_of(inputs)

    async def body(batcher: Batcher) -> Any:
        first = batcher.submit(Input(1, None, 0), 0.01)
        waiting = [batcher.submit(Input(1, None, index), 0.01) for index in (1, 2)]
        patient = batcher.submit(Input(1, None, 3), 10)
        with pytest.raises(Busy):
            batcher.submit(Input(1, None, 4), 10)
        waiting[0].cancel()  # its client is gone
        await asyncio.sleep(0.05)
        batcher.sweep()
        go.set()
        assert await patient == 3
        return await asyncio.gather(first, waiting[1], return_exceptions=True)

    answers, seen = run_batcher(predict, body, most_waiting=3)
    assert all(isinstance(answer, TookTooLong) for answer in answers)
    assert seen == [(1, 1), (1, 1)]  # what nobody waits for any more is not predicted


# --- the rest -----------------------------------------------------------------------------------------------


def test_a_folder_is_loaded_and_named(flights: Path) -> None:
    version = load(flights)
    assert named(flights) == ("late", 1)
    assert (version.name, version.number, version.is_rowwise) == ("late", 1, True)
    taken = version.intake.take(Payload("records", [ROW, ROW]))
    assert [part.tolist() for part in version.predict([taken, taken])] == [[10.0, 10.0]] * 2


def test_metrics_are_prometheus_text() -> None:
    from prometheus_client.parser import text_string_to_metric_families

    metrics = Metrics()
    metrics.answered("/invocations", 200, "1", 0.003)
    metrics.answered('/a"b\\c\n', 500, "1", 70.0)
    metrics.batch("1", 3, 12, 0.002)
    metrics.shadow["2", "same"] += 1
    text = metrics.text({"ready": ("Whether.", [((), 1.0)])}).decode()
    families = {one.name: one for one in text_string_to_metric_families(text)}
    assert {sample.labels["route"]: sample.value for sample in families["mlops_requests"].samples} == {
        "/invocations": 1, '/a"b\\c\n': 1,
    }  # fmt: skip
    buckets = [one for one in families["mlops_request_seconds"].samples if one.name.endswith("_bucket")]
    assert [one.value for one in buckets] == sorted(one.value for one in buckets)
    assert buckets[-1].labels["le"] == "+Inf"
    assert buckets[-1].value == 2
    assert families["process_resident_memory_bytes"].samples[0].value > 2**20
    assert metrics.errors == 1


def test_a_quantile_is_within_its_bucket() -> None:
    histogram = Histogram(LATENCY)
    assert histogram.quantile(0.5) == 0
    for value in [0.003] * 90 + [0.2] * 10:
        histogram.observe(value)
    assert 0.0025 <= histogram.quantile(0.5) <= 0.005
    assert 0.1 <= histogram.quantile(0.99) <= 0.25


def test_options_come_from_flags_variables_and_the_cloud(flights: Path) -> None:
    read = serving_options.read
    base = {"MLOPS_SERVING_MODEL": str(flights)}
    assert read([], base).port == 8080
    assert read([], {**base, "PORT": "81"}).port == 81
    assert read(["serve"], {**base, "PORT": "81", "AIP_HTTP_PORT": "82"}).port == 82
    assert read(["--port", "83"], {**base, "AIP_HTTP_PORT": "82", "MLOPS_SERVING_PORT": "84"}).port == 83
    assert read(["--log-requests"], base).log_requests
    assert read([], {**base, "MLOPS_SERVING_LOG_REQUESTS": "true"}).log_requests
    found = read([], {"AZUREML_MODEL_DIR": str(flights.parent)})
    assert Path(found.model, "MLmodel").is_file()
    assert read([], {"AZUREML_MODEL_DIR": str(flights)}).model == str(flights)
    assert read(["--model", str(flights.parent)], {}).model == found.model
    assert read(["--traffic", "t"], base).model == ""
    assert read(["--model", str(flights)], {"MLOPS_SERVING_TRAFFIC": "t"}).traffic == ""
    with pytest.raises(InvalidInput, match="PORT is 'x', no port"):
        read([], {**base, "PORT": "x"})
    given = serving_options.Options(model=str(flights), token="t", workers=3, log_requests=True)
    arguments = serving_options.to_arguments(given)
    assert "t" not in arguments
    assert serving_options.secrets_of(given) == {"MLOPS_SERVING_TOKEN": "t"}
    assert read(arguments, serving_options.secrets_of(given)) == read(
        ["--model", str(flights), "--workers", "3", "--log-requests"], {"MLOPS_SERVING_TOKEN": "t"}
    )


def test_the_server_imports_little_of_ours() -> None:
    import subprocess
    import sys

    code = (
        "import sys, jupyter_mlops.serving.command\n"
        "print(sorted(n for n in sys.modules if n.startswith('jupyter_mlops.') and '.serving' not in n))\n"
        "print([n for n in ('numpy', 'pandas', 'sqlalchemy', 'fsspec', 'dask', 'jupyter_client') if n in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    allowed = {f"jupyter_mlops.{name}" for name in ("_version", "errors", "plugins", "signatures")}
    assert set(json.loads(out[0].replace("'", '"'))) <= allowed
    assert out[1] == "[]"


def test_estimators_get_an_array_where_a_frame_is_nothing_else(folder_of: Callable[..., Path]) -> None:
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    data = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [3, 1, 4, 1]})
    target = [0, 1, 0, 1]

    def version(name: str, model: Any, **more: Any) -> Any:
        fitted = model.fit(more.get("input_example", data), target)
        return load(
            folder_of(name, lambda: {"model": fitted, "input_example": data, "check": "none", **more})
        )

    quick = version("plain", make_pipeline(StandardScaler(), LogisticRegression()))
    assert quick.array_dtype == np.float64
    taken = quick.intake.take(Payload("rows", [[1.0, 3], [2.5, 3]]))
    with pytest.warns(UserWarning, match="valid feature names"):  # which the server leaves unsaid
        got = quick.predict([taken, taken])
    wanted = quick.running.predict(pd.DataFrame({"a": [1.0, 2.5], "b": [3, 3]}))
    assert [part.tolist() for part in got] == [wanted.tolist()] * 2
    by_name = make_column_transformer((StandardScaler(), ["a"]), remainder="drop")
    for name, model, more in (
        ("columns", make_pipeline(by_name, LinearRegression()), {}),
        ("functions", make_pipeline(FunctionTransformer(np.log1p), LinearRegression()), {}),
        ("featurized", LinearRegression(), {"featurize": lambda frame: frame}),
        (
            "texts",
            make_pipeline(by_name, LinearRegression()),
            {"input_example": data.assign(c=["x", "y", "x", "y"])},
        ),
    ):
        assert version(name, model, **more).array_dtype is None
