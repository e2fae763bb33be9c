"""Clients that ask as fast as they are answered, in a process of their own; JSON out.

``python serving_client.py PORT PATH BODY CLIENTS SECONDS``. It takes wrk where that is installed (it costs the servers
less of the machine), else asyncio.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SCRIPT = """
wrk.method, wrk.body = "POST", [==[%s]==]
wrk.headers["Content-Type"] = "application/json"
done = function(summary, latency, requests)
  local e = summary.errors
  local form = '\\n{"requests": %%d, "seconds": %%f, "p50": %%f, "p99": %%f, "failed": %%d}\\n'
  io.write(string.format(form, summary.requests,
    summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def with_wrk(port: int, path: str, body: str, clients: int, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "ask.lua")
        script.write_text(SCRIPT % body)
        command = ["wrk", "-t1", f"-c{clients}", f"-d{max(1, round(seconds))}s", "--timeout", "30s", "-s", str(script),
                   f"http://127.0.0.1:{port}{path}"]  # fmt: skip
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return found


async def with_asyncio(port: int, path: str, body: str, clients: int, seconds: float) -> dict[str, Any]:
    data = body.encode()
    request = (
        f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"content-length: {len(data)}\r\n\r\n"
    ).encode() + data
    taken: list[float] = []
    failed = 0
    end = time.perf_counter() + seconds

    async def ask() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            began = time.perf_counter()
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b"transfer-encoding: chunked" in head:
                while int(await reader.readline(), 16):
                    await reader.readuntil(b"\r\n")
                await reader.readline()
            else:
                await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
            taken.append(time.perf_counter() - began)
            failed += b" 200 " not in head.split(b"\r\n")[0]
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(clients)))
    passed = time.perf_counter() - began
    taken.sort()
    return {
        "requests": len(taken), "seconds": passed, "failed": failed, "p50": taken[len(taken) // 2],
        "p99": taken[int(len(taken) * 0.99)],
    }  # fmt: skip


def main() -> None:
    port, path, body, clients, seconds = sys.argv[1:]
    given: Any = (int(port), path, body, int(clients), float(seconds))
    found = with_wrk(*given) if shutil.which("wrk") else asyncio.run(with_asyncio(*given))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
