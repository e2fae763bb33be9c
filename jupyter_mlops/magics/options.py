"""The one grammar of our magics: ``NAME … --option value --pair key=value --flag``.

Words are parted at spaces, but not within quotes or brackets, so that an expression is written as it is:
``--metric auc=roc_auc_score(y, model.predict(X))``. What a word means depends on its place: an *expression* is
evaluated in the notebook, a *text* is itself, without its quotes, and ``{expression}`` in it stands for its value.
Nothing is looked up or done here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import InvalidInput, did_you_mean

Kind = Literal["text", "expression", "flag"]
_CLOSES = {"(": ")", "[": "]", "{": "}"}
_INSERTED = re.compile(r"\{([^{}]+)\}")
_PAIR = re.compile(r"([A-Za-z_][\w.-]*)=(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """A word by its place. The `rest` of the line may be one argument, spaces and all. `completes` names what
    Tab offers: ``models``, ``aliases``, …; see `completion`."""

    name: str
    help: str
    kind: Kind = "text"
    is_required: bool = True
    takes_rest: bool = False
    completes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """``--name``. A `pair` is ``key=value``; with `is_two_words` it may also be ``key value``. What `is_repeated`
    is gathered in a list, pairs always in a mapping."""

    name: str
    help: str
    kind: Kind = "text"
    short: str = ""
    value: str = ""  # what help calls it
    is_pair: bool = False
    is_two_words: bool = False
    is_repeated: bool = False
    choices: Sequence[str] = ()
    completes: str = ""

    @property
    def attribute(self) -> str:
        """The key under which its value is found."""
        return self.name.replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Syntax:
    """What a magic takes."""

    arguments: Sequence[Argument] = ()
    options: Sequence[Option] = ()

    def usage(self) -> str:
        """``NAME [EXPRESSION] [options]``."""
        words = [one.name if one.is_required else f"[{one.name}]" for one in self.arguments]
        return " ".join([*words, *(["[options]"] if self.options else [])])

    def option(self, word: str) -> Option:
        """The option that ``--name`` or ``-n`` is; `InvalidInput` with the nearest one."""
        for one in self.options:
            if word in (f"--{one.name}", f"-{one.short}" if one.short else ""):
                return one
        known = [f"--{one.name}" for one in self.options]
        hint = did_you_mean(word, known) if known else "it takes no options"
        raise InvalidInput(f"there is no option {word}", hint=hint)


@dataclass(frozen=True, slots=True)
class Given:
    """A line, read: words by the argument's name, values by the option's."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or `default` when it was not given."""
        return self.values.get(name, default)

    def has(self, name: str) -> bool:
        """Whether it was given."""
        return name in self.values


def read(syntax: Syntax, line: str, evaluate: Callable[[str], Any]) -> Given:
    """The arguments and options of a line; `InvalidInput` says which word is wrong.

    All words are understood before the first expression is evaluated, so that a slip costs nothing.
    """
    words, waiting = split(line), list(syntax.arguments)
    found: list[tuple[Argument | Option, str]] = []
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if is_option(word) and not (waiting and waiting[0].takes_rest and _starts_number(word.text)):
            option, value, place = _option(syntax, words, place)
            found.append((option, value))
        elif not waiting:
            known = ", ".join(one.name for one in syntax.arguments) or "no arguments"
            raise InvalidInput(f"{word.text!r} is one word too many", hint=f"it takes {known}")
        elif waiting[0].takes_rest:
            found.append((waiting.pop(0), line[word.start :].strip()))
            break
        else:
            found.append((waiting.pop(0), word.text))
    for missing in waiting:
        if missing.is_required:
            raise InvalidInput(f"{missing.name} is missing", hint=f"usage: {syntax.usage()}")
    return Given(_values(found, evaluate))


