"""Long series made short: what a line on a screen must not lose, whatever the series."""

import math
from itertools import groupby

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from celltrail.query.thin import FEWEST, keep
from counting import steps_of

values = st.one_of(
    st.lists(st.floats(), min_size=1, max_size=300),
    # long flat stretches, gaps and infinities, which single random numbers rarely make
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.0, -5.0, math.nan, math.inf, -math.inf, 1e308]), st.integers(1, 60)),
        min_size=1,
        max_size=12,
    ).map(lambda runs: [value for value, count in runs for _ in range(count)]),
)
limits = st.integers(FEWEST, 80)
NAN = math.nan


def runs_of_nan(series: list[float]) -> list[tuple[int, int]]:
    """First place and length of each run of NaN."""
    found, place = [], 0
    for missing, group in groupby(series, key=math.isnan):
        length = len(list(group))
        if missing:
            found.append((place, length))
        place += length
    return found


@settings(max_examples=400)
@given(values, limits)
@example([NAN] * 50, 4)
@example([NAN, 1.0, *[NAN] * 30, 2.0, NAN], 6)
@example([math.inf, *[0.0] * 30, -math.inf], 4)
def test_ends_and_extremes_stay(series: list[float], most: int):
    """Never more than asked; places increase; both ends, the lowest and the highest value are among them."""
    array = np.array(series)
    places = keep(array, most)
    assert len(places) <= most
    assert (np.diff(places) > 0).all()
    assert places[0] == 0
    assert places[-1] == len(series) - 1
    kept, present = array[places], array[~np.isnan(array)]
    if len(present):
        assert np.nanmin(kept) == present.min()
        assert np.nanmax(kept) == present.max()
    finite = present[np.isfinite(present)]
    if len(finite) and most >= FEWEST + 2:
        assert kept[np.isfinite(kept)].min() == finite.min()
        assert kept[np.isfinite(kept)].max() == finite.max()
    if len(series) <= most:
        assert places.tolist() == list(range(len(series)))


@settings(max_examples=400)
@given(values, limits)
def test_gaps_stay_gaps(series: list[float], most: int):
    """The longest runs of NaN have a NaN among the points, and every run that is longer than 8 / most of all."""
    places = set(keep(np.array(series), most).tolist())
    if len(series) <= most:
        return
    shown = [
        (length, any(place in places for place in range(first, first + length)))
        for first, length in runs_of_nan(series)
    ]
    assert all(seen for length, seen in shown if length > 8 * len(series) / most)
    if len(shown) <= most // 8:
        assert all(seen for _, seen in shown)


@given(st.lists(st.tuples(st.integers(-(2**62), 2**62), st.floats(allow_nan=False)), min_size=1, max_size=300), limits)
def test_any_steps_will_do(points: list[tuple[int, float]], most: int):
    """Steps may repeat, go back and be huge; what increased before still increases afterwards."""
    steps = np.array([step for step, _ in points])
    series = np.array([value for _, value in points])
    places = keep(series, most, steps)
    assert places[0] == 0
    assert places[-1] == len(points) - 1
    rising = np.sort(steps)
    again = keep(series, most, rising)
    assert len(again) <= most
    kept = rising[again].tolist()  # Python's integers: the distance of two steps may not fit into 64 bits
    assert kept == sorted(kept)


def test_the_line_keeps_its_shape():
    """A thousand of 200,000 points: the line through them is never far from a point left out."""
    count = 200_000
    x = np.arange(count)
    series = np.sin(x / 9_000) + 0.3 * np.sin(x / 700)
    places = keep(series, 1000, x)
    assert np.abs(np.interp(x, x[places], series[places]) - series).max() < 0.01


def test_irregular_steps_count_by_where_they_are():
    """With points crowded at the beginning, the long straight stretch behind does not win all the places."""
    x = np.concatenate([np.linspace(0, 1, 5_000), np.linspace(1, 1_000, 5_000)])
    series = np.where(x <= 1, np.sin(40 * x), 0.0)
    places = keep(series, 200, x)
    inside = np.linspace(0, 1, 2_000)
    assert np.abs(np.interp(inside, x[places], series[places]) - np.sin(40 * inside)).max() < 0.2


def test_a_single_spike_in_a_million_stays():
    """One wild value and one gap of a thousand points are both seen among 500 of a million."""
    series = np.zeros(1_000_000)
    series[123_457] = 7.0
    series[600_000:604_000] = np.nan
    places = keep(series, 500)
    assert 123_457 in places
    assert len(places) <= 500
    assert not np.isnan(series[places]).all()
    assert keep(series[600_000:], 500)[0] == 0


@pytest.mark.parametrize("hole", [False, True])
def test_thinning_is_quick(hole: bool):
    """The number of functions called does not grow with the points: all work is done by whole arrays."""
    series = np.random.default_rng(1).normal(size=1_000_000)
    if hole:
        series[1_000:200_000] = np.nan
    keep(series[:10_000], 1000)
    assert steps_of(keep, series, 1000) < 2 * steps_of(keep, series[:100_000], 1000) + 100
