"""How commands are found, how they show their help, and how they end when something is wrong.

Every error leaves by one door, `Group.main`: a line that says what is wrong, a line that says how to mend it,
and the exit code that the error's class carries. A traceback shows only with ``--debug``. With ``--json`` the
same stands on stdout as ``{"error": …}``.
"""

from __future__ import annotations

import importlib
import json
import keyword
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from .._version import __version__
from ..errors import MlopsError, did_you_mean

PROGRAM = "jupyter mlops"
COMPLETE_VARIABLE = "_JUPYTER_MLOPS_COMPLETE"
_INTERRUPTED = 130
_TRACEBACK_LINES = 15


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: its name, the module that holds a function of that name, a section of the help, one line."""

    name: str
    module: str
    section: str
    help: str


class Command(click.Command):
    """A command whose help ends with examples, ``(comment, command line)`` each."""

    def __init__(self, *args: Any, examples: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", {"help_option_names": ["-h", "--help"]})
        super().__init__(*args, **kwargs)
        self.examples = examples
        self.params.append(
            click.Option(["--debug"], is_flag=True, expose_value=False, help="Show tracebacks of errors.")
        )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, as they are typed."""
        if self.examples:
            with formatter.section("Examples"):
                for i, (comment, line) in enumerate(self.examples):
                    formatter.write(f"{chr(10) if i else ''}  # {comment}\n  {line}\n")


def command(*, name: str, examples: Sequence[tuple[str, str]]) -> Callable[[Callable[..., Any]], Command]:
    """Declare a command; its function's docstring is its help."""
    return click.command(name=name, cls=Command, examples=examples)


class Group(click.Group):
    """The commands of a table, each imported when it is asked for."""

    def __init__(self, *, name: str, package: str, entries: Sequence[Entry], help: str) -> None:  # noqa: A002
        super().__init__(name=name, help=help, context_settings={"help_option_names": ["-h", "--help"]})
        self.package = package
        self.entries: Mapping[str, Entry] = {entry.name: entry for entry in entries}
        self.params += [
            click.Option(["--debug"], is_flag=True, expose_value=False, help="Show tracebacks of errors."),
            click.Option(
                ["--version"],
                is_flag=True,
                expose_value=False,
                is_eager=True,
                callback=_version,
                help="Tell the version.",
            ),
        ]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the table's order."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f".{entry.module}", self.package)
        found = getattr(module, entry.name + "_" * keyword.iskeyword(entry.name))
        assert isinstance(found, click.Command)  # noqa: S101 - the table is ours
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say which command was meant."""
        word = args[0]
        if word not in self.entries and not ctx.resilient_parsing and not word.startswith("-"):
            raise UnknownCommand(word, did_you_mean(word, self.entries))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table by sections; no command's module is imported for that."""
        width = max(len(name) for name in self.entries)
        for section in dict.fromkeys(entry.section for entry in self.entries.values()):
            rows = [(e.name.ljust(width), e.help) for e in self.entries.values() if e.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands by the table, since a shell that waits is worse than none."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        found = (entry for entry in self.entries.values() if entry.name.startswith(incomplete))
        return [CompletionItem(entry.name, help=entry.help) for entry in found]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """How to begin."""
        with formatter.section("Begin with"):
            formatter.write(f"  {PROGRAM} init demo && cd demo && {PROGRAM} run\n")

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        **extra: Any,
    ) -> NoReturn:
        """Run a command line; exits with its code whatever happens."""
        words = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        flags = words[: words.index("--")] if "--" in words else words
        is_json, is_debug = bool({"--json", "--json-events"} & set(flags)), "--debug" in flags
        try:
            result = super().main(words, PROGRAM, complete_var or COMPLETE_VARIABLE, **extra)
            code = result if isinstance(result, int) else 0
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads: not worth a word
            code = 1
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message())
            code = error.exit_code
        except (KeyboardInterrupt, click.Abort):
            click.echo("interrupted", err=True)
            code = _INTERRUPTED
        except Exception as error:  # noqa: BLE001 - the one door for all of them
            if is_debug:
                traceback.print_exc()
            code = report(error, is_json=is_json)
        sys.exit(code)


