"""What was predicted, kept: one JSON object a line, in files that are rotated and bounded.

The log is sampled by a hash of the key, so that of a key all predictions are kept or none; a key is the entity, the
``x-mlops-key`` header, else the prediction's own id. A thread writes; when it does not keep up, predictions are
dropped and counted: nobody waits for the log.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, StorageUnavailable
from . import outcome
from .metrics import Metrics
from .service import Prediction
from .traffic import place_of

_MOST_WAITING = 4096  # predictions
_MOST_WAITING_ROWS = 100_000
_MOST_ROWS = 1000  # of one prediction that are kept
_FLUSH_SECONDS = 0.5
_SALT = "journal:"  # so that a share of the log is not the same keys as a share of the traffic
EVENT = "event_timestamp"  # as the feature store calls a moment
log = logging.getLogger("jupyter_mlops.serving")


class Journal:
    """Writes to `folder`; call it with each prediction. One process, one writer: files carry its id."""

    def __init__(
        self, folder: Path, metrics: Metrics, *, share: float, most_bytes: int, most_files: int
    ) -> None:
        self._folder, self._metrics = folder, metrics
        self._share, self._most_bytes, self._most_files = share, most_bytes, max(1, most_files)
        self._waiting: queue.SimpleQueue[tuple[datetime, str, Prediction] | None] = queue.SimpleQueue()
        self._rows = 0  # that wait; added to by the event loop, taken from by the writer
        self._lock = threading.Lock()
        self._file: Any = None
        self._size = self._count = 0
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageUnavailable(f"cannot make the folder {folder}: {error.strerror}") from None
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def __call__(self, made: Prediction, key: str) -> None:
        """Keep a prediction, if its key is among those that are kept."""
        if self._share < 1 and place_of(key or made.id, _SALT) >= self._share:
            return
        rows = min(made.given.rows, _MOST_ROWS)
        if self._waiting.qsize() >= _MOST_WAITING or self._rows + rows > _MOST_WAITING_ROWS:
            self._metrics.journal["dropped"] += 1
            return
        with self._lock:
            self._rows += rows
        self._metrics.journal["kept"] += 1
        at = made.features.at if made.features is not None else datetime.now(UTC)
        self._waiting.put((at, key, made))

    def close(self) -> None:
        """Write what waits."""
        self._waiting.put(None)
        self._thread.join(10)

    # --- in the thread --------------------------------------------------------------------------------------

    def _work(self) -> None:
        flushed, is_open = time.monotonic(), True
        while is_open:
            try:
                one = self._waiting.get(timeout=_FLUSH_SECONDS)
            except queue.Empty:
                one = ()  # type: ignore[assignment]
            try:
                if one is None:
                    is_open = False
                elif one:
                    with self._lock:
                        self._rows -= min(one[2].given.rows, _MOST_ROWS)
                    self._write(_line(*one))
                if self._file is not None and (
                    not is_open or not one or time.monotonic() - flushed > _FLUSH_SECONDS
                ):
                    flushed = time.monotonic()
                    self._file.flush()
            except Exception as error:  # noqa: BLE001 - a full disk must not end the log for ever
                log.error("the log of predictions cannot be written: %s", error)
                self._end_file()
        self._end_file()

    def _write(self, line: bytes) -> None:
        if self._file is None or self._size + len(line) > self._most_bytes:
            self._end_file()
            self._begin_file()
        self._file.write(line)
        self._size += len(line)

    def _begin_file(self) -> None:
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        path = self._folder / f"predictions-{moment}-{os.getpid()}-{self._count:04d}.jsonl"
        self._count += 1
        self._size = 0
        self._file = os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "ab")
        for old in sorted(self._folder.glob("predictions-*.jsonl"))[: -self._most_files]:
            old.unlink(missing_ok=True)

    def _end_file(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            file.close()


def _line(at: datetime, key: str, made: Prediction) -> bytes:
    rows = _rows(made)
    features = made.features
    body = {
        "id": made.id,
        "at": at.isoformat(timespec="microseconds"),
        "key": key,
        "model": made.version.name,
        "version": made.version.number,
        "digest": made.version.digest,
        "rows": rows,
        "output": outcome.plain(made.output)[: len(rows)],
        "entities": features.entities[: len(rows)] if features is not None else [],
        "features": features.values[: len(rows)] if features is not None else [],
        "statuses": features.statuses[: len(rows)] if features is not None else [],
    }
    return json.dumps(body, default=str, separators=(",", ":")).encode() + b"\n"


def _rows(made: Prediction) -> list[Any]:
    """The rows that were asked about, as the model got them."""
    given = made.given
    if given.columns is not None:
        names = list(given.columns)
        count = min(given.rows, _MOST_ROWS)
        values = [given.columns[name][:count] for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
    plain = outcome.plain(given.data[:_MOST_ROWS])
    return plain if isinstance(plain, list) else [plain]


# --- reading ------------------------------------------------------------------------------------------------


def read(folder: Path | str) -> Iterator[dict[str, Any]]:
    """The predictions in a folder, file by file; a last line that is only half there is left out."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InvalidInput(f"there is no folder {folder} with predictions")
    for path in sorted(folder.glob("predictions-*.jsonl")):
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield json.loads(line)


def served(records: Iterator[Mapping[str, Any]] | Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Keys, moment and features as they were served, a row each: what `FeatureStore.check` replays."""
    return [
        {**entity, EVENT: datetime.fromisoformat(record["at"]), **features}
        for record in records
        if not record["id"].endswith("-shadow")
        for entity, features in zip(record["entities"], record["features"], strict=True)
    ]
