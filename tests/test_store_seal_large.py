"""Sealed runs at the sizes where the format changes its shape."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from celltrail.errors import StoreError
from celltrail.store import Store
from celltrail.store.seal.parquet import GROUP_ROWS
from recovery.logs import begin
from recovery.seals import aged, drop_logs, everything


def test_windows_over_several_row_groups(store: Store) -> None:
    """A table longer than a row group reads the same whole, and in windows within, across and beyond groups."""
    count = 2 * GROUP_ROWS + 1000
    writer = begin(store)
    steps = np.arange(count, dtype=np.int64)
    values = np.random.default_rng(1).normal(size=(count, 1))
    values[GROUP_ROWS] = np.nan
    writer.rows(("loss",), steps, writer.clock() + steps, values)
    writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
    before = everything(store, writer.id)
    aged(store, writer.id)
    assert store.seal(writer.id)
    drop_logs(store, writer.id)
    assert everything(store, writer.id) == before
    edge = GROUP_ROWS
    for first, last in ((0, 3), (edge - 2, edge + 2), (edge, edge), (edge - 1, 2 * edge), (count - 2, count + 9)):
        found = store.window(writer.id, "loss", first, last)
        assert found.step.tolist() == list(range(first, min(last + 1, count)))
        assert np.array_equal(found.value, values[first : last + 1, 0], equal_nan=True)
    assert store.window(writer.id, "loss", count, count + 5).step.tolist() == []


def test_more_key_sets_than_schemas_are_sealed(store: Store) -> None:
    """Names made in a loop: rows that became items are columns of the seal as the others."""
    writer = begin(store)
    for number in range(1100):
        writer.row((f"m{number}", "loss"), number, writer.clock(), (number, number / 3))
    writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
    before = everything(store, writer.id)
    aged(store, writer.id)
    assert store.seal(writer.id)
    drop_logs(store, writer.id)
    assert everything(store, writer.id) == before
    assert len(store.series(writer.id)) == 1101
    assert store.gaps(writer.id) == []


def test_who_joins_a_run_keeps_it_from_being_sealed(store: Store) -> None:
    """While a rank still writes nothing is sealed, and none of its points is lost; afterwards nobody can join."""
    writer = begin(store)
    writer.row(("loss",), 1, writer.clock(), (0.5,))
    writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
    rank = store.join(writer.id, rank=1)
    rank.row(("late",), 2, rank.clock(), (0.25,))
    aged(store, writer.id)
    assert not store.seal(writer.id)
    rank.row(("late",), 3, rank.clock(), (0.125,))
    rank.close(store.record(writer.id))
    before = everything(store, writer.id)
    aged(store, writer.id)
    assert store.seal(writer.id)
    assert everything(store, writer.id) == before
    assert store.series(writer.id)["late"].value.tolist() == [0.25, 0.125]
    with pytest.raises(StoreError, match="already finished"):
        store.join(writer.id, rank=2)
