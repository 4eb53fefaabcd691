"""`run.explain` and `run.log_attention`: what a model looks at, kept in its run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from celltrail.run import media
from celltrail.run.media.content import Content
from celltrail.run.part import Part
from celltrail.run.values import check_name

if TYPE_CHECKING:
    from celltrail.stats.explanation import Explanation

EXPLANATION = "explanation"  # of the tables: f"explanation/{split}/{method}"


class Explains(Part):
    """What a run can be told about a model's reasons. `query.StoredRun.explanation` reads it back."""

    def explain(self, model: Any, x: Any, y: Any = None, method: str = "permutation", **how: Any) -> Explanation:
        """Record how much each feature matters to a model.

        Args:
            model: a fitted estimator; for captum, a PyTorch module.
            x: the rows, shape (n, features).
            y: the truth, shape (n,); permutation needs it.
            method: "permutation", "shap" or "captum".
            how: ``split``, ``names``, ``repeats``, ``scoring``, ``target`` and ``seed``, as `celltrail.explain` takes
                them.

        Raises:
            BadValue: there is no such method, or something it needs is missing; nothing is kept then.
            MissingExtra: the library is not installed.

        >>> from celltrail.run import start
        >>> from sklearn.linear_model import LinearRegression
        >>> x, y = [[0, 5], [1, 3], [2, 4], [3, 1]], [0, 1, 2, 3]
        >>> with start("demo") as run:
        ...     found = run.explain(LinearRegression().fit(x, y), x, y, names=["signal", "noise"])
        >>> found.table.feature[0]
        'signal'
        """
        from celltrail.stats.explanation import explain

        split = check_name(how.pop("split", "val"), "split")
        found = explain(model, x, y, method, split=split, **how)

        def read(key: str, value: Any) -> Content:
            made = media.table(key, value)
            return made._replace(facts={**made.facts, "method": found.method, "of": found.rows})

        self._keep(f"{EXPLANATION}/{split}/{found.kind}", found.table, None, read)
        return found

    def log_attention(self, key: str, tokens: Sequence[str], weights: Any, step: int | None = None) -> None:
        """Record how much the tokens of a text attend to each other, as a heat-map over layers and heads.

        Args:
            key: the item's name.
            tokens: the T tokens in their order.
            weights: shape (layers, heads, T, T), a row for each attending token, which sums to 1; or the tuple of
                tensors of shape (1, heads, T, T) that transformers models return with ``output_attentions=True``.
            step: the step it belongs to; that of the last `log` call when left out.

        Raises:
            BadValue: shapes do not fit, rows do not sum to 1, or it is too large to draw.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     run.log_attention("attention", ["to", "be"], np.full((2, 4, 2, 2), 0.5))
        """
        from celltrail.run.media.attention import attention

        self._keep(key, (tokens, weights), step, attention)
