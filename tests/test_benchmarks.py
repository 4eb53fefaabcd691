"""The trails that benchmarks read are real ones: what they measure is what a user would wait for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from celltrail.query import runs
from celltrail.store import Store

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))
from trails import METRICS, make_trail, record_of


@pytest.mark.parametrize("points", [0, 20])
def test_a_made_trail_reads_like_a_recorded_one(tmp_path: Path, points: int) -> None:
    """Every run has its params, metrics and status, and a log, where there is one, without damage."""
    store = Store(make_trail(tmp_path / ".celltrail", 12, points))
    found = runs(store=store)
    assert [run.name for run in found] == [record_of(number).name for number in reversed(range(12))]
    for run in found:
        assert run.record.problems == ()
        assert set(run.metrics) == set(METRICS)
        assert store.gaps(run.id) == []
        if points:
            steps, values = run.series("val/loss")
            assert len(steps) == points
            assert run.metrics["val/loss"].min == values.min()
