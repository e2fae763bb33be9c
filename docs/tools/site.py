"""What MkDocs does besides: pages that stand elsewhere in the repository become pages of the site.

The Markdown files are written for the repository, where `../ARCHITECTURE.md` and `../notebooks/README.md` are links
that work on any forge. Here those files are taken in as pages, and each relative link is resolved where its file
really stands and then written as the site has it. What is no page (a notebook, a YAML file) goes along as a file to
download. A picture of which there is one in the light and one in the dark is shown as the reader reads. A link that
leads nowhere is left as it is, and `--strict` makes an error of MkDocs's warning.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, InclusionLevel

ROOT = Path(__file__).parents[2]
# Where pages of the site stand in the repository, when it is not below docs/.
ELSEWHERE = {
    "architecture.md": "ARCHITECTURE.md",
    "changelog.md": "CHANGELOG.md",
    "examples.md": "notebooks/README.md",
}
PAGES = {"README.md": "index.md", **{place: page for page, place in ELSEWHERE.items()}}
_LINK = re.compile(r"(?P<before>\]\()(?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?(?=[)\s])")
_PICTURE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<before>[^)]*?)-(?P<theme>light|dark)\.png\)")
_SEARCH = 'data-md-component="search" role="dialog"'
_CORNER = re.compile(r"<th((?: [^>]*)?)></th>")
_FENCE = re.compile(r"^(```.*?^```[ \t]*$)", re.DOTALL | re.MULTILINE)


def on_files(files: Any, config: Any) -> Any:
    """Take in what stands elsewhere, and the files that pages link to."""
    for page, place in ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / place)))
    known = {file.src_uri for file in files}
    pages = [file.src_uri for file in files.documentation_pages()]
    for page in pages:
        text = (ROOT / place_of(page)).read_text(encoding="utf-8")
        for match in _LINK.finditer(_FENCE.sub("", text)):
            target = _target(page, match["target"])
            if target is None or (uri := _uri(target)) in known or not (ROOT / target).is_file():
                continue
            known.add(uri)
            file = File.generated(config, uri, abs_src_path=str(ROOT / target))
            file.inclusion = InclusionLevel.NOT_IN_NAV
            files.append(file)
            if file.is_documentation_page():
                pages.append(uri)
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Links and pictures as the site has them; code is left alone."""
    source = page.file.src_uri

    def link(match: re.Match[str]) -> str:
        target = _target(source, match["target"])
        if target is None or not (ROOT / target).exists():
            return match[0]
        uri = posixpath.relpath(_uri(target), posixpath.dirname(source) or ".")
        return f"{match['before']}{uri}{match['anchor'] or ''}"

    def pictures(match: re.Match[str]) -> str:
        here = ROOT / posixpath.dirname(place_of(source)) / f"{match['before']}.png"
        themes = [one for one in ("light", "dark") if here.with_stem(f"{here.stem}-{one}").is_file()]
        if len(themes) < 2:
            return match[0]
        return "\n".join(f"![{match['alt']}]({match['before']}-{one}.png#only-{one})" for one in themes)

    parts = _FENCE.split(markdown)
    return "".join(
        part if part.startswith("```") else _LINK.sub(link, _PICTURE.sub(pictures, part)) for part in parts
    )


def on_post_page(output: str, **_: Any) -> str:
    """What the theme leaves without a name, and corners of tables that are no headings, for those who hear the page."""
    named = output.replace(_SEARCH, f'{_SEARCH} aria-label="Search"')
    return _CORNER.sub(r"<td\1></td>", named)


def on_post_template(output_content: str, **_: Any) -> str:
    """The same for the page that is shown where there is none."""
    return on_post_page(output_content)


def place_of(page: str) -> str:
    """Where a page of the site stands, from the repository's root."""
    if page.startswith("source/"):
        return page.removeprefix("source/")
    return ELSEWHERE.get(page, f"docs/{page}")


def _target(page: str, link: str) -> str | None:
    """The path in the repository that a link of a page means; None for one that leads out of it."""
    if ":" in link or link.startswith("/"):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(place_of(page)), link))
    return None if path.startswith("..") else path


def _uri(path: str) -> str:
    """Where the site has a file of the repository."""
    if path in PAGES:
        return PAGES[path]
    return path.removeprefix("docs/") if path.startswith("docs/") else f"source/{path}"
