"""What a check found, as a value, and the commands that bring things back in order."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import MlopsError
from ..settings import SETTINGS

State = Literal["ok", "info", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Check:
    """`cure` is a command line for a shell in the workspace's folder; `advice` what no command can do."""

    name: str
    state: State
    message: str
    cure: str = ""
    advice: str = ""

    def to_json(self) -> dict[str, Any]:
        """The check as ``--json`` shows it."""
        return asdict(self)


def of_error(name: str, error: MlopsError, cure: str = "", *, state: State = "problem") -> Check:
    """What an error says; its hint is the cure where it is a command."""
    is_command = error.hint.startswith("pip install ")
    return Check(
        name,
        state,
        error.message,
        cure or (error.hint if is_command else ""),
        "" if is_command else error.hint,
    )


def settings_file(root: Path) -> Path | None:
    """Where the settings of the workspace at `root` stand, if anywhere: the rule of `Settings.load`."""
    return next((path for path in (root / "mlops.toml", root / "pyproject.toml") if path.is_file()), None)


def without_setting(name: str, root: Path, env: Mapping[str, str]) -> str:
    """The command that gives a setting its default again, wherever it was set; "" where an editor must do it."""
    variable = next(setting.variable for setting in SETTINGS if setting.name == name)
    if env.get(variable):
        return f"unset {variable}"
    file = settings_file(root)
    return "" if file is None else without_line(file, name)


def without_line(file: Path, key: str) -> str:
    """The command that comments out the one line in which `key` is set."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    found = [number for number, line in enumerate(lines, 1) if line.partition("=")[0].strip() == key]
    return commented_out(file, found[0]) if len(found) == 1 else ""


def commented_out(file: Path, number: int) -> str:
    """The command that comments out a line, if the file can be read afterwards."""
    return _edited(file, number, "s/^/# /", lambda line: f"# {line}")


def renamed(file: Path, old: str, new: str) -> str:
    """The command that spells a setting's name right; names of settings need no escaping."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    found = [number for number, line in enumerate(lines, 1) if line.partition("=")[0].strip() == old]
    if len(found) != 1 or not old.replace("_", "").replace("-", "").isalnum():
        return ""
    return _edited(file, found[0], f"s/{old}/{new}/", lambda line: line.replace(old, new, 1))


def _edited(file: Path, number: int, script: str, edit: Any) -> str:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    lines[number - 1] = edit(lines[number - 1])
    try:
        tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError:
        return ""
    return f"sed -i.bak {shlex.quote(f'{number}{script}')} {shlex.quote(file.name)}"


def moved_away(path: Path, root: Path, *, also: tuple[str, ...] = ()) -> str:
    """The command that puts a file aside, with those that belong to it (`also`: endings)."""
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    pairs = [shown, *(shown.with_name(shown.name + ending) for ending in also)]
    return " && ".join(
        shlex.join(["mv", str(each), f"{each}.aside"]) for each in pairs if (root / each).exists()
    )
