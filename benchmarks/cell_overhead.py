"""What celltrail costs a cell, against the same cell in the same kernel without celltrail, both taken in turn.

    python benchmarks/cell_overhead.py             all parts
    python benchmarks/cell_overhead.py --quick     a fifth of the cells, for a first look
    python benchmarks/cell_overhead.py --profile   where the main thread of a tracked cell spends its time

A cell's cost is what the main thread does between IPython's ``pre_execute`` and the first line of the body, and
between its last line and the end of all ``post_run_cell`` hooks. Machines are shared and busy: read differences
and ratios, and the time on the processor beside the time on the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

sys.path.append(str(Path(__file__).parent.parent / "tests"))
from celltrail.store import Store
from celltrail.store.catalogue.alike import Alike
from kernels import Kernel

CLOCK = """
import time as clocks
class Clock:
    def __init__(self):
        self.rows, self.whole = [], []
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
clock_ = Clock()
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
TIMED = "import time\nbegan = time.perf_counter()\n{loop}\nprint(time.perf_counter() - began)"
WATCHED = """
x = np.arange(7000.0)
for i in range(20_000):
    x.sum(); x.max()
    loss = i * 0.5
"""
VALUES = """
for i in range(300_000):
    loss = i * 0.5
"""
PRINTED = "line = 'x' * 999\nfor i in range({count}):\n    print(line)"
CLAIMED = "for i in range(100_000):\n    loss = i * 0.5\n    if i % 100 == 0:\n        print(i)"
LINES = "for i in range(1000):\n    print('epoch', i, 'loss', i / 7)"


class Pair:
    """Two kernels, one with celltrail and one without."""

    def __init__(self, folder: Path) -> None:
        environment = {"CELLTRAIL_STORE": str(folder / ".celltrail"), "XDG_CACHE_HOME": str(folder / "cache")}
        self.ours, self.plain = Kernel(folder, environment), Kernel(folder)
        self.ours.run("%load_ext celltrail")
        for kernel in (self.ours, self.plain):
            kernel.run(CLOCK)

    def stop(self) -> None:
        self.ours.stop()
        self.plain.stop()


def milliseconds(values: list[float]) -> str:
    return f"{statistics.median(values):7.3f} p50 {statistics.quantiles(values, n=100)[98]:8.3f} p99"


def cells(pair: Pair, count: int, line: str) -> str:
    """The main thread's own time around a cell, with celltrail and without."""
    for kernel in (pair.ours, pair.plain):
        kernel.run("clock_.rows.clear(); clock_.done = None")
    waited: dict[Kernel, list[float]] = {pair.ours: [], pair.plain: []}
    for number in range(count):
        body = f"clock_.first()\n{BODY.format(number=number)}\nclock_.last()"
        for kernel in (pair.ours, pair.plain):
            began = perf_counter()
            reply = kernel.run(f"{line}\n{body}" if line and kernel is pair.ours else body)
            waited[kernel].append(1000 * (perf_counter() - began))
            assert reply.status == "ok", reply.content
    shown: list[str] = []
    rows = [json.loads(kernel.run("print(clock_.rows)").text) for kernel in (pair.ours, pair.plain)]
    for index, clock in enumerate(("clock", "processor")):
        ours, plain = ([row[index] / 1e6 for row in found] for found in rows)
        added = statistics.median(ours) - statistics.median(plain)
        shown.append(f"  {clock:9} {milliseconds(ours)} | without {milliseconds(plain)} | adds {added:6.3f} ms")
    ours, plain = (statistics.median(waited[kernel]) for kernel in (pair.ours, pair.plain))
    shown.append(f"  client    {ours:7.3f} p50 | without {plain:7.3f} | adds {ours - plain:6.3f} ms")
    return "\n".join(shown)


def ratio(pair: Pair, rounds: int, line: str, body: str, of: Callable[[Kernel, str], float]) -> tuple[float, float]:
    """Median seconds of a body with celltrail and without."""
    taken: dict[Kernel, list[float]] = {pair.ours: [], pair.plain: []}
    for _ in range(rounds):
        for kernel in (pair.ours, pair.plain):
            taken[kernel].append(of(kernel, f"{line}\n{body}" if kernel is pair.ours else body))
    return statistics.median(taken[pair.ours]), statistics.median(taken[pair.plain])


