"""Links lead somewhere, to the heading that they name; every picture is made by something that runs, and is shown."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .conftest import PAGES, ROOT, name_of, prose

IMAGES = sorted((ROOT / "docs" / "images").iterdir())
_LINK = re.compile(r"\]\(([^)\s]+)(?: \"[^\"]*\")?\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


@cache
def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    found: dict[str, int] = {}
    anchors = set()
    for title in _HEADING.findall(prose(page)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        seen = found.get(slug, 0)
        found[slug] = seen + 1
        anchors.add(f"{slug}-{seen}" if seen else slug)
    return anchors


@cache
def _links(page: Path) -> list[str]:
    return _LINK.findall(re.sub(r"`[^`\n]*`", "", prose(page)))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    for link in _links(page):
        if re.match(r"[a-z]+:", link):
            assert link.startswith(("https://", "mailto:")), f"{name_of(page)}: {link}"
            told = urlsplit(link)
            assert told.scheme == "mailto" or re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", told.netloc), link
            assert not link.endswith((".", ",", ";")), f"{name_of(page)}: {link}"
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name_of(page)} links to {link}"
        assert target.is_relative_to(ROOT), f"{name_of(page)} links out of the repository: {link}"
        if anchor:
            assert anchor in _anchors(target), f"{name_of(page)}: there is no heading {link}"


def _twin(image: Path) -> Path:
    """The same in the other theme, which the site shows to whoever reads in that."""
    light, dark = ("-light", "-dark") if image.stem.endswith("-light") else ("-dark", "-light")
    return image.with_stem(image.stem.removesuffix(light) + dark)


@cache
def _shown() -> set[Path]:
    return {(page.parent / link).resolve() for page in PAGES for link in _links(page)}


@cache
def _sources() -> str:
    """All that could make a picture."""
    files = [file for folder in ("tests", "benchmarks") for file in (ROOT / folder).rglob("*.py")]
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file != Path(__file__))


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_every_picture_is_shown(image: Path) -> None:
    assert _shown() & {image.resolve(), _twin(image).resolve()}, "show it, in docs/pictures.md at least"


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_every_picture_is_made_by_something_that_runs(image: Path) -> None:
    stem = image.stem.removesuffix("-light").removesuffix("-dark")
    made = re.compile(rf"[\"'/]{re.escape(stem)}(?:-|\.|[\"']|\{{)")
    assert made.search(_sources()), "no test and no benchmark makes it"
