"""The same runs on other stores, and what must never be in any of them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from jupyter_mlops.errors import InvalidInput, MlopsError

EMIT = "import jupyter_mlops as mlops\n"
FLOW = """\
name: flow
tasks:
  make: {notebook: make.ipynb, parameters: {size: 3}}
  use: {notebook: use.ipynb, parameters: {table: "${tasks.make.artifacts.table}"}}
"""
SECRET = "hunter2-and-more-of-it"


@pytest.fixture(params=["postgresql", "s3"])
def elsewhere(request, make_project):
    if request.param == "postgresql":
        return make_project(catalog=request.getfixturevalue("postgresql").fresh())
    options = request.getfixturevalue("s3")
    return make_project(blobs="s3://mlops/runs", blob_options=options)


def test_a_run_with_its_state_elsewhere(elsewhere):
    elsewhere.notebook(
        "make.ipynb",
        EMIT + "import pandas as pd\nmlops.artifact('table', pd.DataFrame({'a': range(size)}))",
        parameters="size: int = 1",
    )
    elsewhere.notebook(
        "use.ipynb", EMIT + "mlops.result('rows', len(mlops.input(table)))", parameters="table: str"
    )
    elsewhere.pipeline(FLOW)
    done = elsewhere.run()
    assert done.tasks["use"].results == {"rows": 3}, done.reasons
    assert elsewhere.run().states == {"make": "cached", "use": "cached"}
    assert elsewhere.runs.task_notebook(done.run.run_id, "use").exists()
    assert [each.state for each in elsewhere.runs.status(elsewhere.root / "pipeline.yaml")] == ["fresh"] * 2


def test_secrets_reach_the_kernel_and_nothing_else(project):
    (project.root / ".env").write_text(f"API_TOKEN={SECRET}\n")
    project.notebook(
        "secret.ipynb",
        "import base64, os, urllib.parse\n"
        "assert token.startswith('hunter2') and os.environ['PASSWORD'] == token, 'not what it should be'",
        "print(token, repr(token), base64.b64encode(token.encode()).decode(), urllib.parse.quote(token))\ntoken",
        "raise ValueError(f'cannot log in with {token}')",
        parameters="token: str",
    )
    project.pipeline("""\
name: p
tasks:
  a:
    notebook: secret.ipynb
    parameters: {token: "secret:API_TOKEN"}
    secrets: {PASSWORD: "secret:API_TOKEN"}
    retries: {limit: 1}
""")
    done = project.run()
    assert done.state == "failed"
    assert "cannot log in with ****" in done.reasons["a"]
    assert "".join(project.runs.log(done.run.run_id)).count("****") >= 4
    project.runs.task_notebook(done.run.run_id, "a")
    project.catalog.close()
    encoded = base64.b64encode(SECRET.encode())
    looked_at = [path for path in project.root.rglob("*") if path.is_file() and path.name != ".env"]
    assert len(looked_at) > 5
    for path in looked_at:
        content = path.read_bytes()
        assert SECRET.encode() not in content, path
        assert encoded not in content, path
    for event in done.events:
        assert SECRET not in str(event)


def test_a_secret_that_changes_its_value_is_no_reason_to_run_again(project):
    project.notebook("secret.ipynb", "print(len(token))", parameters="token: str")
    project.pipeline('name: p\ntasks: {a: {notebook: secret.ipynb, parameters: {token: "secret:API_TOKEN"}}}')
    (project.root / ".env").write_text("API_TOKEN=one-secret\n")
    assert project.run().states == {"a": "succeeded"}
    (project.root / ".env").write_text("API_TOKEN=another-secret\n")
    assert project.run().states == {"a": "cached"}


def test_files_beside_the_project_are_no_business_of_a_worker(project, tmp_path):
    (tmp_path / "outside.csv").write_text("1")
    project.notebook("a.ipynb", "print(open('../outside.csv').read())")
    project.pipeline("name: p\ntasks: {a: {notebook: a.ipynb, files: [../outside.csv]}}")
    assert project.run().state == "succeeded"
    (tmp_path / "outside.csv").write_text("2")
    (status,) = project.runs.status(project.root / "pipeline.yaml")
    assert status.reasons == ("file ../outside.csv changed",)


def test_a_cluster_that_is_not_there_is_one_clear_error(project):
    project.notebook("a.ipynb", "1")
    project.pipeline("name: p\ntasks: {a: {notebook: a.ipynb}, b: {notebook: a.ipynb}}")
    with pytest.raises(
        InvalidInput, match=r"no dask scheduler answers at tcp://127\.0\.0\.1:1: Connection refused"
    ):
        project.run(cluster="tcp://127.0.0.1:1")
    with pytest.raises(MlopsError, match="has no host and port"):
        project.run(cluster="tcp://nowhere")
    assert not list(Path(project.root).glob(".mlops/runs/*"))
