"""Summaries: blocks folded in any cut equal one pass over the series."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celltrail.model import Metric
from celltrail.store.log.summary import Said, Summaries

VALUES = st.lists(
    st.sampled_from([0.0, -1.0, 2.5, 2.5, math.nan, math.inf, -math.inf]) | st.integers(-100, 100).map(float),
    min_size=1,
    max_size=30,
)


def by_hand(values: list[float]) -> Metric:
    """The summary of one series whose steps are 10, 11, ..."""
    real = [(value, step) for step, value in enumerate(values, 10) if value == value]
    low = min(real, default=(math.nan, None), key=lambda pair: pair[0])
    high = max(real, default=(math.nan, None), key=lambda pair: pair[0])
    total = sum(value for value, _ in real)
    return Metric(
        "val/acc",
        "max",
        "",
        values[0],
        values[-1],
        9 + len(values),
        low[0],
        low[1],
        high[0],
        high[1],
        float(total),
        len(values),
        len(values) - len(real),
    )


@settings(max_examples=150, deadline=None)
@given(VALUES, st.sets(st.integers(1, 29)))
def test_folding_block_by_block_equals_one_pass(values: list[float], cuts: set[int]) -> None:
    """NaN is counted and takes no part; infinity does; of equal values the first step is kept."""
    summaries = Summaries()
    bounds = [0, *sorted(cut for cut in cuts if cut < len(values)), len(values)]
    for first, last in itertools.pairwise(bounds):
        block = np.array(values[first:last])
        both = np.stack([block, np.full(last - first, np.nan)], axis=1)
        summaries.fold(("val/acc", "never"), np.arange(10 + first, 10 + last), both)
        summaries = Summaries(summaries.metrics())
    assert repr(summaries.metrics()["val/acc"]) == repr(by_hand(values))
    never = summaries.metrics()["never"]
    assert (never.count, never.nan_count, never.min_step, never.sum) == (len(values), len(values), None, 0.0)


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_a_short_block_is_folded_the_same_without_numpy(values: list[float]) -> None:
    """What a few rows say of a metric does not depend on how they are folded."""
    few, many = Summaries(), Summaries()
    steps = list(range(10, 10 + len(values)))
    few.fold_few(("val/acc", "never"), steps, [tuple(values), (math.nan,) * len(values)])
    many.fold(("val/acc", "never"), np.array(steps), np.array([(value, math.nan) for value in values]))
    assert repr(few.metrics()) == repr(many.metrics())


@pytest.mark.parametrize("early", [True, False])
def test_what_is_declared_counts_before_and_after(early: bool) -> None:
    """A goal or unit declared by the user overrides the name's, whenever it is said."""
    summaries = Summaries()
    if early:
        summaries.declare("score", Said(goal="min", unit="ms"))
    summaries.fold(("score", "val/loss"), np.array([1, 2]), np.array([[3.0, 1.0], [2.0, 5.0]]))
    if not early:
        summaries.declare("score", Said(goal="min"))
        summaries.declare("score", Said(unit="ms"))
    metrics = summaries.metrics()
    assert (metrics["score"].goal, metrics["score"].unit, metrics["score"].best) == ("min", "ms", 2.0)
    assert (metrics["val/loss"].goal, metrics["val/loss"].best_step) == ("min", 1)


def test_an_empty_block_changes_nothing() -> None:
    """No rows, no metric."""
    summaries = Summaries()
    summaries.fold(("loss",), np.array([], np.int64), np.empty((0, 1)))
    assert summaries.metrics() == {}
