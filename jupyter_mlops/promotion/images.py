"""From a notebook, a pipeline or a model to images, and what the catalog knows of them: ``workspace.images``."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..catalog import Catalog, Image, LineageLink
from ..catalog.owner import user_name
from ..errors import InvalidInput, NotFound, did_you_mean
from ..events import now
from ..image_names import parse_reference
from ..models import ModelStore
from ..oci.keys import SigningKey
from ..oci.registry import Registry
from ..oci.sign import sign_image
from ..pipelines import load_pipeline
from . import build as builders
from .assembly import Platform, base_of, make_context
from .build import Told
from .build_secrets import Secret, own_secrets
from .capture import CaptureOptions, capture_notebook
from .capture_model import capture_model
from .capture_pipeline import capture_pipeline
from .captured import Capture
from .context import Built, Context
from .daemonless import build_without_daemon

_PIPELINE_FILES = ("pipeline.yaml", "pipeline.yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """See the fields.

    - `name`: of the image, as "registry/repository:tag"; by default what was captured has a name and a version.
    - `builder`: one of `build.BUILDERS`, or the first that works. `platforms`: by default this machine's; only
      "python" builds for several at once.
    - `save`: a file (``.tar``) or folder for the image, which "python" alone writes: the others have a store.
    - `key`: of cosign or a plain one, signs what is pushed. `secrets`: besides those of this machine.
    """

    name: str = ""
    builder: str = ""
    platforms: Sequence[str] = ()
    is_pushed: bool = False
    is_cached: bool = True
    save: Path | None = None
    key: Path | None = None
    secrets: Sequence[Secret] = field(default_factory=tuple)

    def named(self, name: str) -> BuildOptions:
        """The same for an image of that name."""
        return replace(self, name=name)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was captured, and how its image is to be."""

    capture: Capture
    base: str = ""
    platform: Platform = ""

    def context(self) -> Context:
        """What the image is made of. Raises `InvalidInput` with all that stands against it."""
        return make_context(self.capture, base=self.base, platform=self.platform)


class Images:
    """Makes images and keeps account of them. The catalog is opened when there is something to keep."""

    def __init__(self, catalog: Callable[[], Catalog], models: Callable[[], ModelStore], root: Path) -> None:
        self._catalog = catalog
        self._models = models
        self._root = root

    @contextlib.contextmanager
    def prepare(
        self,
        target: str,
        *,
        base: str = "",
        platform: Platform = "",
        options: CaptureOptions | None = None,
        is_split: bool = False,
        is_pinned: bool = False,
    ) -> Iterator[list[Prepared]]:
        """What `target` needs (a notebook, a pipeline's file or folder, ``models:/NAME@ALIAS``), and the contexts:
        one, or one for each environment of a pipeline. A model's files are there while the block lasts. With
        `is_pinned` the base's registry is asked what its tag means today, and the image stands on that.

        Raises `NotFound` and what the captures and the registry raise.
        """
        options = replace(options or CaptureOptions(), root=(options and options.root) or self._root)
        with tempfile.TemporaryDirectory(prefix="mlops-image-") as folder:
            captures = self._captures(target, options, Path(folder), is_split=is_split)
            bases = {one.python: base or base_of(one) for one in captures}
            if is_pinned:
                bases = {python: pinned(name) for python, name in bases.items()}
            yield [Prepared(one, bases[one.python], platform) for one in captures]

    def build(
        self,
        prepared: Prepared,
        options: BuildOptions | None = None,
        *,
        told: Callable[[str], None] | None = None,
    ) -> Image:
        """Build an image, push it if asked to, and keep its record with its lineage.

        Raises `InvalidInput` with all that stands against it, and what `build.build` raises.
        """
        options = options or BuildOptions()
        context = prepared.context()
        name = options.name or default_name(prepared.capture)
        key = SigningKey.read(options.key) if options.key else None
        if key is not None and not options.is_pushed:
            raise InvalidInput("only what is pushed can be signed", hint="--push NAME")
        builder = "python" if options.save else builders.find_builder(options.builder)
        if builder == "python":
            return self.record(prepared.capture, _without_daemon(context, name, options, key, told))
        if len(options.platforms) > 1:
            raise InvalidInput(
                f"{builder} builds for one platform at a time", hint="--builder python builds for several"
            )
        with own_secrets(os.environ, options.secrets) as secrets:
            built = builders.build(
                context,
                name=name,
                builder=builder,
                platform=next(iter(options.platforms), ""),
                secrets=secrets,
                is_pushed=options.is_pushed,
                is_cached=options.is_cached,
                told=told,
            )
        if key is not None:
            reference = parse_reference(built.reference)
            sign_image(Registry.of(reference), reference, key)
            built = replace(built, is_signed=True)
        return self.record(prepared.capture, built)

    def record(self, capture: Capture, built: Built) -> Image:
        """Keep what was built in the catalog, with what it was made of."""
        image = Image(
            digest=built.digest,
            name=built.name,
            kind=capture.kind,
            source=capture.source,
            source_digest=capture.source_digest,
            is_pushed=built.is_pushed,
            is_signed=built.is_signed,
            platforms=list(built.platforms),
            size_bytes=built.size_bytes,
            builder=built.builder,
            run_id=os.environ.get("MLOPS_RUN_ID", ""),
            user_name=user_name(),
            created_at=now(),
        )
        catalog = self._catalog()
        with catalog.transaction():
            catalog.put(image, *_links(image))
        return image

    def find(self, *, source: str = "", limit: int = 50) -> list[Image]:
        """Images that were built here, the latest first; of one `source` alone, if that is given."""
        where = {"source": source} if source else {}
        return self._catalog().find(Image, where=where, order_by="-created_at", limit=limit)

    def _captures(
        self, target: str, options: CaptureOptions, folder: Path, *, is_split: bool
    ) -> Sequence[Capture]:
        if target.startswith("models:/"):
            store = self._models()
            version = store.get(target)
            reference = f"models:/{version.name}/{version.version}"
            exported = store.export_mlflow(reference, folder / "model")
            return [
                capture_model(store.manifest(reference), reference, model_folder=exported, options=options)
            ]
        path = _find(Path(target))
        if path.suffix == ".ipynb":
            return [capture_notebook(path, options)]
        return capture_pipeline(load_pipeline(path), options, is_split=is_split)


