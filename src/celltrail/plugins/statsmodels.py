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
    if kind in ("Logit", "Probit", "MNLogit"):
        counts = np.unique(given, return_counts=True)[1] if given.ndim == 1 else given.sum(axis=0)
        is_whole = kind == "MNLogit" or bool(((given == 0) | (given == 1)).all())
        return float((counts * np.log(counts / counts.sum())).sum()) if is_whole and (counts > 0).all() else None
    if kind == "Poisson" and not any(np.any(getattr(model, each, None)) for each in ("offset", "exposure")):
        mean = given.mean()
        logs = sum(
            count * math.lgamma(value + 1) for value, count in zip(*np.unique(given, return_counts=True), strict=True)
        )
        return float(given.sum() * math.log(mean) - len(given) * mean - logs) if mean > 0 else None
    return None


def _coefficients(run: ct.Run, model: str, result: Any) -> None:
    """A row for each term, where the results are of that kind."""
    columns: Mapping[str, Any] = {
        name: getattr(result, own, None) for name, own in (("coef", "params"), ("std_err", "bse"), ("p", "pvalues"))
    }
    names = list(getattr(result.model, "exog_names", None) or ())
    sizes = {len(each) for each in columns.values() if hasattr(each, "__len__")}
    if any(each is None for each in columns.values()) or sizes != {len(names)} or len(names) > MOST_TERMS:
        return
    interval = result.conf_int()
    ends = interval.to_numpy() if hasattr(interval, "to_numpy") else interval
    terms = zip(names, *(list(each) for each in columns.values()), ends, strict=True)
    rows = [
        {
            "term": name,
            "coef": float(coef),
            "std_err": float(err),
            "p": float(p),
            "low": float(low),
            "high": float(high),
        }
        for name, coef, err, p, (low, high) in terms
    ]
    run.log_table(f"coefficients/{model}", rows)
