"""The log and the series read back from it: every value as it was logged."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celltrail.errors import BadValue, StoreError
from celltrail.store import Store
from recovery.logs import begin, the_log

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40)


@settings(max_examples=40, deadline=None)
@given(
    calls=st.lists(
        st.tuples(
            st.dictionaries(NAMES, st.floats(width=64), min_size=1, max_size=4), st.integers(-(2**63), 2**63 - 1)
        ),
        min_size=1,
        max_size=12,
    )
)
def test_every_float_and_every_name_comes_back(calls: list, tmp_path_factory: pytest.TempPathFactory) -> None:
    """NaN, infinities, negative zero, any step; quotes, dots, slashes and any script in names; in the order logged."""
    store = Store(tmp_path_factory.mktemp("trail") / ".celltrail")
    writer = begin(store)
    expected: dict[str, list[tuple[int, str]]] = {}
    for values, step in calls:
        writer.row(tuple(values), step, writer.clock(), list(values.values()))
        for name, value in values.items():
            expected.setdefault(name, []).append((step, repr(value)))
    series = store.series(writer.id)
    assert set(series) == set(expected)
    for name, points in expected.items():
        assert [*zip(series[name].step.tolist(), map(repr, series[name].value.tolist()), strict=True)] == points
    assert store.gaps(writer.id) == []


def test_a_series_has_the_documented_types_and_times(store: Store) -> None:
    """int64 steps and microseconds, float64 values; times never go back."""
    writer = begin(store)
    for step in range(100):
        writer.row(("loss", "acc"), step, writer.clock(), (0.5, 1))
    series = store.series(writer.id)["acc"]
    assert (series.step.dtype, series.t_us.dtype, series.value.dtype) == (np.int64, np.int64, np.float64)
    assert (np.diff(series.t_us) >= 0).all()
    with pytest.raises(KeyError):
        store.series(writer.id)["nothing"]


def test_more_key_sets_than_schemas_still_give_the_same_points(store: Store) -> None:
    """Names made in a loop: after 1,024 key sets rows become items, and read the same."""
    writer = begin(store)
    for number in range(1100):
        writer.row((f"m{number}", "loss"), number, writer.clock(), (number, float("nan")))
    series = store.series(writer.id)
    assert len(series) == 1101
    assert series["m1099"].value.tolist() == [1099.0]
    assert series["loss"].step.tolist() == list(range(1100))
    assert math.isnan(series["loss"].value[-1])
    assert store.record(writer.id).metrics["loss"].nan_count == 1100
    assert [event for event in store.events(writer.id) if event["kind"] == "item"] == []


def test_rows_from_many_threads_stay_whole(store: Store) -> None:
    """One lock around schema and write: no row is torn, none has another's names."""
    writer = begin(store)

    def work(number: int) -> None:
        for step in range(500):
            writer.row((f"loss {number}", f"acc {number % 2}"), step, writer.clock(), (number, step))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    series = store.series(writer.id)
    for number in range(6):
        assert series[f"loss {number}"].step.tolist() == list(range(500))
        assert set(series[f"loss {number}"].value) == {float(number)}
    assert len(series["acc 0"].value) == 1500


def test_events_and_items_come_back_in_order(store: Store) -> None:
    """With values that JSON does not know, and text that is no valid unicode."""
    writer = begin(store)
    writer.event("opened", cell="c1", big=2**80)
    writer.item("histogram", 3, {"edges": [0.0, math.inf], "text": "\ud800"})
    writer.event("closed", nothing=None)
    begun, opened, item, closed = store.events(writer.id)
    assert begun["tables"]["run"][writer.id]["status"] == "running"
    assert (opened["kind"], opened["cell"], opened["big"]) == ("opened", "c1", 2**80)
    assert (item["kind"], item["name"], item["step"]) == ("item", "histogram", 3)
    assert item["value"] == {"edges": [0.0, math.inf], "text": "\\ud800"}
    assert closed["nothing"] is None
    assert opened["t"] <= item["t"] <= closed["t"]


