"""``%%featurize``, ``%%predict``, ``%register_model``, ``%models``, ``%alias``: the model store."""

from __future__ import annotations

import operator
from typing import Any

from IPython.core.error import UsageError

from .code import execute, last_function
from .magic import Call, Magic
from .options import Argument, Option, Syntax


def _featurize(call: Call) -> None:
    __tracebackhide__ = True
    _mark(call, "featurize")


def _predict(call: Call) -> None:
    __tracebackhide__ = True
    _mark(call, "predict")


def _mark(call: Call, role: str) -> None:
    __tracebackhide__ = True
    from ..session import modeling

    name = last_function(call.cell or "", call.given.get("name"))
    execute(call.shell, call.cell or "")
    getattr(modeling, role)(call.names[name])
    print(f"{role}: {name}")  # noqa: T201 - what a reader of the notebook wants to know


def _register_model(call: Call) -> Any:
    from ..session import modeling

    given = call.given
    envelope = {keyword: given[option] for option, keyword in _ENVELOPE.items() if given.has(option)}
    if given.has("alias"):
        envelope["aliases"] = given["alias"]
    if given.has("requires"):
        envelope["requires"] = given["requires"]
    if given.has("batch"):
        envelope["is_rowwise"] = False
    return modeling.register_model(given["name"], given["model"], **envelope)


# Option → argument of `ModelStore.register`.
_ENVELOPE = {
    "featurize": "featurize", "predict": "predict", "example": "input_example", "data": "data", "metric": "metrics",
    "parameter": "parameters", "tag": "tags", "artifact": "artifacts", "description": "description",
    "check": "check", "format": "format",
}  # fmt: skip


def _models(call: Call) -> Any:
    from ..models.comparison import condition, ordering
    from ..session import modeling

    given = call.given
    order = given.get("order_by")
    where = dict(condition(text) for text in given.get("where", ()))
    return modeling.find_models(
        given.get("name"),
        tags=given.get("tag"),
        where=where or None,
        order_by=ordering(order, is_ascending=given.has("ascending")) if order else None,
    )


def _alias(call: Call) -> Any:
    from ..session import modeling

    given = call.given
    try:
        version = operator.index(int(str(given["version"])))
    except ValueError:
        raise UsageError(
            f"%alias: {given['version']!r} is no version (a number: %alias {given['name']} {given['alias']} 3;"
            " IPython's own %alias is %shell_alias now)"
        ) from None
    return modeling.alias(
        given["name"], given["alias"], version, protected=given.has("protected"), force=given.has("force")
    )


_NAME = Argument(name="NAME", help="the model's name", completes="models")
_FUNCTION = Argument(
    name="NAME", help="which function of the cell; by default the last one", is_required=False
)

MAGICS = (
    Magic(
        name="featurize",
        kind="cell",
        summary="Run the cell, and let the function that it defines make features of raw rows.",
        details="The next %register_model takes it: featurize(data) → features.",
        syntax=Syntax(arguments=[_FUNCTION]),
        examples=(
            "%%featurize\ndef featurize(flights):\n    return flights[['hour', 'distance']]".replace(
                "\n", "\n  "
            ),
        ),
        run=_featurize,
    ),
    Magic(
        name="predict",
        kind="cell",
        summary="Run the cell, and let the function that it defines make predictions of features.",
        details="The next %register_model takes it: predict(model, features) → predictions.",
        syntax=Syntax(arguments=[_FUNCTION]),
        examples=(
            "%%predict\ndef predict(model, features):\n    return model.predict_proba(features)[:, 1]".replace(
                "\n", "\n  "
            ),
        ),
        run=_predict,
    ),
    Magic(
        name="register_model",
        summary="Keep a model as the next version of its name, tried out, with all that it takes to run it.",
        details="Nothing is kept unless the saved version predicts its example as the notebook's objects do.",
        syntax=Syntax(
            arguments=[
                _NAME,
                Argument(name="MODEL", help="the estimator", kind="expression", completes="variables"),
            ],
            options=[
                Option(
                    name="example",
                    help="some raw rows, on which it is tried out",
                    kind="expression",
                    completes="variables",
                ),
                Option(
                    name="featurize",
                    help="raw rows → features (default: the marked one)",
                    kind="expression",
                    completes="variables",
                ),
                Option(
                    name="predict",
                    help="model, features → predictions (default: the marked one)",
                    kind="expression",
                    completes="variables",
                ),
                Option(name="data", help="what it was trained on", kind="expression", completes="variables"),
                Option(name="metric", short="m", help="a metric", kind="expression", is_pair=True),
                Option(
                    name="parameter",
                    help="a parameter beside the estimator's own",
                    kind="expression",
                    is_pair=True,
                ),
                Option(name="tag", short="t", help="a tag", is_pair=True),
                Option(
                    name="artifact", help="a figure, frame, file or artifact", kind="expression", is_pair=True
                ),
                Option(
                    name="alias",
                    short="a",
                    help="an alias that names this version",
                    is_repeated=True,
                    completes="aliases",
                ),
                Option(name="description", help="for readers"),
                Option(name="requires", help="a distribution that no code names", is_repeated=True),
                Option(name="check", help="how it is tried out", choices=("quick", "full", "none")),
                Option(name="format", help="auto, skops, safetensors, pickle, …"),
                Option(
                    name="batch",
                    help="a prediction depends on the whole batch, not on its row alone",
                    kind="flag",
                ),
            ],
        ),
        examples=(
            "%register_model delay model --example flights.head() --metric auc=0.91",
            "%register_model delay model --example train[:5] --data train --tag region=eu --alias challenger",
        ),
        run=_register_model,
    ),
    Magic(
        name="models",
        summary="The models that there are, or the versions of one, with metrics, aliases and tags.",
        syntax=Syntax(
            arguments=[
                Argument(
                    name="NAME", help="a model, to see its versions", is_required=False, completes="models"
                )
            ],
            options=[
                Option(name="tag", short="t", help="only those with it", is_pair=True),
                Option(
                    name="where",
                    help="only those whose metric compares so",
                    value="'METRIC > NUMBER'",
                    is_repeated=True,
                ),
                Option(
                    name="order-by",
                    help="a metric, or version, created_at, size_bytes; highest first",
                    value="METRIC",
                ),
                Option(name="ascending", help="lowest first", kind="flag"),
            ],
        ),
        examples=(
            "%models",
            "%models delay --order-by auc",
            "%models delay --where 'auc > 0.8' --tag region=eu",
        ),
        run=_models,
    ),
    Magic(
        name="alias",
        summary="Let an alias name this version of a model from now on.",
        details="A protected alias moves only with --force. IPython's own %alias is called %shell_alias.",
        syntax=Syntax(
            arguments=[
                _NAME,
                Argument(name="ALIAS", help="champion, challenger, …", completes="aliases"),
                Argument(name="VERSION", help="the number of a version", completes="versions"),
            ],
            options=[
                Option(name="protected", help="from now on it moves only with --force", kind="flag"),
                Option(name="force", help="move it although it is protected", kind="flag"),
            ],
        ),
        examples=("%alias delay champion 1", "%alias delay champion 1 --protected --force"),
        run=_alias,
    ),
)
