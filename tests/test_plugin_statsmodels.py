"""What the plug-in of statsmodels computes by itself, held against statsmodels' own number."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from celltrail.plugins.statsmodels import null_likelihood, term_names

sm: Any = pytest.importorskip("statsmodels.api")


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    """A constant and three columns."""
    return sm.add_constant(np.random.default_rng(0).normal(size=(400, 3)))


def test_the_likelihood_of_the_constant_alone(x: np.ndarray):
    """McFadden's pseudo R² by it is statsmodels' own, which fits that model twice to know it."""
    rng = np.random.default_rng(1)
    yes, count = (x.sum(1) + rng.normal(size=400) > 1).astype(int), rng.poisson(np.exp(0.3 * x[:, 1]))
    for model in (
        sm.Logit(yes, x), sm.Probit(yes, x), sm.MNLogit(np.digitize(x[:, 1] + rng.normal(size=400), [-0.5, 0.5]), x),
        sm.Poisson(count, x),
    ):  # fmt: skip
        result, null = model.fit(disp=0), null_likelihood(model)
        assert null is not None
        assert 1 - result.llf / null == pytest.approx(result.prsquared, rel=1e-5), type(model)


def test_where_it_has_no_closed_form(x: np.ndarray):
    """Shares, exposures and other kinds are left to statsmodels."""
    shares, count = np.random.default_rng(2).random(400), np.random.default_rng(3).poisson(2, 400)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        others = [
            sm.Logit(shares, x), sm.Poisson(count, x, exposure=1 + shares), sm.NegativeBinomial(count, x),
            sm.OLS(shares, x),
        ]  # fmt: skip
    assert [null_likelihood(model) for model in others] == [None] * 4


def test_terms_have_the_names_that_statsmodels_gives_them(x: np.ndarray):
    """Made up without asking it where that is certain, and then it was not asked; the same in every case."""
    y, free = np.random.default_rng(4).normal(size=400), x[:, 1:]
    renamed = sm.OLS(y, free)
    renamed.exog_names[:] = ["a", "b", "c"]
    certain = [
        sm.OLS(y, given) for given in (free, x, sm.add_constant(free, prepend=False), np.insert(free, 1, 1, axis=1))
    ]
    others = [
        renamed, sm.OLS(y, np.column_stack([free, np.full(400, 0.1)])), sm.OLS(y, (free > 0).astype(float)),
        sm.OLS(y, np.column_stack([x, np.zeros(400)])), sm.OLS(y, free[:, 0]),
    ]  # fmt: skip
    told = [term_names(model) for model in certain + others]
    assert ["xnames" in model.data._cache for model in certain + others] == [False] * 4 + [True] * 5
    assert told == [list(model.exog_names) for model in certain + others]
