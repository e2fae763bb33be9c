"""Conditions: the closed grammar of ``when``.

Parsed, never evaluated as Python: comparisons, ``and``, ``or``, ``not``, parentheses, literals, lists and
references, and nothing else, so that a condition is safe, says where it is wrong before anything runs, and
can be translated by exporters, which walk the same small tree. ::

    or         and ("or" and)*
    and        not ("and" not)*
    not        "not" not | comparison
    comparison operand (("==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in") operand)?
    operand    literal | reference | "[" operand, … "]" | "(" or ")"
    literal    12 | -1.5e3 | 'text' | "text" | true | false | null
    reference  tasks.compare.results.best, with or without ${…}
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from numbers import Real
from typing import Any

from ..errors import InvalidInput, NotFound
from .references import Lookup, Reference, parse_reference


@dataclass(frozen=True, slots=True)
class Value:
    """A literal: number, text, truth value or None."""

    value: Any


@dataclass(frozen=True, slots=True)
class Named:
    """A reference."""

    reference: Reference


@dataclass(frozen=True, slots=True)
class ListOf:
    """``[a, b]``."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """`operator` is one of ``== != < <= > >= in``, ``not in``."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class And:
    """All of them; the first that does not hold ends it."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them; the first that holds ends it."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    item: Expression


Expression = Value | Named | ListOf | Compare | And | Or | Not

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<reference>\$\{[^{}]*\}|\b(?:tasks|params|matrix|item|run)\b(?:\.[A-Za-z_][A-Za-z0-9_-]*|\[[^\[\]]*\])*)
    | (?P<number>[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?(?![A-Za-z0-9_.]))
    | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<mark>==|!=|<=|>=|<|>|\(|\)|\[|\]|,)
    )""",
    re.VERBOSE | re.DOTALL,
)
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in")
_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}
_KEYWORDS = ("and", "or", "not", "in")
_MISTAKES = {
    "&&": "write 'and'", "||": "write 'or'", "!": "write 'not'", "=": "write '==' to compare",
    "&": "write 'and'", "|": "write 'or'", "AND": "write 'and'", "OR": "write 'or'", "NOT": "write 'not'",
    "is": "write '=='", "+": "compute it in a notebook and compare the result",
    "*": "compute it in a notebook and compare the result",
    "/": "compute it in a notebook and compare the result",
    "-": "compute it in a notebook and compare the result",
    "'": "the text is not closed", '"': "the text is not closed", "$": "a reference is written ${…}",
}  # fmt: skip
_MAX_DEPTH = 50


