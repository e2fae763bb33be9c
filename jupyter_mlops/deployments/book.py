"""The deployments of a workspace: deploy, roll back, look, remove.

The record comes first, then the deed. One transaction keeps the new revision and says ``deploying``; then the target
makes it so; then the record says how it went. What dies in between leaves a record that says ``deploying``, and by
whom: `status` asks the target how it really is and mends the record, and another `deploy` just goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from ..catalog import Catalog, Deployment, DeploymentRevision, Image, owner
from ..errors import Conflict, InvalidInput, MlopsError, NotFound
from ..events import now
from ..models import ModelStore
from ..models.lineage import Node, record_link
from ..models.names import ModelReference, check_alias, check_name, parse_model_reference
from ..models.trust import check_trust
from ..resources import ResourceRequest
from ..targets import Request, Status, Target, Wanted, make_target
from ..targets.local import processes
from ..targets.target import Stoppable
from . import decide
from .view import DeploymentStatus

TIMEOUT_SECONDS = 600.0
_PATIENCE = timedelta(minutes=15)  # so long may a rollout take that another machine does


@dataclass(frozen=True, slots=True)
class _Plan:
    """What shall be: the record and the revision as they will be kept, and what the target is asked for."""

    known: Deployment | None
    record: Deployment
    revision: DeploymentRevision
    wanted: Wanted
    target: Target
    is_unchanged: bool


class Deployments:
    """Served models of one workspace; `trusted` is the setting ``trusted_models``."""

    def __init__(
        self, catalog: Catalog, models: ModelStore, root: Path, *, trusted: Sequence[str] = ()
    ) -> None:
        self._catalog, self._models, self._root = catalog, models, root
        self._trusted = tuple(trusted)

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
        plan = self._plan(
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
        plan = self._plan(model_reference, **{**asked, **given})
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
        plan = self._plan(
            ModelReference(known.model, version=move.new_version),
            name,
            reason=f"alias {known.alias} moved",
            alias_seq=move.seq,
        )
        if plan.is_unchanged:
            self._catalog.update(Deployment, name, options=plan.record.options)
        return self._carry_out(plan, timeout_seconds)

    def _again(
        self, known: Deployment, back: DeploymentRevision, reason: str, timeout_seconds: float
    ) -> Deployment:
        newest = max(back.traffic, key=int)
        plan = self._plan(
            ModelReference(known.model, version=int(newest)), known.name, traffic=back.traffic, shadow=back.shadow,
            image=back.image if "," not in back.image else None, reason=reason,
        )  # fmt: skip
        return self._carry_out(plan, timeout_seconds)

    # --- planning -------------------------------------------------------------------------------------------

    def _plan(
        self,
        reference: str | ModelReference,
        name: str | None = None,
        target: str | None = None,
        traffic: Mapping[Any, Any] | None = None,
        shadow: Mapping[Any, Any] | None = None,
        replicas: Any = None,
        resources: ResourceRequest | Mapping[str, Any] | None = None,
        image: str | None = None,
        follow_alias: str | None = None,
        options: Mapping[str, Any] | None = None,
        *,
        reason: str = "deploy",
        alias_seq: int | None = None,
    ) -> _Plan:
        wanted = reference if isinstance(reference, ModelReference) else parse_model_reference(reference)
        name = _check_name(name or wanted.name)
        known = next(iter(self._catalog.find(Deployment, where={"name": name})), None)
        is_new = known is None or known.state == "removed"
        before = None if is_new else known
        chosen = target or (before.target if before else "local")
        if known is not None:
            decide.check_same(known, chosen, wanted.name)
        place = make_target(chosen, self._root)
        alias = (before.alias if before else "") if follow_alias is None else follow_alias
        if alias:
            check_alias(alias)
            if follow_alias:
                wanted = ModelReference(wanted.name, alias=alias)
        seq = self._alias_seq(wanted.name, alias) if alias_seq is None else alias_seq
        version = self._models.get(wanted).version
        shares = decide.check_traffic(traffic if traffic is not None else {version: 1.0})
        if traffic is not None and wanted.version is not None and wanted.version not in shares:
            raise InvalidInput(
                f"version {wanted.version} gets none of the traffic",
                hint=f"give it a share, or name the model alone: models:/{wanted.name}",
            )
        unseen = decide.check_shadow(shadow or {}, shares)
        read = resources if isinstance(resources, ResourceRequest) else ResourceRequest.parse(resources)
        needs = decide.resources_of(before) if resources is None else read
        count = decide.replicas_of(before) if replicas is None else decide.check_replicas(replicas)
        given = dict(decide.options_of(before)) if options is None else dict(options)
        images = self._images(place, wanted.name, [*shares, *unseen], image)
        kept = {"replicas": list(count), "resources": needs.to_json(), "options": given}
        number = 1 + max((one.revision for one in self.revisions(name)), default=0)
        moment = now()
        revision = DeploymentRevision(
            name=name, revision=number, reason=reason, user_name=owner.user_name(), created_at=moment,
            traffic={str(one): share for one, share in shares.items()},
            shadow={str(one): share for one, share in unseen.items()},
            image=_images_text(images),
        )  # fmt: skip
        record = Deployment(
            name=name, target=chosen, model=wanted.name, state="deploying", alias=alias, revision=number,
            message=f"revision {number} is being rolled out by {owner.shown(owner.mark())}",
            url=before.url if before else "", user_name=owner.user_name(), updated_at=moment,
            created_at=before.created_at if before else moment,
            options={**kept, "alias_seq": seq, "deployer": owner.mark(), "before": _answering(before)},
        )  # fmt: skip
        digests, folders = self._versions(name, wanted.name, [*shares, *unseen], place)
        asked = Wanted(
            name=name, model=wanted.name, revision=number, traffic=shares, shadow=unseen, digests=digests,
            folders=folders, images=images, resources=needs, replicas=count, options=given,
        )  # fmt: skip
        place.check(asked)
        current = self._current(before)
        is_same = decide.is_unchanged(before, current, revision, kept) and (
            before is None or before.alias == alias
        )
        return _Plan(known, record, revision, asked, place, is_same)

    def _alias_seq(self, model: str, alias: str) -> int:
        """The last move of the alias that we know of: asked before the version, so that none is overlooked."""
        moves = self._models.alias_history(model, alias) if alias else []
        return moves[0].seq if moves else 0

    def _versions(
        self, name: str, model: str, versions: Sequence[int], target: Target
    ) -> tuple[dict[int, str], dict[int, str]]:
        """The manifests' digests, and the folders in which the versions will lie; each must be there and trusted."""
        digests: dict[int, str] = {}
        folders: dict[int, str] = {}
        for number in versions:
            version = self._models.get(ModelReference(model, version=number))
            check_trust(version, self._models.manifest(version), self._trusted)
            digests[number] = version.manifest
            if not target.needs_image:
                folders[number] = str(self._folder(name) / f"{model}-{number}-{version.manifest[:8]}")
        return digests, folders

    def _folder(self, name: str) -> Path:
        return self._root / ".mlops" / "deployments" / name / "versions"

    def _images(
        self, target: Target, model: str, versions: Sequence[int], image: str | None
    ) -> dict[int, str]:
        if not target.needs_image:
            return {}
        if image and len(versions) == 1:
            return {versions[0]: image}
        if image:
            raise InvalidInput(
                "one image cannot hold several versions", hint="leave image out: each has its own"
            )
        return {number: self._image_of(model, number) for number in versions}

    def _image_of(self, model: str, version: int) -> str:
        source = f"models:/{model}/{version}"
        where = {"source": source, "kind": "serving", "is_pushed": True}
        found = self._catalog.find(Image, where=where, order_by="-created_at", limit=1)
        if not found:
            raise NotFound(
                f"no image of {source} has been pushed to a registry",
                hint=f"jupyter mlops dockerize {source} --push, or give image=",
            )
        head, slash, last = found[0].name.rpartition("/")
        return f"{head}{slash}{last.partition(':')[0]}@{found[0].digest}"

    # --- carrying out ---------------------------------------------------------------------------------------

    def _carry_out(self, plan: _Plan, timeout_seconds: float) -> Deployment:
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
        changes: dict[str, Any] = {"state": live.state, "url": live.url, "message": live.message}
        options = {
            key: value for key, value in plan.record.options.items() if key not in ("deployer", "before")
        }
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

    def _begin(self, plan: _Plan) -> None:
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
            for path in self._folder(wanted.name).iterdir():
                if str(path) not in wanted.folders.values():
                    shutil.rmtree(path, ignore_errors=True)

    def _accompany(self, plan: _Plan) -> None:
        """Where the target can, a process beside it follows the alias."""
        if isinstance(plan.target, Stoppable):
            words = ["-m", "jupyter_mlops.deployments.follow", str(self._root), plan.record.name]
            plan.target.accompany(plan.record.name, words if plan.record.alias else [])

    def _fail(self, plan: _Plan, error: MlopsError) -> None:
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
                kept = {key: old.options.get(key) for key in ("replicas", "resources", "options")}
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
        return self._catalog.find(DeploymentRevision, where={"name": name}, order_by="-revision")

    def status(self, name: str) -> DeploymentStatus:
        """How it really is: the target is asked, and the record mended if it says something else."""
        known = self.get(name)
        if known.state == "removed":
            return DeploymentStatus(known, self._current(known), Status(state="removed"))
        live = make_target(known.target, self._root).status(name, decide.options_of(known))
        changes = decide.mended(known, live, is_being_deployed=_is_being_deployed(known))
        expected = {"revision": known.revision, "state": known.state}
        if changes and self._catalog.compare_and_set(Deployment, name, expected, **changes, updated_at=now()):
            known = replace(known, **changes)
        return DeploymentStatus(known, self._current(known), live)

    def _current(self, known: Deployment | None) -> DeploymentRevision | None:
        if known is None:
            return None
        where = {"name": known.name, "revision": known.revision}
        return next(iter(self._catalog.find(DeploymentRevision, where=where)), None)

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

    def remove(self, name: str) -> Deployment:
        """Take it away; its history stays."""
        known = self.get(name)
        make_target(known.target, self._root).remove(name, decide.options_of(known))
        self._catalog.update(
            Deployment, name, state="removed", url="", message="", alias="", updated_at=now()
        )
        return self.get(name)

    def _stoppable(self, name: str) -> Stoppable:
        known = self.get(name)
        found = make_target(known.target, self._root)
        if not isinstance(found, Stoppable):
            raise InvalidInput(
                f"{name!r} is on {known.target}, whose processes are not ours to stop, start or read",
                hint=f"remove takes it away; {known.target}'s own tools show its logs",
            )
        return found


def _check_name(name: str) -> str:
    try:
        return check_name(name)
    except InvalidInput as error:
        raise InvalidInput(f"{name!r} cannot name a deployment", hint=error.hint) from None


def _answering(known: Deployment | None) -> int:
    """The revision that answered last, as far as we know; 0 for none."""
    if known is None:
        return 0
    return int(known.options.get("before") or 0) if known.state == "deploying" else known.revision


def _images_text(images: Mapping[int, str]) -> str:
    if len(images) == 1:
        return next(iter(images.values()))
    return ", ".join(f"{version}={image}" for version, image in images.items())


def _is_being_deployed(known: Deployment) -> bool:
    """Whether the process that said so still rolls it out."""
    marked = str(known.options.get("deployer") or "")
    if known.state != "deploying" or marked.count(":") < 2:
        return False
    place, pid, began = marked.rsplit(":", 2)
    if place == owner.mark().rsplit(":", 2)[0]:
        return processes.is_alive(f"{pid}:{began}")
    return now() - known.updated_at < _PATIENCE
