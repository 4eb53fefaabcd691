"""Hands on a run that goes on: it stops, pauses and takes other values when it logs, however it was asked."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import celltrail as ct
from celltrail.errors import BadValue, CelltrailError
from celltrail.panels.curves import state_of
from celltrail.panels.wished import is_held
from celltrail.query import find
from celltrail.run import Run, Wish, start
from celltrail.store import Store, control
from kernels import Kernel

MOST = 1_000_000  # steps of a loop that only people end


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / ".celltrail")


def soon(act: Callable[[], object]) -> threading.Thread:
    """Done on another thread, as panels do."""
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def steps(run: Run) -> Iterator[int]:
    """Steps of a loop, each with a point; never the end of one that is not stopped."""
    for step in range(MOST):
        run.log({"loss": 1 / (1 + step)}, step)
        yield step


def test_a_stop_is_an_interrupt_that_ends_the_run_as_finished(store: Store):
    """It passes what swallows exceptions, after the point is kept; the run says who stopped it and where."""
    run = start("loop", store=store)

    def careless() -> None:
        with run:
            for step in itertools.count():
                if step == 100:
                    assert run.steer(Wish("w", "stop")) == "loop stops at the next ct.log()"
                try:
                    run.log({"loss": 1.0}, step)
                except Exception:  # noqa: BLE001  what it does
                    continue

    with pytest.raises(ct.StopTraining) as stopped:
        careless()
    assert isinstance(stopped.value, KeyboardInterrupt)
    assert (stopped.value.step, stopped.value.by) == (100, "panel")
    found = find(run.id, store)
    assert (found.status, found.stopped_by, found.error) == ("finished", "panel", None)
    assert found.series("loss")[0].tolist() == list(range(101))
    (deed,) = found.interventions
    assert (deed.do, deed.step, deed.by, str(deed)) == ("stop", 100, "panel", "stopped from the panel")
    with pytest.raises(CelltrailError, match="loop' has already finished; there is nothing to stop"):
        run.steer(Wish("later", "stop"))


def test_a_loop_that_saves_on_ctrl_c_does_so_and_goes_on(store: Store):
    """It is stopped once by one wish, however often that comes; a second wish stops it again."""
    saved: list[int] = []
    with start("loop", store=store) as run:
        for wish in ("a", "b"):
            run.steer(Wish(wish, "stop"))
            try:
                for step in steps(run):
                    assert step < 1
            except KeyboardInterrupt:
                saved.append(run.step or 0)
            run.steer(Wish(wish, "stop"))  # the same once more, by another way
            run.log({"test/acc": 0.5})
    assert saved == [0, 0]
    assert (find(run.id, store).status, len(find(run.id, store).interventions)) == ("finished", 2)


def test_a_run_around_the_one_that_is_stopped_is_stopped_too(store: Store):
    """The exception passes through it, and it says so as well."""
    around = start("sweep", store=store)
    run = start("trial", store=store)
    run.steer(Wish("w", "stop"))
    with pytest.raises(ct.StopTraining), around, run:
        run.log({"loss": 1.0})
    assert [(find(each.id, store).status, each.stopped_by) for each in (around, run)] == [("finished", "panel")] * 2


def test_other_threads_log_on_and_the_run_s_own_stops(store: Store):
    """A thread of a data loader is not what should be torn."""
    failures: list[BaseException] = []

    def log(run: Run) -> None:
        try:
            run.log({"data/seconds": 0.1})
        except BaseException as error:  # noqa: BLE001  whatever it is
            failures.append(error)

    run = start("loop", store=store)
    run.steer(Wish("w", "stop"))
    soon(lambda: log(run)).join()
    with pytest.raises(ct.StopTraining), run:
        run.log({"loss": 1.0})
    assert failures == []
    assert find(run.id, store).series("data/seconds")[1].tolist() == [0.1]


def test_a_pause_lasts_until_it_is_resumed_and_is_told(store: Store):
    """Nothing is logged meanwhile; how long it was is an event."""
    seen: list[bool] = []  # by whoever reads the trail, such as the side bar
    with start("loop", store=store) as run:
        run.log({"loss": 1.0})
        assert not run.steering.is_paused
        run.steer(Wish("p", "pause"))
        assert run.steering.asked_to == "pause"
        seen.append(is_held(find(run.id, store)))

        def look_and_resume() -> None:
            deadline = time.monotonic() + 10
            while not is_held(find(run.id, store)) and time.monotonic() < deadline:
                threading.Event().wait(0.01)
            seen.append(run.steering.is_paused and state_of(find(run.id, store), [])["paused"])
            run.steer(Wish("r", "resume"))

        thread = soon(look_and_resume)
        run.log({"loss": 0.5})
        thread.join()
        run.log({"loss": 0.2})
        assert (run.steering.asked_to, run.steering.is_paused, run.steering.is_asked) == ("", False, False)
        seen.append(is_held(find(run.id, store)))
    assert seen == [False, True, False]
    (deed,) = find(run.id, store).interventions
    assert (deed.do, deed.step) == ("pause", 1)
    assert deed.seconds is not None
    assert deed.seconds > 0
    assert find(run.id, store).status == "finished"


def test_a_paused_run_can_be_stopped(store: Store):
    """Stop counts more than pause, whichever came first."""
    pause, stop = Wish("1", "pause"), Wish("2", "stop")
    for wishes in ((pause, stop), (stop, pause)):
        run = start("loop", store=store)
        for wish in wishes:
            run.steer(wish)
        with pytest.raises(ct.StopTraining), run:
            run.log({"loss": 1.0})


def test_a_knob_is_a_number_until_somebody_turns_it(store: Store):
    """Declared by its first call, a parameter of the run; a change comes with the next call, and is an event."""
    assert ct.knob("lr", 0.1) == 0.1  # no run, nothing to turn
    with start("loop", store=store) as run:
        seen: list[tuple[float, float]] = []
        for step in range(3):
            seen.append((ct.knob("lr", 1e-3, 1e-5, 1e-1), ct.knob("batch", 32, low=1)))
            run.log({"loss": 1.0}, step)
            if step == 1:
                assert run.steer(Wish("1", "turn", knob="lr", value=0.05)).startswith("loop gets lr = 0.05")
                run.steer(Wish("2", "turn", knob="batch", value=64.0))
                run.steer(Wish("3", "turn", knob="batch", value=32))
    assert seen == [(1e-3, 32), (1e-3, 32), (0.05, 32)]
    found = find(run.id, store)
    assert found.params == {"lr": 1e-3, "batch": 32}
    (deed,) = found.interventions
    assert (deed.do, deed.name, deed.before, deed.value, deed.step, str(deed)) == (
        "knob", "lr", 1e-3, 0.05, 1, "lr 0.001 → 0.05",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"knob": "lr", "value": 1.0}, "lr was given 1.0; it takes 1e-05 to 0.1"),
        ({"knob": "lr", "value": None}, "lr was given None; it takes 1e-05 to 0.1"),
        ({"knob": "lr", "value": float("nan")}, "lr was given nan; it takes"),
        ({"knob": "batch", "value": 0.0}, "batch was given 0.0; it takes at least 1"),
        ({"knob": "batch", "value": 1.5}, "batch was given 1.5; it takes whole numbers"),
        ({"knob": "any", "value": float("inf")}, "any was given inf; it takes any finite number"),
        ({"knob": "lrr", "value": 1.0}, "no knob is called 'lrr'; did you mean 'lr'? there is lr, batch, any"),
    ],
)
def test_what_a_knob_does_not_take_is_said(store: Store, wish: dict[str, Any], said: str):
    """With the value, what is allowed, and the nearest name."""
    with start("loop", store=store) as run:
        run.knob("lr", 1e-3, 1e-5, 1e-1)
        run.knob("batch", 32, low=1)
        run.knob("any", 1.0)
        with pytest.raises(BadValue) as told:
            run.steer(Wish("w", "turn", **wish))
        assert said in str(told.value)
        assert (run.knob("lr", 0.0), run.knob("batch", 0), run.knob("any", 0.0)) == (1e-3, 32, 1.0)


@pytest.mark.parametrize("value", [True, "0.1", float("nan"), 3.0])
def test_what_is_no_knob_is_said(store: Store, value: Any):
    """A value that is no number, or outside of its bounds."""
    with start("loop", store=store) as run, pytest.raises(BadValue, match="lr"):
        run.knob("lr", value, 0, 1)


def test_a_wish_that_lies_in_the_trail_is_heard(store: Store):
    """By the process of the run, whoever left it there; what makes no sense is a problem of the run."""
    with start("loop", store=store) as run:
        control.post(store.root, run.id, {"id": "x", "do": "turn", "knob": "lr", "value": 1.0})
        (store.root / "runs" / run.id[-2:] / run.id / "control" / "half.json").write_text('{"id":')
        control.post(store.root, run.id, {"id": "y", "do": "stop", "by": "panel"})
        with pytest.raises(ct.StopTraining):
            all(not threading.Event().wait(0.01) for _ in steps(run))
    found = find(run.id, store)
    assert (found.status, found.stopped_by) == ("finished", "panel")
    assert "no knob is called 'lr'" in found.record.problems[0]
    assert not [finding for finding in store.examine().findings if finding.kind == "foreign"]


CELL = """%%track watched --watch loss
for i in range({most}):
    try:
        loss = 1 / (1 + i + 0 * sum(range(5000)))
    except Exception:
        pass
