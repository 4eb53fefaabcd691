"""The kernel's side of the panels' benchmark: what a panel asks comes by HTTP instead of by a comm.

    python benchmarks/panels/kernel.py FOLDER      prints its port, and answers until its input ends

Every answer is made by the panels that a notebook shows, over trails in the real formats.
"""

from __future__ import annotations

import base64
import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import orjson

sys.path.append(str(Path(__file__).parent.parent))
from trails import make_trail

from celltrail.compare import compare
from celltrail.panels import saved
from celltrail.panels.chart import OPTIONS, Chart
from celltrail.panels.detail import Details, payload
from celltrail.panels.feed import Feed
from celltrail.panels.table import Table, compare_bundle, table_bundle
from celltrail.panels.widget import Panel
from celltrail.query import runs
from celltrail.run import Logged, start
from celltrail.store import Store

RUNS, MORE = 10_000, 184  # 200 columns, with the facts of a run
LONG = 1_000_000  # points of the long series
SOAK = ("train/loss", "val/loss", "train/acc", "val/acc")


class Kernel:
    """The panels that are measured."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        wide = Store(make_trail(folder / "wide", RUNS, more=MORE))
        self.table = Table(runs(store=wide))
        self.long = Details(runs(store=Store(make_trail(folder / "long", 1, LONG)))[0])
        self.chart = Chart("", "soak")
        self.sent: list[dict[str, Any]] = []
        for panel in (self.table, self.long, self.chart):
            panel.send = self._keep  # pyright: ignore
        self.soaked = self._soak()

    def answer(self, path: str, asked: Any) -> Any:
        answers: dict[str, Callable[[Any], Any]] = {
            "/table/state": lambda _: {"state": self.table.state, "options": self.table.options},
            "/table/ask": lambda intent: self._ask(self.table, intent),
            "/long/state": lambda _: {"state": self.long.state, "options": OPTIONS},
            "/long/ask": lambda intent: self._ask(self.long, intent),
            "/soak": lambda _: next(self.soaked),
            "/saved": lambda _: self.bytes_saved(),
        }
        return answers[path](asked)

    def _keep(self, message: Any, buffers: list[bytes] | None = None) -> None:
        self.sent.append({"message": message, "buffers": [base64.b64encode(each).decode() for each in buffers or []]})

    def _ask(self, panel: Panel, intent: Any) -> Any:
        self.sent.clear()
        began = time.perf_counter()
        panel._hear(None, intent, [])
        return {**self.sent[-1], "ms": 1000 * (time.perf_counter() - began)}

    def _soak(self) -> Any:
        """100,000 points of a live run, 1,000 at a time: what the chart is sent, and what the kernel holds."""
        store = Store(self.folder / f"soak-{time.time_ns()}")
        run = start("soak", store=store)
        feed = Feed(run)
        tracemalloc.start()
        for block in range(100):
            for number in range(block * 250, block * 250 + 250):
                values = dict.fromkeys(SOAK, 1 / (1 + number % 997))
                run.log(values, step=number)
                feed.put(Logged(run, SOAK, number, run.record().started_us + number * 1000, list(values.values())))
            feed.drain()
            self.sent.clear()
            self.chart.tell([feed], full=False)
            gc.collect()
            yield {**self.sent[-1], "held": tracemalloc.get_traced_memory()[0], "points": (block + 1) * 1000}
        run.finish()

    def bytes_saved(self) -> dict[str, int]:
        """Bytes of each saved output, as a notebook would keep it."""
        few = runs(store=self.table.runs.store)[:20]
        pair = compare(*few[:2])
        kept = {
            "run table, 20 of 10,000 x 200": table_bundle(few, None),
            "comparison of two": compare_bundle(pair, few.store.id, None),
            "one run of 5 x 1,000,000 points": saved.detail_bundle(payload(self.long._run), ""),
        }
        return {name: saved.size(bundle) for name, bundle in kept.items()}


class Handler(BaseHTTPRequestHandler):
    kernel: Kernel

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = orjson.dumps(self.kernel.answer(self.path, json.loads(body or b"null")))  # as a kernel writes messages
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        self.wfile.write(found)

    def log_message(self, *_: Any) -> None:
        pass


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    Handler.kernel = Kernel(folder)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