def _wrong(text: str, position: int, message: str, hint: str = "") -> InvalidInput:
    return InvalidInput(f"condition {text!r}, at character {position + 1}: {message}", hint=hint)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def _tokens(text: str) -> list[_Token]:
    tokens, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            mistake = text[start : start + 2] if text[start : start + 2] in _MISTAKES else text[start]
            raise _wrong(text, start, f"{mistake!r} has no meaning here", _MISTAKES.get(mistake, ""))
        kind = match.lastgroup or ""
        tokens.append(_Token(kind, match.group(kind), match.start(kind)))
        position = match.end()
    return [*tokens, _Token("end", "the end", len(text))]


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, text: str) -> None:
        self.text, self.tokens, self.next, self.depth = text, _tokens(text), 0, 0  # depth: open brackets

    def whole(self) -> Expression:
        expression = self.either()
        token = self.tokens[self.next]
        if token.kind != "end":
            hint = _MISTAKES.get(token.text, "")
            if token.text in _COMPARISONS:
                hint = "comparisons do not chain: write a < b and b < c"
            raise _wrong(self.text, token.position, f"{token.text!r} is one too many", hint)
        return expression

    def take(self, *wanted: str) -> bool:
        token = self.tokens[self.next]
        if token.kind in ("word", "mark") and token.text in wanted:
            self.next += 1
            return True
        return False

    def either(self) -> Expression:
        items = [self.both()]
        while self.take("or"):
            items.append(self.both())
        return items[0] if len(items) == 1 else Or(tuple(items))

    def both(self) -> Expression:
        items = [self.negation()]
        while self.take("and"):
            items.append(self.negation())
        return items[0] if len(items) == 1 else And(tuple(items))

    def negation(self) -> Expression:
        count = 0
        while self.take("not"):
            count += 1
        expression = self.comparison()
        for _ in range(count if count <= _MAX_DEPTH else count % 2):
            expression = Not(expression)
        return expression

    def comparison(self) -> Expression:
        left = self.operand()
        token = self.tokens[self.next]
        if self.take(*_COMPARISONS):
            return Compare(token.text, left, self.operand())
        if token.text == "not" and token.kind == "word" and self.tokens[self.next + 1].text == "in":
            self.next += 2
            return Compare("not in", left, self.operand())
        return left

    def operand(self) -> Expression:
        token = self.tokens[self.next]
        if self.take("(", "["):
            self.depth += 1
            if self.depth > _MAX_DEPTH:
                raise _wrong(self.text, token.position, "nested too deeply")
            inner = self.listing() if token.text == "[" else self.either()
            self.close("]" if token.text == "[" else ")", token)
            self.depth -= 1
            return inner
        self.next += 1
        if token.kind == "number":
            return Value(self.number(token))
        if token.kind == "text":
            return Value(re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL))
        if token.kind == "word" and token.text in _CONSTANTS:
            return Value(_CONSTANTS[token.text])
        if token.kind == "reference":
            inside = token.text[2:-1] if token.text.startswith("${") else token.text
            try:
                return Named(parse_reference(inside))
            except InvalidInput as error:
                raise _wrong(self.text, token.position, error.message, error.hint) from None
        hint = _MISTAKES.get(token.text, "")
        if token.kind == "word" and token.text not in _KEYWORDS and not hint:
            hint = f"text is quoted: '{token.text}'; a parameter is params.{token.text}"
        raise _wrong(self.text, token.position, f"a value is missing; found {token.text!r}", hint)

    def listing(self) -> Expression:
        items: list[Expression] = []
        while self.tokens[self.next].text != "]":
            items.append(self.operand())
            if not self.take(","):
                break
        return ListOf(tuple(items))

    def number(self, token: _Token) -> int | float:
        if re.fullmatch(r"[-+]?[0-9]{1,4000}", token.text):
            return int(token.text)
        number = float(token.text)
        if math.isinf(number):
            raise _wrong(self.text, token.position, "the number is too large")
        return number

    def close(self, mark: str, opening: _Token) -> None:
        token = self.tokens[self.next]
        if not self.take(mark):
            raise _wrong(
                self.text,
                token.position,
                f"{opening.text!r} is not closed; found {token.text!r}",
                _MISTAKES.get(token.text, ""),
            )


@lru_cache(maxsize=65536)
def parse(text: str) -> Expression:
    """The tree of a condition; `InvalidInput` says at which character it is wrong and what to write."""
    if not text.strip():
        raise InvalidInput("the condition is empty", hint="leave `when` out, or write a comparison")
    return _Parser(text).whole()


def references_in(expression: Expression) -> Iterator[Reference]:
    """Every reference, from left to right."""
    match expression:
        case Named(reference):
            yield reference
        case ListOf(items) | And(items) | Or(items):
            for item in items:
                yield from references_in(item)
        case Compare(_, left, right):
            yield from references_in(left)
            yield from references_in(right)
        case Not(item):
            yield from references_in(item)


def to_text(expression: Expression) -> str:
    """The condition written in the grammar; ``parse(to_text(e)) == e``."""
    match expression:
        case Value(str() as text):
            return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case Value(value):
            return json.dumps(value)
        case Named(reference):
            return f"${{{reference}}}"
        case ListOf(items):
            return f"[{', '.join(_inner(item) for item in items)}]"
        case Compare(sign, left, right):
            return f"{_inner(left)} {sign} {_inner(right)}"
        case And(items):
            return " and ".join(_inner(item) for item in items)
        case Or(items):
            return " or ".join(_inner(item) for item in items)
        case Not(item):
            return f"not {_inner(item)}"


