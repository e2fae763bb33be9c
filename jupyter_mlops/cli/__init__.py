"""The command line: ``jupyter mlops …``.

It translates and never decides: arguments are parsed, one call goes to a collaborator of the workspace, what
comes back is shown. Here stands only the table of the commands; a command's module is imported when that
command is asked for, so that ``--help`` and the shell's completion answer at once.
"""

from __future__ import annotations

import sys

from .group import Entry, Group

COMMANDS = (
    Entry("init", "project", "Start", "Write a project that runs and is tested."),
    Entry("check", "pipeline", "Start", "Find what would go wrong, before anything runs."),
    Entry("test", "test", "Start", "Test pipelines, notebooks and whatever else pytest finds."),
    Entry("graph", "pipeline", "Start", "Draw a pipeline, or a run of it."),
    Entry("run", "run", "Run", "Run a pipeline."),
    Entry("execute", "execute", "Run", "Execute one notebook, with papermill's options."),
    Entry("task", "task", "Run", "Run one task of a pipeline, as other orchestrators start it."),
    Entry("resume", "run", "Run", "Go on with a run that was cut off."),
    Entry("rerun", "run", "Run", "Run again what failed in a run, and what depends on it."),
    Entry("cancel", "runs", "Run", "Stop a run, from any terminal."),
    Entry(
        "dockerize",
        "dockerize",
        "Deploy",
        "Make a container image of TARGET: a notebook, a pipeline, or models:/NAME@ALIAS.",
    ),
    Entry("images", "dockerize", "Deploy", "List the images that were built here."),
    Entry("deploy", "deploy", "Deploy", "Serve a version of a model, or change what is served."),
    Entry("deployments", "deployments", "Deploy", "Look at what is served, stop, start and remove it."),
    Entry("rollback", "deploy", "Deploy", "Serve again what a deployment served before."),
    Entry("manifests", "manifests", "Deploy", "Write a model or a notebook as manifests of Kubernetes."),
    Entry("schedule", "schedule", "Schedule", "Run pipelines by themselves, by cron."),
    Entry(
        "backfill",
        "schedule_backfill",
        "Schedule",
        "Run a pipeline for fires of the past, one after the other.",
    ),
    Entry("scheduler", "scheduler", "Schedule", "Fire the schedules of a workspace."),
    Entry("queue", "queue", "Schedule", "Show which runs wait for admission, in their order, and why."),
    Entry("quota", "quota", "Schedule", "Show what is in use of each quota."),
    Entry("serve", "serve", "Serve", "Serve a model of the workspace over HTTP, until Ctrl-C."),
    Entry("models", "models", "Stores", "Look at the registered models, compare them, move their aliases."),
    Entry("features", "features", "Stores", "Look at features, materialize them, ask for them, check them."),
    Entry("status", "pipeline", "Look", "Tell which tasks would run now, and why."),
    Entry("runs", "runs", "Look", "List runs, the latest first."),
    Entry("show", "runs", "Look", "Show a run, or one of its tasks."),
    Entry("logs", "runs", "Look", "Print what a run's notebooks printed."),
    Entry("compute", "compute", "Look", "Show what there is to compute on, measure it, and list prices."),
    Entry("cost", "cost", "Look", "Tell what a pipeline, a run or a model costs, here and elsewhere."),
    Entry("export", "export", "Exchange", "Write a pipeline in the files of another orchestrator."),
    Entry(
        "import",
        "import_",
        "Exchange",
        "Make a pipeline of another tool's files: of Elyra, Ploomber, Kale or jupyter-scheduler.",
    ),
    Entry("freeze", "keep", "Keep", "Let a task's last results stand, whatever changes."),
    Entry("unfreeze", "keep", "Keep", "Let a frozen task run again when something changes."),
    Entry("sync", "sync", "Keep", "Copy artifacts, executed notebooks and models to another store."),
    Entry("clean", "keep", "Keep", "Delete old runs, and the files that nothing needs any more."),
    Entry("completion", "project", "Keep", "Print the script that makes a shell complete commands."),
    Entry("doctor", "doctor", "Keep", "Look at everything that must be in order."),
    Entry("version", "project", "Keep", "Tell the versions that matter in a bug report."),
)

cli = Group(
    name="jupyter mlops",
    package=__name__,
    entries=COMMANDS,
    help="From a notebook to production: run notebooks, and pipelines of notebooks, on dask.",
)


def main() -> None:
    """The console script ``jupyter-mlops``, which is also what ``jupyter mlops`` calls."""
    # jsonschema, which nbformat imports, checks IRIs where this is installed, and importing it takes a second:
    # it builds a grammar. Nothing here checks an IRI, and this process is ours alone.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    cli.main()