def inside(kernel: Kernel, cell: str) -> float:
    """Seconds as the cell itself measured them."""
    return float(kernel.run(cell, timeout=300).text.split()[-1])


def outside(kernel: Kernel, cell: str) -> float:
    """Seconds from sending a cell to its last message."""
    began = perf_counter()
    kernel.run(cell, timeout=600)
    return perf_counter() - began


def search(folder: Path, runs: int) -> tuple[float, float]:
    """Milliseconds to find the earlier runs of a recipe among so many, and to read one of them."""
    from trails import make_trail, record_of

    store = Store(make_trail(folder / f"{runs}", runs))
    store.look((), lambda look: None)  # somebody asked something of this trail before
    alike = Alike(store.root, store.id)
    alike.ids("")
    asked, read = [], []
    for number in range(200):
        began = perf_counter()
        alike.ids(f"{number:032x}")
        between = perf_counter()
        assert alike.record(record_of(number % runs).id) is not None
        asked.append(1000 * (between - began))
        read.append(1000 * (perf_counter() - between))
    return statistics.median(asked), statistics.median(read)


def claim(kernel: Kernel, rounds: int) -> tuple[float, float]:
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
    claims = json.loads(kernel.run(told).text)
    added = [tracked - plain for plain, tracked in zip(whole[::2], whole[1::2], strict=True)]
    return statistics.median(added) / 1e6, statistics.median(claims) / 1e6


def profile(pair: Pair) -> None:
    """The functions the main thread spends a tracked cell in."""
    pair.ours.run(
        "import cProfile\nprofile_ = cProfile.Profile()\n"
        "get_ipython().events.callbacks['pre_run_cell'].insert(0, lambda *a: profile_.enable())\n"
        "get_ipython().events.register('post_run_cell', lambda *a: profile_.disable())"
    )
    for number in range(200):
        pair.ours.run(f"%%track\n{BODY.format(number=number)}")
    print(pair.ours.run("import pstats; pstats.Stats(profile_).sort_stats('cumulative').print_stats(70)").text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    part = 5 if arguments.quick else 1
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(Path(folder))
        try:
            if arguments.profile:
                profile(pair)
                return
            print(f"untracked, {1000 // part} cells (floor 1 ms)\n{cells(pair, 1000 // part, '')}")
            print(f"tracked, {500 // part} cells (floor 5 ms)\n{cells(pair, 500 // part, '%%track --no-chart')}")
            few, many = (search(Path(folder), count) for count in (100, 10_000 // part))
            print(
                f"looking for earlier runs of a recipe among {10_000 // part:,}: {many[0]:.3f} ms,"
                f" {many[0] / few[0]:.2f}x of 100; one of them read: {many[1]:.3f} ms (floor 1 ms)"
            )
            rounds = 3 if arguments.quick else 9
            watch = "%%track --watch loss --no-chart"
            ours, plain = ratio(pair, rounds, watch, TIMED.format(loop=WATCHED), inside)
            print(f"--watch on a step of {plain / 20_000 * 1e6:.1f} us: {ours / plain:.3f}x (floor 1.05x)")
            ours, plain = ratio(pair, rounds, watch, TIMED.format(loop=VALUES), inside)
            print(f"--watch on nothing else: +{(ours - plain) / 300_000 * 1e9:.0f} ns a value (floor 200 ns)")
            added, claimed = claim(pair.ours, 2 * rounds)
            print(
                f"what a run says it cost: {claimed:.1f} ms, measured from outside {added:.1f} ms: "
                f"{claimed / added:.2f}x (floor 0.8x to 1.2x)"
            )
            count = 100_000 // part
            ours, plain = ratio(pair, 3, "%%track --no-chart", PRINTED.format(count=count), outside)
            print(f"{count // 1000} MB printed: {ours / plain:.2f}x of {plain:.2f} s (floor 1.3x)")
            ours, plain = ratio(pair, 2 * rounds, "%%track --no-chart", LINES, outside)
            print(f"1,000 printed lines: {ours / plain:.2f}x of {plain * 1000:.1f} ms")
        finally:
            pair.stop()


if __name__ == "__main__":
    main()
