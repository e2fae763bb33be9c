"""``%run_pipeline`` and ``%mlops``: runs, and how things stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import InvalidInput, did_you_mean
from .magic import Call, Magic
from .options import Argument, Option, Syntax


def _run_pipeline(call: Call) -> Any:
    from ..session import running

    given = call.given
    forced = given.get("force", ())
    return running.run_pipeline(
        given.get("path", "pipeline.yaml"),
        given.get("parameters"),
        force="all" if "all" in forced else forced,
        only=given.get("only", ()),
        start_from=given.get("from", ()),
        cluster=given.get("cluster"),
        workers=_workers(given.get("workers")),
        isolation=given.get("isolation"),
        queue=given.get("queue"),
        priority=_priority(given.get("priority", "0")),
        is_preemptible=given.get("preemptible", False),
        from_text=True,
    )


def _workers(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdigit() or int(text) < 1:
        raise InvalidInput(f"--workers {text}: that is no number of notebooks", hint="1 or more")
    return int(text)


def _priority(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidInput(f"--priority {text}: that is no whole number", hint="such as 5, or -5") from None


def overview(magics: Callable[[], Sequence[Magic]]) -> Magic:
    """``%mlops``, which tells of all the others."""

    def run(call: Call) -> Any:
        words = call.given.get("what", "").split()
        if not words:
            from ..session import running

            return running.status()
        if words[0] != "help":
            raise InvalidInput(f"%mlops knows no {words[0]!r}", hint="%mlops, or %mlops help MAGIC")
        print(_help(magics(), words[1:]))  # noqa: T201 - that is what was asked for
        return None

    return Magic(
        name="mlops",
        summary="How things stand: the workspace, what it holds, what runs and ran last. With help: the magics.",
        syntax=Syntax(
            arguments=[
                Argument(
                    name="WHAT",
                    help="help, or help MAGIC",
                    is_required=False,
                    takes_rest=True,
                    completes="help",
                )
            ]
        ),
        examples=("%mlops", "%mlops help", "%mlops help register_model"),
        run=run,
    )


def _help(magics: Sequence[Magic], wanted: Sequence[str]) -> str:
    if not wanted:
        width = max(len(magic.sign) for magic in magics)
        told = "\n".join(f"{magic.sign:<{width}}  {magic.summary}" for magic in magics)
        return f"{told}\n\n%mlops help MAGIC, %MAGIC? and %MAGIC --help tell more."
    name = wanted[0].lstrip("%")
    for magic in magics:
        if magic.name == name:
            return magic.help()
    raise InvalidInput(
        f"there is no magic {wanted[0]!r}", hint=did_you_mean(name, [one.name for one in magics])
    )


RUN_PIPELINE = Magic(
    name="run_pipeline",
    summary="Run a pipeline, with its graph in the output as it goes.",
    details="Tasks whose inputs did not change are taken from the cache. A value may be {expression}.",
    syntax=Syntax(
        arguments=[
            Argument(
                name="PATH", help="a file, or a folder with a pipeline.yaml; here by default", is_required=False,
                completes="pipelines",
            )
        ],
        options=[
            Option(
                name="parameters", short="p", help="an argument; its declared type reads the value", is_pair=True,
                is_two_words=True, value="VALUE",
            ),
            Option(name="force", help="a task that runs although it is cached, or all", is_repeated=True, value="TASK"),
            Option(name="from", help="this task and all that depends on it", is_repeated=True, value="TASK"),
            Option(name="only", help="this task alone, the rest from the cache", is_repeated=True, value="TASK"),
            Option(name="cluster", help="a dask scheduler, such as tcp://host:8786", value="ADDRESS"),
            Option(name="workers", help="how many notebooks at once", value="NUMBER"),
            Option(name="isolation", help="kernels forked warm, or started cold", choices=("warm", "cold")),
            Option(name="queue", help="where quotas are set: the queue to wait in", value="NAME"),
            Option(name="priority", help="higher ones are admitted first", value="NUMBER"),
            Option(name="preemptible", help="a higher one may make it wait again", kind="flag"),
        ],
    ),
    examples=("%run_pipeline", "%run_pipeline pipeline.yaml -p week 21 --force train"),
    run=_run_pipeline,
)  # fmt: skip
