"""Pipeline files: listed, shown with all that is wrong, checked before they are saved, saved with care."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import PIPELINE, Server, make_project, new_server, notebook


def names(body: dict[str, Any]) -> list[str]:
    return [item["path"] for item in body["items"]]


def test_every_pipeline_is_listed(server: Server, done: dict[str, Any]) -> None:
    hidden, environment = server.root / ".hidden", server.root / "venv"
    for folder in (hidden, environment / "sub"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pipeline.yaml").write_text(PIPELINE)
    (environment / "pyvenv.cfg").touch()
    found = server.get("/api/pipelines")
    assert {"pipeline.yaml", "slow.pipeline.yaml"} <= set(names(found))
    assert not [path for path in names(found) if "hidden" in path or "venv" in path]
    assert found["is_complete"]
    first = next(item for item in found["items"] if item["path"] == "pipeline.yaml")
    assert (first["name"], first["task_count"], first["error_count"]) == ("small", 2, 0)
    assert first["last_run"]["pipeline_path"] == "pipeline.yaml"
    assert first["workspace"] is None


def test_lists_are_searched_and_paged(server: Server) -> None:
    assert names(server.get("/api/pipelines?search=SLOW")) == ["slow.pipeline.yaml"]
    assert names(server.get("/api/pipelines?search=nothing-like-that")) == []
    everything = server.get("/api/pipelines")
    page = server.get("/api/pipelines?limit=1&offset=1")
    assert names(page) == names(everything)[1:2]
    assert page["total"] == everything["total"]


def test_a_broken_file_is_listed(server: Server) -> None:
    (server.root / "broken.pipeline.yaml").write_text("tasks: [")
    try:
        broken = server.get("/api/pipelines?search=broken")["items"][0]
        assert broken["error_count"] == 1
        assert broken["task_count"] == 0
    finally:
        (server.root / "broken.pipeline.yaml").unlink()


def test_a_pipeline_of_another_workspace_is_told(server: Server) -> None:
    nested = server.root / "nested"
    nested.mkdir(exist_ok=True)
    (nested / "mlops.toml").touch()
    (nested / "pipeline.yaml").write_text(PIPELINE)
    item = next(
        item for item in server.get("/api/pipelines")["items"] if item["path"] == "nested/pipeline.yaml"
    )
    assert item["workspace"] == "nested"


def test_a_pipeline_is_shown_whole(server: Server) -> None:
    shown = server.get("/api/pipelines/pipeline.yaml")
    assert shown["text"] == PIPELINE
    assert [task["name"] for task in shown["tasks"]] == ["one", "two"]
    assert shown["tasks"][1]["upstream"] == ["one"]
    assert shown["tasks"][0]["notebook_path"] == "one.ipynb"
    assert shown["tasks"][0]["line"] == 11
    parameter = shown["parameters"][0]
    assert (parameter["name"], parameter["type"], parameter["default_text"]) == ("n", "int", "3")
    assert shown["graph"]["edges"][0]["kind"] == "parameters"
    assert shown["problems"] == []


def test_the_graph_runs_where_it_shall(server: Server) -> None:
    right = server.get("/api/pipelines/pipeline.yaml")["graph"]
    down = server.get("/api/pipelines/pipeline.yaml?direction=down")["graph"]
    (a, b), (c, d) = right["nodes"], down["nodes"]
    assert a["x"] < b["x"]
    assert a["y"] == b["y"]
    assert c["y"] < d["y"]
    assert c["x"] == d["x"]


def test_a_slash_may_be_encoded_or_not(server: Server) -> None:
    folder = server.root / "deep" / "er"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pipeline.yaml").write_text(PIPELINE)
    for path in ("deep/er/pipeline.yaml", "deep%2Fer%2Fpipeline.yaml"):
        shown = server.get(f"/api/pipelines/{path}")
        assert shown["path"] == "deep/er/pipeline.yaml"
        assert shown["tasks"][0]["notebook_path"] == "deep/er/one.ipynb"
        missing = next(problem for problem in shown["problems"] if "one.ipynb" in problem["message"])
        assert (missing["task"], missing["severity"]) == ("one", "error")
        assert str(server.root) not in str(shown)


def test_a_text_is_checked_before_it_is_saved(server: Server) -> None:
    text = PIPELINE.replace("n: ${params.n}", "m: ${params.n}").replace(
        "total: ${tasks.one", "total: ${tasks.ones"
    )
    checked = server.post("/api/check", {"path": "pipeline.yaml", "text": text}, 200)
    assert [task["name"] for task in checked["tasks"]] == ["one", "two"]
    problem = checked["problems"][0]
    assert (problem["task"], problem["file"], problem["severity"]) == ("two", "pipeline.yaml", "error")
    assert "did you mean" in problem["hint"]
    assert problem["line"] == text.splitlines().index("      total: ${tasks.ones.results.total}") + 1
    assert (server.root / "pipeline.yaml").read_text() == PIPELINE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "tasks:",
        "tasks: {a: 1}",
        "\t",
        "a: b: c",
        "tasks: {a: {notebook: a.ipynb, needs: [a]}}",
        "name: &a [*a]",
        "💥",
        "\0",
        "tasks: {a: {notebook: a.ipynb, needs: [b]}, b: {notebook: b.ipynb, needs: [a]}}",
        "- " * 1000,
        "tasks: {a: {notebook: ../../../etc/passwd}}",
    ],
)
def test_no_text_is_too_broken_to_be_checked(server: Server, text: str) -> None:
    checked = server.post("/api/check", {"path": "new/pipeline.yaml", "text": text}, 200)
    assert [problem for problem in checked["problems"] if problem["severity"] == "error"]
    assert all(str(server.root) not in problem["message"] for problem in checked["problems"])


def test_a_file_is_saved_unless_somebody_else_changed_it(server: Server) -> None:
    path, url = server.root / "saved.pipeline.yaml", "/api/pipelines/saved.pipeline.yaml"
    path.unlink(missing_ok=True)
    first = server.put(url, {"text": PIPELINE, "digest": None})
    assert path.read_text() == PIPELINE
    assert server.put(url, {"text": PIPELINE, "digest": None}, 409)["code"] == "conflict"
    commented = f"# a remark\r\n{PIPELINE}"
    second = server.put(url, {"text": commented, "digest": first["digest"]})
    assert path.read_bytes() == commented.encode()
    assert server.get(url)["digest"] == second["digest"]
    path.write_text("name: by another hand\n")
    refused = server.put(url, {"text": PIPELINE, "digest": second["digest"]}, 409)
    assert "changed meanwhile" in refused["message"]
    assert path.read_text() == "name: by another hand\n"
    path.unlink()
    assert "not there any more" in server.put(url, {"text": "", "digest": second["digest"]}, 409)["message"]
    assert server.put("/api/pipelines/no/such/folder.yaml", {"text": "", "digest": None}, 404)


def test_a_form_knows_what_a_notebook_takes(server: Server) -> None:
    source = (
        "kind: Literal['a', 'b'] = 'a'\nshare: Annotated[float, Field(ge=0, le=1)] = 0.5\n"
        "when: date | None = None\nkey: Secret\nplain = 1\nnames: list[str] = ['x']\nflag: bool = True  # on or off"
    )
    (server.root / "typed.ipynb").write_text(notebook("1", parameters=source))
    found = {each["name"]: each for each in server.get("/api/notebooks/typed.ipynb/parameters")["parameters"]}
    assert (found["kind"]["type"], found["kind"]["choices"]) == ("str", ["a", "b"])
    assert (found["share"]["minimum"], found["share"]["maximum"]) == (0.0, 1.0)
    assert (found["when"]["type"], found["when"]["is_optional"]) == ("date", True)
    assert found["key"]["is_secret"]
    assert found["key"]["is_required"]
    assert (found["names"]["default_text"], found["flag"]["default_text"]) == ('["x"]', "true")
    assert found["flag"]["help"] == "on or off"


def test_a_notebook_that_cannot_be_read_has_a_problem(server: Server) -> None:
    (server.root / "bad.ipynb").write_text("{")
    body = server.get("/api/notebooks/bad.ipynb/parameters")
    assert body["parameters"] == []
    assert body["problems"]
    (server.root / "bad.ipynb").unlink()
    assert server.get("/api/notebooks/none.ipynb/parameters", 404)["code"] == "not_found"


def test_a_fresh_folder_stays_as_it_was_and_a_catalog_that_is_replaced_is_noticed(own_server: Server) -> None:
    """Looking makes no workspace; a run makes one, and another one when it was taken away."""
    before = sorted(path.name for path in own_server.root.iterdir())
    own_server.start()
    assert own_server.get("/api/status")["is_fresh"]
    for path in (
        "/api/pipelines",
        "/api/runs",
        "/api/models",
        "/api/features",
        "/api/compute",
        "/api/pipelines/pipeline.yaml",
    ):
        own_server.get(path)
    assert sorted(path.name for path in own_server.root.iterdir()) == before
    run = own_server.run()
    assert run["state"] == "succeeded"
    assert not own_server.get("/api/status")["is_fresh"]
    assert own_server.get("/api/runs")["total"] == 1
    shutil.rmtree(own_server.root / ".mlops")
    assert own_server.get("/api/runs")["total"] == 0
    assert own_server.run()["state"] == "succeeded"


@pytest.fixture(scope="module")
def inner_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server below a path, of a folder that lies in a workspace; and a run of it."""
    project = make_project(tmp_path_factory.mktemp("around") / "project")
    (project / "inner").mkdir()
    for path in project.glob("*.ipynb"):
        (project / "inner" / path.name).write_bytes(path.read_bytes())
    (project / "inner" / "pipeline.yaml").write_text(PIPELINE)
    made = new_server(project / "inner", base_url="/user/somebody/")
    try:
        yield made.start()
    finally:
        made.end()


