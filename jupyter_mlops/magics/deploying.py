"""``%deploy`` and ``%deployments``: models that answer."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidInput
from .magic import Call, Magic
from .options import Argument, Option, Syntax


def _deploy(call: Call) -> Any:
    from ..deployments import decide
    from ..session import deploying

    given = call.given
    model = given["model"]
    alias = model.partition("@")[2]
    if given.has("follow") and not alias:
        raise InvalidInput(
            f"{model} names no alias that could be followed", hint=f"%deploy {model}@champion --follow"
        )
    needs = {name: given[name] for name in ("cpu", "memory", "gpu") if given.has(name)}
    return deploying.deploy(
        model,
        name=given.get("name"),
        target=given.get("target"),
        traffic=decide.pairs(given["traffic"], "share: --traffic 3=90%") if given.has("traffic") else None,
        shadow=decide.pairs(given["shadow"], "share: --shadow 4=10%") if given.has("shadow") else None,
        replicas=given.get("replicas"),
        resources=needs or None,
        image=given.get("image"),
        follow_alias=alias if given.has("follow") else None,
        options=given.get("option"),
    )


def _deployments(call: Call) -> Any:
    from ..session import deploying

    given = call.given
    if given.has("back") or given.has("to"):
        name = given.get("name")
        if name is None:
            raise InvalidInput("NAME is missing", hint="%deployments NAME --back")
        return deploying.rollback(name, _revision(given.get("to")))
    found = deploying.find_deployments(given.get("name"))
    return found[0] if given.has("name") else found


def _revision(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise InvalidInput(f"--to {text}: that is no revision", hint="a number, such as 3")
    return int(text)


MAGICS = (
    Magic(
        name="deploy",
        summary="Serve a version of a model: here, or on a target; what answers already goes on until it does.",
        details="Without --target on this machine, with two replicas, which outlive the notebook.",
        syntax=Syntax(
            arguments=[Argument(name="MODEL", help="NAME/VERSION, NAME@ALIAS or NAME", completes="models")],
            options=[
                Option(name="name", help="the deployment's; by default the model's", value="NAME"),
                Option(name="target", help="local, kubernetes, sagemaker, vertex, azureml", value="TARGET"),
                Option(name="traffic", help="a share of the requests: 3=90%", is_repeated=True, value="VERSION=SHARE"),
                Option(name="shadow", help="who sees a share unheard", is_repeated=True, value="VERSION=SHARE"),
                Option(name="replicas", help="at least and at most, such as 2:4", value="LEAST:MOST"),
                Option(name="cpu", help="cores of a replica", value="CORES"),
                Option(name="memory", help="memory of a replica, such as 1Gi", value="BYTES"),
                Option(name="gpu", help="GPUs of a replica", value="COUNT"),
                Option(name="image", help="for targets that pull one", value="IMAGE"),
                Option(name="follow", help="go along when the alias moves", kind="flag"),
                Option(name="option", short="o", help="one of the target's: port=8100", is_pair=True, value="VALUE"),
            ],
        ),
        examples=(
            "%deploy flights-delay@champion --follow",
            "%deploy flights-delay --traffic 3=90% --traffic 4=10%",
        ),
        run=_deploy,
    ),
    Magic(
        name="deployments",
        summary="What is served, as it really is; with --back what it served before is served again.",
        syntax=Syntax(
            arguments=[
                Argument(name="NAME", help="only this one", is_required=False, completes="deployments")
            ],
            options=[
                Option(name="back", help="roll back to what it served before", kind="flag"),
                Option(name="to", help="roll back to a certain revision", value="REVISION"),
            ],
        ),
        examples=("%deployments", "%deployments flights-delay", "%deployments flights-delay --back"),
        run=_deployments,
    ),
)  # fmt: skip
