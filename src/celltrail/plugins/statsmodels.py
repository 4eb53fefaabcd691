"""statsmodels in a tracked cell: what each ``fit`` came to. Tested with statsmodels 0.15.0.

``train/aic``, ``train/bic``, ``train/llf``, ``train/r2`` ... are statsmodels' own numbers; the coefficients with their
errors, p-values and 95% intervals are a table of the run.
"""

from __future__ import annotations

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
    "prsquared": ("pseudo_r2", "max"),
    "sse": ("sse", "min"),
}
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
    series.log(values, goals=dict(RESULTS.values()))
    _coefficients(run, model, result)


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
