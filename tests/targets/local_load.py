"""``python local_load.py URL SECONDS CONNECTIONS [--retry]``: asks again and again, and counts; JSON on stdout.

Every answer other than 200 is a failure, and so is a connection that is refused or cut. With ``--retry`` a request
whose connection was cut before its answer began is sent once more, as HTTP clients do.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

BODY = json.dumps({"dataframe_records": [{"a": 1.0, "b": 2.0}]}).encode()


class Cut(Exception):
    """The connection ended before the answer was whole."""


class Asker:
    def __init__(self, url: str, *, retries: int) -> None:
        parts = urlsplit(url)
        self.host, self.port, self.retries = parts.hostname, parts.port, retries
        self.data = (
            f"POST /invocations HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(BODY)}\r\n\r\n"
        ).encode() + BODY
        self.seconds: list[float] = []
        self.failures: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()
        self.retried = 0

    async def go_on(self, until: float) -> None:
        streams: Any = None
        while time.perf_counter() < until:
            began = time.perf_counter()
            for attempt in range(self.retries + 1):
                try:
                    if streams is None:
                        streams = await asyncio.open_connection(self.host, self.port)
                    stays = await self.ask(*streams)
                    break
                except (OSError, Cut, asyncio.IncompleteReadError) as error:
                    if streams is not None:
                        streams[1].close()
                    streams = None
                    if attempt == self.retries or isinstance(error, ConnectionRefusedError):
                        self.failures[type(error).__name__] += 1
                        break
                    self.retried += 1
            else:
                continue
            self.seconds.append(time.perf_counter() - began)
            if streams is not None and not stays:
                streams[1].close()
                streams = None
        if streams is not None:
            streams[1].close()

    async def ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(self.data)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
        body = await reader.readexactly(int(lines[b"content-length"]))
        status = head.split(b" ", 2)[1].decode()
        if status != "200":
            self.failures[f"{status} {body[:200].decode(errors='replace')}"] += 1
        self.versions[lines.get(b"x-mlops-model", b"").decode()] += 1
        return lines.get(b"connection") != b"close"


async def main() -> None:
    url, seconds, connections, *rest = sys.argv[1:]
    asker = Asker(url, retries=1 if "--retry" in rest else 0)
    until = time.perf_counter() + float(seconds)
    await asyncio.gather(*(asker.go_on(until) for _ in range(int(connections))))
    ordered = sorted(asker.seconds)
    print(
        json.dumps(
            {
                "requests": len(ordered),
                "failures": dict(asker.failures),
                "retried": asker.retried,
                "versions": dict(asker.versions),
                "per_second": len(ordered) / float(seconds),
                "p50": ordered[len(ordered) // 2] if ordered else None,
                "p99": ordered[len(ordered) * 99 // 100] if ordered else None,
                "most": ordered[-1] if ordered else None,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main())
