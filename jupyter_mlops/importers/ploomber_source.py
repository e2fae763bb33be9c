"""The source of a Ploomber task: a notebook, a script in jupytext's percent or light format, or a function."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import InvalidInput, NotFound
from ..notebooks.files import dump_notebook, load_notebook, tagged_cell
from .imported import inside, notebook_text, read_text, refuse

_CELL = re.compile(r"^# (?:%%|\+)(?P<rest>.*)$")
_TAGS = re.compile(r"tags\s*=\s*(\[[^\]]*\])")


@dataclass(frozen=True, slots=True)
class Source:
    """What a task runs: a `path` below the project's folder, or a function of a module."""

    folder: Path
    path: str
    function: str = ""
    upstream: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def notebook(self, name: str, arguments: Sequence[str]) -> tuple[str, str | None]:
        """The notebook's path, and its text where it has to be written: because it is made here, because it declares
        not all of its arguments, or because it must lie in the folder that its paths start from."""
        if self.function:
            return f"{name}.ipynb", self._calling(arguments)
        if self.path.endswith(".py"):
            cells = _cells(read_text(self.folder / self.path, "script"))
            return f"{name}.ipynb", notebook_text([(_declared(s, t, arguments), t) for s, t in cells])
        nb = load_notebook(self.folder / self.path)
        at = tagged_cell(nb, "parameters")
        if at is None:
            raise InvalidInput(
                f"{self.path} has no cell with the tag parameters", hint="Ploomber wants one too"
            )
        before = nb["cells"][at]["source"]
        nb["cells"][at]["source"] = _declared(before, ["parameters"], arguments)
        if PurePosixPath(self.path).parent == PurePosixPath(".") and nb["cells"][at]["source"] == before:
            return self.path, None
        return f"{name}.ipynb", dump_notebook(nb)

    def _calling(self, arguments: Sequence[str]) -> str:
        module = self.path.removesuffix(".py").replace("/", ".")
        wanted = [each for each in arguments if each != "upstream" or self.upstream]
        paths = ["product", "upstream"] if self.upstream else ["product"]
        opened = "".join(f"{each} = paths({each})\n" for each in paths)
        code = (
            f"from pathlib import Path\n\nfrom {module} import {self.function}\n\n\n"
            "def paths(value):\n"
            '    """Functions get paths, as Ploomber gives them."""\n'
            "    if isinstance(value, dict):\n"
            "        return {key: paths(item) for key, item in value.items()}\n"
            "    return value if value is None else Path(value)\n\n\n"
            f"{opened}"
            "for each in product.values() if isinstance(product, dict) else [product]:\n"
            "    each.parent.mkdir(parents=True, exist_ok=True)\n"
            f"{self.function}({', '.join(f'{each}={each}' for each in wanted)})"
        )
        return notebook_text([(_declared("", ["parameters"], arguments).strip(), ["parameters"]), (code, ())])


def _declared(source: str, tags: Sequence[str], arguments: Sequence[str]) -> str:
    """The parameters cell with a line for each argument that it lacks."""
    if "parameters" not in tags:
        return source
    known = {
        target.id
        for node in ast.walk(_parsed(source, "the parameters cell"))
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    lacking = [f"{name} = None" for name in arguments if name not in known]
    return "\n".join([*([source] if source else []), *lacking])


def read_source(folder: Path, where: str) -> Source:
    """What ``source:`` names. Raises `InvalidInput` for what is no Python."""
    suffix = PurePosixPath(where).suffix
    if suffix in (".ipynb", ".py"):
        path = inside(folder, where)
        if not path.is_file():
            raise NotFound(f"Ploomber: there is no source {where}")
        return Source(folder, where, upstream=_upstream_of(path, where), needs=(where,))
    module, _, function = where.rpartition(".")
    file = f"{module.replace('.', '/')}.py"
    if not module or not function.isidentifier() or not inside(folder, file).is_file():
        raise refuse(
            "Ploomber", [f"the source {where!r} is no notebook, script or function of Python"], "make it one"
        )
    code = read_text(inside(folder, file), "module")
    return Source(
        folder, file, function, upstream=_upstream_in_function(code, function, where), needs=(file,)
    )


def _parsed(source: str, where: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise InvalidInput(f"{where} is no Python: {error.msg}, line {error.lineno}") from error


def _upstream_of(path: Path, where: str) -> tuple[str, ...]:
    """``upstream = ['a', 'fit-*']`` of the parameters cell."""
    if path.suffix == ".py":
        source = "\n".join(s for s, tags in _cells(read_text(path, "script")) if "parameters" in tags)
    else:
        nb = load_notebook(path)
        at = tagged_cell(nb, "parameters")
        source = "" if at is None else nb["cells"][at]["source"]
    for node in _parsed(source, where).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "upstream" for t in node.targets
        ):
            try:
                value = ast.literal_eval(node.value)
            except ValueError as error:
                raise InvalidInput(f"{where}: upstream is no list of names") from error
            return tuple(value) if isinstance(value, list | tuple | dict | set) else (value,) if value else ()
    return ()


def _upstream_in_function(code: str, function: str, where: str) -> tuple[str, ...]:
    """``upstream["a"]`` anywhere in the function."""
    for node in _parsed(code, where).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            names = [
                inner.slice.value
                for inner in ast.walk(node)
                if isinstance(inner, ast.Subscript)
                and isinstance(inner.value, ast.Name)
                and inner.value.id == "upstream"
                and isinstance(inner.slice, ast.Constant)
            ]
            return tuple(dict.fromkeys(str(name) for name in names))
    raise NotFound(f"Ploomber: there is no function {where}")


def _cells(script: str) -> list[tuple[str, list[str]]]:
    """A script's cells, in percent (``# %% tags=[…]``) or light (``# + tags=[…]``) format; text cells are left out."""
    cells: list[tuple[list[str], list[str]]] = [([], [])]
    is_text = is_header = False
    for number, line in enumerate(script.splitlines()):
        if line.strip() == "# ---" and (number == 0 or is_header):
            is_header = not is_header
            continue
        mark = _CELL.match(line)
        if mark is not None:
            found = _TAGS.search(mark["rest"])
            try:
                tags = [str(each) for each in json.loads(found[1])] if found else []
            except ValueError:
                tags = []
            is_text = "[markdown]" in mark["rest"] or "[md]" in mark["rest"]
            cells.append(([], tags))
        elif line.strip() == "# -":
            cells.append(([], []))
        elif not is_text and not is_header:
            cells[-1][0].append(line)
    texts = [("\n".join(lines).strip("\n"), tags) for lines, tags in cells]
    return [(text, tags) for text, tags in texts if text.strip()]
