"""The component that runs any task of a pipeline in Kubeflow, as text with holes; and what lets it onto spot nodes."""

from __future__ import annotations

COMPONENT = '''\
@dsl.component(base_image=IMAGE, install_kfp_package=False)
def {name}(
    task_key: str,
    run_id: str,
{declared}    words: list = [],  # noqa: B006 - a component's default is a constant
    after: list = [],  # noqa: B006
{more}) -> {kind}:
    """{told}"""
    import json
    import os
    import subprocess

    arguments = {{{arguments}}}
    done = subprocess.run(
        ["jupyter-mlops", "task", {pipeline}, task_key, "--run-id", run_id, "--json", *words],
        cwd=os.environ.get("MLOPS_TASK_PROJECT", {project}),
        env={{**os.environ, "MLOPS_TASK_ARGUMENTS": json.dumps(arguments)}},
        stdout=subprocess.PIPE,
        text=True,
    )
    said = json.loads(done.stdout)
    if done.returncode:
        raise RuntimeError(f"{{task_key}}: {{said.get('error', {{}}).get('message') or said.get('reason')}}")
{end}
'''
ON_SPOT = '''\
def may_be_taken_away(task: dsl.PipelineTask) -> None:
    """Lets the task onto spot nodes, as the clouds mark them; without any it runs as others do."""
    for key, value in TAINTS.items():
        kubernetes.add_toleration(task, key=key, operator="Equal", value=value, effect="NoSchedule")
    for key, value in LABELS.items():
        node = {"key": key, "operator": "In", "values": [value]}
        kubernetes.add_node_affinity(task, match_expressions=[node], weight=100)
'''
NOTEBOOK = {
    "name": "notebook",
    "more": '    result: str = "",\n',
    "kind": "str",
    "told": "One task of the pipeline; its result of that name, or how it ended. Whether it runs it decides by what\n"
    "    the tasks before it left; `after` only says what comes before it.",
    "end": """\
    value = said["results"].get(result, said["state"])
    return value if isinstance(value, str) else json.dumps(value)""",
}
INSTANCES = {
    "name": "instances",
    "more": "",
    "kind": "list",
    "told": "The keys of a mapped task's instances.",
    "end": "    return said",
}
