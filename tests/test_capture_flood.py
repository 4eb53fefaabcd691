"""Loops that bind a watched value millions of times a second: memory stays bounded, and nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from celltrail.capture.watch import points
from celltrail.capture.watch.points import MOST_WAITING, Watcher
from celltrail.run import start
from celltrail.store import Store
from kernels import SETTLE, Kernel

ON = """
import signal, threading, time
from celltrail.capture import Recorder
from celltrail.capture.watch import points
recorder = Recorder(get_ipython())
recorder.on()
most, take_up = [0], points.Points._take_up
def measured(self, until):
    most[0] = max(most[0], self._waiting)
    take_up(self, until)
points.Points._take_up = measured
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(tmp_path / ".celltrail"), "XDG_CACHE_HOME": str(tmp_path / "c")})
    assert kernel.run(ON).status == "ok"
    yield kernel
    kernel.stop()


def test_a_loop_that_never_lets_go_waits_for_what_it_brought(kernel: Kernel, tmp_path: Path) -> None:
    """All of three million values are counted, at their own steps, and most were never waiting at once."""
    reply = kernel.run("%%track\nfor i in range(3_000_000):\n    loss = i * 0.5\nprint(i)")
    assert reply.text == "2999999\n"
    most = int(kernel.run("print(most[0])").text)
    kernel.run(SETTLE)
    store = Store(tmp_path / ".celltrail")
    (record,) = store.records()
    series = store.series(record.id)["loss"]
    assert MOST_WAITING < most < 1_500_000
    assert record.environment["overhead"]["values"] == 3_000_000
    assert len(series.step) > 1_000_000
    assert (series.value == series.step * 0.5).all()
    assert (series.step[1:] > series.step[:-1]).all()
    assert record.problems == ()


def test_ctrl_c_reaches_the_loop(kernel: Kernel, tmp_path: Path) -> None:
    """Also one that waits just then: what came before is kept, and the traceback is the user's."""
    interrupt = "threading.Timer(1.0, lambda: signal.raise_signal(signal.SIGINT)).start()\n"
    reply = kernel.run(f"%%track\n{interrupt}for i in range(10**12):\n    loss = i * 0.5")
    assert reply.content["ename"] == "KeyboardInterrupt"
    shown = "".join(reply.content["traceback"])
    assert "points.py" not in shown
    assert "loss" in shown
    assert kernel.run("1 + 1").status == "ok"
    kernel.run(SETTLE)
    store = Store(tmp_path / ".celltrail")
    record = store.records()[0]
    assert record.status == "interrupted"
    assert (store.series(record.id)["loss"].value == store.series(record.id)["loss"].step * 0.5).all()


def _flooded(store: Store) -> tuple[points.Points, list[int]]:
    """Points with more values waiting than is good, and a place that takes further ones."""
    watcher = Watcher()
    index = len(watcher.plan.targets)
    watcher.plan.targets.append("loss")
    watcher.plan.places.append("")
    opened = watcher.open(start("a", store=store))
    watcher.plan.sinks.append(opened.sink(index))
    for value in range(MOST_WAITING + 1):
        watcher.plan.sinks[index].extend((time.perf_counter_ns(), float(value)))
    return opened, [index]


def _writing(opened: points.Points, monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Thread, threading.Event]:
    """A thread that is writing them down, and gets no further before it is let."""
    entered, leave = threading.Event(), threading.Event()
    take_up = points.Points._take_up

    def slowly(self: points.Points, until: int) -> None:
        entered.set()
        assert leave.wait(60)
        take_up(self, until)

    monkeypatch.setattr(points.Points, "_take_up", slowly)
    writing = threading.Thread(target=opened.keep_up)
    writing.start()
    assert entered.wait(30)
    return writing, leave


def test_who_brings_more_waits_until_it_is_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """And goes on as soon as there is room; afterwards the place of the values is the plain list again."""
    opened, (index,) = _flooded(store)
    plan, run = points._plan, opened.run
    assert run is not None
    writing, leave = _writing(opened, monkeypatch)
    bringing = threading.Thread(target=lambda: plan.sinks[index].extend((time.perf_counter_ns(), -1.0)))
    bringing.start()
    bringing.join(0.2)
    assert bringing.is_alive()
    leave.set()
    bringing.join(30)
    writing.join(30)
    assert type(plan.sinks[index]) is list
    opened.close()
    run.finish()
    series = store.series(run.id)["loss"]
    assert series.value.tolist() == [*map(float, range(MOST_WAITING + 1)), -1.0]


def test_a_disk_that_hangs_holds_it_up_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while the loop goes on without waiting, and what it brings is written once that can be done."""
    opened, (index,) = _flooded(store)
    run = opened.run
    assert run is not None
    writing, leave = _writing(opened, monkeypatch)
    monkeypatch.setattr(points, "PATIENCE_S", 0.5)
    began = time.monotonic()
    for value in range(1000):
        points._plan.sinks[index].extend((time.perf_counter_ns(), float(value)))
    assert time.monotonic() - began < 100  # not 500
    leave.set()
    writing.join(30)
    opened.close()
    run.finish()
    assert store.series(run.id)["loss"].value.tolist()[-1000:] == [*map(float, range(1000))]


def test_a_stop_is_heard_while_it_waits(store: Store) -> None:
    """What people ask for is not lost by what else is done with a value."""
    opened, (index,) = _flooded(store)
    opened._has_room.clear()
    opened._place()
    assert isinstance(points._plan.sinks[index], points._Full)
    opened._brake(True)
    assert isinstance(points._plan.sinks[index], points._Brake)
    opened._has_room.set()
    opened._place()
    assert isinstance(points._plan.sinks[index], points._Brake)
    opened._brake(False)
    assert type(points._plan.sinks[index]) is list
    opened.close()
    assert isinstance(points._plan.sinks[index], points._Forward)