def test_a_row_that_cannot_be_packed_is_refused_and_harms_nothing(store: Store) -> None:
    """A step beyond 64 bits or a missing value is the caller's mistake."""
    writer = begin(store)
    for step, values in ((2**70, (1.0, 2.0)), (1, (1.0,)), (1, ("x", 2.0))):
        with pytest.raises(BadValue, match="cannot be kept"):
            writer.row(("loss", "acc"), step, writer.clock(), values)
    writer.row(("loss", "acc"), 1, writer.clock(), (1.0, 2.0))
    assert store.series(writer.id)["acc"].value.tolist() == [2.0]
    assert store.gaps(writer.id) == []


def test_nothing_can_be_written_after_close(store: Store) -> None:
    """A late log is told, instead of being lost in silence."""
    writer = begin(store)
    writer.close(store.record(writer.id))
    writer.close(store.record(writer.id))
    writer.sync()
    writer.beat()
    writer.flush()
    with pytest.raises(StoreError, match="has ended"):
        writer.row(("loss",), 1, writer.clock(), (1.0,))
    with pytest.raises(StoreError, match="has ended"):
        writer.event("late")


def test_a_beat_is_written_only_after_silence(store: Store) -> None:
    """It moves the file's time, for readers on other hosts; it is no event."""
    writer = begin(store)
    path = the_log(store, writer.id)
    sizes = []
    for action in (writer.beat, writer.beat, lambda: writer.row(("a",), 1, 1, (1.0,)), writer.beat, writer.beat):
        action()
        sizes.append(path.stat().st_size)
    assert sizes[0] == sizes[1] - 17 or sizes[0] < sizes[1]
    assert sizes[2] == sizes[3] < sizes[4]
    assert [event["kind"] for event in store.events(writer.id)] == ["begun"]


FORKED = """
import json, os, sys
from recovery.logs import begin
from celltrail.store import Store
store = Store(sys.argv[1])
writer = begin(store)
for step in range(50):
    writer.row(("parent",), step, writer.clock(), (1.0,))
children = []
for number in range(3):
    child = os.fork()
    if not child:
        writer.put("run", writer.id, {"name": "child"})
        writer.event("printed", text="in the child")
        writer.flush()
        writer.sync()
        if number:
            for step in range(20):
                writer.row((f"child {number}", "both"), step, writer.clock(), (2.0, number))
        writer.close(store.record(writer.id))
        os._exit(0)
    children.append(child)
for step in range(50, 100):
    writer.row(("parent", "both"), step, writer.clock(), (1.0, 0.0))
for child in children:
    assert os.waitpid(child, 0)[1] == 0
print(writer.id)
"""


def test_a_forked_child_never_touches_its_parents_file(store: Store) -> None:
    """Series of parent and children do not mix; the document stays the parent's; a silent child makes no file."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", FORKED, str(store.root)]
    run_id = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    series = store.series(run_id)
    assert series["parent"].step.tolist() == list(range(100))
    assert set(series["parent"].value) == {1.0}
    for number in (1, 2):
        assert series[f"child {number}"].step.tolist() == list(range(20))
    assert sorted(series["both"].value) == [0.0] * 50 + [1.0] * 20 + [2.0] * 20
    assert len(list((store.root / "runs" / run_id[-2:] / run_id / "m").iterdir())) == 3
    record = store.record(run_id)
    assert (record.name, record.status) == ("run", "killed")
    assert store.gaps(run_id) == []


def test_importing_the_store_is_light() -> None:
    """What only readers or documents need is imported when it is needed."""
    program = (
        "import sys, celltrail.store; print(*{'numpy', 'tinydb', 'sqlite3', 'pandas', 'psutil'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "\n"


def test_a_window_of_a_series_has_its_steps_only(store: Store) -> None:
    """Both ends belong to it; steps that come twice or go back keep their order."""
    writer = begin(store)
    for step in (0, 1, 2, 3, 2, 1, 2, 9):
        writer.row(("loss",), step, writer.clock(), (float(step),))
    series = store.series(writer.id)
    assert series.window("loss", 1, 2).step.tolist() == [1, 2, 2, 1, 2]
    assert series["loss"].step.tolist() == [0, 1, 2, 3, 2, 1, 2, 9]
    assert series.window("loss", 1.5, 8).value.tolist() == [2, 3, 2, 2]
    assert store.window(writer.id, "loss", 4, 8).step.tolist() == []
    with pytest.raises(KeyError):
        store.window(writer.id, "acc", 0, 1)
