"""What celltrail costs a cell: real kernels with celltrail and without, the same cells in both in turn."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent.parent / "tests"))
from tables import Figures

from celltrail.store import Store
from celltrail.store.catalogue.alike import Alike
from kernels import Kernel

# The clock lives among the builtins, before celltrail is loaded: as a name of the notebook it would be fingerprinted
# with all its rows, and each cell would depend on all before it that called it. The clock would measure itself.
CLOCK = """
import builtins
import time as clocks
class Clock:
    def __init__(self):
        self.rows, self.whole = [], []
    def used(self):
        return clocks.process_time_ns()
    def now(self):
        return clocks.perf_counter_ns(), clocks.thread_time_ns()
    def before(self, *_):
        self.start = self.now()
    def first(self):
        self.body = self.now()
    def last(self):
        self.done = self.now()
    def after(self, *_):
        end = self.now()
        self.whole.append(end[1] - self.start[1])
        if getattr(self, "done", None):
            self.rows.append([body - start + after - done for start, body, done, after
                in zip(self.start, self.body, self.done, end)])
            self.done = None
builtins.clock_ = Clock()
del Clock
"""
STARTED = """
get_ipython().events.register("pre_execute", clock_.before)
get_ipython().events.register("post_run_cell", clock_.after)
import numpy as np, pandas as pd, random
frame = pd.DataFrame({"a": range(100), "b": np.arange(100) / 7})
"""
BODY = """
# Step {number}: summary of the frame
scale = {number} / 100
rows = 50
names = ["a", "b"]
part = frame[names].head(rows) * scale
means = {{name: part[name].mean() for name in names}}
if means["a"] > 1e9:
    raise ValueError("never")
values = [x * scale for x in range(rows)]
text = f"{{len(values)}} values"
best = max(values)
"""
TIMED = """
import time
began = time.perf_counter(), time.thread_time()
{loop}
print(time.perf_counter() - began[0], time.thread_time() - began[1])
"""
STEPS, VALUES, FILES = 20_000, 300_000, 2_000
STEP = "x = np.arange({size}.0)\nfor i in range({steps}):\n    x.sum(); x.max()\n    loss = i * 0.5"
VALUE = f"for i in range({VALUES}):\n    loss = i * 0.5"
MADE = """
import tempfile
from pathlib import Path
folder = tempfile.mkdtemp(dir=".")
places = [f"{{folder}}/{{i}}" for i in range({files})]
for place in places:
    Path(place).write_bytes(b"x")