""".replace("{most}", str(MOST * 100))
SAVES = """%%track saves
from time import sleep
kept = []
try:
    while True:
        ct.log(loss=1.0)
        sleep(0.001)
except KeyboardInterrupt:
    kept.append("checkpoint")
print(kept)
"""


def test_a_cell_that_never_logs_by_itself_stops_where_a_value_is_watched(tmp_path: Path):
    """In a real kernel, by the trail alone: one line below the cell, and a record that says interrupted by hand."""
    store = Store(tmp_path / ".celltrail")
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(tmp_path / "cache")})
    try:
        kernel.run("%load_ext celltrail\nimport celltrail as ct")
        for cell in (CELL, SAVES):
            sent = kernel.client.execute(cell)
            wish_stop(store, 1 + (cell is SAVES))
            reply = kernel.collect(sent)
            if cell is CELL:
                assert (reply.status, reply.content["ename"]) == ("error", "StopTraining")
                assert len(reply.of("error")[0]["traceback"]) == 1
            else:
                assert (reply.status, reply.text) == ("ok", "['checkpoint']\n")
        kernel.run("%unload_ext celltrail")  # all is written when it returns
    finally:
        kernel.stop()
    watched, saves = (find(name, store) for name in ("watched", "saves"))
    assert [(run.status, run.stopped_by, run.error) for run in (watched, saves)] == [("finished", "panel", None)] * 2
    assert [run.record.executions[-1].status for run in (watched, saves)] == ["interrupted", "ok"]
    (deed,) = watched.interventions
    found, values = watched.series("loss")
    assert round(1 / values[-1]) == found[-1] + 1
    assert deed.step in found[-2:]  # a value that others may come beside is not written yet


def wish_stop(store: Store, runs: int) -> None:
    """Wait for the newest run to have points, then leave the wish in the trail."""
    while len(store.records()) < runs or not store.records()[0].metrics:
        threading.Event().wait(0.05)
    control.post(store.root, store.records()[0].id, {"id": f"w{runs}", "do": "stop", "by": "panel"})
