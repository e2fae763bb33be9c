"""Graphs × behaviors, as pipelines: what every target must make of them is what our own run does."""

from __future__ import annotations

import re

import yaml

# The week in which the fire before this one was, for a pipeline that has a parameter `week`.
WEEKLY = """\
schedules:
  weekly:
    cron: 0 6 * * 1
    timezone: Europe/Zurich
    parameters: {week: "${schedule.data_interval_start.week}"}
"""
GRAPHS = {
    "chain": ["a: {}", "b: {needs: [a]}", "c: {needs: [b]}"],
    "diamond": ["a: {}", "b: {needs: [a]}", "c: {needs: [a]}", "d: {needs: [b, c]}"],
    "condition": [
        "a: {}",
        "b: {when: tasks.a.results.value > 0}",
        "c: {when: tasks.a.results.value <= 0}",
        "d: {needs: [c]}",
    ],
    "run_if": [
        "a: {}",
        "b: {needs: [a]}",
        "c: {needs: [b], run_if: all_done}",
        "d: {needs: [b], run_if: at_least_one_failed}",
    ],
    "nested": [
        "a: {}",
        "b: {needs: [a], when: tasks.a.results.value > 5}",
        "c: {needs: [b]}",
        "d: {needs: [b, a], run_if: none_failed}",
    ],
    "join": [
        "a: {}",
        "b: {matrix: {x: [1, 2]}, needs: [a]}",
        "c: {parameters: {given: '${tasks.b.results.value}'}}",
    ],
    "mapped": [
        "a: {}",
        "b: {map: '${tasks.a.results.items}', when: '${item} != 2'}",
        "c: {parameters: {given: '${tasks.b.results.value}'}}",
    ],
}
NOTEBOOK = (
    "given: object = None\nme: str = ''\nbehavior: str = ''",
    'mlops.result("value", 1)\nmlops.result("items", [1, 2, 3])\n'
    "import os, pathlib\n"
    'mark = pathlib.Path(os.environ["MLOPS_TASK"] + ".mark")\n'
    "is_second = mark.exists()\nmark.touch()\n"
    'assert me != "b" or behavior != "fail", "as asked"\n'
    'assert me != "b" or behavior != "retry" or is_second, "not yet"',
)
BEHAVIORS = ("succeed", "fail", "retry", "skip")


def pipeline(*cases: tuple[str, str]) -> str:
    """The graphs side by side, their tasks named ``chain_fail_a``, …; what a behavior means, it means for ``b``."""
    tasks = {}
    for graph, behavior in cases:
        prefix = f"{graph}_{behavior}_"
        for line in GRAPHS[graph]:
            name, _, rest = line.partition(": ")
            rest = re.sub(r"tasks\.(\w)\b", rf"tasks.{prefix}\1", rest)
            task = {"notebook": "task.ipynb", **(yaml.safe_load(rest) or {})}
            task["parameters"] = {"me": name, "behavior": behavior, **task.get("parameters", {})}
            task["needs"] = [f"{prefix}{need}" for need in task.get("needs", [])]
            if name == "b" and behavior == "skip":
                task["when"] = "1 > 2"
            if name == "b" and behavior == "retry":
                task["retries"] = {"limit": 1, "delay": "0s"}
            tasks[f"{prefix}{name}"] = task
    return yaml.safe_dump({"name": "matrix", "tasks": tasks}, sort_keys=False)


IN_ENGINES = [
    ("condition", "succeed"), ("mapped", "retry"), ("join", "fail"),
    ("run_if", "fail"), ("run_if", "skip"), ("nested", "skip"),
]  # fmt: skip
"""Each behavior, and each graph that engines have means of their own for. What is left out differs by no engine."""
