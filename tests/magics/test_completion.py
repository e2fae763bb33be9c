"""Tab, in an IPython and in a real kernel."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.magics import completion

from .conftest import MODEL, Notebook


def offered(notebook: Notebook, text: str) -> list[str]:
    from IPython.core.completer import provisionalcompleter

    with provisionalcompleter():
        found = list(notebook.shell.Completer.completions(text, len(text)))
    return [text[: one.start] + one.text for one in found]


@pytest.fixture
def filled(with_model: Notebook) -> Notebook:
    with_model.run("%register_model delay model --example X.head(3) --check none")
    with_model.run("%register_model delay model --example X.head(3) --check none --alias blessed")
    with_model.run(
        "X.assign(k='a', event_timestamp=pd.Timestamp('2013-01-01', tz='UTC')).to_parquet('x.parquet')"
    )
    with_model.run("%%feature_view weather -e airport=k\nSELECT k, event_timestamp, a FROM 'x.parquet'")
    (with_model.folder / "pipeline.yaml").touch()
    return with_model


CHECK = "%register_model delay model --check "


OFFERED = [
    ("%register_model de", ["%register_model delay"]),
    ("%register_model delay mod", ["%register_model delay model"]),
    ("%register_model delay model --me", ["%register_model delay model --metric"]),
    (CHECK, [f"{CHECK}{c}" for c in ("quick", "full", "none")]),
    ("%register_model delay model --metric auc=mod", ["%register_model delay model --metric auc=model"]),
    ("%alias delay bl", ["%alias delay blessed"]),
    ("%alias delay blessed ", ["%alias delay blessed 2", "%alias delay blessed 1"]),
    ("%models d", ["%models delay"]),
    ("found = %models d", ["found = %models delay"]),
    ("%features w", ["%features weather"]),
    ("%%feature_view other --entities a", ["%%feature_view other --entities airport"]),
    ("%run_pipeline pi", ["%run_pipeline pipeline.yaml"]),
    ("%result mod", ["%result model"]),
]  # fmt: skip


def test_what_is_offered(filled: Notebook) -> None:
    assert [(text, offered(filled, text)) for text, _ in OFFERED] == OFFERED


def test_a_body_of_a_cell_and_other_lines_are_left_to_ipython(filled: Notebook) -> None:
    assert "x = model" in offered(filled, "x = mod")
    assert all("delay" not in one for one in offered(filled, "%%featurize\nde"))


def test_where_there_is_no_catalog_nothing_is_made_and_nothing_raises(notebook: Notebook) -> None:
    assert completion.catalog_names("models") == []
    offered(notebook, "%register_model ")
    assert not (notebook.folder / ".mlops").exists()


def test_a_catalog_that_does_not_answer_costs_a_moment_only(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def never(what: str, model: str) -> list[str]:
        asked.append(what)
        time.sleep(3)
        raise OSError("gone")

    monkeypatch.setattr(completion, "catalog_names", never)
    monkeypatch.setattr(completion, "_SECONDS", 0.05)
    names = completion.Names(notebook.shell)
    assert names.of("models", []) == []
    assert names.of("models", []) == []
    assert asked == ["models"]  # nobody asks again while somebody waits


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    from jupyter_client.manager import start_new_kernel

    folder = tmp_path_factory.mktemp("kernel")
    (folder / "mlops.toml").touch()
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder))
    yield client, folder
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def execute(client: Any, code: str) -> list[Any]:
    outputs: list[Any] = []
    client.execute_interactive(code, output_hook=outputs.append, timeout=60)
    errors = [one["content"] for one in outputs if one["msg_type"] == "error"]
    assert not errors
    return outputs


def test_a_real_kernel_completes_and_shows_rich_and_plain(kernel: tuple[Any, Path]) -> None:
    client, _ = kernel
    execute(client, "%load_ext jupyter_mlops\n" + MODEL)
    outputs = execute(client, "%register_model delay model --example X.head(3) -m auc=0.9 --check none")
    (shown,) = [one["content"]["data"] for one in outputs if one["msg_type"] == "execute_result"]
    assert "models:/delay/1" in shown["text/plain"]
    assert "models:/delay/1" in shown["text/html"]
    code = "%alias delay champion "
    reply = client.complete(code, reply=True, timeout=60)["content"]
    assert (reply["status"], reply["matches"]) == ("ok", ["1"])
    assert reply["cursor_start"] == len(code)
    code = "x = 1\n%models de\ny = 2"
    reply = client.complete(code, cursor_pos=len("x = 1\n%models de"), reply=True, timeout=60)["content"]
    assert reply["matches"] == ["delay"]


def test_a_real_kernel_shows_help(kernel: tuple[Any, Path]) -> None:
    client, _ = kernel
    execute(client, "%load_ext jupyter_mlops")
    found = client.inspect("%register_model", reply=True, timeout=60)["content"]
    assert "%register_model NAME MODEL [options]" in found["data"]["text/plain"]


def test_the_extension_loads_in_a_moment(kernel: tuple[Any, Path]) -> None:
    client, _ = kernel
    outputs = execute(
        client,
        "import sys\nbefore = set(sys.modules)\n%reload_ext jupyter_mlops\n"
        "print(sorted({'sqlalchemy', 'duckdb', 'distributed'} & (set(sys.modules) - before)))",
    )
    assert any(one["content"].get("text") == "[]\n" for one in outputs if one["msg_type"] == "stream")
