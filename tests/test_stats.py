"""Statistics of plain numbers: what drives a result is found, what does not is not, and doubt is told."""

from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import spearmanr

from celltrail.errors import BadValue
from celltrail.stats import importance, surface
from celltrail.stats.association import association
from celltrail.stats.coded import coded


def sweep(n: int, seed: int = 0) -> tuple[dict[str, list], np.ndarray]:
    """A result with its best rate at 1e-2, better by one optimizer, and nothing to do with the rest."""
    rng = np.random.default_rng(seed)
    rate = 10 ** rng.uniform(-4, 0, n)
    optimizer = rng.choice(["adam", "sgd", "rmsprop"], n)
    result = -((np.log10(rate) + 2) ** 2) + 1.5 * (optimizer == "adam") + rng.normal(0, 0.2, n)
    idle = {"seed": rng.integers(0, 5, n).tolist(), "host": rng.choice(list("abcd"), n).tolist()}
    return {"rate": rate.tolist(), "optimizer": optimizer.tolist(), **idle}, result


def test_what_drives_the_result_comes_first():
    """A curved dependence and one on words are found, and the intervals of what is idle hold nothing to speak of."""
    columns, result = sweep(80)
    found = importance(columns, result)
    assert [column.name for column in found.columns][:2] == ["rate", "optimizer"]
    assert all(column.low > 0.02 for column in found.columns[:2])
    assert all(column.low < 0.02 and abs(column.value) < 0.05 for column in found.columns[2:])
    assert all(column.low <= column.value <= column.high for column in found.columns)
    assert 0.7 < found.explained < 1
    assert found.rows == 80


def test_nothing_is_found_where_nothing_is():
    """Of pure chance the forest foretells nothing, and says so."""
    columns, _ = sweep(40)
    found = importance(columns, np.random.default_rng(5).normal(size=40))
    assert found.explained < 0.15
    assert sum(column.low > 0.05 for column in found.columns) == 0


def test_the_answer_is_always_the_same_and_no_generator_moves():
    """Neither numpy's global generator nor Python's is drawn from."""
    np.random.seed(3)
    random.seed(3)
    before = np.random.get_state()[1].tolist(), random.getstate()
    columns, result = sweep(20)
    assert importance(columns, result) == importance(columns, result)
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before


def test_columns_that_move_together_are_named():
    """A schedule that is chosen with its optimizer, and a width that grows with the depth."""
    columns, result = sweep(30)
    columns["schedule"] = [f"for {optimizer}" for optimizer in columns["optimizer"]]
    columns["width"] = [2.0 * rate + 1 for rate in columns["rate"]]
    assert importance(columns, result).together == (("rate", "width"), ("optimizer", "schedule"))


def test_odd_values_are_taken_as_they_are():
    """Missing values, flags, numbers beyond any float32, and columns of one kind only."""
    _, result = sweep(24)
    columns = {
        "huge": [10.0**300 * place for place in range(24)],
        "gaps": [None if place % 3 else place for place in range(24)],
        "flag": [place % 2 == 0 for place in range(24)],
        "mixed": ["auto" if place % 2 else place for place in range(24)],
        "same": ["x"] * 24,
    }
    found = {column.name: column for column in importance(columns, result).columns}
    assert found.keys() == columns.keys()
    assert found["flag"].ordered
    assert not found["mixed"].ordered
    assert found["same"].value == 0
    assert np.isnan(found["same"].association.value)


@pytest.mark.parametrize(
    ("columns", "target", "said"),
    [
        ({"a": [1, 2, 3]}, [1.0, 2.0, 3.0], "6 rows or more and has 3"),
        ({}, [1.0] * 8, "needs a column"),
        ({"a": [*range(8)]}, [0.5] * 8, "0.5 in all 8 rows"),
    ],
)
def test_what_cannot_be_explained_is_said(columns, target, said):
    """Too little to go by is an error with the number in it, not a chart."""
    with pytest.raises(BadValue, match=said):
        importance(columns, target)


def test_without_scikit_learn_the_extra_is_named():
    """The sentence has the command that installs it."""
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from celltrail.stats import importance\n"
        "importance({'a': range(8)}, [float(x) for x in range(8)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'celltrail[ml]'" in done.stderr.splitlines()[-1]


def test_rank_correlation_is_that_of_scipy():
    """With ties and missing values; the interval holds it and narrows with more rows."""
    rng = np.random.default_rng(2)
    wide = []
    for n in (12, 200):
        x = rng.integers(0, 6, n).astype(float)
        y = x + rng.normal(0, 2, n)
        found = association(coded([*x.tolist(), None]), np.append(y, 100.0))
        assert found.value == pytest.approx(spearmanr(x, y).statistic)
        assert found.low < found.value < found.high
        wide.append(found.high - found.low)
    assert wide[1] < wide[0] / 2


def test_words_have_a_correlation_ratio():
    """1 where the word tells the result, near 0 where it does not, whatever the number of words."""
    words = [f"w{place % 4}" for place in range(80)]
    telling = association(coded(words), np.array([float(word[1]) for word in words]))
    assert telling.value == pytest.approx(1)
    idle = association(coded(words), np.random.default_rng(1).normal(size=80))
    assert idle.low == 0
    assert idle.value < 0.3


def test_a_surface_claims_no_more_than_the_points_tell():
    """It stays within the heights, averages repeats, is blank far away, and knows when it foretells nothing."""
    rng = np.random.default_rng(4)
    x, y = rng.random((2, 120)) * 0.5
    z = x + rng.normal(0, 0.01, 120)
    made = surface(x, y, z, 20, 10)
    there = made.height[np.isfinite(made.height)]
    assert z.min() <= there.min() <= there.max() <= z.max()
    assert np.isnan(made.height[-1, -1])
    assert np.isfinite(made.height[0, 0])
    assert made.error < made.spread / 3
    noise = surface(x, y, rng.normal(size=120), 20, 10)
    assert noise.error > noise.spread * 0.9
    twice = surface(np.repeat(x, 2), np.repeat(y, 2), np.tile([0.0, 1.0], 120), 4, 4)
    assert np.nanmax(np.abs(twice.height - 0.5)) < 0.3
    with pytest.raises(BadValue, match="has 3"):
        surface(x[:3], y[:3], z[:3], 4, 4)
