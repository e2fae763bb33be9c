"""One question as a row of plain ipywidgets: the control that suits its type, its help, its error.

What is entered is read by the same code that reads a command line, so that form, ``-p`` and pipeline agree.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from html import escape
from typing import Any, Final

import ipywidgets as widgets

from .. import encoding
from ..errors import InvalidInput
from ..notebooks.declarations import Expression
from ..notebooks.kinds import Bounds, Kind
from ..notebooks.secrets import SecretReference
from .questions import Question

_MOST_STEPS = 200  # of a slider; more cannot be aimed at
_WIDTH, _LABEL = "430px", "150px"


class NotGiven:
    """Nothing was entered: the default stands, as far as there is one."""

    def __repr__(self) -> str:
        return "NOT_GIVEN"


NOT_GIVEN: Final = NotGiven()


@dataclass(frozen=True, slots=True)
class _Control:
    """A widget, and how what it holds becomes (value, whether it is text) or `NOT_GIVEN`."""

    widget: Any
    read: Callable[[Any], tuple[Any, bool] | NotGiven]


class Field:
    """A question and its control; `box` is what is shown."""

    def __init__(self, question: Question) -> None:
        self.question = question
        control = _control(question)
        self.widget, self._read = control.widget, control.read
        self.widget.description = f"{question.name} *" if question.is_required else question.name
        self.widget.style.description_width = _LABEL
        self.widget.layout.width = _WIDTH
        self.widget.description_allow_html = False
        self.widget.tooltip = question.help or str(question.kind)
        self._untouched = self.widget.value
        self._help = widgets.HTML(_small(_about(question)), layout=widgets.Layout(margin="0 0 0 10px"))
        self._error = widgets.HTML(layout=widgets.Layout(margin=f"0 0 0 {_LABEL}", display="none"))
        self.box = widgets.VBox([widgets.HBox([self.widget, self._help]), self._error])

    @property
    def given(self) -> Any:
        """The typed value that was entered, or `NOT_GIVEN`. Raises `InvalidInput`."""
        question = self.question
        if self.widget.value == self._untouched and not question.is_required:
            return NOT_GIVEN
        found = self._read(self.widget.value)
        if isinstance(found, NotGiven):
            if question.is_required:
                raise InvalidInput("this must be given", hint=_hint(question.kind))
            return NOT_GIVEN
        value, is_text = found
        if question.is_secret and SecretReference.parse(value) is None:
            raise InvalidInput(
                "only the name of a secret belongs here, never its value", hint="write secret:NAME"
            )
        return question.read(value, is_text)

    def show_problem(self) -> str:
        """Say beside the field what is wrong with it; what was said, "" if nothing is."""
        try:
            _ = self.given
            message = ""
        except InvalidInput as error:
            hint = f" ({error.hint})" if error.hint else ""
            message = f"{error.message}{hint}"
        self._error.value = f"<span style='color:var(--jp-error-color1,#cf222e)'>{escape(message)}</span>"
        self._error.layout.display = None if message else "none"
        return message


# --- controls by type -----------------------------------------------------------------------------------


def _control(question: Question) -> _Control:
    kind, default = question.core, question.default
    is_plain = question.has_known_default and not question.is_optional
    if question.is_secret:
        name = str(SecretReference.parse(default) or "")
        return _Control(widgets.Text(name, placeholder="secret:NAME"), _text_or_nothing)
    if kind.name == "literal":
        return _choice([(_shown(choice), choice) for choice in kind.choices], question)
    if kind.name == "bool":
        if is_plain and isinstance(default, bool):
            return _Control(widgets.Checkbox(default, indent=True), _typed)
        return _choice([("yes", True), ("no", False)], question)
    if kind.name in ("int", "float") and is_plain and not isinstance(default, bool):
        if kind.name == "int" and isinstance(default, int):
            return _Control(_integer(default, kind.bounds), _typed)
        if kind.name == "float" and isinstance(default, int | float):
            return _Control(_number(float(default), kind.bounds), _typed)
    if kind.name in _PICKERS and (picker := _picker(kind, default)) is not None:
        return _Control(picker, _typed)
    if kind.name == "str" or (kind.name == "any" and isinstance(default, str)):
        return _words(question)
    return _Control(
        widgets.Text(_shown_default(question), placeholder=_placeholder(question)), _text_or_nothing
    )


def _integer(default: int, bounds: Bounds | None) -> Any:
    if bounds is None or (bounds.low is None and bounds.high is None):
        return widgets.IntText(default)
    low = None if bounds.low is None else int(bounds.low) + bounds.is_low_open
    high = None if bounds.high is None else int(bounds.high) - bounds.is_high_open
    step = bounds.step or 1
    if low is None or high is None or not low <= default <= high:
        return widgets.IntText(default, step=step)
    if (high - low) // step <= _MOST_STEPS:
        return widgets.IntSlider(default, min=low, max=high, step=step)
    return widgets.BoundedIntText(default, min=low, max=high, step=step)


def _number(default: float, bounds: Bounds | None) -> Any:
    """Without a step: a browser rounds what it shows to steps, and sends that back."""
    if (
        bounds is None
        or bounds.low is None
        or bounds.high is None
        or not bounds.low <= default <= bounds.high
    ):
        return widgets.FloatText(default, step=None)
    return widgets.BoundedFloatText(default, min=float(bounds.low), max=float(bounds.high), step=None)


def _picker(kind: Kind, default: object) -> Any:
    """A calendar, if it can hold the default: a moment with a time zone stays text, so that the zone stays."""
    value = default if isinstance(default, date | time) else None
    if isinstance(value, datetime | time) and (value.tzinfo is not None or value.microsecond):
        return None
    return _PICKERS[kind.name](value=value)


_PICKERS: dict[str, Any] = {
    "date": widgets.DatePicker,
    "datetime": widgets.NaiveDatetimePicker,
    "time": widgets.TimePicker,
}


def _words(question: Question) -> _Control:
    """Text is taken as it stands; an empty field is the empty text only where the default is a text."""
    default = question.default if isinstance(question.default, str) else ""
    kind = widgets.Textarea if "\n" in default else widgets.Text
    is_text_default = isinstance(question.default, str)

    def read(value: str) -> tuple[Any, bool] | NotGiven:
        return (value, False) if value or is_text_default else NOT_GIVEN

    return _Control(kind(default, placeholder=_placeholder(question)), read)


def _choice(options: list[tuple[str, Any]], question: Question) -> _Control:
    """A list to choose from, by place: True and 1 are different choices."""
    values = [value for _, value in options]
    shown: list[tuple[str, int | None]] = [(label, place) for place, (label, _) in enumerate(options)]
    default = question.default if question.has_known_default else None
    at = next((i for i, v in enumerate(values) if v == default and type(v) is type(default)), None)
    if at is None or question.is_optional:
        shown.insert(0, ("—", None))

    def read(place: int | None) -> tuple[Any, bool] | NotGiven:
        if place is not None:
            return values[place], False
        return (None, False) if question.is_optional else NOT_GIVEN

    return _Control(widgets.Dropdown(options=shown, value=at), read)


def _typed(value: Any) -> tuple[Any, bool] | NotGiven:
    return NOT_GIVEN if value is None else (value, False)


def _text_or_nothing(value: str) -> tuple[Any, bool] | NotGiven:
    text = value.strip()
    return (text, True) if text else NOT_GIVEN


# --- words ----------------------------------------------------------------------------------------------


def _shown(value: Any) -> str:
    return value if isinstance(value, str) and value else repr(value)


def _shown_default(question: Question) -> str:
    """A default as its field can read it again; "" where there is none, or it is None."""
    if not question.has_known_default or question.default is None:
        return ""
    if isinstance(question.default, str):
        return question.default
    try:
        plain = encoding.to_json(question.default)
        if isinstance(plain, bool | int | float | list) or (isinstance(plain, dict) and "$type" not in plain):
            return json.dumps(plain, ensure_ascii=False)
    except InvalidInput:
        pass
    return str(question.default)


def _placeholder(question: Question) -> str:
    if isinstance(question.default, Expression):
        return question.default_source
    return "" if question.is_required or question.default is not None else "None"


def _about(question: Question) -> str:
    kind = "" if question.kind.name in ("any", "bool", "literal") else str(question.kind)
    return " · ".join(part for part in (kind, question.help) if part)


def _hint(kind: Kind) -> str:
    return "" if kind.name == "any" else str(kind)


def _small(text: str) -> str:
    return f"<span style='color:var(--jp-ui-font-color2,#59636e);font-size:12px'>{escape(text)}</span>"
