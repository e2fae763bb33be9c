"""Prices, read from dated files: the ones of this package, or the user's own, checked whole before any is used.

A provider that the user's file has is the user's alone: our rows of it are dropped. All amounts are in US dollars
in the end; a file in another currency says what one unit of it is worth (``usd: 1.08``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from ..errors import Conflict, InvalidInput, NotFound, StorageUnavailable, did_you_mean
from ..problems import Problem, summarize
from ..resources import parse_bytes
from .instances import Instance, Server, Site

STALE_DAYS = 365
_DATA = Path(__file__).parent / "data"
_INSTANCE = {field.name for field in fields(Instance)} - {"provider"}
_SERVER = {field.name for field in fields(Server)} - {"provider", "site"}
_SITE = {field.name for field in fields(Site)}
_COMMON = {"as_of", "source", "is_approximate"}
_FILE = {"provider", "region", "currency", "usd", "spot_source", "is_spot_approximate", "interruptions_an_hour",
         "instances", "servers", "site", *_COMMON}  # fmt: skip
_AMOUNTS = {"price", "spot", "purchase", "colocation"}
_SITE_AMOUNTS = {"electricity_a_kwh", "person_a_year"}
_ABOVE_ZERO = {"cpu", "memory", "price", "purchase", "lifetime_years"}
_TEXTS = {"name", "region", "accelerator", "architecture", "source"}


@dataclass(frozen=True, slots=True)
class PriceList:
    """All that is known of prices, and the files that it is from."""

    instances: tuple[Instance, ...]
    servers: tuple[Server, ...]
    paths: tuple[Path, ...] = ()

    @property
    def providers(self) -> list[str]:
        """The clouds, in order."""
        return list(dict.fromkeys(each.provider for each in self.instances))

    def of(self, provider: str) -> list[Instance]:
        """A cloud's instances. Raises `NotFound`."""
        found = [each for each in self.instances if each.provider == provider]
        if not found:
            raise NotFound(
                f"there are no prices of {provider!r}", hint=did_you_mean(provider, self.providers)
            )
        return found

    def instance(self, name: str) -> Instance:
        """One by its name. Raises `NotFound`."""
        for each in self.instances:
            if each.name == name:
                return each
        raise NotFound(
            f"no instance {name!r} has a price", hint=did_you_mean(name, (i.name for i in self.instances))
        )

    def server(self, name: str) -> Server:
        """One by its name. Raises `NotFound`."""
        for each in self.servers:
            if each.name == name:
                return each
        raise NotFound(
            f"no server {name!r} has a price", hint=did_you_mean(name, (s.name for s in self.servers))
        )

    def stale(self, today: date) -> list[Problem]:
        """A warning for each day of prices that is more than a year ago."""
        by_day: dict[date, list[str]] = {}
        rows: list[Instance | Server] = [*self.instances, *self.servers]
        for row in rows:
            names = by_day.setdefault(row.as_of, [])
            if row.provider not in names:
                names.append(row.provider)
        hint = "put newer ones in their place: jupyter mlops compute prices --write FOLDER"
        return [
            Problem(
                message=f"prices of {', '.join(names)} are of {day}, older than a year",
                hint=hint,
                severity="warning",
            )
            for day, names in sorted(by_day.items())
            if (today - day).days > STALE_DAYS
        ]


def load_prices(own: Path | None = None) -> PriceList:
    """The prices of this package, those of the file (or the folder of ``*.yaml``) `own` in their place.

    Raises `NotFound`, and `InvalidInput` with all `problems`.
    """
    given = [_read(path) for path in _own_files(own)] if own is not None else []
    taken = {provider for file in given for provider in {row.provider for row in _rows(file)}}
    ours = [_read(path) for path in sorted(_DATA.glob("*.yaml"))]
    kept = [*given, *(file for file in ours if not {row.provider for row in _rows(file)} & taken)]
    return PriceList(
        tuple(row for file in kept for row in file.instances),
        tuple(row for file in kept for row in file.servers),
        tuple(path for file in kept for path in file.paths),
    )


