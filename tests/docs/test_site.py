"""The site builds without a warning, asks nobody else for anything, and can be read by everybody."""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT

AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
WHOLE = ("index.html", "howto/team.html", "404.html")  # with what all pages have around them
# Whatever a page loads; what it only links to is left to the reader.
_LOADED = re.compile(
    r"<(?:script|img|iframe|source)[^>]*\ssrc=\"?([^\"\s>]+)|<link[^>]*\shref=\"?([^\"\s>]+)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. A warning of MkDocs is an error."""
    folder = tmp_path_factory.mktemp("documentation-site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        for match in _LOADED.finditer(page.read_text(encoding="utf-8")):
            assert not re.match(r"(?:https?:)?//", match[1] or match[2]), (page.name, match[0])


def test_pages_of_elsewhere_and_their_files_are_in_it(site: Path) -> None:
    examples = (site / "examples.html").read_text(encoding="utf-8")
    assert 'href="source/notebooks/flights/pipeline.yaml"' in examples
    assert (site / "source" / "notebooks" / "flights" / "pipeline.yaml").is_file()
    assert (site / "architecture.html").is_file()
    assert not (site / "tools").exists()


def test_pictures_go_with_the_theme(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    assert "images/run-light.png#only-light" in home
    assert "images/run-dark.png#only-dark" in home


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(site: Path, address: str, chromium: str, scheme: Any) -> None:
    """The text of each page by day or by night, some whole and by both: the theme around it is the same for all."""
    from playwright.sync_api import sync_playwright

    if not AXE.is_file():
        pytest.skip("axe-core is not there: jlpm install")
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    found = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
        for name in dict.fromkeys([*WHOLE, *pages[scheme == "dark" :: 2]]):
            page.goto(address + name)
            page.add_script_tag(path=str(AXE))
            told = page.evaluate(
                "async what => (await axe.run(what, {resultTypes: ['violations']})).violations",
                "html" if name in WHOLE else "article",
            )
            found += [
                f"{name}: {one['help']}: {node['html']}: {node['failureSummary']}"
                for one in told
                for node in one["nodes"][:3]
                if one["impact"] in ("serious", "critical")
            ]
        browser.close()
    assert not found, "\n".join(found)


@pytest.mark.slow
def test_the_site_is_searched(address: str, chromium: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address + "index.html")
        page.locator("input.md-search__input").click()
        page.keyboard.type("preemptible")
        page.locator(".md-search-result__link").first.wait_for(timeout=15_000)
        links = page.locator(".md-search-result__link").evaluate_all("all => all.map(one => one.href)")
        browser.close()
    assert any("queue.html" in link for link in links)


@pytest.fixture(scope="module")
def chromium() -> str:
    """The system's browser; in CI it must be there."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found:
        return found
    if os.environ.get("CI"):
        pytest.fail("Chromium is not there")
    pytest.skip("Chromium is not there")
