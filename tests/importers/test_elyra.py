"""Elyra's pipelines of several versions, written here with the features of its own examples."""

from __future__ import annotations

import json

import pytest

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.importers import read


def link(source: str, port: str = "outPort") -> dict:
    return {"id": f"l-{source}", "node_id_ref": source, "port_id_ref": port}


def node(
    name: str, *sources: str, op: str = "execute-notebook-node", is_flat: bool = False, **fields: object
) -> dict:
    given = {"filename": f"{name}.ipynb", **fields}
    data = given if is_flat else {"label": name, "component_parameters": given}
    ports = [{"id": "inPort", "links": [link(source) for source in sources]}]
    return {
        "id": f"id-{name}", "type": "execution_node", "op": op, "app_data": {**data, "ui_data": {"x_pos": 1}},
        "inputs": ports, "outputs": [{"id": "outPort"}],
    }  # fmt: skip


def write(path, *pipelines: dict):
    body = {
        "doc_type": "pipeline",
        "version": "3.0",
        "primary_pipeline": pipelines[0]["id"],
        "pipelines": pipelines,
    }
    path.write_text(json.dumps(body))
    return path


def pipeline(*nodes: dict, version: int = 8, id: str = "main", **properties: object) -> dict:  # noqa: A002
    data = {"properties": properties} if version >= 4 else properties
    return {"id": id, "nodes": list(nodes), "app_data": {"version": version, **data}}


def test_everything_of_a_version_8(tmp_path):
    path = write(
        tmp_path / "p.pipeline",
        pipeline(
            node("load", env_vars=[{"env_var": "URL", "value": "http://x/${y}"}], outputs=["data.csv"],
                 cpu=1, memory=2, gpu=0),
            node(
                "train", "id-load", dependencies=["utils.py"], pipeline_parameters=["rounds"], runtime_image="img:1",
                kubernetes_secrets=[{"env_var": "TOKEN", "name": "creds", "key": "token"}], disable_node_caching="true",
                mounted_volumes=[{"path": "/data", "pvc_name": "v"}],
            ),
            name="My flow", description="It learns", runtime="kfp",
            pipeline_parameters=[
                {"name": "rounds", "description": "how many", "required": False,
                 "default_value": {"type": "int", "value": 3}},
                {"name": "unused", "default_value": {"type": "str", "value": ""}},
            ],
            pipeline_defaults={"env_vars": [{"env_var": "MODE", "value": "test"}]},
        ),
    )  # fmt: skip
    imported = read(path)
    made = imported.pipeline
    load, train = made.tasks
    assert (made.name, made.description) == ("My_flow", "It learns")
    assert made.parameters["rounds"].default == 3
    assert dict(load.env) == {"MODE": "test", "URL": "http://x/$${y}"}
    assert (load.resources.cpu, load.resources.memory) == (1.0, 2_000_000_000)
    assert (train.needs, train.files, train.cache) == (("load",), ("utils.py",), False)
    assert dict(train.env) == {"MODE": "test", "rounds": "${params.rounds}"}
    assert dict(train.secrets) == {"TOKEN": "secret:TOKEN"}
    told = "\n".join(imported.lost)
    for what in ("runtime_image", "outputs", "mounted_volumes", "runtime 'kfp'", "creds/token", "'unused'"):
        assert what in told


def test_the_flat_layout_of_early_versions(tmp_path):
    path = write(
        tmp_path / "old.pipeline",
        pipeline(
            node("a", is_flat=True, env_vars=["K=V=W", ""], cpu=2),
            node("b", "id-a", is_flat=True, dependencies=["x/*.csv"]),
            version=3, name="old",
        ),
    )  # fmt: skip
    a, b = read(path).pipeline.tasks
    assert (dict(a.env), a.resources.cpu) == ({"K": "V=W"}, 2.0)
    assert (b.needs, b.files) == (("a",), ("x/*.csv",))


@pytest.mark.parametrize("is_flat", [True, False])
@pytest.mark.parametrize("version", range(3, 9))
def test_every_version_means_the_same(tmp_path, version, is_flat):
    """Variables were texts until they became pairs in version 8; both layouts are met in files of several versions."""
    variables = [{"env_var": "K", "value": "V"}] if version >= 8 else ["K=V"]
    path = write(
        tmp_path / "v.pipeline",
        pipeline(
            node("a", is_flat=is_flat, env_vars=variables, cpu=2, gpu=1, memory=3),
            node("b", "id-a", is_flat=is_flat, dependencies=["x.csv"]),
            version=version, name="v",
        ),
    )  # fmt: skip
    a, b = read(path).pipeline.tasks
    assert (dict(a.env), a.resources.cpu, a.resources.gpu) == ({"K": "V"}, 2.0, 1)
    assert (b.needs, b.files) == (("a",), ("x.csv",))


def test_super_nodes_are_laid_flat(tmp_path):
    group = {
        "id": "group", "type": "super_node", "subflow_ref": {"pipeline_id_ref": "inner"}, "app_data": {},
        "inputs": [{"id": "id-b_inPort", "links": [link("id-a")]}], "outputs": [{"id": "id-c_outPort"}],
    }  # fmt: skip
    last = node("d")
    last["inputs"] = [{"id": "inPort", "links": [link("group", "id-c_outPort")]}]
    inner = [node("b"), node("c", "id-b"), {"id": "x", "type": "binding"}]
    path = write(tmp_path / "s.pipeline", pipeline(node("a"), group, last), pipeline(*inner, id="inner"))
    needs = {task.name: task.needs for task in read(path).pipeline.tasks}
    assert needs == {"a": (), "b": ("a",), "c": ("b",), "d": ("c",)}


@pytest.mark.parametrize("op", ["execute-r-node", "catalog:my-component"])
def test_what_is_no_python_is_an_error(tmp_path, op):
    with pytest.raises(InvalidInput, match=f"'a' is a {op}"):
        read(write(tmp_path / "p.pipeline", pipeline(node("a", op=op))))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pipelines": [], "primary_pipeline": "x"}'])
def test_what_is_no_pipeline_is_an_error(tmp_path, text):
    (tmp_path / "p.pipeline").write_text(text)
    with pytest.raises(InvalidInput):
        read(tmp_path / "p.pipeline")


def test_no_file_outside_of_the_project(tmp_path):
    with pytest.raises(InvalidInput, match="leads out"):
        read(write(tmp_path / "p.pipeline", pipeline(node("a", filename="../../etc/passwd"))))


def test_it_runs(tmp_path, say, write_notebook):
    write_notebook(tmp_path / "load.ipynb", ("import os\nopen('data.csv', 'w').write(os.environ['rounds'])",))
    (tmp_path / "train.py").write_text(
        "if __name__ == '__main__':\n    open('model', 'w').write(open('data.csv').read() * 2)"
    )
    path = write(
        tmp_path / "p.pipeline",
        pipeline(
            node("load", pipeline_parameters=["rounds"]),
            node("train", "id-load", op="execute-python-node", filename="train.py"),
            name="p", pipeline_parameters=[{"name": "rounds", "default_value": {"type": "int", "value": 4}}],
        ),
    )  # fmt: skip
    (tmp_path / "mlops.toml").touch()
    assert say("import", path).code == 0
    said = say("run", tmp_path / "pipeline.yaml")
    assert said.code == 0, said
    assert (tmp_path / "model").read_text() == "44"
