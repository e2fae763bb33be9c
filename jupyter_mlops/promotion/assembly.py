"""From what was captured to what an image is made of: the recipe of its Dockerfile, its folder, its labels."""

from __future__ import annotations

import os
import posixpath
from typing import Literal

from .._version import __version__
from ..errors import InvalidInput
from ..fingerprint import digest_bytes
from ..problems import Problem, summarize
from . import dockerfile, ship
from .captured import Capture
from .contents import contents_of
from .context import (
    APP,
    EPOCH,
    LIB,
    MODEL,
    PORT,
    PROJECT,
    USER,
    Content,
    Context,
    HealthCheck,
)

Platform = Literal["", "sagemaker"]

# The port by the same rule as the server's own; alive is what answers at all, be it that it is overloaded.
_HEALTH = (
    "python",
    "-c",
    "import os, urllib.request as r; e = os.environ.get; "
    "r.urlopen('http://127.0.0.1:%s/healthz/live' % (e('AIP_HTTP_PORT') or e('SAGEMAKER_BIND_TO_PORT')"
    " or e('PORT') or 8080), timeout=2)",
)


def make_context(
    capture: Capture, *, base: str = "", platform: Platform = "", epoch: int | None = None
) -> Context:
    """Everything for an image of what was captured. Pure, but for reading our own files and the model's folder.

    `base` takes the place of the official Python image; `platform` "sagemaker" makes the image run as root, as
    SageMaker's documentation demands. Raises `InvalidInput` with all that stands against an image.
    """
    _check(capture)
    base = base or base_of(capture)
    is_serving = capture.kind == "serving"
    lock, vcs = _locks(capture)
    packages = tuple(sorted({one.name for one in capture.system_packages}))
    contents = contents_of(capture, base=base, locks=[lock, vcs], packages=packages)
    labels, env = _labels(capture, lock, base), _environment(capture)
    entrypoint = ("python", "-m", ship.SERVING if is_serving else ship.BATCH)
    health = HealthCheck(command=_HEALTH) if is_serving else None
    workdir = _workdir(capture)
    recipe = dockerfile.Recipe(
        title=f"{capture.kind} image of {capture.source or capture.name}",
        base=base,
        copies=contents.copies(),
        entrypoint=entrypoint,
        env=env,
        labels=labels,
        has_packages=bool(packages),
        has_vcs=bool(vcs),
        user="" if platform == "sagemaker" else USER,
        workdir=workdir,
        port=PORT if is_serving else 0,
        healthcheck=health.command if health else (),
    )
    files: dict[str, Content] = {
        "Dockerfile": dockerfile.render(recipe).encode(),
        ".dockerignore": dockerfile.DOCKERIGNORE.encode(),
        dockerfile.LOCK: lock.encode(),
        **({dockerfile.VCS: vcs.encode()} if vcs else {}),
        **({dockerfile.PACKAGES: "".join(f"{one}\n" for one in packages).encode()} if packages else {}),
        **contents.in_context(),
    }
    return Context(
        kind=capture.kind,
        name=capture.name,
        python=capture.python,
        base=base,
        dockerfile=dockerfile.render(recipe),
        files=dict(sorted(files.items())),
        code=contents.in_image(),
        requirements_lock=lock,
        system_packages=packages,
        labels=labels,
        env=env,
        entrypoint=entrypoint,
        workdir=workdir,
        user="0:0" if platform == "sagemaker" else USER,
        exposed_ports=(PORT,) if is_serving else (),
        healthcheck=health,
        platforms=capture.platforms,
        source=capture.source,
        source_digest=capture.source_digest,
        epoch=_epoch() if epoch is None else epoch,
    )


def _workdir(capture: Capture) -> str:
    """Where a command line is read: in the folder of the pipeline, whose file it names."""
    return posixpath.join(PROJECT, posixpath.dirname(capture.source)) if capture.tasks else PROJECT


def base_of(capture: Capture) -> str:
    """The official image of its Python: wheels of CUDA's libraries need none of NVIDIA's."""
    return f"docker.io/library/python:{capture.python}-slim"


def _check(capture: Capture) -> None:
    wrong = [problem for problem in capture.problems if problem.severity == "error"]
    if not wrong and not capture.lock:
        wrong = [
            Problem(message="the distributions are not locked", hint="is an index of packages reachable?")
        ]
    if wrong:
        hint = wrong[0].hint if len(wrong) == 1 else ""
        raise InvalidInput(summarize(wrong), hint=hint, problems=wrong)
    if capture.kind == "serving" and capture.model_folder is None:
        raise InvalidInput(f"{capture.name} has no model to serve")


def _locks(capture: Capture) -> tuple[str, str]:
    """What has hashes, and what has a commit instead: pip takes no file that has both."""
    lines = capture.lock.replace("\\\n", "\0").splitlines()
    vcs = [line for line in lines if " @ " in line.partition("#")[0] and not line.startswith("#")]
    rest = [line for line in lines if line not in vcs]
    text = "\n".join(rest).replace("\0", "\\\n")
    return text + "\n" * (not text.endswith("\n")), "".join(
        f"{line.partition(' #')[0].strip()}\n" for line in vcs
    )


def _environment(capture: Capture) -> dict[str, str]:
    """What is set in both ways of building. HOME and what libraries write is below ``/tmp``, the one place that
    a container with a read-only root has to have."""
    common = {
        "PATH": f"{dockerfile.VENV}/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": LIB,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/tmp",  # noqa: S108
        "LOGNAME": "mlops",  # who has no name in /etc/passwd is asked for one
        "MPLCONFIGDIR": "/tmp/matplotlib",  # noqa: S108
    }
    if capture.accelerator:
        common |= {"NVIDIA_VISIBLE_DEVICES": "all", "NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
    if capture.kind == "serving":
        return {**common, "MPLBACKEND": "agg", "MLOPS_SERVING_MODEL": MODEL}
    return {
        **common,
        "IPYTHONDIR": "/tmp/ipython",  # noqa: S108
        "JUPYTER_RUNTIME_DIR": "/tmp/jupyter",  # noqa: S108
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "MLOPS_JOB": f"{APP}/job.json",
    }


def _labels(capture: Capture, lock: str, base: str) -> dict[str, str]:
    base_name, _, base_digest = base.partition("@")
    name, _, version = capture.source.removeprefix("models:/").rpartition("/")
    of_model = {"io.jupyter-mlops.model": name, "io.jupyter-mlops.model.version": version}
    labels = {
        "org.opencontainers.image.title": capture.name,
        "org.opencontainers.image.revision": capture.commit,
        "org.opencontainers.image.version": version if capture.kind == "serving" else "",
        "org.opencontainers.image.base.name": base_name,
        "org.opencontainers.image.base.digest": base_digest,
        "io.jupyter-mlops.version": __version__,
        "io.jupyter-mlops.kind": capture.kind,
        "io.jupyter-mlops.source": capture.source,
        "io.jupyter-mlops.source.digest": capture.source_digest,
        "io.jupyter-mlops.lock.digest": digest_bytes(lock.encode()),
        "io.jupyter-mlops.accelerator": capture.accelerator,
        **(of_model if capture.kind == "serving" else {}),
    }
    return {name: value for name, value in sorted(labels.items()) if value}


def _epoch() -> int:
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return EPOCH
    if not text.isdigit():
        raise InvalidInput(f"SOURCE_DATE_EPOCH is {text!r}, not seconds since 1970")
    return int(text)
