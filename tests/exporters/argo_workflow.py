"""What Argo's controller would do with the workflows that we write."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def in_a_process(words: list[str], folder: Path) -> int:
    """A container's command as a process; its exit code."""
    words = [str(Path(sys.executable).with_name(words[0])), *words[1:]]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=100).returncode


class Workflow:
    """An interpreter of the parts of an Argo workflow that we write: a DAG of containers with ``depends``, ``when``,
    ``withParam``, and outputs taken from files. Containers are processes here; ``/tmp/outputs`` is a folder each, and
    so is the project, where `images` says what one has."""

    def __init__(
        self,
        spec: Mapping[str, Any],
        project: Path,
        pods: Path,
        arguments: Mapping[str, str],
        start: Callable[[list[str], Path], int] | None = None,
        run: str = "scores-x7k2p",
        images: Mapping[str, Path] | None = None,
        fired_at: str = "",
    ) -> None:
        self.images = images
        self.start = start or in_a_process
        self.templates = {each["name"]: each for each in spec["templates"]}
        given = {each["name"]: each["value"] for each in spec.get("arguments", {}).get("parameters", [])}
        self.values = {f"workflow.parameters.{name}": value for name, value in {**given, **arguments}.items()}
        self.values["workflow.name"] = run
        # Argo leaves it as it stands in a workflow that no CronWorkflow started.
        self.values["workflow.scheduledTime"] = fired_at or "{{workflow.scheduledTime}}"
        self.project, self.pods = project, pods
        self.states: dict[str, str] = {}

    def run(self) -> None:
        for task in self.templates["main"]["dag"]["tasks"]:  # written in topological order
            self.states[task["name"]] = self.node(task)

    def node(self, task: Mapping[str, Any]) -> str:
        if not self.holds(re.sub(r"([\w-]+)\.(\w+)", self._is, task.get("depends", "True"))):
            return "Omitted"
        if "when" in task and not self.holds(self.fill(task["when"])):
            return "Skipped"
        template = self.templates[task["template"]]
        items = json.loads(self.fill(task["withParam"])) if "withParam" in task else [None]
        states = {self.pod(task, template, item, number) for number, item in enumerate(items)}
        return "Failed" if "Failed" in states else "Succeeded"

    def pod(self, task: Mapping[str, Any], template: Mapping[str, Any], item: Any, number: int) -> str:
        values = {"item": item if isinstance(item, str) else json.dumps(item)}
        for each in task.get("arguments", {}).get("parameters", []):
            values[f"inputs.parameters.{each['name']}"] = self.fill(each["value"], values)
        outputs = self.pods / f"{task['name']}-{number}"
        container = template["container"]
        words = [self.fill(word, values) for word in (*container["command"], *container["args"])]
        words = [str(outputs) if word == "/tmp/outputs" else word for word in words]
        assert container["workingDir"] == str(self.project)
        project = self.project if self.images is None else self.images[container["image"]]
        for _ in range(1 + int(template.get("retryStrategy", {}).get("limit", 0))):
            code = self.start(words, project)
            if code == 0:
                break
        for each in template.get("outputs", {}).get("parameters", []):
            source = outputs / Path(each["valueFrom"]["path"]).relative_to("/tmp/outputs")
            value = source.read_text() if source.exists() else each["valueFrom"]["default"]
            self.values[f"tasks.{task['name']}.outputs.parameters.{each['name']}"] = value
        return "Failed" if code else "Succeeded"

    def fill(self, text: str, more: Mapping[str, str] | None = None) -> str:
        known = {**self.values, **(more or {})}
        return re.sub(r"\{\{([^{}]+)\}\}", lambda hole: known[hole[1]], text)

    def _is(self, found: re.Match[str]) -> str:
        return str(self.states[found[1]] == found[2])

    @staticmethod
    def holds(condition: str) -> bool:
        return bool(eval(condition.replace("&&", "and").replace("||", "or"), {"__builtins__": {}}))