class UnknownCommand(click.UsageError):
    """A word that is no command, with the one that was perhaps meant."""

    def __init__(self, word: str, hint: str) -> None:
        super().__init__(f"there is no command {word!r}")
        self.hint = hint or f"see `{PROGRAM} --help`"


class Subcommands(click.Group):
    """Commands behind a command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they were added."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say which command was meant."""
        word = args[0]
        if word not in self.commands and not ctx.resilient_parsing and not word.startswith("-"):
            raise UnknownCommand(f"{self.name} {word}", did_you_mean(word, self.commands))
        return super().resolve_command(ctx, args)


class Listing(Subcommands):
    """Commands behind a command; without one, its ``list``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """No command, or only options: ``list``."""
        if (not args or args[0].startswith("-")) and not {"-h", "--help"} & set(args):
            args = ["list", *args]
        return super().parse_args(ctx, args)


def describe(error: Exception) -> tuple[dict[str, Any], int]:
    """What ``--json`` says of an error, and the exit code."""
    if isinstance(error, MlopsError):
        return error.to_json(), error.exit_code
    if isinstance(error, click.NoSuchOption):
        known = (
            [name for p in error.ctx.command.get_params(error.ctx) for name in p.opts] if error.ctx else []
        )
        hint = (
            did_you_mean(error.option_name, known) if len(known) > 12 else _nearest(error.option_name, known)
        )
        return _usage(f"there is no option {error.option_name}", hint or _see_help(error)), 2
    if isinstance(error, click.UsageError):
        return _usage(error.format_message(), getattr(error, "hint", "") or _see_help(error)), 2
    if isinstance(error, click.ClickException):
        return _usage(error.format_message(), ""), error.exit_code
    if isinstance(error, OSError):
        return {"code": "os_error", "message": str(error), "hint": ""}, 1
    hint = "this is a bug in jupyter-mlops; --debug shows where"
    return {"code": "unexpected", "message": f"{type(error).__name__}: {error}", "hint": hint}, 1


def _usage(message: str, hint: str) -> dict[str, Any]:
    return {"code": "usage", "message": message.rstrip("."), "hint": hint}


def _nearest(word: str, known: Sequence[str]) -> str:
    hint = did_you_mean(word, known)
    return hint if hint.startswith("did") else ""


def _see_help(error: click.UsageError) -> str:
    return f"see `{error.ctx.command_path if error.ctx else PROGRAM} --help`"


def report(error: Exception, *, is_json: bool) -> int:
    """Say what is wrong, on stderr, or on stdout with ``--json``; return the exit code."""
    body, code = describe(error)
    problems = [p if isinstance(p, Mapping) else p.to_json() for p in body.get("problems", ())]
    if is_json:
        body = {**body, "problems": problems} if problems else body
        click.echo(json.dumps({"error": body}, ensure_ascii=False, default=str))
        return code
    message = str(body["message"])
    if problems:  # the message repeats them: its first line is the headline, if it is not one of them
        lines = {line for problem in problems for line in str(problem["message"]).splitlines()}
        first = message.splitlines()[0]
        message = (
            first
            if not any(line in first for line in lines)
            else "1 problem"
            if len(problems) == 1
            else f"{len(problems)} problems"
        )
    click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True)
    for problem in problems:
        where = f"{click.style(problem['where'], bold=True)}: " if problem.get("where") else ""
        sign = click.style("⚠" if problem.get("severity") == "warning" else "✘", fg="red")
        click.echo(f"  {sign} {where}{problem['message']}", err=True)
        if problem.get("hint"):
            click.echo(click.style(f"    {problem['hint']}", dim=True), err=True)
    for line in str(body.get("traceback") or "").splitlines()[-_TRACEBACK_LINES:]:
        click.echo(f"  {line}", err=True)
    if body.get("hint"):
        click.echo(f"{click.style('hint:', fg='cyan')} {body['hint']}", err=True)
    return code


def _version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"jupyter-mlops {__version__}")
        ctx.exit()
