"""Every Jupyter application can have warm kernels, through jupyter_client's own managers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = pytest.mark.timeout(120)

# Managers keep a zygote as long as their process lives, so each test has a process of its own.
PRELUDE = """
import asyncio, json, os, sys, time
from jupyter_client.manager import AsyncKernelManager, KernelManager
from jupyter_client.multikernelmanager import AsyncMultiKernelManager

async def execute(client, code):
    client.execute(code)
    shown = []
    while True:
        message = await client.get_iopub_msg(timeout=20)
        if message['msg_type'] in ('execute_result', 'stream', 'error'):
            content = message['content']
            shown.append(content.get('data', {}).get('text/plain') or content.get('text') or content.get('ename'))
        if message['msg_type'] == 'status' and message['content']['execution_state'] == 'idle' \\
                and message['parent_header'].get('msg_type') == 'execute_request':
            return shown
"""


@pytest.fixture
def script(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run Python in a process whose kernelspec names our provisioner; what it prints must be one JSON value."""
    folder = tmp_path / "jupyter" / "kernels" / "warm"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    metadata = {
        "kernel_provisioner": {"provisioner_name": "mlops-provisioner", "config": {"preload": ["numpy"]}}
    }
    spec = {"argv": argv, "display_name": "warm", "language": "python", "metadata": metadata}
    (folder / "kernel.json").write_text(json.dumps(spec))
    place = tmp_path_factory.mktemp("t")

    def run(source: str, **env: str) -> Any:
        environment = {**os.environ, "JUPYTER_PATH": str(tmp_path / "jupyter"), "TMPDIR": str(place), **env}
        environment["JUPYTER_RUNTIME_DIR"] = str(place / "runtime")
        done = subprocess.run(
            [sys.executable, "-c", PRELUDE + source],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        deadline = time.monotonic() + 3
        while left := _left(place):
            assert time.monotonic() < deadline, left
            time.sleep(0.05)
        return json.loads(done.stdout)

    return run


def _left(place: Path) -> list[str]:
    found = [str(path) for path in place.rglob("*") if path.name != "runtime"]
    for process in psutil.process_iter():
        try:
            if str(place) in " ".join(process.cmdline()):
                found.append(str(process.cmdline()))
        except psutil.Error:
            continue
    return found


def test_a_manager_starts_interrupts_restarts_and_ends_a_warm_kernel(
    script: Callable[[str], Any], tmp_path: Path
):
    found = script("""
async def main():
    manager = AsyncKernelManager(kernel_name='warm')
    await manager.start_kernel(cwd=os.getcwd(), env={**os.environ, 'COLOR': 'blue'})
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=30)
    found = {'provisioner': type(manager.provisioner).__name__, 'transport': manager.transport}
    code = "import os, sys; print(os.getcwd(), os.environ['COLOR'], 'numpy' in sys.modules)"
    found['place'] = (await execute(client, code))[0]
    code = "ip = get_ipython(); print(str(ip.history_manager.hist_file).rsplit('.')[-1], os.environ['PAGER'])"
    found['interactive'] = (await execute(client, code))[0]
    found['alive'] = await manager.is_alive()
    working = asyncio.ensure_future(execute(client, 'import time; time.sleep(60)'))
    await asyncio.sleep(0.5)
    await manager.interrupt_kernel()
    found['interrupted'] = await working
    await execute(client, 'x = 1')
    first = manager.provisioner.pid
    await manager.restart_kernel()
    await client.wait_for_ready(timeout=30)
    found['restarted'] = (await execute(client, "'x' in globals()"), manager.provisioner.pid != first)
    client.stop_channels()
    await manager.shutdown_kernel()
    found['ended'] = not await manager.is_alive()
    print(json.dumps(found))
asyncio.run(main())
""")
    assert found == {
        "provisioner": "WarmKernelProvisioner",
        "transport": "ipc",
        "place": f"{tmp_path} blue True\n",
        "interactive": "sqlite cat\n",
        "alive": True,
        "interrupted": ["KeyboardInterrupt"],
        "restarted": [["False"], True],
        "ended": True,
    }


def test_many_kernels_at_once_come_from_one_zygote_and_a_death_is_noticed(script: Callable[[str], Any]):
    found = script("""
async def main():
    managers = AsyncMultiKernelManager(default_kernel_name='warm')
    ids = await asyncio.gather(*(managers.start_kernel() for _ in range(6)))
    clients = [managers.get_kernel(kid).client() for kid in ids]
    for client in clients:
        client.start_channels()
        await client.wait_for_ready(timeout=30)
    parents = {(await execute(client, 'import os; os.getppid()'))[0] for client in clients}
    pids = {(await execute(client, 'os.getpid()'))[0] for client in clients}
    clients[0].execute('os.kill(os.getpid(), 9)')
    started = time.monotonic()
    while await managers.is_alive(ids[0]):
        await asyncio.sleep(0.01)
    noticed = time.monotonic() - started
    for client in clients:
        client.stop_channels()
    await managers.shutdown_all(now=True)
    print(json.dumps([len(parents), len(pids), noticed < 1]))
asyncio.run(main())
""")
    assert found == [1, 6, True]


@pytest.mark.slow
def test_blocking_managers_work_too(script: Callable[[str], Any]):
    found = script("""
manager = KernelManager(kernel_name='warm')
manager.start_kernel()
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=30)
reply = client.execute_interactive('1 + 1', timeout=20, output_hook=lambda message: None)
client.stop_channels()
manager.shutdown_kernel()
print(json.dumps([reply['content']['status'], type(manager.provisioner).__name__]))
""")
    assert found[0] == "ok"


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_no_kernel(script: Any, tmp_path: Path):
    found = script("""
import subprocess, signal
code = '''
import asyncio, os
from jupyter_client.manager import AsyncKernelManager
async def main():
    manager = AsyncKernelManager(kernel_name='warm')
    await manager.start_kernel()
    print(manager.provisioner.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
'''
process = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True)
pid = int(process.stdout.readline())
process.kill()
process.wait()
deadline = time.monotonic() + 2
while os.path.exists(f'/proc/{pid}') and time.monotonic() < deadline:
    time.sleep(0.02)
import glob
for name in glob.glob(os.environ['TMPDIR'] + '/tmp*.json'):
    os.unlink(name)  # jupyter_client's own connection file
print(json.dumps(os.path.exists(f'/proc/{pid}')))
""")
    assert found is False
