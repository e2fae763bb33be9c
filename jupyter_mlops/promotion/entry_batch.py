"""``python -m jupyter_mlops.promotion.entry_batch``: what a batch image runs; its notebook, once.

It is made to be a container's first process: SIGTERM interrupts the notebook, which is saved as far as it came,
and the exit code says what happened. The root file system may be read-only and the user anybody, so the
notebook runs in a copy of its folder below ``/tmp``, where it may write what it likes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..blobs import BlobStore
from ..errors import Cancelled, InvalidInput, MlopsError, NotebookFailed, NotFound, StorageUnavailable
from ..kernels import KernelPool, KernelRequest
from ..notebooks import files
from ..notebooks.execute import CancelToken, Limits, NotebookOutcome, Progress, run_cells
from ..notebooks.facts import inspect_source
from ..notebooks.inject import inject, secret_environment, template_path
from ..notebooks.parameters import bind, read_parameters
from ..notebooks.secrets import Mask, resolve
from ..settings import Settings
from . import batch_line

OK, FAILED, BAD_INPUT, STOPPED = 0, 1, 64, 143
JOB = "MLOPS_JOB"
_COPIED_BYTES = 64 << 20  # a data file that is larger is linked, not copied
_TRACEBACK_LINES = 30
_ANSI = re.compile(r"\x1b\[[0-9;]*m")  # colors, which a log does not show


def main(words: Sequence[str] | None = None) -> int:
    """Run the notebook that the image is for; the exit code."""
    token = CancelToken()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Not called in the handler: whoever was interrupted may hold the token's lock.
        signal.signal(number, lambda *_: threading.Thread(target=token.cancel).start())
    env = dict(os.environ)
    for variable in env:
        if variable.startswith((batch_line.PREFIX, "MLOPS_IMAGE_")) or variable == JOB:
            del os.environ[variable]  # they are for us; in the kernel they would be taken for settings
    try:
        return _main(list(sys.argv[1:] if words is None else words), env, token)
    except MlopsError as error:
        _say(error)
        print(json.dumps({"state": "failed", "error": error.to_json()}, default=str), flush=True)  # noqa: T201
        return BAD_INPUT if isinstance(error, InvalidInput | NotFound) else error.exit_code


def _main(words: list[str], env: Mapping[str, str], token: CancelToken) -> int:
    place = Path(env.get(JOB, "job.json"))
    job = read_job(place)
    name = batch_line.choose(words, env, job["notebooks"])
    path = str(job["notebooks"][name])
    project = place.parent / str(job.get("project", "work"))
    nb = files.load_notebook(project / path)
    declared = read_parameters(nb, where=path)
    line = batch_line.read(words, env, declared, path)
    bound = bind(declared, line.arguments, from_text=True, where=path, language=files.language(nb))
    target = _target(template_path(line.output, bound), name)
    _check_folder(line.results)
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        root = Path(folder, "work")
        copy_project(project, root)
        os.environ["PYTHONPATH"] = python_path(job, root)
        nb = inject(nb, bound, input_path=path, output_path=target or None)
        streams = _Streams()
        outcome = _run(nb, bound, root, path, name, target, line.timeout_seconds, token, streams)
    if "://" in target:
        _write(target, files.encode_text(outcome.text))
    if streams.is_mid_line:
        print()  # noqa: T201 - the last line is the answer's alone
    return _tell(outcome, line.notebook, target, line.results)


def read_job(place: Path) -> dict[str, Any]:
    """What the image says of itself: its notebooks, its import paths."""
    try:
        job: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotFound(f"there is no {place} that says what to run: {error}") from error
    return job


def copy_project(source: Path, target: Path) -> None:
    """The folder anew, where it can be written to; large files by links."""

    def copy(one: str, other: str) -> None:
        if os.path.getsize(one) > _COPIED_BYTES:
            os.symlink(one, other)
        else:
            shutil.copyfile(one, other)

    try:
        shutil.copytree(source, target, copy_function=copy)
        for folder, _, _ in os.walk(target):
            os.chmod(folder, 0o700)
    except (OSError, shutil.Error) as error:
        raise StorageUnavailable(
            f"cannot copy the notebook's folder to {target}: {error}", hint="mount a writable /tmp"
        ) from error


def python_path(job: Mapping[str, Any], root: Path) -> str:
    """Where Python finds modules, when the project is at `root`."""
    paths = [str(root / one) for one in job.get("import_paths", ())]
    return os.pathsep.join([*paths, *filter(None, [os.environ.get("PYTHONPATH")])])


def _run(
    nb: files.Notebook,
    bound: Mapping[str, Any],
    root: Path,
    path: str,
    name: str,
    target: str,
    timeout_seconds: float | None,
    token: CancelToken,
    streams: Progress,
) -> NotebookOutcome:
    cwd = (root / path).parent
    os.environ.setdefault("MLOPS_BLOBS", _blobs_beside(target, root))
    settings = Settings.load(root)
    blobs = BlobStore(settings.blobs, settings.blob_options)
    secrets = {
        variable: resolve(secret, env=os.environ) for variable, secret in secret_environment(bound).items()
    }
    facts = inspect_source(nb, cwd)
    request = KernelRequest(
        kernel_name=files.kernel_name(nb),
        language=files.language(nb),
        cwd=cwd,
        env={
            "MLOPS_ROOT": str(root),
            "MLOPS_BLOBS": blobs.url,
            "MLOPS_BLOB_OPTIONS": json.dumps(dict(settings.blob_options)),
            "MLOPS_RUN_ID": os.environ.get("MLOPS_RUN_ID") or f"image-{uuid.uuid4().hex[:12]}",
            "MLOPS_TASK": os.environ.get("MLOPS_TASK") or name,
            "MLOPS_NOTEBOOK": path,
            **secrets,
        },
        preload=facts.preload,
        is_bare=facts.sets_environment,
        isolation="cold" if settings.isolation == "cold" else "warm",
    )
    with KernelPool(size=0) as pool:
        return run_cells(
            nb,
            pool=pool,
            request=request,
            output=Path(target) if target and "://" not in target else None,
            limits=Limits(timeout_seconds=timeout_seconds, output_bytes=settings.output_limit_bytes),
            mask=Mask(secrets.values()),
            blobs=blobs,
            progress=streams,
            cancel=token,
        )


class _Streams(Progress):
    """What cells print is what the container prints."""

    is_mid_line = False

    def streamed(self, cell: int, name: str, text: str) -> None:
        file = sys.stderr if name == "stderr" else sys.stdout
        file.write(text)
        file.flush()
        if file is sys.stdout and text:
            self.is_mid_line = not text.endswith("\n")


# --- where things go ----------------------------------------------------------------------------------------


def _target(output: str, name: str) -> str:
    """The file or URL of the executed notebook, "" for none."""
    if not output:
        return ""
    if output.endswith("/") or ("://" not in output and Path(output).is_dir()):
        output = f"{output.rstrip('/')}/{name}.ipynb"
    _check_folder(output)
    return output


def _check_folder(path: str) -> None:
    """Whether a file can be written, before hours go into it."""
    if not path or "://" in path:
        return
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise NotFound(f"there is no folder {folder} in the container", hint="mount one, or write below /tmp")
    if not os.access(folder, os.W_OK):
        raise InvalidInput(
            f"user {os.getuid()} may not write to {folder}", hint="mount it writable for that user, or --user"
        )


def _blobs_beside(target: str, root: Path) -> str:
    """Where artifacts go when nobody says: with the executed notebook, else they end with the container."""
    if not target:
        return str(root.parent / "blobs")
    return (
        f"{target.rpartition('/')[0] or '.'}/blobs"
        if "://" in target
        else str(Path(target).absolute().parent / "blobs")
    )


def _write(target: str, content: bytes) -> None:
    try:
        if "://" not in target:
            Path(target).write_bytes(content)
            return
        import fsspec

        with fsspec.open(target, "wb") as file:
            file.write(content)
    except (OSError, ValueError, ImportError) as error:
        raise StorageUnavailable(f"cannot write {target}: {error}") from error


# --- what came of it ----------------------------------------------------------------------------------------


def _tell(outcome: NotebookOutcome, notebook: str, target: str, results: str) -> int:
    error = outcome.error
    is_stopped = isinstance(error, Cancelled)
    told = {
        "state": "succeeded" if error is None else "cancelled" if is_stopped else "failed",
        "notebook": notebook,
        "output": target,
        "results": dict(outcome.results),
        "artifacts": {name: dict(artifact) for name, artifact in outcome.artifacts.items()},
        "duration_seconds": round(outcome.duration_seconds, 3),
        "peak_memory_bytes": outcome.peak_memory_bytes,
        "cpu_seconds": outcome.cpu_seconds,
        "error": None if error is None else error.to_json(),
    }
    text = json.dumps(told, ensure_ascii=False, default=str)
    if error is not None:
        _say(error)
    if results:
        _write(results, f"{text}\n".encode("utf-8", "surrogatepass"))
    print(text, flush=True)  # noqa: T201 - this is its answer
    if error is None:
        return OK
    return STOPPED if is_stopped else BAD_INPUT if isinstance(error, InvalidInput) else error.exit_code


def _say(error: MlopsError) -> None:
    lines = [f"error: {error.message}"]
    if isinstance(error, NotebookFailed):
        lines += _ANSI.sub("", str(error.fields.get("traceback", ""))).splitlines()[-_TRACEBACK_LINES:]
    print("\n".join([*lines, *([f"hint: {error.hint}"] if error.hint else [])]), file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
