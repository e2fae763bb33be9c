"""What a deploy means: which versions, where, since when and why; all of it checked before anything is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from socket import gethostname
from typing import Any

from ..catalog import Catalog, Deployment, DeploymentRevision, Image, owner
from ..errors import InvalidInput, NotFound
from ..events import now
from ..models import ModelStore
from ..models.names import ModelReference, check_alias, check_name, parse_model_reference
from ..models.trust import check_trust
from ..resources import ResourceRequest
from ..targets import Target, Wanted, make_target
from ..targets.target import Stoppable
from . import decide


@dataclass(frozen=True, slots=True)
class Plan:
    """What shall be: the record and the revision as they will be kept, and what the target is asked for."""

    known: Deployment | None
    record: Deployment
    revision: DeploymentRevision
    wanted: Wanted
    target: Target
    is_unchanged: bool


class Planner:
    """Plans for one workspace; see `Deployments`."""

    def __init__(self, catalog: Catalog, models: ModelStore, root: Path, trusted: Sequence[str]) -> None:
        self._catalog, self._models, self._root, self._trusted = catalog, models, root, tuple(trusted)

    def target(self, name: str) -> Target:
        """The target of that name. Raises `NotFound`."""
        return make_target(name, self._root)

    def plan(
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
    ) -> Plan:
        """All of it; nothing is kept or done. Raises what stands against it."""
        wanted = reference if isinstance(reference, ModelReference) else parse_model_reference(reference)
        name = _check_name(name or wanted.name)
        known = next(iter(self._catalog.find(Deployment, where={"name": name})), None)
        is_new = known is None or known.state == "removed"
        before = None if is_new else known
        chosen = target or (before.target if before else "local")
        if known is not None:
            decide.check_same(known, chosen, wanted.name)
        place = self.target(chosen)
        alias = (before.alias if before else "") if follow_alias is None else follow_alias
        if alias:
            check_alias(alias)
            if follow_alias and wanted.version is None and wanted.alias is None:
                wanted = ModelReference(wanted.name, alias=alias)  # a version that is named comes first
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
        if read.image is not None:
            raise InvalidInput("what a deployment asks for names no image", hint=f"image={read.image!r} does")
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
            options={
                **kept, "alias_seq": seq, "deployer": owner.mark(), "before": _answering(before),
                "machine": gethostname() if isinstance(place, Stoppable) else "",
            },
        )  # fmt: skip
        digests, folders = self._versions(name, wanted.name, [*shares, *unseen], place)
        asked = Wanted(
            name=name, model=wanted.name, revision=number, traffic=shares, shadow=unseen, digests=digests,
            folders=folders, images=images, resources=needs, replicas=count, options=given,
        )  # fmt: skip
        place.check(asked)
        current = self.current(before)
        is_same = decide.is_unchanged(before, current, revision, kept) and (
            before is None or before.alias == alias
        )
        return Plan(known, record, revision, asked, place, is_same)

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
                folders[number] = str(self.folder(name) / f"{model}-{number}-{version.manifest[:8]}")
        return digests, folders

    def folder(self, name: str) -> Path:
        """Where its versions lie, on targets that serve from here."""
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
        return found[0].reference

    def revisions(self, name: str) -> list[DeploymentRevision]:
        """What it served, the latest first."""
        return self._catalog.find(DeploymentRevision, where={"name": name}, order_by="-revision")

    def current(self, known: Deployment | None) -> DeploymentRevision | None:
        """What it serves."""
        if known is None:
            return None
        where = {"name": known.name, "revision": known.revision}
        return next(iter(self._catalog.find(DeploymentRevision, where=where)), None)


def _check_name(name: str) -> str:
    try:
        return check_name(name)
    except InvalidInput as error:
        raise InvalidInput(f"{name!r} cannot name a deployment", hint=error.hint) from None


def _images_text(images: Mapping[int, str]) -> str:
    if len(images) == 1:
        return next(iter(images.values()))
    return ", ".join(f"{version}={image}" for version, image in images.items())


def _answering(known: Deployment | None) -> int:
    """The revision that answered last, as far as we know; 0 for none."""
    if known is None:
        return 0
    return int(known.options.get("before") or 0) if known.state == "deploying" else known.revision
