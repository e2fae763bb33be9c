"""The deployments of a workspace: deploy, roll back, look, remove.

The record comes first, then the deed. One transaction keeps the new revision and says ``deploying``; then the target
makes it so; then the record says how it went. What dies in between leaves a record that says ``deploying``, and by
whom: `status` asks the target how it really is and mends the record, and another `deploy` just goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from socket import gethostname
from typing import Any

from ..catalog import Catalog, Deployment, DeploymentRevision, owner
from ..errors import Conflict, InvalidInput, MlopsError
from ..events import now
from ..models import ModelStore
from ..models.lineage import Node, record_link
from ..models.names import ModelReference
from ..resources import ResourceRequest
from ..targets import Request, Status, Wanted
from ..targets.local import processes
from ..targets.target import Stoppable
from . import decide
from .planning import Plan, Planner
from .view import DeploymentStatus

TIMEOUT_SECONDS = 600.0
_PATIENCE = timedelta(minutes=15)  # so long may a rollout take that another machine does


class Deployments:
    """Served models of one workspace; `trusted` is the setting ``trusted_models``."""

    def __init__(
        self, catalog: Catalog, models: ModelStore, root: Path, *, trusted: Sequence[str] = ()
    ) -> None:
        self._catalog, self._models, self._root = catalog, models, root
        self._planner = Planner(catalog, models, root, trusted)

    # --- deploying ------------------------------------------------------------------------------------------

    def deploy(
        self,
        model_reference: str | ModelReference,
        *,
        name: str | None = None,
        target: str | None = None,
        traffic: Mapping[Any, Any] | None = None,
        shadow: Mapping[Any, Any] | None = None,
        replicas: Any = None,
        resources: ResourceRequest | Mapping[str, Any] | None = None,
        image: str | None = None,
        follow_alias: str | None = None,
        options: Mapping[str, Any] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> Deployment:
        """Serve a version, or several, under a name; the deployment, once it answers.

        - `name`: by default the model's. If it is deployed already, this is its next revision, and what is not
          given stays as it is: `target` (at first ``local``), `replicas` (at least, at most), `resources`, `options`.
        - `traffic`: version → share of the requests; by default all to the version of `model_reference`.
          `shadow`: version → share of the requests that it sees besides, without being heard.
        - `image`: for targets that pull one; by default the last one that was pushed for the version.
        - `follow_alias`: from now on the deployment goes along when this alias of the model moves; "" for no more.

        If that is what runs already, nothing is done. Raises `DeploymentFailed` if the revision does not come up; the
        one before it goes on answering.
        """
        plan = self._planner.plan(
            model_reference, name, target, traffic, shadow, replicas, resources, image, follow_alias, options
        )
        return self._carry_out(plan, timeout_seconds)

    def requests(self, model_reference: str | ModelReference, **given: Any) -> Sequence[Request]:
        """Exactly what `deploy` with the same arguments would send to its target; nothing is done."""
        asked = dict.fromkeys(
            (
                "name",
                "target",
                "traffic",
                "shadow",
                "replicas",
                "resources",
                "image",
                "follow_alias",
                "options",
            )
        )
        given.pop("timeout_seconds", None)
        plan = self._planner.plan(model_reference, **{**asked, **given})
        return plan.target.requests(plan.wanted)

    def rollback(
        self, name: str, to: int | None = None, *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> Deployment:
        """Serve what an earlier revision served, as a new revision; by default the last one that was different."""
        known = self.get(name)
        back = decide.revision_to_return_to(known, self.revisions(name), to)
        return self._again(known, back, f"rollback to {back.revision}", timeout_seconds)

    def follow(self, name: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> Deployment | None:
        """Go along with the alias if it has moved; the new deployment, None if there was nothing to do."""
        known = self.get(name)
        moves = self._models.alias_history(known.model, known.alias) if known.alias else []
        move = decide.alias_move_to_follow(known, moves)
        if move is None:
            return None
        plan = self._planner.plan(
            ModelReference(known.model, version=move.new_version),
            name,
            reason=f"alias {known.alias} moved",
            alias_seq=move.seq,
        )
        if plan.is_unchanged:
            self._catalog.update(Deployment, name, options=_lasting(plan.record))
        return self._carry_out(plan, timeout_seconds)

    def _again(
        self, known: Deployment, back: DeploymentRevision, reason: str, timeout_seconds: float
    ) -> Deployment:
        newest = max(back.traffic, key=int)
        plan = self._planner.plan(
            ModelReference(known.model, version=int(newest)), known.name, traffic=back.traffic, shadow=back.shadow,
            image=back.image if "," not in back.image else None, reason=reason,
        )  # fmt: skip
        return self._carry_out(plan, timeout_seconds)

    # --- carrying out ---------------------------------------------------------------------------------------

    def _carry_out(self, plan: Plan, timeout_seconds: float) -> Deployment:
        name, number = plan.record.name, plan.revision.revision
        if plan.is_unchanged and plan.known is not None:
            status = self.status(name)
            if status.live.state == "running" and status.live.revision == plan.known.revision:
                return status.deployment
        self._begin(plan)
        try:
            self._export(plan.wanted)
            live = plan.target.apply(plan.wanted, timeout_seconds=timeout_seconds)
            self._accompany(plan)
        except MlopsError as error:
            self._fail(plan, error)
            raise
        except BaseException:  # interrupted, in a notebook: this process lives on, but rolls out no more
            kept = {**_lasting(plan.record), "before": plan.record.options["before"]}
            self._catalog.compare_and_set(Deployment, name, {"revision": number}, options=kept)
            raise
        changes: dict[str, Any] = {"state": live.state, "url": live.url, "message": live.message}
        options = _lasting(plan.record)
        with self._catalog.transaction():
            is_ours = self._catalog.compare_and_set(
                Deployment, name, {"revision": number}, **changes, options=options, updated_at=now()
            )
            for version in plan.revision.traffic:
                record_link(
                    self._catalog, Node("model", f"{plan.record.model}/{version}"), Node("deployment", name)
                )
        if not is_ours:
            raise Conflict(
                f"somebody else has deployed {name!r} meanwhile", hint="look at it, then deploy again"
            )
        self._sweep(plan.wanted)
        return self._catalog.get(Deployment, name)

    def _begin(self, plan: Plan) -> None:
        """Revision and record, in one; the number is ours, or somebody else's meanwhile."""
        known = plan.known
        with self._catalog.transaction():
            self._catalog.add(plan.revision)  # raises Conflict when somebody else took the number
            if known is None:
                self._catalog.add(plan.record)
            else:
                self._catalog.put(plan.record)

    def _export(self, wanted: Wanted) -> None:
        for number, folder in wanted.folders.items():
            if not Path(folder).is_dir():
                Path(folder).parent.mkdir(parents=True, exist_ok=True)
                self._models.export_mlflow(ModelReference(wanted.model, version=number), folder)

    def _sweep(self, wanted: Wanted) -> None:
        """Versions that nothing serves any more need no folder; a rollback writes them again."""
        if wanted.folders:
            for path in self._planner.folder(wanted.name).iterdir():
                if str(path) not in wanted.folders.values():
                    shutil.rmtree(path, ignore_errors=True)

    def _accompany(self, plan: Plan) -> None:
        """Where the target can, a process beside it follows the alias."""
        if isinstance(plan.target, Stoppable):
            words = ["-m", "jupyter_mlops.deployments.follow", str(self._root), plan.record.name]
            plan.target.accompany(plan.record.name, words if plan.record.alias else [])

    def _fail(self, plan: Plan, error: MlopsError) -> None:
        """Say what went wrong, and go back to what answers."""
        name, number = plan.record.name, plan.revision.revision
        old = plan.known if plan.known is not None and plan.known.state != "removed" else None
        before = int(plan.record.options["before"])
        with self._catalog.transaction():
            self._catalog.update(
                DeploymentRevision, (name, number), reason=f"{decide.FAILED}{plan.revision.reason}"
            )
            changes: dict[str, Any] = {"state": "failed", "revision": before, "updated_at": now()}
            if old is not None:
                kept = {key: old.options.get(key) for key in ("replicas", "resources", "options", "machine")}
                seq = plan.record.options["alias_seq"]  # what did not come up is not tried again by itself
                changes |= {"state": old.state, "alias": old.alias, "options": {**kept, "alias_seq": seq}}
                if old.state == "deploying":  # cut off before this one
                    changes["state"] = "running" if before else "failed"
            else:
                changes["options"] = {
                    key: plan.record.options[key] for key in ("replicas", "resources", "options")
                }
            self._catalog.compare_and_set(
                Deployment, name, {"revision": number}, **changes, message=error.message
            )

    # --- looking --------------------------------------------------------------------------------------------

    def find(self, *, model: str | None = None, with_removed: bool = False) -> list[Deployment]:
        """The deployments, by name, as they are on record."""
        where: dict[str, Any] = {} if with_removed else {"state": ("!=", "removed")}
        return self._catalog.find(
            Deployment, where=where | ({"model": model} if model else {}), order_by="name"
        )

    def get(self, name: str) -> Deployment:
        """The deployment on record; `NotFound` with the nearest one."""
        return self._catalog.get(Deployment, name)

    def revisions(self, name: str) -> list[DeploymentRevision]:
        """What it served, the latest first."""
        return self._planner.revisions(name)

    def status(self, name: str) -> DeploymentStatus:
        """How it really is: the target is asked, and the record mended if it says something else."""
        return self._ask(self.get(name))

    def _ask(self, known: Deployment) -> DeploymentStatus:
        if known.state == "removed":
            return DeploymentStatus(known, self._planner.current(known), Status(state="removed"))
        name = known.name
        live = self._planner.target(known.target).status(name, decide.options_of(known))
        elsewhere = _elsewhere(known)
        if elsewhere and live.state == "removed":
            told = f"its processes are on {elsewhere}: how they are can be seen there"
            live = Status(state=known.state, url=known.url, revision=known.revision, message=told)
            return DeploymentStatus(known, self._planner.current(known), live)
        changes = decide.mended(known, live, is_being_deployed=_is_being_deployed(known))
        expected = {"revision": known.revision, "state": known.state}
        if changes and self._catalog.compare_and_set(Deployment, name, expected, **changes, updated_at=now()):
            known = replace(known, **changes)
        return DeploymentStatus(known, self._planner.current(known), live)

    def look(self, name: str) -> DeploymentStatus:
        """As `status`, but a target that cannot be asked is told in `trouble`: its cluster is away, its SDK is not
        installed here. The record stands for it then."""
        known = self.get(name)
        try:
            return self._ask(known)
        except MlopsError as error:
            trouble = f"{error.message}; {error.hint}" if error.hint else error.message
            return DeploymentStatus(known, self._planner.current(known), Status(state=known.state), trouble)

    def logs(self, name: str) -> Mapping[str, Path]:
        """The log of each process, where the target's processes are ours."""
        return self._stoppable(name).logs(name)

    # --- ending ---------------------------------------------------------------------------------------------

    def stop(self, name: str) -> Deployment:
        """Answer what was begun, then answer no more until `start`."""
        self._stoppable(name).stop(name)
        self._catalog.update(Deployment, name, state="stopped", message="", updated_at=now())
        return self.get(name)

    def start(self, name: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> Deployment:
        """Go on with what it served, after `stop` or after the machine was off."""
        live = self._stoppable(name).start(name, timeout_seconds=timeout_seconds)
        self._catalog.update(
            Deployment, name, state=live.state, url=live.url, message=live.message, revision=live.revision,
            updated_at=now(),
        )  # fmt: skip
        return self.get(name)

    def remove(self, name: str, *, is_forgotten: bool = False) -> Deployment:
        """Take it away; its history stays. One that `is_forgotten` is only taken off the record, and its target not
        asked: for a cluster or a machine that is gone for good."""
        known = self.get(name)
        if is_forgotten:
            self._check_forgettable(known)
        else:
            self._take_away(known)
        self._catalog.update(
            Deployment, name, state="removed", url="", message="", alias="", updated_at=now()
        )
        return self.get(name)

    def _take_away(self, known: Deployment) -> None:
        """From its target, or say how else it can be removed."""
        forget = f"if it is gone for good: jupyter mlops deployments remove {known.name} --forget"
        try:
            target = self._planner.target(known.target)
            if _elsewhere(known) and target.status(known.name, decide.options_of(known)).state == "removed":
                raise Conflict(
                    f"the processes of {known.name!r} are on {_elsewhere(known)}, and would go on",
                    hint="remove it there; or deploy it here, then the name is this machine's",
                )
            target.remove(known.name, decide.options_of(known))
        except MlopsError as error:
            error.hint = "; ".join(filter(None, (error.hint, forget)))
            raise

    def _check_forgettable(self, known: Deployment) -> None:
        """What runs on this very machine would go on, and nobody would know of it."""
        is_ours = isinstance(self._planner.target(known.target), Stoppable) and not _elsewhere(known)
        if is_ours and known.state != "removed":
            raise InvalidInput(
                f"{known.name!r} is on this machine, and can be ended",
                hint="leave --forget out: that takes it away",
            )

    def _stoppable(self, name: str) -> Stoppable:
        known = self.get(name)
        found = self._planner.target(known.target)
        if not isinstance(found, Stoppable):
            raise InvalidInput(
                f"{name!r} is on {known.target}, whose processes are not ours to stop, start or read",
                hint=f"remove takes it away; {known.target}'s own tools show its logs",
            )
        return found


def _lasting(record: Deployment) -> dict[str, Any]:
    """The options of a record, without what holds only during a rollout."""
    return {key: value for key, value in record.options.items() if key not in ("deployer", "before")}


def _elsewhere(known: Deployment) -> str:
    """The machine whose processes serve it, if that is another one."""
    machine = str(known.options.get("machine") or "")
    return "" if machine == gethostname() else machine


def _is_being_deployed(known: Deployment) -> bool:
    """Whether the process that said so still rolls it out."""
    marked = str(known.options.get("deployer") or "")
    if known.state != "deploying" or marked.count(":") < 2:
        return False
    place, pid, began = marked.rsplit(":", 2)
    if place == owner.mark().rsplit(":", 2)[0]:
        return processes.is_alive(f"{pid}:{began}")
    return now() - known.updated_at < _PATIENCE