def write_prices(folder: Path) -> list[Path]:
    """Copies of this package's files, to be edited: the setting `compute_prices` then names the folder.

    Raises `Conflict` for files that are there, `StorageUnavailable`.
    """
    sources = {folder / path.name: path for path in sorted(_DATA.glob("*.yaml"))}
    if there := [path for path in sources if path.exists()]:
        raise Conflict(f"there is a file {there[0]} already", hint="name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, source in sources.items():
            path.write_bytes(source.read_bytes())
    except OSError as error:
        raise StorageUnavailable(f"cannot write to {folder}: {error.strerror}") from error
    return list(sources)


def _rows(file: PriceList) -> Sequence[Instance | Server]:
    return (*file.instances, *file.servers)


def _own_files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(path.glob("*.yaml"))
        if found:
            return found
        raise NotFound(
            f"the folder {path} has no *.yaml with prices", hint="see the setting `compute_prices`"
        )
    if not path.is_file():
        raise NotFound(f"there is no file {path} with prices", hint="see the setting `compute_prices`")
    return [path]


def _read(path: Path) -> PriceList:
    try:
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInput(f"cannot read the prices in {path}: {' '.join(str(error).split())}") from error
    return parse_prices(body, path)


def parse_prices(body: Any, path: Path) -> PriceList:
    """The rows of one file. Raises `InvalidInput` with all `problems`."""
    reader = _Reader(path)
    found = reader.read(body)
    if reader.problems:
        raise InvalidInput(summarize(reader.problems), problems=reader.problems)
    return found


class _Reader:
    """Reads one file and gathers what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []

    def read(self, body: Any) -> PriceList:
        if not isinstance(body, Mapping):
            self._wrong("must be a mapping with `provider`, `as_of`, `source` and `instances` or `servers`")
            return PriceList((), ())
        self._known(body, _FILE, "")
        for name in ("provider", "as_of", "source"):
            if name not in body:
                self._wrong(f"`{name}` is missing", hint="as_of: 2026-01-31" if name == "as_of" else "")
        rate = self._rate(body)
        common = {name: body[name] for name in (*_COMMON, "region") if name in body}
        spot = {name: body[name] for name in ("is_spot_approximate", "interruptions_an_hour") if name in body}
        site = self._site(body.get("site") or {}, rate)
        provider = str(body.get("provider", ""))
        instances, servers = [], []
        for where, row in self._list(body, "instances"):
            values = self._row(
                {**common, **spot, **row}, _INSTANCE, {"cpu", "memory", "price", "region"}, where, rate
            )
            if values is not None:
                instances.append(Instance(provider=provider, **values))
        own = {name: value for name, value in common.items() if name != "region"}
        for where, row in self._list(body, "servers"):
            needed = {"cpu", "memory", "purchase", "watts", "lifetime_years"}
            values = self._row({**own, **row}, _SERVER, needed, where, rate)
            if values is not None:
                servers.append(Server(provider=provider, site=site, **values))
        return PriceList(tuple(instances), tuple(servers), (self.path,))

    def _rate(self, body: Mapping[str, Any]) -> float:
        """What one unit of the file's currency is worth in US dollars."""
        currency = str(body.get("currency", "USD")).upper()
        if currency == "USD":
            return 1.0
        if "usd" not in body:
            self._wrong(
                f"the currency is {currency}, and `usd` is missing",
                hint="usd: 1.08 is what one unit is worth",
            )
            return 1.0
        return self._number(body["usd"], "usd", is_above_zero=True) or 1.0

    def _site(self, given: Any, rate: float) -> Site:
        if not isinstance(given, Mapping):
            self._wrong("`site` must be a mapping")
            return Site()
        self._known(given, _SITE, "site")
        values = {}
        for name in sorted(_SITE & set(given)):
            number = self._number(given[name], f"site.{name}")
            if number is not None:
                values[name] = number * (rate if name in _SITE_AMOUNTS else 1.0)
        return Site(**values)

    def _list(self, body: Mapping[str, Any], name: str) -> list[tuple[str, Mapping[str, Any]]]:
        given = body.get(name) or []
        if not isinstance(given, list):
            self._wrong(f"`{name}` must be a list")
            return []
        rows, seen = [], set()
        for index, row in enumerate(given):
            where = f"{name}[{index}]"
            if not isinstance(row, Mapping) or not isinstance(row.get("name"), str):
                self._wrong(f"{where} must be a mapping with a `name`")
                continue
            where = f"{where} {row['name']}"
            if row["name"] in seen:
                self._wrong(f"{where}: the name is there twice")
            seen.add(row["name"])
            rows.append((where, row))
        return rows

    def _row(
        self, row: Mapping[str, Any], known: set[str], needed: set[str], where: str, rate: float
    ) -> dict[str, Any] | None:
        before = len(self.problems)
        self._known(row, known, where)
        for name in sorted(needed - set(row)):
            self._wrong(f"{where}: `{name}` is missing")
        values: dict[str, Any] = {}
        for name in known & set(row):
            values[name] = self._value(name, row[name], f"{where}: {name}", rate)
        return (
            values if len(self.problems) == before and _COMMON - {"is_approximate"} <= set(values) else None
        )

    def _value(self, name: str, given: Any, where: str, rate: float) -> Any:
        if name in _TEXTS:
            if not isinstance(given, str):
                self._wrong(f"{where} must be a text")
            return given
        if name == "as_of":
            if not isinstance(given, date):
                self._wrong(f"{where} is {given!r}, which is no date", hint="as_of: 2026-01-31")
            return given
        if name.startswith("is_"):
            if not isinstance(given, bool):
                self._wrong(f"{where} must be true or false")
            return given
        if name == "memory":
            try:
                given = parse_bytes(given)
            except InvalidInput as error:
                self._wrong(f"{where}: {error.message}", hint=error.hint)
                return None
        if name == "spot" and given is None:
            return None
        number = self._number(given, where, is_above_zero=name in _ABOVE_ZERO)
        if number is None:
            return None
        if name in ("gpu", "memory"):
            return int(number)
        return number * rate if name in _AMOUNTS else number

    def _number(self, given: Any, where: str, *, is_above_zero: bool = False) -> float | None:
        is_number = isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given)
        if not is_number or given < 0 or (is_above_zero and given == 0):
            least = "above 0" if is_above_zero else "0 or more"
            self._wrong(f"{where} is {given!r}, and must be a number, {least}")
            return None
        return float(given)

    def _known(self, given: Mapping[str, Any], known: set[str], where: str) -> None:
        for name in given:
            if name not in known:
                at = f"{where}: " if where else ""
                self._wrong(f"{at}unknown field {name!r}", hint=did_you_mean(str(name), known))

    def _wrong(self, message: str, hint: str = "") -> None:
        self.problems.append(Problem(message=message, where=str(self.path), hint=hint))
