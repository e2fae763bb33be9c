"""The model store: immutable, numbered envelopes under names, and aliases that move.

The bytes go first, into the blob store, where they lie under their digests; then one transaction takes the next
number and writes the version, its aliases and its lineage. Whatever dies in between leaves a whole version or
none, and blobs that `clean` collects. The number comes from one upsert, so that of a thousand registrations at
once none is lost.
"""

from __future__ import annotations

import dataclasses
import getpass
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..blobs import BlobStore
from ..catalog import AliasMove, Catalog, LineageLink, ModelAlias, ModelVersion, RegisteredModel
from ..errors import Conflict, InvalidInput, NotFound, did_you_mean
from ..events import AliasMoved, Event, ModelVersionRegistered, now
from ..profiles import Drift, drift
from . import comparison, lineage, mlmodel, runtime
from .aliases import Aliases
from .arguments import check_mapping, tags_of
from .code_folder import materialize
from .manifest import Manifest
from .model import LoadedModel
from .names import ModelReference, check_alias, check_name, parse_model_reference
from .origin import DataSource, data_sources, lineage_of
from .overview import LIVE, ModelOverview, overview, searched
from .registration import Check, Envelope, Request, prepare, try_again
from .trust import check_trust
from .view import VersionView


class ModelStore:
    """Models in a catalog and a blob store. `trusted` says whose pickles may be opened beside the store's own
    (see `trust`); `on_event` hears of new versions and of aliases that moved."""

    def __init__(
        self,
        catalog: Catalog,
        blobs: BlobStore,
        *,
        trusted: Sequence[str] = (),
        user_name: str = "",
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._trusted = tuple(trusted)
        self._user_name = user_name or _user()
        self._on_event = on_event
        self._aliases = Aliases(catalog, self._user_name)
        # A manifest is what its digest says for ever: reading it twice would tell nothing new.
        self._manifest = lru_cache(maxsize=512)(self._read_manifest)
        self._resolved: tuple[str, dict[Any, ModelVersion]] = ("", {})

    # --- registering ------------------------------------------------------------------------------------

    def register(
        self,
        name: str,
        model: Any,
        *,
        featurize: Callable[[Any], Any] | None = None,
        predict: Callable[[Any, Any], Any] | None = None,
        input_example: Any = None,
        metrics: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        description: str = "",
        data: Any = None,
        code: Mapping[str, Any] | None = None,
        artifacts: Mapping[str, Any] | None = None,
        run: Any = None,
        aliases: Iterable[str] = (),
        requires: Sequence[str] = (),
        format: str = "auto",  # noqa: A002 - the word for it everywhere
        check: Check = "quick",
        is_rowwise: bool = True,
    ) -> ModelVersion:
        """Keep `model` as the next version of `name`; the version, once all of it is stored.

        - `featurize(data)` makes features of raw data, `predict(model, features)` predictions of features; by
          default ``model.predict(features)``, or a call of the model.
        - `input_example`: some raw rows (frame, array, list of dicts), on which everything is tried out.
        - `data`: what it was trained on (frame, path, URI, artifact, `DataSource`), or a list of such; of a frame
          a profile is kept too, for `drift`.
        - `code`, `run`: found by themselves; see `origin`. `requires`: distributions that no code names.
        - `check`: ``quick`` tries the saved bytes in this process, ``full`` in a clean one as well, ``none``
          not at all. `is_rowwise`: a row's prediction depends on that row alone.

        Raises `InvalidInput` that says what is wrong; then nothing is stored.
        """
        given = locals()  # a request's fields are this method's arguments
        fields = {one.name: given[one.name] for one in dataclasses.fields(Request) if one.name in given}
        fields |= {"name": check_name(name), "data": data_sources(data), "user_name": self._user_name}
        request = Request(**fields)
        self._check_case(name)
        chosen = self._aliases.chosen(name, aliases)
        return self.add(prepare(request, self._blobs.read_bytes), aliases=chosen)

    def add(self, envelope: Envelope, *, aliases: Sequence[str] = (), origin: str = "") -> ModelVersion:
        """Keep an envelope that is made already; `origin` says from which other store it comes."""
        for data in envelope.files.values():
            self._blobs.put_bytes(data)
        manifest = envelope.manifest
        digest = self._blobs.put_bytes(manifest.to_bytes())
        with self._catalog.transaction():
            version = self._add_records(manifest, digest, origin)
            moved = [
                self._aliases.move(version.name, alias, version.version, is_forced=False) for alias in aliases
            ]
        self._tell(
            ModelVersionRegistered(
                run_id=version.run_id, name=version.name, version=version.version, manifest=digest
            )
        )
        for _, move in moved:
            self._tell_move(move)
        return version

    def _add_records(self, manifest: Manifest, digest: str, origin: str) -> ModelVersion:
        moment = now()
        model = RegisteredModel(
            name=manifest.name,
            folded=manifest.name.casefold(),
            last_version=1,
            user_name=self._user_name,
            created_at=moment,
            updated_at=moment,
        )
        number = self._catalog.count_up(model, "last_version")
        self._catalog.update(RegisteredModel, manifest.name, updated_at=moment, is_deleted=False)
        if number == 1:
            self._check_case(manifest.name)
        version = ModelVersion(
            name=manifest.name,
            version=number,
            manifest=digest,
            estimator=str(manifest.definition.get("class", "")),
            format=_format(manifest),
            description=manifest.description,
            metrics=manifest.metrics,
            tags=manifest.tags,
            blobs=sorted({digest, *manifest.blobs}),
            size_bytes=manifest.size_bytes,
            check=str(manifest.check.get("kind", "")),
            origin=origin,
            run_id=manifest.run.get("run_id", ""),
            task=manifest.run.get("task", ""),
            user_name=self._user_name,
            created_at=moment,
        )
        self._catalog.add(version)
        sources = [DataSource.of(one) for one in manifest.data]
        key = f"{manifest.name}/{number}"
        links = lineage_of(sources, manifest.code, manifest.run, key)
        self._catalog.put(*(_link(*link) for link in dict.fromkeys(links)))
        return version

    def _check_case(self, name: str) -> None:
        for other in self._catalog.find(RegisteredModel, where={"folded": name.casefold()}):
            if other.name != name:
                raise Conflict(
                    f"there is a model {other.name!r}, which differs from {name!r} only by case",
                    hint=f"register it as {other.name!r}, or under another name",
                )

    # --- finding ----------------------------------------------------------------------------------------

    def get(self, reference: str | ModelReference) -> ModelVersion:
        """The version that ``models:/NAME/3``, ``models:/NAME@alias`` or ``models:/NAME`` (the newest) means;
        `NotFound` with the nearest name."""
        wanted = reference if isinstance(reference, ModelReference) else parse_model_reference(reference)
        where: dict[str, Any] = {"name": wanted.name}
        if wanted.alias is not None:
            where["version"] = self._aliased(wanted)
        elif wanted.version is not None:
            where["version"] = wanted.version
        found = self._catalog.find(ModelVersion, where=where, order_by="-version", limit=1)
        if not found:
            raise self._missing(wanted)
        return found[0]

    def _aliased(self, wanted: ModelReference) -> int:
        found = self._aliases.find(wanted.name, str(wanted.alias))
        if found is not None:
            return found.version
        self.model(wanted.name)
        known = [one.alias for one in self._aliases.of(wanted.name)]
        hint = did_you_mean(str(wanted.alias), known) or "it has no alias yet"
        raise NotFound(f"the model {wanted.name!r} has no alias {wanted.alias!r}", hint=hint)

    def _missing(self, wanted: ModelReference) -> NotFound:
        model = self.model(wanted.name)
        newest = self._catalog.find(ModelVersion, where={"name": wanted.name}, order_by="-version", limit=1)
        hint = f"the newest is {newest[0].version}" if newest else "it has no versions any more"
        if wanted.version is not None and wanted.version <= model.last_version:
            return NotFound(f"version {wanted.version} of {wanted.name!r} was deleted", hint=hint)
        return NotFound(
            f"the model {wanted.name!r} has no version {wanted.version or ''}".rstrip(), hint=hint
        )

    def model(self, name: str) -> RegisteredModel:
        """The model of this name; `NotFound` with the nearest one."""
        found = self._catalog.find(RegisteredModel, where={**LIVE, "name": name}, limit=1)
        if not found:
            known = [one.name for one in self.models()]
            raise NotFound(f"no model is called {name!r}", hint=did_you_mean(name, known))
        return found[0]

    def models(self, text: str = "", *, limit: int | None = None, offset: int = 0) -> list[RegisteredModel]:
        """The models, the one that changed last first; with `text`, those whose name or description has it."""
        return self._catalog.find(
            RegisteredModel,
            where=LIVE,
            order_by="-updated_at",
            limit=limit,
            offset=offset,
            search=searched(text),
        )

    def overview(self, text: str = "", *, limit: int | None = 100, offset: int = 0) -> list[ModelOverview]:
        """As `models`, each with its newest version, how many it has, and its aliases."""
        return overview(self._catalog, self.models(text, limit=limit, offset=offset))

    def find(
        self,
        name: str | None = None,
        *,
        tags: Mapping[str, str] | None = None,
        where: Mapping[str, Any] | None = None,
        order_by: str | None = None,
        limit: int | None = 100,
        offset: int = 0,
    ) -> list[ModelVersion]:
        """Versions, newest first: of one model or of all, with all of these tags.

        `where` filters by fields of `ModelVersion` as `Catalog.find` does (``{"run_id": …}``), and by metrics:
        ``{"metrics.auc": (">", 0.9)}``. `order_by` is a field or a metric, ``-`` before it for descending.
        """
        check_mapping(tags, "tags")
        check_mapping(where, "where")
        query = comparison.Query.of(name, tags, where, order_by)
        if query.is_plain:
            return self._catalog.find(
                ModelVersion, where=query.fields, order_by=query.order, limit=limit, offset=offset
            )
        rows = self._catalog.find(ModelVersion, where=query.fields, order_by=query.order)
        chosen = query.select(rows)
        return chosen[offset : None if limit is None else offset + limit]

    def aliases(self, name: str) -> dict[str, int]:
        """The aliases of a model, each with the version that it names."""
        self.model(check_name(name))
        return {one.alias: one.version for one in self._aliases.of(name)}

    # --- reading ----------------------------------------------------------------------------------------

    def manifest(self, reference: str | ModelReference | ModelVersion) -> Manifest:
        """The whole envelope of a version, without opening any of its files."""
        return self._manifest(self._version(reference).manifest)

    def show(self, reference: str | ModelReference | ModelVersion) -> VersionView:
        """All of a version for a reader: print it, or let a notebook show it."""
        version = self._version(reference)
        aliases = [one.alias for one in self._aliases.of(version.name, version.version)]
        return VersionView(version, self._manifest(version.manifest), aliases, self.lineage(version))

    def _version(self, reference: str | ModelReference | ModelVersion) -> ModelVersion:
        """The record, remembered as long as nobody writes to the catalog: a server asks for each request."""
        if isinstance(reference, ModelVersion):
            return reference
        if self._catalog.is_in_transaction:
            return self.get(reference)
        token = self._catalog.change_seq()
        if self._resolved[0] != token:
            self._resolved = (token, {})
        known = self._resolved[1]
        if reference not in known:
            known[reference] = self.get(reference)
        return known[reference]

    def _read_manifest(self, digest: str) -> Manifest:
        return Manifest.from_bytes(self._blobs.read_bytes(digest))

    def load(self, reference: str | ModelReference | ModelVersion) -> LoadedModel:
        """The version, ready to predict. Each file is verified against its digest before it is opened.

        A version that was imported from another store and needs a pickle to be opened is refused unless the
        setting `trusted_models` allows it: `InvalidInput`.
        """
        version = self._version(reference)
        manifest = self._manifest(version.manifest)
        is_trusted = check_trust(version, manifest, self._trusted)
        body = vars_of(manifest)
        folder = materialize(manifest, self._blobs)

        def read(path: str) -> bytes:
            return self._blobs.read_bytes(manifest.files[path]["digest"])

        try:
            running = runtime.assemble(
                body, read, folder, prefer_portable=bool(version.origin), is_trusted=is_trusted
            )
        except ModuleNotFoundError as error:
            raise InvalidInput(
                f"{version.name}/{version.version} needs {error.name}, which is not installed here",
                hint=f"pip install {' '.join(manifest.dependencies['direct'])}",
            ) from error
        except runtime.Refused as error:
            raise InvalidInput(f"{version.name}/{version.version}: {error}") from error
        return LoadedModel(version, manifest, running)

    def check_trusted(self, reference: str | ModelReference | ModelVersion) -> None:
        """`InvalidInput` for a version that may not be opened here, as `load` would say, without opening it."""
        version = self._version(reference)
        check_trust(version, self._manifest(version.manifest), self._trusted)

    def check(self, reference: str | ModelReference) -> ModelVersion:
        """Try a version that is in the store, here and in a clean process: its example must give what it gave
        when it was registered. `InvalidInput` says what differs; else the version's `check` is ``full``."""
        version = self.get(reference)
        loaded = self.load(version)
        manifest = loaded.manifest
        if not {"file", "output"} <= manifest.example.keys():
            raise InvalidInput(
                f"{version.name}/{version.version} came without an example", hint="register it here"
            )

        def read(path: str) -> bytes:
            return self._blobs.read_bytes(manifest.files[path]["digest"])

        example, expected = (
            runtime.decode_data(json.loads(read(manifest.example[name]))) for name in ("file", "output")
        )
        try_again(manifest, read, loaded.running, example, expected)
        self._catalog.update(ModelVersion, (version.name, version.version), check="full")
        return dataclasses.replace(version, check="full")

    # --- aliases ----------------------------------------------------------------------------------------

    def set_alias(
        self, name: str, alias: str, version: int, *, is_protected: bool | None = None, force: bool = False
    ) -> ModelAlias:
        """Let `alias` name this version from now on. A protected alias moves only with `force`."""
        check_alias(alias)
        self.get(ModelReference(check_name(name), version=version))
        with self._catalog.transaction():
            record, move = self._aliases.move(
                name, alias, version, is_forced=force, is_protected=is_protected
            )
        self._tell_move(move)
        return record

    def delete_alias(self, name: str, alias: str, *, force: bool = False) -> None:
        """Take an alias away; `NotFound`, or `Conflict` if it is protected."""
        self.get(ModelReference(check_name(name), alias=check_alias(alias)))
        with self._catalog.transaction():
            move = self._aliases.remove(name, alias, is_forced=force)
        self._tell_move(move)

    def alias_history(self, name: str, alias: str | None = None) -> list[AliasMove]:
        """Who moved which alias from where to where, newest first."""
        return self._aliases.history(check_name(name), alias)

    # --- changing and deleting --------------------------------------------------------------------------

    def describe(self, reference: str | ModelReference, description: str) -> ModelVersion:
        """Change the description of a version; the envelope keeps the first one."""
        version = self.get(reference)
        self._catalog.update(ModelVersion, (version.name, version.version), description=description)
        return dataclasses.replace(version, description=description)

    def set_tags(self, reference: str | ModelReference, **tags: str | None) -> ModelVersion:
        """Set tags of a version; None takes one away. The envelope keeps those that it was born with."""
        texts = {
            name: value if value is None else tags_of({name: value})[name] for name, value in tags.items()
        }
        with self._catalog.transaction():
            version = self.get(reference)
            self._aliases.lock(version.name)  # those that change tags at once stand one after the other
            version = self.get(ModelReference(version.name, version=version.version))
            kept = {name: value for name, value in {**version.tags, **texts}.items() if value is not None}
            self._catalog.update(ModelVersion, (version.name, version.version), tags=kept)
        return dataclasses.replace(version, tags=kept)

    def delete(self, reference: str | ModelReference) -> None:
        """Delete one version; `Conflict` while an alias names it. Its number is never given again, its blobs
        go with the next `clean`."""
        wanted = reference if isinstance(reference, ModelReference) else parse_model_reference(reference)
        if wanted.version is None:
            raise InvalidInput(
                f"{wanted} is no single version", hint=f"models:/{wanted.name}/3, or delete_model"
            )
        self.get(wanted)
        with self._catalog.transaction():
            self._aliases.lock(wanted.name)
            named = [one.alias for one in self._aliases.of(wanted.name, wanted.version)]
            if named:
                raise Conflict(
                    f"{wanted.name}/{wanted.version} is {' and '.join(map(repr, named))}",
                    hint="move or delete the alias first",
                )
            self._catalog.delete(ModelVersion, {"name": wanted.name, "version": wanted.version})
            self._forget_links(f"{wanted.name}/{wanted.version}")

    def delete_model(self, name: str) -> None:
        """Delete a model with all of its versions; `Conflict` while it has aliases."""
        self.model(check_name(name))
        with self._catalog.transaction():
            self._catalog.update(RegisteredModel, name, updated_at=now(), is_deleted=True)
            named = [one.alias for one in self._aliases.of(name)]
            if named:
                raise Conflict(
                    f"{name!r} has the aliases {', '.join(map(repr, named))}", hint="delete its aliases first"
                )
            for version in self._catalog.find(ModelVersion, where={"name": name}):
                self._forget_links(f"{name}/{version.version}")
            self._catalog.delete(ModelVersion, {"name": name})

    def _forget_links(self, key: str) -> None:
        self._catalog.delete(LineageLink, {"target_kind": "model", "target": key})
        self._catalog.delete(LineageLink, {"source_kind": "model", "source": key})

    # --- MLflow -----------------------------------------------------------------------------------------

    def export_mlflow(self, reference: str | ModelReference, directory: Path | str) -> Path:
        """Write a version as an MLflow model directory, which `mlflow` loads and serves; the directory.

        It must not be there yet, or be empty. Files are links to the store's blobs where the file system can.
        """
        version = self.get(reference)
        told = f"models:/{version.name}/{version.version}"
        return mlmodel.export(self._manifest(version.manifest), self._blobs, Path(directory), reference=told)

    def import_mlflow(
        self,
        directory: Path | str,
        name: str,
        *,
        origin: str = "",
        aliases: Iterable[str] = (),
        metrics: Mapping[str, float] | None = None,
        parameters: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        description: str = "",
    ) -> ModelVersion:
        """Register an MLflow model directory: one that we wrote, with all its envelope, or a scikit-learn one.

        Nothing in it is opened. `origin` is where it comes from (by default its path): whether its pickles may
        be opened later is up to the setting `trusted_models`. Metrics and the like are added to the envelope's.
        """
        self._check_case(check_name(name))
        chosen = self._aliases.chosen(name, aliases)
        envelope = mlmodel.read(Path(directory), name)
        manifest = dataclasses.replace(
            envelope.manifest,
            metrics={**(metrics or {}), **envelope.manifest.metrics},
            parameters={**(parameters or {}), **envelope.manifest.parameters},
            tags={**(tags or {}), **envelope.manifest.tags},
            description=envelope.manifest.description or description,
        )
        envelope = Envelope(manifest, envelope.files)
        return self.add(envelope, aliases=chosen, origin=origin or Path(directory).absolute().as_uri())

    # --- comparing and lineage --------------------------------------------------------------------------

    def compare(self, *references: str | ModelReference | ModelVersion) -> comparison.Comparison:
        """Versions side by side: metrics, parameters, data, dependencies, and differences of the code."""
        if len(references) < 2:
            raise InvalidInput("a comparison takes two versions or more", hint="compare('m/1', 'm/2')")
        versions = [self._version(one) for one in references]
        return comparison.compare([(one, self._manifest(one.manifest)) for one in versions])

    def lineage(self, reference: str | ModelReference | ModelVersion) -> lineage.Lineage:
        """What a version was made from, and what was made from it, step by step."""
        version = self._version(reference)
        return lineage.trace(self._catalog, "model", f"{version.name}/{version.version}")

    def drift(
        self,
        reference: str | ModelReference | ModelVersion,
        frame: Any,
        *,
        data: str = "",
        psi_limit: float = 0.2,
        ks_limit: float = 0.2,
    ) -> Drift:
        """How far a frame is from what a version was trained on: PSI and Kolmogorov-Smirnov for each column.

        `data` is the name of one of its data sources, which needs saying only if several have a profile.
        """
        version = self._version(reference)
        known = self._manifest(version.manifest).profiles
        told = f"{version.name}/{version.version}"
        if not known:
            raise NotFound(
                f"{told} has no profile of its training data", hint="register(…, data=frame) keeps one"
            )
        if not data and len(known) > 1:
            raise InvalidInput(f"{told} has several profiles", hint=f"data= one of {', '.join(known)}")
        if data and data not in known:
            raise NotFound(f"{told} has no profile of {data!r}", hint=did_you_mean(data, known))
        before = known[data or next(iter(known))]
        return drift(before, frame, psi_limit=psi_limit, ks_limit=ks_limit)

    # --- telling ----------------------------------------------------------------------------------------

    def _tell(self, event: Event) -> None:
        if self._on_event is not None:
            self._on_event(event)

    def _tell_move(self, move: AliasMove | None) -> None:
        if move is None:
            return
        self._tell(
            AliasMoved(
                run_id="",
                name=move.name,
                alias=move.alias,
                old_version=move.old_version,
                new_version=move.new_version,
            )
        )


def vars_of(manifest: Manifest) -> dict[str, Any]:
    """The fields of a manifest as a mapping, not copied."""
    return {field.name: getattr(manifest, field.name) for field in dataclasses.fields(manifest)}


def _format(manifest: Manifest) -> str:
    forms = manifest.definition.get("forms", {})
    path = forms.get("portable") or forms.get("fast") or ""
    return str(manifest.files.get(path, {}).get("format", ""))


def _link(source_kind: str, source: str, target_kind: str, target: str) -> LineageLink:
    return LineageLink(
        source_kind=source_kind, source=source, target_kind=target_kind, target=target, created_at=now()
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return ""
