"""What tables, facts and lines look like, and that nothing in them is markup by accident."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape

import pytest
from IPython.lib.pretty import pretty

from jupyter_mlops.catalog import ModelAlias
from jupyter_mlops.display import Markup, Shown, bars, facts_text, sparkline, tab, table_html, table_text


@dataclass(frozen=True, slots=True)
class Told(Shown):
    name: str

    def facts(self) -> dict[str, str]:
        return {"name": self.name, "nothing": "", "longer": "x"}


def test_a_table_is_as_wide_as_its_cells() -> None:
    text = table_text(["a", "bb"], [["1", "2"], ["本", "4"]], caption="of")
    assert text.splitlines() == ["of", "a   bb", "1   2", "本  4"]


def test_cells_are_escaped_unless_they_are_markup() -> None:
    html = table_html(["<a>"], [["<b>"], [Markup("<i>x</i>")]], caption="<c>")
    assert "<a>" not in html
    assert "<b>" not in html
    assert "<c>" not in html
    assert "<i>x</i>" in html


def test_html_takes_its_colors_from_the_page() -> None:
    html = table_html(["a"], [["1"]]) + sparkline([1, 2])
    assert "#" not in html.replace("&#", "")
    assert "currentColor" in html


def test_a_value_shows_its_facts_rich_and_plain() -> None:
    told = Told("<x>")
    assert "&lt;x&gt;" in told._repr_html_()
    assert pretty(told) == "name    <x>\nlonger  x" == facts_text(told.facts())
    assert repr(told) == "Told(name='<x>')"


@pytest.mark.parametrize("values", [[], [1.0], [math.nan, 1.0]])
def test_less_than_two_values_make_no_line(values: list[float]) -> None:
    assert sparkline(values) == bars(values) == ""


def test_a_line_goes_from_the_least_to_the_greatest() -> None:
    assert bars([1, 2, 3, math.inf]) == "▁▅█"
    assert bars([2, 2]) == "▁▁"
    line = sparkline([0.5, 0.75], label="<auc>")
    assert "&lt;auc&gt;: 0.5 → 0.75" in line
    assert "<auc>" not in line


def test_a_link_to_the_panel_is_a_button_whose_arguments_are_escaped() -> None:
    html = tab("<b>", "model", name='a"><script>')
    assert "<script>" not in html
    assert "<b>" not in html
    (arguments,) = re.findall(r'data-commandlinker-args="([^"]*)"', html)
    assert json.loads(unescape(arguments)) == {"kind": "model", "args": {"name": 'a"><script>'}}
    assert 'data-commandlinker-command="mlops:open-tab"' in html
    assert html.startswith('<button type="button"')  # all that JupyterLab's sanitizer lets through


def test_a_value_with_a_tab_leads_there_in_html_only() -> None:
    alias = ModelAlias(name="late", alias="champion", version=3, updated_at=datetime.now(UTC))
    assert "mlops:open-tab" in alias._repr_html_()
    assert "button" not in pretty(alias)
    assert "button" not in Told("x")._repr_html_()
