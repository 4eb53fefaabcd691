"""A Jupyter Server with many runs and some that go on: how long its answers take, and whether a kernel feels them.

    python benchmarks/server.py [--runs 10000] [--live 20] [--write]

A real server with a real kernel, and a process whose runs log ten times a second. Each question is asked again and
again; meanwhile a kernel is asked for a sign of life over its websocket, with and without questions beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import quote

import psutil
from tables import markdown, write_between
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect
from trails import make_trail

ROUNDS, PINGS = 40, 60
FLOOR_MS = 100.0  # a page of runs
README = Path(__file__).parents[1] / "README.md"
LIVE = """
import sys, threading, time
from celltrail.run import start
from celltrail.store import Store
store = Store(sys.argv[1])
runs = [start(f"live {i}", {"lr": i}, store=store) for i in range(int(sys.argv[2]))]
print("going", flush=True)
step = 0
while True:
    for run in runs:
        run.log({"train/loss": 1 / (1 + step), "val/acc": step}, step)
    step += 1
    time.sleep(0.1)
"""


class Served:
    """A Jupyter Server in folders of its own, and a kernel of it."""

    def __init__(self, home: Path, root: Path) -> None:
        self.token = secrets.token_hex(16)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        names = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "XDG_CACHE_HOME", "IPYTHONDIR")
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ip=127.0.0.1",
                f"--port={self.port}", f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={root}",
                "--ServerApp.jpserver_extensions={'celltrail': True, 'jupyter_lsp': False, 'jupyterlab': False}",
            ],
            env=os.environ | {name: str(home / name) for name in names},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.client = AsyncHTTPClient()

    @property
    def megabytes(self) -> float:
        return psutil.Process(self.process.pid).memory_info().rss / 1e6

    @property
    def processor_ms(self) -> float:
        spent = psutil.Process(self.process.pid).cpu_times()
        return (spent.user + spent.system) * 1e3

    async def ask(self, path: str, body: object = None) -> bytes:
        data = None if body is None else json.dumps(body)
        request = HTTPRequest(
            f"http://127.0.0.1:{self.port}/{path}", method="GET" if body is None else "POST", body=data,
            headers={"Authorization": f"token {self.token}"}, request_timeout=120,
        )  # fmt: skip
        return (await self.client.fetch(request)).body

    async def up(self) -> None:
        while True:
            try:
                await self.ask("api/status")
                return
            except OSError:
                await asyncio.sleep(0.2)

    async def kernel(self) -> Any:
        """A kernel's websocket."""
        made = json.loads(await self.ask("api/kernels", {"name": "python3"}))
        place = f"ws://127.0.0.1:{self.port}/api/kernels/{made['id']}/channels?token={self.token}"
        return await websocket_connect(place)


async def ping_ms(kernel: Any) -> float:
    """From a question to the kernel's answer."""
    said = uuid.uuid4().hex
    head = {"msg_id": said, "msg_type": "kernel_info_request", "session": said, "username": "", "version": "5.3"}
    message = {"header": head, "parent_header": {}, "metadata": {}, "content": {}, "channel": "shell"}
    began = time.perf_counter()
    await kernel.write_message(json.dumps(message))
    while True:
        reply = json.loads(await kernel.read_message())
        if reply["msg_type"] == "kernel_info_reply" and reply["parent_header"]["msg_id"] == said:
            return (time.perf_counter() - began) * 1e3


async def pings(kernel: Any) -> list[float]:
    found: list[float] = []
    for _ in range(PINGS):
        found.append(await ping_ms(kernel))
        await asyncio.sleep(0.05)
    return found


async def timed(served: Served, path: str, body: object = None) -> dict[str, Any]:
    """How long each answer took, and the processor time of the server for one."""
    found: list[float] = []
    before = served.processor_ms
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await served.ask(path, body)
        found.append((time.perf_counter() - began) * 1e3)
    return {"ms": found, "cpu": (served.processor_ms - before) / ROUNDS}


async def measured(served: Served, trail: str, runs: int, live: int) -> dict[str, Any]:
    await served.up()
    kernel = await served.kernel()
    await pings(kernel)
    bare = served.megabytes
    base = f"celltrail/trails/{trail}"
    began = time.perf_counter()
    await served.ask(f"{base}/runs?limit=50")
    first = (time.perf_counter() - began) * 1e3
    quiet = await pings(kernel)
    going = quote("status == 'running'")
    where = quote("params.lr < 0.01 and best('val/acc') > 0.5")
    listed = {"kind": "list", "id": "l", "where": "", "words": "", "sort": ["-best.val/acc"], "group": []}
    listed |= {"first": 50, "columns": []}
    questions: dict[str, tuple[str, object]] = {
        f"a page of 50 of {runs:,} runs": (f"{base}/runs?limit=50", None),
        "the same by an expression": (f"{base}/runs?limit=50&q={where}", None),
        f"the {live} runs that go on": (f"{base}/runs?q={going}", None),
        "all trails in reach, newest 50": ("celltrail/runs?limit=50", None),
        "the run table in another order": (f"{base}/questions", listed),
    }
    took = {name: await timed(served, *question) for name, question in questions.items()}
    over = asyncio.Event()

    async def keep_asking() -> None:
        while not over.is_set():
            for question in questions.values():
                await served.ask(*question)

    asking = [asyncio.create_task(keep_asking()) for _ in range(2)]
    busy = await pings(kernel)
    over.set()
    await asyncio.gather(*asking)
    return {"first": first, "took": took, "quiet": quiet, "busy": busy, "bare": bare, "full": served.megabytes}


def p95(found: list[float]) -> float:
    return quantiles(found, n=20)[-1]


def table(found: dict[str, Any]) -> str:
    rows = [
        [name, f"{each['cpu']:.0f} ms", f"{median(each['ms']):.0f} ms", f"{p95(each['ms']):.0f} ms"]
        for name, each in found["took"].items()
    ]
    rows += [
        [f"a kernel's sign of life, {words}", "-", f"{median(found[name]):.1f} ms", f"{p95(found[name]):.1f} ms"]
        for name, words in (("quiet", "nothing else asked"), ("busy", "two pages asking all the time"))
    ]
    beyond = (
        f"The first question after the start took {found['first']:,.0f} ms; the server's memory grew from "
        f"{found['bare']:.0f} to {found['full']:.0f} MB over all of this. "
        f"{os.cpu_count()} cores, shared with other work."
    )
    return f"{markdown(['', 'processor time of the server', 'median', 'p95'], rows)}\n\n{beyond}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--live", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        trail = make_trail(home / "work" / ".celltrail", asked.runs)
        command = [sys.executable, "-c", LIVE, str(trail), str(asked.live)]
        going = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=home)
        assert going.stdout is not None
        going.stdout.readline()
        served = Served(home, home / "work")
        try:
            trail_id = json.loads((trail / "trail.json").read_text())["id"]
            found = asyncio.run(measured(served, trail_id, asked.runs, asked.live))
        finally:
            for process in (going, served.process):
                process.terminate()
                process.wait(30)
    print(table(found))
    if asked.write:
        write_between(README, "<!-- benchmark:server -->", "<!-- /benchmark:server -->", table(found))
    page = next(iter(found["took"].values()))
    return int(page["cpu"] > FLOOR_MS)


if __name__ == "__main__":
    sys.exit(main())