"""
OPENED = "for place in places:\n    open(place).close()"
PRINTED = "line = 'x' * 999\nfor i in range({count}):\n    print(line)"
CLAIMED = "for i in range(100_000):\n    loss = i * 0.5\n    if i % 100 == 0:\n        print(i)"
WATCH = "%%track --watch loss --no-chart --if-same off"
TRACK = "%%track --no-chart"
SETTLE_S = 1.5  # the background has gone on until then


class Pair:
    """Two kernels, one with celltrail and one without."""

    def __init__(self, folder: Path) -> None:
        environment = {"CELLTRAIL_STORE": str(folder / ".celltrail"), "XDG_CACHE_HOME": str(folder / "cache")}
        self.ours, self.plain = Kernel(folder, environment), Kernel(folder)
        for kernel in (self.ours, self.plain):
            kernel.run(CLOCK)
        self.ours.run("%load_ext celltrail")
        for kernel in (self.ours, self.plain):
            kernel.run(STARTED)  # last of all that listens

    def __iter__(self) -> Iterator[Kernel]:
        return iter((self.ours, self.plain))

    def stop(self) -> None:
        """End both."""
        self.ours.stop()
        self.plain.stop()


def cells(pair: Pair, count: int, line: str) -> Figures:
    """Many different cells one after the other, as "run all" sends them: ms a cell.

    The main thread's time before the first line of the body and after its last, the processor time of the whole
    process, and how long the client waited; for both, and what an early and a late tenth of the cells took.
    """
    for kernel in pair:
        kernel.run("clock_.rows.clear(); clock_.done = None")
    time.sleep(SETTLE_S)
    used = [-_number(kernel, "clock_.used()") for kernel in pair]
    waited: dict[Kernel, list[float]] = {kernel: [] for kernel in pair}
    for number in range(count):
        body = f"clock_.first()\n{BODY.format(number=number)}\nclock_.last()"
        for kernel in pair:
            began = time.perf_counter()
            reply = kernel.run(f"{line}\n{body}" if line and kernel is pair.ours else body)
            waited[kernel].append(1000 * (time.perf_counter() - began))
            assert reply.status == "ok", reply.content
    time.sleep(SETTLE_S)
    used = [before + _number(kernel, "clock_.used()") for before, kernel in zip(used, pair, strict=True)]
    found: dict[str, Any] = {"cells": count}
    for name, kernel, spent in zip(("ours", "plain"), pair, used, strict=True):
        rows = json.loads(kernel.run("print(clock_.rows)").text)
        clock, processor = ([row[index] / 1e6 for row in rows] for index in (0, 1))
        part = max(10, count // 10)
        found[name] = {
            "clock": statistics.median(clock),
            "cpu": statistics.median(processor),
            "cpu_p99": statistics.quantiles(processor, n=100)[98],
            "early_cpu": statistics.median(processor[part // 2 : part // 2 + part]),
            "late_cpu": statistics.median(processor[-part:]),
            "process_cpu": spent / count / 1e6,
            "client": statistics.median(waited[kernel]),
        }
    return found


def loop(pair: Pair, rounds: int, line: str, body: str, before: str = "pass") -> Figures:
    """Seconds that a body took inside its cell, by the clock and by the processor: the least of the rounds.

    Args:
        pair: the kernels.
        rounds: how often.
        line: the magic above it, with celltrail.
        body: what is timed.
        before: an untimed, untracked cell before each round.
    """
    taken: dict[str, list[tuple[float, float]]] = {"ours": [], "plain": []}
    for _ in range(rounds):
        for name, kernel in (("ours", pair.ours), ("plain", pair.plain)):
            kernel.run(before)
            time.sleep(0.3)
            cell = TIMED.format(loop=body).strip()
            words = kernel.run(f"{line}\n{cell}" if name == "ours" else cell, timeout=300).text.split()
            taken[name].append((float(words[-2]), float(words[-1])))
    return {
        name: {"clock": min(each[0] for each in rows), "cpu": min(each[1] for each in rows)}
        for name, rows in taken.items()
    }


def ten_microseconds(kernel: Kernel) -> int:
    """How long the array must be for a step of the loop to take 10 us here."""
    size = 7000
    for _ in range(3):
        cell = TIMED.format(loop=STEP.format(size=size, steps=STEPS)).strip()
        step_us = float(kernel.run(cell, timeout=300).text.split()[-1]) / STEPS * 1e6
        size = max(10, round(size * 10 / step_us))
    return size


def printed(pair: Pair, rounds: int, count: int) -> Figures:
    """Seconds from sending a cell that prints so many kB to its last message: the least of the rounds."""
    taken: dict[str, list[float]] = {"ours": [], "plain": []}
    for _ in range(rounds):
        for name, kernel in (("ours", pair.ours), ("plain", pair.plain)):
            began = time.perf_counter()
            kernel.run(f"{TRACK if name == 'ours' else '# plain'}\n{PRINTED.format(count=count)}", timeout=600)
            taken[name].append(time.perf_counter() - began)
    return {name: {"clock": min(rows)} for name, rows in taken.items()}


def search(folder: Path, runs: int) -> Figures:
    """Milliseconds to find the earlier runs of a recipe among so many, and to read one of them."""
    from trails import make_trail, record_of

    store = Store(make_trail(folder / f"{runs}", runs))
    store.look((), lambda look: None)  # somebody asked something of this trail before
    alike = Alike(store.root, store.id)
    alike.ids("")
    asked, read = [], []
    for number in range(200):
        began = time.perf_counter()
        alike.ids(f"{number:032x}")
        between = time.perf_counter()
        assert alike.record(record_of(number % runs).id) is not None
        asked.append(1000 * (between - began))
        read.append(1000 * (time.perf_counter() - between))
    return {"asked": statistics.median(asked), "read": statistics.median(read), "runs": runs}


def claim(kernel: Kernel, rounds: int) -> Figures:
    """Milliseconds of the main thread that a cell takes more when it is tracked, and what its run says that was."""
    kernel.run("clock_.whole.clear()")
    for _ in range(rounds):
        kernel.run(f"# no track\n{CLAIMED}")
        kernel.run(f"%%track claimed --watch loss --no-chart --if-same off\n{CLAIMED}")
    whole = json.loads(kernel.run("print(clock_.whole)").text)[1:]  # the clearing cell is the first
    told = (
        "import celltrail\nprint([run.overhead['main_cpu_ns'] for run in celltrail.runs(\"name == 'claimed'\")"
        " if run.overhead])"
    )
    deadline = time.monotonic() + 60
    while len(claims := json.loads(kernel.run(told).text)) < rounds and time.monotonic() < deadline:
        time.sleep(SETTLE_S)  # a busy machine's recorder is still writing
    added = [tracked - plain for plain, tracked in zip(whole[::2], whole[1::2], strict=True)]
    return {"claimed": statistics.median(claims) / 1e6, "added": statistics.median(added) / 1e6}


def profiled(pair: Pair, count: int = 200) -> str:
    """The functions that the main thread spends a tracked cell in, by its own processor time."""
    pair.ours.run(
        "import cProfile, time\nprofile_ = cProfile.Profile(time.thread_time)\n"
        "get_ipython().events.callbacks['pre_run_cell'].insert(0, lambda *a: profile_.enable())\n"
        "get_ipython().events.register('post_run_cell', lambda *a: profile_.disable())"
    )
    for number in range(count):
        pair.ours.run(f"%%track\n{BODY.format(number=number)}")
    return pair.ours.run("import pstats; pstats.Stats(profile_).sort_stats('cumulative').print_stats(70)").text


def measure(pair: Pair, folder: Path, part: int = 1) -> dict[str, Figures]:
    """All rows; ``part`` makes them so much smaller."""
    rounds = max(3, 9 // part)
    few, many = (search(folder, count) for count in (100, 10_000 // part))
    found: dict[str, Figures] = {
        "untracked": cells(pair, 1000 // part, ""),
        "tracked": cells(pair, 500 // part, TRACK),
        "search": {**many, "few": few["asked"]},
    }
    step = STEP.format(size=ten_microseconds(pair.plain), steps=STEPS)
    found["watch"] = {**loop(pair, rounds, WATCH, step), "steps": STEPS}
    found["value"] = {**loop(pair, rounds, WATCH, VALUE), "values": VALUES}
    found["open"] = {**loop(pair, rounds, TRACK, OPENED, MADE.format(files=FILES)), "files": FILES}
    found["claim"] = claim(pair.ours, 2 * rounds)
    count = 100_000 // part
    found["print"] = {**printed(pair, 3, count), "mb": count // 1000}
    return found


def _number(kernel: Kernel, expression: str) -> int:
    return int(kernel.run(f"print({expression})").text)
