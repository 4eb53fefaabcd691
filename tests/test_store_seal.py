"""Sealed runs: Parquet reads as the logs did, to the bit, and only what is asked for is read."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celltrail.store import RunWriter, Store
from celltrail.store.files import alive
from celltrail.store.log import Log
from recovery.logs import begin
from recovery.seals import aged, drop_logs, everything, finished_run, folder_of


def test_a_sealed_run_reads_as_before(store: Store) -> None:
    """Series, events and record are equal while the logs are there, and from the Parquet alone."""
    run_id = finished_run(store)
    before = everything(store, run_id)
    assert not store.seal(run_id)  # it ended just now
    aged(store, run_id)
    assert store.seal(run_id)
    assert not store.seal(run_id)
    assert everything(store, run_id) == before
    assert store.compact().released == []  # sealed just now
    drop_logs(store, run_id)
    assert everything(store, run_id) == before
    assert store.gaps(run_id) == []
    assert store.window(run_id, "train/loss", 10, 12).step.tolist() == [10, 11, 12]


NAMES = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=6)
VALUES = st.one_of(st.floats(), st.sampled_from([0.0, -0.0, math.inf, -math.inf, math.nan, 0.1, 1e300, 5e-324]))
STEPS = st.one_of(st.integers(0, 5), st.integers(-(2**63), 2**63 - 1))
CALLS = st.lists(
    st.tuples(st.integers(0, 1), STEPS, st.dictionaries(NAMES, VALUES, min_size=1, max_size=4)), max_size=25
)
ITEMS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | NAMES, lambda inner: st.lists(inner, max_size=3)
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=CALLS, items=st.lists(st.tuples(NAMES, STEPS, ITEMS), max_size=5), writers=st.integers(1, 2))
def test_any_run_reads_the_same_from_its_seal(
    store: Store, calls: list[tuple[int, int, dict[str, float]]], items: list[tuple[str, int, object]], writers: int
) -> None:
    """Any names, any steps in any order, any values, several writers: to the bit, but that all NaN are one."""
    writer = begin(store)
    others = [another_log(store, writer) for _ in range(writers - 1)]
    for which, step, values in calls:
        chosen = [writer, *others][which % writers]
        chosen.row(tuple(values), step, writer.clock(), list(values.values()))
    for name, step, value in items:
        writer.item(name, step, value)
    for other in others:
        other.end({"t": writer.clock(), "status": "finished"})
    writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
    run_id = writer.id
    aged(store, run_id)
    before = everything(store, run_id)
    assert store.seal(run_id)
    drop_logs(store, run_id)
    after = everything(store, run_id)
    assert after[0] == before[0]
    assert after[2:] == before[2:]
    for name, each in after[1].items():
        assert each[:2] == before[1][name][:2]
        assert _bits(each[2]).tolist() == _bits(before[1][name][2]).tolist()


def _bits(data: bytes) -> np.ndarray:
    values = np.frombuffer(data)
    return np.where(np.isnan(values), np.nan, values).view(np.int64)


def another_log(store: Store, owner: RunWriter) -> Log:
    """The log of a further process of the same run, as a rank has one."""
    head = {"format": 1, "run": owner.id, "wall_us": owner.clock(), "pid": 1, "start": "", "boot": "", "host": ""}
    return Log(folder_of(store, owner.id) / "m", alive.writer_name(1), head)