@pytest.fixture(scope="module")
def inner_run(inner_server: Server) -> dict[str, Any]:
    return inner_server.run()


def test_the_workspace_is_the_one_that_the_root_lies_in(
    inner_server: Server, inner_run: dict[str, Any]
) -> None:
    assert inner_server.get("/api/status")["workspace"] == ".."
    assert (inner_run["state"], inner_run["pipeline_path"]) == ("succeeded", "pipeline.yaml")
    assert (inner_server.root.parent / ".mlops" / "catalog.db").exists()
    assert not (inner_server.root / ".mlops").exists()


def test_a_base_url_goes_before_everything(inner_server: Server, inner_run: dict[str, Any]) -> None:
    assert inner_server.url.endswith("/user/somebody/")
    url = inner_server.get(f"/api/runs/{inner_run['run_id']}/tasks/one")["view_url"]
    assert url.startswith("/user/somebody/mlops/view/")
    assert inner_server.ask("GET", url.removeprefix("/user/somebody/mlops")).status_code == 200


def test_paths_in_the_answer_never_name_the_machine(server: Server, done: dict[str, Any]) -> None:
    for path in (
        "/api/pipelines",
        "/api/runs",
        f"/api/runs/{done['run_id']}",
        "/api/pipelines/pipeline.yaml",
    ):
        assert str(Path(server.root).parent) not in server.ask("GET", path).text
