"""The offline store: a log of parquet files for each version of a view, on any fsspec URL.

A file belongs to the log when the catalog has its record; files are written first and recorded after, so that
no reader ever sees half of one. Nothing is overwritten: corrections are new rows, and what was known at any
moment can be asked for later.
"""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..catalog import FeaturePart
from ..errors import InvalidInput, MissingExtra, StorageUnavailable
from .frames import plain
from .names import ARRIVAL, literal


class Log:
    """Parquet files below `url`: a path or any fsspec URL; `options` go to fsspec."""

    def __init__(self, url: str | Path, options: Mapping[str, Any] | None = None) -> None:
        text = str(url).removeprefix("file://")
        self.is_local = "://" not in text
        self.url = str(Path(text).absolute()) if self.is_local else text.rstrip("/")
        self.options = dict(options or {})

    def __repr__(self) -> str:
        return f"Log({self.url!r})"

    def place(self, path: str) -> str:
        """The file's whole path or URL."""
        return f"{self.url}/{path}"

    def sql(self, paths: Sequence[str]) -> str:
        """The rows of these files, as SQL."""
        return f"SELECT * FROM read_parquet([{', '.join(literal(self.place(path)) for path in paths)}])"

    def copy(self, connection: Any, rows: str, folder: str) -> str:
        """Write the rows of a query as a new file, as they come; returns its path."""
        with self._new(folder) as (path, target):
            connection.execute(
                f"COPY ({rows}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION snappy)"
            )
        return path

    def write(self, table: Any, folder: str) -> str:
        """Write an Arrow table as a new file; returns its path."""
        import pyarrow.parquet as pq

        with self._new(folder) as (path, target):
            pq.write_table(table, target)
        return path

    @contextmanager
    def _new(self, folder: str) -> Iterator[tuple[str, Path]]:
        """(path below the URL, local file to write): what is written there is at the URL afterwards."""
        path = f"{folder}/{uuid.uuid4().hex}.parquet"
        target = Path(self.place(path)) if self.is_local else Path(tempfile.mkdtemp()) / "part.parquet"
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            yield path, target
            if not self.is_local:
                self._files.makedirs(self.place(folder), exist_ok=True)
                self._files.put_file(str(target), self.place(path))
        except OSError as error:
            raise StorageUnavailable(f"cannot write {self.place(path)}: {error}") from error
        finally:
            if not self.is_local:
                target.unlink(missing_ok=True)
                target.parent.rmdir()

    def size(self, path: str) -> int:
        """Bytes of a file."""
        return os.stat(self.place(path)).st_size if self.is_local else int(self._files.size(self.place(path)))

    def read(self, parts: Sequence[FeaturePart], columns: Sequence[str]) -> Any:
        """The rows of these parts as one Arrow table, with their ``__arrival``."""
        import numpy as np
        import pyarrow as pa

        tables = []
        for part in parts:
            table = plain(self._read(part.path, columns))
            if ARRIVAL not in table.column_names:
                table = table.append_column(ARRIVAL, pa.array(np.full(table.num_rows, part.seq, np.int64)))
            tables.append(table)
        return pa.concat_tables(tables)

    def _read(self, path: str, columns: Sequence[str]) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        place = self.place(path)
        try:
            with open(place, "rb") if self.is_local else self._files.open(place, "rb") as opened:
                file = pq.ParquetFile(opened, memory_map=False)
                has_arrival = ARRIVAL in file.schema_arrow.names  # a part that was made of several
                return file.read([*columns, ARRIVAL] if has_arrival else list(columns))
        except (OSError, pa.ArrowException) as error:
            raise StorageUnavailable(
                f"cannot read {place}: {error}", hint="the catalog says that it is part of the offline store"
            ) from error

    def delete(self, path: str) -> None:
        """Take a file away, if it is there."""
        if self.is_local:
            Path(self.place(path)).unlink(missing_ok=True)
        elif self._files.exists(self.place(path)):
            self._files.rm_file(self.place(path))

    def paths(self, *, older_than_seconds: float = 0.0) -> Iterator[str]:
        """Every file below the URL, recorded or not."""
        limit = time.time() - older_than_seconds
        if self.is_local:
            for found in Path(self.url).glob("*/*.parquet"):
                if found.stat().st_mtime <= limit:
                    yield f"{found.parent.name}/{found.name}"
            return
        for name, entry in self._files.find(self.url, detail=True).items():
            when = entry.get("LastModified") or entry.get("created") or entry.get("mtime") or 0
            seconds = when.timestamp() if hasattr(when, "timestamp") else float(when)
            if name.endswith(".parquet") and seconds <= limit:
                yield "/".join(name.split("/")[-2:])

    def clean(
        self, keep: Iterable[str], *, older_than_seconds: float, is_dry_run: bool = False
    ) -> dict[str, int]:
        """Delete the old files that no record names; path → bytes of each."""
        kept = set(keep)
        try:
            old = self.paths(older_than_seconds=older_than_seconds)
            lost = {path: self.size(path) for path in old if path not in kept}
            for path in () if is_dry_run else lost:
                self.delete(path)
        except OSError as error:
            raise StorageUnavailable(f"cannot clean the offline store {self.url}: {error}") from error
        return lost

    @property
    def _files(self) -> Any:
        import fsspec

        protocol = self.url.partition("://")[0]
        try:
            return fsspec.filesystem(protocol, **self.options)
        except ImportError as error:
            raise MissingExtra(
                f"{self.url} needs a library: {error}", hint=f"pip install 'fsspec[{protocol}]'"
            ) from error
        except ValueError as error:
            raise InvalidInput(f"the offline store's URL {self.url!r}: {error}") from error