def _without_daemon(
    context: Context, name: str, options: BuildOptions, key: SigningKey | None, told: Told | None
) -> Built:
    """By "python", which keeps no images itself."""
    if not options.is_pushed and options.save is None:
        raise InvalidInput(
            "the builder python has no store for images",
            hint="--push NAME, or --save FILE.tar for podman load",
        )
    return build_without_daemon(
        context,
        platforms=tuple(options.platforms) or (builders.native_platform(),),
        push=name if options.is_pushed else "",
        output=options.save,
        name=name,
        key=key,
        told=told,
    )


def pinned(base: str) -> str:
    """The name with the digest that its registry has for it now; one that has a digest stays as it is."""
    reference = parse_reference(base)
    if reference.digest:
        return base
    found = Registry.of(reference).find_manifest(reference.repository, reference.wanted)
    if found is None:
        raise NotFound(f"there is no image {reference}", hint="name another one by --base")
    return str(reference.with_digest(found.digest))


def default_name(capture: Capture) -> str:
    """``pull:3f2a…`` for a notebook, ``delay:3`` for version 3 of a model."""
    version = capture.source.rpartition("/")[2] if capture.kind == "serving" else ""
    digest = capture.source_digest.rpartition(":")[2]
    return f"{capture.name}:{version if version.isdigit() else digest[:12] or 'latest'}"


def names_for(captures: Sequence[Capture], name: str) -> list[str]:
    """The name of each image: `name` itself for one; for several their own ones below its repository."""
    if len(captures) == 1 or not name:
        return [name or default_name(one) for one in captures]
    reference = parse_reference(name)
    if reference.digest:
        raise InvalidInput(f"{name} names an image by its digest, which is not known yet", hint="give a tag")
    return [f"{reference.name}/{one.name}:{reference.tag or 'latest'}" for one in captures]


def _find(path: Path) -> Path:
    """The file of a notebook or a pipeline."""
    if path.is_dir():
        for name in _PIPELINE_FILES:
            if (path / name).is_file():
                return path / name
        raise NotFound(f"there is no pipeline.yaml in {path}", hint="name a notebook, a pipeline or a model")
    if not path.is_file():
        near = [str(one) for pattern in ("*.ipynb", "*.yaml") for one in path.parent.glob(pattern)]
        raise NotFound(f"there is no notebook or pipeline {path}", hint=did_you_mean(str(path), near))
    if path.suffix not in (".ipynb", ".yaml", ".yml"):
        raise InvalidInput(
            f"{path} is neither a notebook (.ipynb) nor a pipeline (.yaml)",
            hint="a model is models:/NAME@ALIAS",
        )
    return path


def _links(image: Image) -> list[LineageLink]:
    """What the image was made from."""
    target = image.reference
    if image.kind == "serving":
        sources = [("model", image.source.removeprefix("models:/"))]
    else:
        digest = image.source_digest.rpartition(":")[2]
        sources = [("notebook" if image.source.endswith(".ipynb") else "pipeline", digest or image.source)]
    if image.run_id:
        sources.append(("run", image.run_id))
    made: dict[str, Any] = {"target_kind": "image", "target": target, "created_at": image.created_at}
    return [LineageLink(source_kind=kind, source=source, **made) for kind, source in sources]
