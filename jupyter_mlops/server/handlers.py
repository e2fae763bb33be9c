"""From requests to operations and back: the only module that knows tornado's handlers.

The routes are made of the contract, a handler class for each path. Every verb passes Jupyter's authentication,
its authorization (resource ``mlops``: ``read`` for GET, ``write`` for the rest) and its XSRF check.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.auth.identity import IdentityProvider, LegacyIdentityProvider, PasswordIdentityProvider
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from tornado.web import HTTPError, authenticated

from ..catalog.owner import user_name
from ..errors import MlopsError
from . import (
    admission,
    compute,
    costs,
    deployments,
    dockerizing,
    exporting,
    features,
    models,
    pipelines,
    runs,
    schedules,
    server,
    tasks,
    view,
)
from .contract import CONTRACT, Operation
from .failures import body_of, status_of
from .panel import Panel
from .present import dumps

Perform = Callable[[Panel, Mapping[str, Any]], Any]

OPERATIONS: Mapping[str, Perform] = {
    "addSchedule": schedules.add,
    "cancelRun": runs.cancel,
    "changeQueueEntry": admission.change,
    "checkPipeline": pipelines.check,
    "compareModels": models.compare,
    "compareRuns": runs.compare,
    "deleteAlias": models.delete_alias,
    "deployModel": deployments.deploy,
    "dockerize": dockerizing.dockerize,
    "exportPipeline": exporting.export,
    "getCompute": compute.show,
    "getDeployment": deployments.show,
    "getFeatureView": features.show,
    "getModel": models.show,
    "getModelCost": costs.of_version,
    "getModelVersion": models.show_version,
    "getNotebookParameters": pipelines.notebook_parameters,
    "getPipeline": pipelines.show,
    "getPipelineCost": costs.of_pipeline,
    "getQuotas": admission.quotas,
    "getRun": runs.show,
    "getRunCost": costs.of_run,
    "getSchedule": schedules.show,
    "getStatus": server.status,
    "getTask": tasks.show,
    "getTaskLog": tasks.log,
    "getTaskNotebook": tasks.notebook,
    "listDeployments": deployments.list_all,
    "listEnvironments": exporting.environments,
    "listFeatures": features.list_all,
    "listImages": deployments.list_images,
    "listModels": models.list_page,
    "listPipelines": pipelines.list_page,
    "listQueue": admission.list_queue,
    "listRuns": runs.list_page,
    "listSchedules": schedules.list_all,
    "listUnits": costs.units,
    "pauseSchedule": schedules.pause,
    "planDeployment": deployments.plan,
    "previewCron": schedules.preview,
    "previewFeatureView": features.preview,
    "rerunRun": runs.rerun,
    "removeDeployment": deployments.remove,
    "removeSchedule": schedules.remove,
    "resumeRun": runs.resume,
    "resumeSchedule": schedules.resume,
    "rollbackDeployment": deployments.rollback,
    "runNotebook": runs.start_notebook,
    "savePipeline": pipelines.save,
    "setAlias": models.set_alias,
    "startDeployment": deployments.start,
    "startRun": runs.start,
    "stopDeployment": deployments.stop,
    "viewTask": view.page,
}
_ACTIONS = {"get": "read"}
_ANONYMOUS = (IdentityProvider, PasswordIdentityProvider, LegacyIdentityProvider)


class Answering(JupyterHandler):
    """What pages and JSON have in common. `panel` and `threads` come with the route."""

    auth_resource = "mlops"

    def initialize(self, panel: Panel, threads: ThreadPoolExecutor) -> None:
        """Called by tornado with what stands beside the route."""
        self.panel, self.threads = panel, threads

    async def perform(self, operation: Operation, groups: Sequence[str]) -> Any:
        """Read the request, and do what it asks in a thread."""
        asked = operation.read(groups, self.request.query_arguments, self.request.body)
        asked["user_name"] = self.asker()  # last: nothing that was sent can say who somebody is
        work = OPERATIONS[operation.name]
        return await asyncio.get_running_loop().run_in_executor(self.threads, work, self.panel, asked)

    def asker(self) -> str:
        """Whose request it is, as runs and quotas have it: whom the server's identity provider tells, a hub's say.

        Jupyter's own providers know a token or a password, not people: then it is the user that the server runs as.
        """
        if type(self.identity_provider) in _ANONYMOUS:
            return user_name()
        return getattr(self.current_user, "username", "") or user_name()

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        """What was asked in vain is no trouble of the server's."""
        if isinstance(error, MlopsError) and error.status < 500:
            self.log.debug("%s %s: %s", self.request.method, self.request.path, error.message)
        else:
            super().log_exception(kind, error, trace)

    def failure(self, kwargs: Mapping[str, Any]) -> BaseException | None:
        """The error that tornado writes an answer for."""
        info = kwargs.get("exc_info")
        return info[1] if info else None

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """An error of ours knows its status."""
        super().send_error(status_of(self.failure(kwargs), status_code), **kwargs)


class JsonHandler(Answering, APIHandler):
    """Answers with JSON."""

    async def answer(self, operation: Operation, groups: Sequence[str]) -> None:
        """Send what the operation gives."""
        body = await self.perform(operation, groups)
        self.set_status(operation.status)
        if operation.status == 204:
            self.finish()
        else:
            self.set_header("Cache-Control", "no-cache")
            self.finish(dumps(body))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """The contract's `Error`."""
        self.finish(dumps(body_of(self.failure(kwargs), status_code, self.panel.places)))


class PageHandler(Answering):
    """Answers with a page in which nothing is active."""

    @property
    def content_security_policy(self) -> str:
        """Only what stands in the page itself, and no script at all."""
        return view.POLICY

    async def answer(self, operation: Operation, groups: Sequence[str]) -> None:
        """Send the page."""
        self.finish(await self.perform(operation, groups))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """A page that says what is wrong."""
        body = body_of(self.failure(kwargs), status_code, self.panel.places)
        self.finish(view.error_page(status_code, body["message"], body["hint"]))


class NothingHandler(JsonHandler):
    """Below ``mlops/api`` whatever is no route: the contract's `Error`, not Jupyter's page."""

    @authenticated
    async def get(self) -> None:
        """Whatever the verb."""
        raise HTTPError(404)

    post = put = delete = patch = get


def _verb(operation: Operation) -> Callable[..., Any]:
    async def handle(self: JsonHandler | PageHandler, *groups: str) -> None:
        await self.answer(operation, groups)

    checked: Callable[..., Any] = authorized(action=_ACTIONS.get(operation.verb, "write"))(handle)
    return authenticated(checked)


def routes(
    base_url: str, panel: Panel, threads: ThreadPoolExecutor
) -> list[tuple[str, type[Any], dict[str, Any]]]:
    """What tornado needs: pattern, handler, arguments. `base_url` ends with a slash."""
    given = {"panel": panel, "threads": threads}
    made: list[tuple[str, type[Any], dict[str, Any]]] = []
    for operations in CONTRACT.paths.values():
        base: type[Any] = PageHandler if operations[0].is_page else JsonHandler
        name = "".join(operation.name.capitalize() for operation in operations) + "Handler"
        handler = type(name, (base,), {operation.verb: _verb(operation) for operation in operations})
        made.append((f"{base_url}mlops{operations[0].pattern}", handler, given))
    return [*made, (f"{base_url}mlops/api.*", NothingHandler, given)]
