"""What a model looks at: by how much it gets worse without a feature, or how much of its output each one carries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, MissingExtra, nearest

if TYPE_CHECKING:
    import pandas as pd

METHODS = ("permutation", "shap", "captum")
CAVEATS = {
    "permutation": "features that move together hide each other: shuffling one leaves what the other tells",
    "shap": "the mean of what each feature adds to an output, whichever way: no effect of changing it in the world",
    "captum": "integrated gradients from a baseline of zeros: another baseline gives another answer",
}


@dataclass(frozen=True, eq=False)
class Explanation:
    """How much each feature matters to a model, the most important first.

    Attributes:
        method: permutation, shap or captum, with its settings.
        split: what the rows are of.
        table: a row for each feature: ``feature``, ``mean``, ``sd`` (over repeats, or over rows), ``rank`` from 1.
        rows: how many rows it was asked about.
    """

    method: str
    split: str
    table: pd.DataFrame = field(repr=False)
    rows: int

    @property
    def kind(self) -> str:
        """permutation, shap or captum."""
        return self.method.partition(" ")[0]

    @property
    def caveat(self) -> str:
        """What it does not say."""
        return CAVEATS.get(self.kind, "")

    def __repr__(self) -> str:
        shown: Any = self.table.head(12).itertuples(index=False)
        lines = [f"  {line.rank:>2} {line.feature:<28} {line.mean:.4g} ± {line.sd:.2g}" for line in shown]
        head = f"{self.method} on {self.rows:,} rows of {self.split}"
        return "\n".join([head, *lines, f"  ({self.caveat})"])


def explain(
    model: Any,
    x: Any,
    y: Any = None,
    method: str = "permutation",
    *,
    split: str = "val",
    names: Sequence[str] | None = None,
    repeats: int = 10,
    scoring: Any = None,
    target: Any = None,
    seed: int = 0,
) -> Explanation:
    """How much each feature matters to a model; `Run.explain` does the same and keeps it in a run.

    Args:
        model: a fitted estimator; for shap, anything that ``shap.Explainer`` takes; for captum, a PyTorch module.
        x: the rows, shape (n, features).
        y: the truth, shape (n,); permutation needs it.
        method: "permutation" (scikit-learn), "shap" or "captum" (integrated gradients), where these are installed.
        split: which split the rows are, such as "val".
        names: the names of the features; those of a frame unless given.
        repeats: how often each feature is shuffled.
        scoring: the score for permutation, as in scikit-learn; the model's own unless given.
        target: for captum, which output to explain.
        seed: the seed of the shuffling.

    Returns:
        The explanation: ``.table`` (``feature``, ``mean``, ``sd``, ``rank``), ``.caveat``.

    Raises:
        BadValue: there is no such method, or something it needs is missing.
        MissingExtra: the library is not installed.

    >>> from sklearn.linear_model import LinearRegression
    >>> x = [[0, 5], [1, 3], [2, 4], [3, 1]]
    >>> explain(LinearRegression().fit(x, [0, 1, 2, 3]), x, [0, 1, 2, 3], names=["told", "noise"]).table.feature[0]
    'told'
    """
    if method not in METHODS:
        raise BadValue(f"no method {method!r}{nearest(method, METHODS) or ';'} there is {', '.join(METHODS)}")
    given = list(names) if names is not None else [str(name) for name in getattr(x, "columns", ())]
    if method == "permutation":
        said, mean, sd = _permuted(model, x, y, repeats, scoring, seed)
    elif method == "shap":
        said, mean, sd = _shap(model, x)
    else:
        said, mean, sd = _captum(model, x, target)
    labels = given or [f"x{at}" for at in range(len(mean))]
    if len(labels) != len(mean):
        raise BadValue(f"names has {len(labels)} of them for {len(mean)} features")
    import pandas as pd

    table = pd.DataFrame({"feature": labels, "mean": mean, "sd": sd})
    table = table.sort_values("mean", ascending=False, kind="stable", ignore_index=True)
    return Explanation(said, split, table.assign(rank=range(1, len(table) + 1)), len(x))


def _permuted(model: Any, x: Any, y: Any, repeats: int, scoring: Any, seed: int) -> tuple[str, Any, Any]:
    if y is None:
        raise BadValue("permutation importance needs y: it is by how much the score of the model falls")
    try:
        from sklearn.inspection import permutation_importance
    except ImportError:
        raise MissingExtra("permutation importance", "ml") from None
    found: Any = permutation_importance(model, x, y, n_repeats=repeats, random_state=seed, scoring=scoring)
    by = f"|scoring:{scoring}" if isinstance(scoring, str) else ""
    return f"permutation repeats:{repeats}|seed:{seed}{by}", found.importances_mean, found.importances_std


def _shap(model: Any, x: Any) -> tuple[str, Any, Any]:
    try:
        import shap  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise MissingExtra("shap", "explain") from None
    import numpy as np

    try:
        explainer = shap.TreeExplainer(model)
    except Exception:  # noqa: BLE001  a library's own way to say that this is no model of trees
        explainer = shap.Explainer(getattr(model, "predict_proba", getattr(model, "predict", model)), x)
    told: Any = explainer(x)
    values = np.abs(np.asarray(told.values))
    values = values.mean(axis=2) if values.ndim == 3 else values  # over the classes
    return f"shap {type(explainer).__name__}:{shap.__version__}", values.mean(axis=0), values.std(axis=0)


def _captum(model: Any, x: Any, target: Any) -> tuple[str, Any, Any]:
    try:
        import captum  # pyright: ignore[reportMissingImports]
        from captum.attr import IntegratedGradients  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise MissingExtra("captum", "explain") from None
    if not hasattr(x, "detach"):
        raise BadValue(
            f"captum takes a tensor of PyTorch, not a {type(x).__name__}: torch.tensor(x, dtype=torch.float32)"
        )
    found = IntegratedGradients(model).attribute(x, target=target)
    values = found.detach().abs().reshape(len(x), -1)
    spread = values.std(dim=0) if len(x) > 1 else values.new_full((values.shape[1],), math.nan)
    said = f"captum IntegratedGradients:{captum.__version__}{'' if target is None else f'|target:{target}'}"
    return said, values.mean(dim=0).cpu().numpy(), spread.cpu().numpy()