def _inner(expression: Expression) -> str:
    text = to_text(expression)
    return text if isinstance(expression, Value | Named | ListOf) else f"({text})"


def evaluate(expression: Expression, lookup: Lookup) -> bool:
    """Whether the condition holds. What is neither true nor false, and comparisons that make no sense
    (text with a number), are `InvalidInput`; null alone counts as false."""
    match expression:
        case And(items):
            return all(evaluate(item, lookup) for item in items)
        case Or(items):
            return any(evaluate(item, lookup) for item in items)
        case Not(item):
            return not evaluate(item, lookup)
        case Compare(sign, left, right):
            return _compare(sign, left, right, lookup)
        case _:
            value = _value(expression, lookup)
            if value is None or isinstance(value, bool):
                return bool(value)
            hint = f"compare it, for example {to_text(expression)} == {_shown(value)}"
            raise InvalidInput(f"{to_text(expression)} is {_shown(value)}, neither true nor false", hint=hint)


def _value(expression: Expression, lookup: Lookup) -> Any:
    match expression:
        case Value(value):
            return value
        case Named(reference):
            return lookup(reference)
        case ListOf(items):
            return [_value(item, lookup) for item in items]
        case _:
            return evaluate(expression, lookup)


def _compare(sign: str, left: Expression, right: Expression, lookup: Lookup) -> bool:
    one, other = _value(left, lookup), _value(right, lookup)
    if sign in ("in", "not in"):
        is_text = isinstance(one, str) and isinstance(other, str)
        if not (is_text or isinstance(other, list | tuple | set | frozenset | Mapping)):
            raise InvalidInput(f"{_shown(other)} is no list, so nothing can be in it ({to_text(right)})")
        return (one in list(other) if not is_text else one in other) is (sign == "in")
    if sign in ("==", "!="):
        return bool(_same(one, other)) is (sign == "==")
    if not _has_order(one, other):
        empty = next((to_text(side) for side, value in ((left, one), (right, other)) if value is None), "")
        hint = f"{empty} is null: test {empty} != null first" if empty else "compare numbers with numbers"
        raise InvalidInput(f"{_shown(one)} {sign} {_shown(other)} has no answer", hint=hint)
    try:
        return bool(_ORDERS[sign](one, other))
    except TypeError as error:  # a time with a zone and one without
        raise InvalidInput(f"{_shown(one)} {sign} {_shown(other)} has no answer: {error}") from error


def _same(one: Any, other: Any) -> bool:
    """Equality in which a truth value is no number: ``true == 1`` is false, as in JSON."""
    if isinstance(one, bool) is not isinstance(other, bool):
        return False
    return bool(one == other)


def _has_order(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    if isinstance(one, Real) and isinstance(other, Real):
        return True
    if isinstance(one, datetime) or isinstance(other, datetime):
        return isinstance(one, datetime) and isinstance(other, datetime)
    return any(isinstance(one, kind) and isinstance(other, kind) for kind in (str, date))


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…"


def explain(expression: Expression, lookup: Lookup) -> str:
    """The condition and the values that it saw, for people: ``compare.winner == "a" (compare.winner = "b")``."""
    seen = []
    text = to_text(expression)
    for reference in dict.fromkeys(references_in(expression)):
        name = _spoken(reference)
        text = text.replace(f"${{{reference}}}", name)
        try:
            seen.append(f"{name} = {_shown(lookup(reference))}")
        except (InvalidInput, NotFound):
            continue  # it stands behind an `and` or `or` that was decided without it
    return f"{text} ({', '.join(seen)})" if seen else text


def _spoken(reference: Reference) -> str:
    """``tasks.compare.results.winner`` as ``compare.winner``: the rest is the grammar's business."""
    return str(reference).removeprefix("tasks.").replace(".results.", ".", 1)
