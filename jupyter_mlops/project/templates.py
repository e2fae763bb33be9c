"""What `init` writes: real files of ``template/``, copied; in texts, ``{{name}}`` and two more marks are filled in.

Nothing of a template is executed, and nothing but the three marks is replaced. What an example has in common with the
others lies in ``common/``. The flights example is that of the repository: in a clone it is taken from there, and
`hatch_build.py` puts a copy into the wheel.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..errors import Conflict, NotFound, StorageUnavailable, did_you_mean

EXAMPLES = ("plain", "churn", "flights", "timeseries")
_TEMPLATES = Path(__file__).with_name("template")
_REPOSITORY = Path(__file__).parents[2] / "notebooks"
_TEXTS = (".md", ".yaml", ".yml", ".toml", ".txt", ".json")
_KEPT_BACK = ("about.md",)  # goes into the README
_COPIED = (".ipynb", ".py", ".yaml")  # of the flights example: not what running it leaves there
_SCHEMA = re.compile(r"^# yaml-language-server:.*\n", re.MULTILINE)


def project_files(folder: str, example: str = "plain") -> dict[str, bytes]:
    """Relative path → content of each file of a project in a directory of that name; what comes first is looked at
    first. Raises `NotFound` for an example that is not there."""
    if example not in EXAMPLES:
        raise NotFound(f"there is no example {example!r}", hint=did_you_mean(example, EXAMPLES))
    own = _TEMPLATES / example
    marks = {
        "name": pipeline_name(folder),
        "about": (own / "about.md").read_text(encoding="utf-8"),
        "requirements": (own / "requirements.txt").read_text(encoding="utf-8"),
    }
    found = {**_files(_TEMPLATES / "common"), **_files(own)}
    if example == "flights" and not (own / "pipeline.yaml").is_file():
        found |= _files(_REPOSITORY / "flights", _COPIED)
    made = {_plain(name): _filled(path, marks) for name, path in found.items() if name not in _KEPT_BACK}
    return dict(sorted(made.items(), key=lambda item: (item[0] != "pipeline.yaml", item[0])))


def write_project(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write the files below `folder`, all or none; what exists is not touched. Raises `Conflict`."""
    paths = {folder / name: content for name, content in files.items()}
    taken = [path for path in paths if path.exists() or path.is_symlink()]
    if taken:
        raise Conflict(
            f"{', '.join(map(str, taken))}: there already",
            hint="choose an empty directory: nothing is overwritten",
        )
    written: list[Path] = []
    try:
        for path, content in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                written.append(path)
                file.write(content)
    except OSError as error:
        for done in written:
            done.unlink(missing_ok=True)
        raise StorageUnavailable(f"cannot write {path}: {error.strerror or error}") from error
    return written


def pipeline_name(folder: str) -> str:
    """The nearest thing to a directory's name that a pipeline may be called."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder).strip("-_")
    return name if name[:1].isalpha() else f"pipeline-{name}".rstrip("-")


def _files(folder: Path, endings: tuple[str, ...] = ()) -> dict[str, Path]:
    def walk() -> Iterator[Path]:
        for path in folder.glob("*") if endings else folder.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
                yield path

    return {
        path.relative_to(folder).as_posix(): path for path in walk() if not endings or path.suffix in endings
    }


def _plain(name: str) -> str:
    """``dot_github/…`` → ``.github/…``: in a package, files that begin with a dot are easily left out."""
    return "/".join(re.sub(r"^dot_", ".", part) for part in name.split("/"))


def _filled(path: Path, marks: Mapping[str, str]) -> bytes:
    content = path.read_bytes()
    if path.suffix not in _TEXTS:
        return content
    text = _SCHEMA.sub("", content.decode("utf-8"))
    for name, value in marks.items():
        text = text.replace("{{" + name + "}}", value)
    if path.suffix == ".json":
        json.loads(text)  # a mark that breaks it must not get out
    return text.encode()
