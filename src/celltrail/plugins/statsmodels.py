"""statsmodels in a tracked cell: what each ``fit`` came to. Tested with statsmodels 0.15.0.

``train/aic``, ``train/bic``, ``train/llf``, ``train/r2`` ... are statsmodels' own numbers; the coefficients with their
errors, p-values and 95% intervals are a table of the run. ``train/pseudo_r2`` is McFadden's: statsmodels would fit a
model of the constant alone for it, which can take as long as the fit; that model's likelihood is written down here for
the kinds in which it has a closed form, and left to you (``result.prsquared``) in the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

import celltrail as ct
from celltrail.plugins.names import Key, Series, per_run

# of its results: what each is called, and the direction it is better in
RESULTS = {
    "aic": ("aic", "min"),
    "bic": ("bic", "min"),
    "llf": ("llf", "max"),
    "rsquared": ("r2", "max"),
    "rsquared_adj": ("r2_adj", "max"),
    "sse": ("sse", "min"),
}
PSEUDO_R2 = "pseudo_r2"
_Model: Any = import_module("statsmodels.base.model").Model
MOST_TERMS = 500


def on(statsmodels: Any, hand: Any) -> Callable[[], None]:
    """Hear of each model that is fitted."""
    series = per_run(lambda run: Series(hand, run, "statsmodels"))

    def around(call: Any) -> Callable[[Any], object] | None:
        is_model = call.name == "fit" and hasattr(call.owner, "endog")
        return partial(_fitted, hand, series(call.run), call) if is_model else None

    return hand.calls(around)


def _fitted(hand: Any, series: Series, call: Any, result: Any) -> None:
    if result is None:
        return
    run, model = call.run, type(call.owner).__name__
    told: dict[str, Any] = {"estimator": model}
    formula = getattr(call.owner, "formula", None)
    if isinstance(formula, str):
        told[f"{model}.formula"] = formula
    hand.describe(run, params=told, summary={f"{model}.nobs": int(call.owner.endog.shape[0])})
    found = {own: getattr(result, own, None) for own in RESULTS}
    values = {Key("train", RESULTS[own][0], own): value for own, value in found.items() if value is not None}
    null = null_likelihood(call.owner)
    if null and found["llf"] is not None:
        values[Key("train", PSEUDO_R2, "prsquared")] = 1 - found["llf"] / null
    series.log(values, goals={**dict(RESULTS.values()), PSEUDO_R2: "max"})
    _coefficients(run, model, result)


def null_likelihood(model: Any) -> float | None:
    """The log-likelihood of the constant alone, where it is that of the shares of the classes or of the mean count."""
    import numpy as np

    kind, given = type(model).__name__, np.asarray(model.endog)
    if kind in ("Logit", "Probit"):
        counts = np.array([np.count_nonzero(given == 0), np.count_nonzero(given == 1)])
        return _of_shares(counts) if counts.sum() == given.size else None
    if kind == "MNLogit":
        return _of_shares(np.unique(given, return_counts=True)[1] if given.ndim == 1 else given.sum(axis=0))
    if kind == "Poisson" and not any(np.any(getattr(model, each, None)) for each in ("offset", "exposure")):
        mean = given.mean()
        logs = sum(
            count * math.lgamma(value + 1) for value, count in zip(*np.unique(given, return_counts=True), strict=True)
        )
        return float(given.sum() * math.log(mean) - len(given) * mean - logs) if mean > 0 else None
    return None


def _of_shares(counts: Any) -> float | None:
    """The log-likelihood of classes of these sizes by their shares; None where one has nobody."""
    import numpy as np

    return float((counts * np.log(counts / counts.sum())).sum()) if (counts > 0).all() else None


def term_names(model: Any) -> list[str]:
    """What statsmodels calls the terms of this model.

    Those of an array without names it makes up the first time it is asked, by the variance of each column, which takes
    a hundredth of a fit. Two rows tell the same where no column, or only that of ones, has a value twice.
    """
    import numpy as np

    data: Any = getattr(model, "data", None)
    given: Any = getattr(data, "orig_exog", None)
    is_made_up = (
        type(given) is np.ndarray and given is data.exog and "xnames" not in getattr(data, "_cache", ("xnames",))
    )
    if is_made_up and type(model).exog_names is _Model.exog_names and given.ndim == 2 and len(given) > 1:
        alike = np.flatnonzero(given[0] == given[1])
        is_constant = len(alike) == 1 and data.const_idx == alike[0] and given[0, alike[0]] == 1
        if not len(alike) or is_constant:
            names = [f"x{place}" for place in range(1, given.shape[1] + 1 - is_constant)]
            return [*names[: alike[0]], "const", *names[alike[0] :]] if is_constant else names
    return list(getattr(model, "exog_names", None) or ())


def _coefficients(run: ct.Run, model: str, result: Any) -> None:
    """A row for each term, where the results are of that kind."""
    import numpy as np

    columns: Mapping[str, Any] = {
        name: getattr(result, own, None) for name, own in (("coef", "params"), ("std_err", "bse"), ("p", "pvalues"))
    }
    names = term_names(result.model)
    sizes = {len(each) for each in columns.values() if hasattr(each, "__len__")}
    if any(each is None for each in columns.values()) or sizes != {len(names)} or len(names) > MOST_TERMS:
        return
    interval = result.conf_int()
    ends = interval.to_numpy() if hasattr(interval, "to_numpy") else interval
    found = {name: np.asarray(each, dtype=float) for name, each in columns.items()}
    low, high = np.asarray(ends, dtype=float).T
    run.log_table(f"coefficients/{model}", {"term": names, **found, "low": low, "high": high})