def _option(syntax: Syntax, words: Sequence[Word], place: int) -> tuple[Option, str, int]:
    """The option at `place` - 1 with its value, and the place after it."""
    name, has_value, value = words[place - 1].text.partition("=")
    option = syntax.option(name)
    if option.kind == "flag":
        if has_value:
            raise InvalidInput(f"--{option.name} takes no value")
        return option, "", place
    if not has_value:
        if place >= len(words):
            raise InvalidInput(f"--{option.name} needs a value", hint=_shape(option))
        value, place = words[place].text, place + 1
    if option.is_pair and option.is_two_words and not _PAIR.fullmatch(value):
        if place >= len(words):
            raise InvalidInput(f"--{option.name} {value} needs a value", hint=_shape(option))
        value, place = f"{value}={words[place].text}", place + 1
    if option.is_pair and not _PAIR.fullmatch(value):
        raise InvalidInput(f"--{option.name} {value}: that is no key=value", hint=_shape(option))
    if option.choices and unquoted(value) not in option.choices:
        near = did_you_mean(unquoted(value), option.choices)
        raise InvalidInput(
            f"--{option.name} takes {', '.join(option.choices)}, not {value}",
            hint=near if near.startswith("did you mean") else "",
        )
    return option, value, place


def _values(found: Sequence[tuple[Argument | Option, str]], evaluate: Callable[[str], Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for one, text in found:
        if isinstance(one, Argument):
            values[one.name.lower()] = _value(one.kind, text, evaluate)
        elif one.kind == "flag":
            values[one.attribute] = True
        elif one.is_pair:
            key, _, value = text.partition("=")
            values.setdefault(one.attribute, {})[key] = _value(one.kind, value, evaluate)
        elif one.is_repeated:
            values.setdefault(one.attribute, []).append(_value(one.kind, text, evaluate))
        else:
            values[one.attribute] = _value(one.kind, text, evaluate)
    return values


def _value(kind: Kind, text: str, evaluate: Callable[[str], Any]) -> Any:
    if kind == "expression":
        return evaluate(text)
    return _INSERTED.sub(lambda found: str(evaluate(found[1])), unquoted(text))


def _shape(option: Option) -> str:
    return f"--{option.name} {shape(option)}"


def shape(option: Option) -> str:
    """What stands after the option in a help text."""
    if option.kind == "flag":
        return ""
    if option.choices:
        return "|".join(option.choices)
    word = option.value or ("EXPRESSION" if option.kind == "expression" else "TEXT")
    return f"KEY={word}" if option.is_pair else word


# --- words ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of the line, as it stands there, and where it begins."""

    text: str
    start: int


def is_option(word: Word) -> bool:
    """Whether a word is ``--name`` or ``-n``, and not a negative number."""
    return bool(re.match(r"--[A-Za-z]|-[A-Za-z](?:=|$)", word.text))


def _starts_number(text: str) -> bool:
    return bool(re.match(r"-[\d.(A-Za-z]", text)) and not text.startswith("--")


def split(line: str, *, is_partial: bool = False) -> list[Word]:
    """The words of a line. A quote or bracket that is left open is `InvalidInput`, unless the line `is_partial`."""
    words: list[Word] = []
    open_brackets: list[str] = []
    start, quote, place = -1, "", 0
    while place < len(line):
        character = line[place]
        if quote:
            if character == "\\":
                place += 1
            elif character == quote:
                quote = ""
        elif character.isspace() and not open_brackets:
            if start >= 0:
                words.append(Word(line[start:place], start))
                start = -1
        else:
            start = place if start < 0 else start
            if character in "\"'":
                quote = character
            elif character in _CLOSES:
                open_brackets.append(_CLOSES[character])
            elif open_brackets and character == open_brackets[-1]:
                open_brackets.pop()
        place += 1
    if (quote or open_brackets) and not is_partial:
        raise InvalidInput(f"{line[start:].strip()}: {quote or open_brackets[-1]!r} is missing at its end")
    if start >= 0:
        words.append(Word(line[start:], start))
    return words


def unquoted(text: str) -> str:
    """A text without the quotes round it."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        try:
            return str(ast.literal_eval(text))
        except (SyntaxError, ValueError):
            return text[1:-1]
    return text
