"""What was tried below a run and is over by the time it is written down."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from celltrail.capture.script import describe_runs
from celltrail.errors import BadValue, CelltrailError
from celltrail.query import find
from celltrail.run import Kept, current, listen, start
from celltrail.run.events import Event
from celltrail.store import Store
from celltrail.store.folders import run_folder


def test_a_trial_is_a_run_below_it(store: Store) -> None:
    """With what it was told, as long as it took, and never the current run."""
    with start("search", store=store, project="digits") as run:
        with run.trial("depth 3", {"depth": 3}, tags="trial", seconds=12.5) as trial:
            assert current() is run
            trial.log({"objective": 0.91}, step=7)
        assert current() is run
    told = find(trial.id, store)
    assert (told.name, told.status, told.params, tuple(told.tags)) == ("depth 3", "finished", {"depth": 3}, ("trial",))
    assert (told.record.parent, told.record.group, told.record.project) == (run.id, "search", "digits")
    assert told.record.duration_s == 12.5
    assert 12.5 <= (told.record.ended_us - told.record.started_us) / 1e6 < 60
    assert store.series(trial.id)["objective"].step.tolist() == [7]
    assert [child.id for child in find(run.id, store).children] == [trial.id]


def test_it_ends_as_it_did(store: Store) -> None:
    """One that failed is failed, and the run above goes on."""
    with start("search", store=store) as run:
        with pytest.raises(ZeroDivisionError), run.trial("a", seconds=1) as trial:
            trial.log({"objective": 1 / 0})
        with run.trial("b", seconds=1) as other:
            other.finish("interrupted")
        assert run.is_running
    assert [find(each.id, store).status for each in (trial, other)] == ["failed", "interrupted"]


def test_the_machine_did_nothing_for_it(store: Store) -> None:
    """It knows where it ran as its run does, but nobody measured it."""
    describe_runs()
    with start("search", store=store, code="c" * 64) as run:
        run.learn(environment={"env": {"python": "3.11"}, "hardware": {"cpus": 2}})
        with run.trial("a", seconds=1) as trial:
            trial.log({"objective": 1})
    record = store.record(trial.id)
    assert record.environment == {"env": {"python": "3.11"}, "hardware": {"cpus": 2}}
    assert (record.code, record.summary) == ("c" * 64, {})
    assert "sys/seconds" in store.record(run.id).summary


def test_where_it_ran_is_gathered_where_the_run_does_not_know_it_yet(store: Store) -> None:
    """As of any run."""
    describe_runs()
    with start("search", store=store) as run, run.trial("a", seconds=1) as trial:
        trial.log({"objective": 1})
    assert find(trial.id, store).record.environment.keys() >= {"env", "hardware"}


def test_one_held_open_is_in_the_trail(store: Store) -> None:
    """Its document comes with its end, or with the next look at the runs that go on."""
    with start("search", store=store) as run, run.trial("a", {"depth": 3}, seconds=1) as trial:
        trial.log({"objective": 1})
        document = run_folder(store.root, trial.id) / "run.json"
        assert not document.exists()
        limit = time.monotonic() + 30
        while not document.exists() and time.monotonic() < limit:
            time.sleep(0.05)
        assert Store(store.root).record(trial.id).status == "running"
        trial.tags.add("kept")
    assert tuple(find(trial.id, store).tags) == ("kept",)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), True, "12", timedelta(seconds=3)])
def test_how_long_it_took_is_a_number(store: Store, seconds: object) -> None:
    """Anything else is named, and no run begun."""
    with start("search", store=store) as run:
        with pytest.raises(BadValue, match=r"is not how long a trial took: a number of seconds, such as 12\.5"):
            run.trial("a", seconds=seconds)  # pyright: ignore[reportArgumentType]
        assert [record.id for record in store.records()] == [run.id]


@pytest.mark.parametrize("seconds", [2, 2.0, np.float32(2), np.float64(2), np.int64(2)])
def test_numbers_of_numpy_are_numbers(store: Store, seconds: float) -> None:
    """As libraries that search measure, and as the mean of a list is."""
    with start("search", store=store) as run, run.trial("a", seconds=seconds) as trial:
        trial.log({"objective": 1})
    told = find(trial.id, store).record
    assert (told.duration_s, type(told.duration_s)) == (2.0, float)


def test_one_that_nobody_ended_is_finished_with_the_run_above(store: Store) -> None:
    """Written down in one line, as `run.trial(...).log(...)` is, and so held by nobody."""
    with start("search", store=store) as run:
        for place in range(3):
            run.trial(f"try {place}", seconds=1).log({"objective": place})
        gc.collect()
        with run.trial("above", seconds=1) as above:
            above.trial("below", seconds=1)
    found = [*find(run.id, store).children, *find(above.id, store).children]
    assert {told.name: (told.status, told.summary.get("objective")) for told in found} == {
        "try 0": ("finished", 0),
        "try 1": ("finished", 1),
        "try 2": ("finished", 2),
        "above": ("finished", None),
        "below": ("finished", None),
    }


def test_who_hears_of_what_it_keeps_finds_it(store: Store) -> None:
    """As the panel below a cell does, which looks the run up at once."""
    found: list[tuple[str, list[str]]] = []

    def hear(event: Event) -> None:
        if isinstance(event, Kept):
            told = find(event.run.id, store)
            found.append((told.status, [item.name for item in told.items()]))

    unlisten = listen(hear)
    try:
        with start("search", store=store) as run, run.trial("a", seconds=1) as trial:
            trial.log_image("weights", np.zeros((4, 4)))
    finally:
        unlisten()
    assert found == [("running", ["weights"])]


def test_nothing_is_tried_below_a_run_that_has_ended(store: Store) -> None:
    """It says so."""
    run = start("search", store=store)
    run.finish()
    with pytest.raises(CelltrailError, match="has already finished"):
        run.trial("a", seconds=1)


def test_what_a_killed_process_had_told_is_there(store: Store, tmp_path: Path) -> None:
    """All trials that had ended; of one that was being written the log, from which its document is made again."""
    program = f"""
        import os, signal
        import celltrail as ct
        run = ct.start("search", store=ct.Store({str(store.root)!r}))
        for place in range(20):
            with run.trial(f"trial {{place}}", {{"place": place}}, seconds=1) as trial:
                trial.log({{"objective": place}})
        half = run.trial("half", {{"place": 20}}, seconds=1)
        half.log({{"objective": 20}})
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], timeout=120, cwd=tmp_path)
    assert done.returncode == -signal.SIGKILL
    found = {record.name: record for record in store.records()}
    assert [found[f"trial {place}"].status for place in range(20)] == ["finished"] * 20
    assert all(store.series(found[f"trial {n}"].id)["objective"].value.tolist() == [n] for n in range(20))
    environment = {**os.environ, "CELLTRAIL_STORE": str(store.root)}
    mend = [sys.executable, "-m", "celltrail", "doctor", "--repair"]
    subprocess.run(mend, cwd=store.root.parent, timeout=120, env=environment, check=False, capture_output=True)
    half = next(record for record in Store(store.root).records() if record.name == "half")
    assert (half.status, half.params["place"].value) == ("killed", 20)
