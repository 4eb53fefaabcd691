"""Which columns a result depends on: permutation importance over a random forest, judged on rows it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, MissingExtra
from celltrail.stats.association import Association, association
from celltrail.stats.coded import Coded, coded

if TYPE_CHECKING:
    from celltrail.stats.coded import Floats

FEWEST = 6
RELIABLE = 20  # below so many rows an importance is hardly more than a guess
_FOLDS, _ROUNDS, _SHUFFLES, _TREES, _DRAWS = 5, 3, 5, 100, 1000
_ALIKE = 0.95


@dataclass(frozen=True, slots=True)
class Importance:
    """One column. ``value`` is by how much the squared error grows once it is shuffled, in variances of the target.

    ``low`` and ``high`` are a 95 % interval over the rows (bootstrap); where it holds 0 the column may do nothing.
    """

    name: str
    ordered: bool
    value: float
    low: float
    high: float
    association: Association


@dataclass(frozen=True, slots=True)
class Forest:
    """The columns, the most important first, and how far the forest can be believed.

    Attributes:
        columns: one for each column given.
        explained: share of the variance of rows that the forest has not seen, at most 1; 0 is no better than the mean.
        rows: how many rows there were.
        together: groups of columns that move together, whose importances nothing can tell apart.
    """

    columns: tuple[Importance, ...]
    explained: float
    rows: int
    together: tuple[tuple[str, ...], ...]


def importance(columns: Mapping[str, Sequence[Any]], target: Sequence[float]) -> Forest:
    """How much each column matters for the target.

    A forest is grown on four fifths of the rows and asked about the last fifth, as it is and with one column
    taken from other rows; three times over, all fifths in turn. The same input gives the same answer, and no global
    generator is touched.

    Args:
        columns: numbers, flags or anything else by its text, None where missing; each as long as the target.
        target: finite numbers.

    Raises:
        MissingExtra: scikit-learn is not installed.
        BadValue: fewer than 6 rows, no columns, or a target that never changes.

    >>> found = importance({"a": [*range(20)], "b": [0, 1] * 10}, [float(x) for x in range(20)])
    >>> [column.name for column in found.columns]
    ['a', 'b']
    """
    import numpy as np

    y = np.asarray(target, dtype=np.float64)
    if len(y) < FEWEST:
        raise BadValue(f"importance needs {FEWEST} rows or more and has {len(y)}")
    if not columns:
        raise BadValue("importance needs a column that is not the same in all rows")
    y = (y - y.mean()) / max(float(np.abs(y - y.mean()).max()), 1e-300)
    if not y.std():
        raise BadValue(f"the target is {target[0]} in all {len(y)} rows: there is nothing to explain")
    found = {name: coded(values) for name, values in columns.items()}
    plain, excess = _losses(list(found.values()), y)
    low, high = _interval(excess, y)
    made = [
        Importance(name, column.ordered, _even(value), _even(least), _even(most), association(column, y))
        for (name, column), value, least, most in zip(
            found.items(), excess.mean(axis=0) / y.var(), low, high, strict=True
        )
    ]
    return Forest(
        tuple(sorted(made, key=lambda each: -each.value)),
        float(1 - plain.mean() / y.var()),
        len(y),
        tuple(_together(found)),
    )


def _losses(columns: Sequence[Coded], y: Floats) -> tuple[Floats, Floats]:
    """Squared errors of shape (n,), and by how much they grow with each column shuffled, of shape (n, columns).

    scikit-learn's own permutation_importance gives means over the rows only, from which no interval over the rows
    can be made.
    """
    import numpy as np

    try:
        from sklearn.ensemble import RandomForestRegressor
        from sklearn.model_selection import KFold
    except ImportError:
        raise MissingExtra("importance", "ml") from None

    x = np.hstack([column.matrix for column in columns])
    ends = np.cumsum([column.matrix.shape[1] for column in columns])
    parts = [slice(end - column.matrix.shape[1], end) for column, end in zip(columns, ends, strict=True)]
    rng = np.random.default_rng(0)
    plain, excess = np.zeros(len(y)), np.zeros((len(y), len(columns)))
    for turn in range(_ROUNDS):
        for seen, held in KFold(_FOLDS, shuffle=True, random_state=turn).split(x):
            forest = RandomForestRegressor(_TREES, random_state=turn).fit(x[seen], y[seen])
            asked = np.tile(x[held], (len(parts) * _SHUFFLES + 1, 1, 1))
            for which, part in enumerate(parts):
                for shuffle in range(_SHUFFLES):
                    asked[1 + which * _SHUFFLES + shuffle, :, part] = x[rng.permutation(len(y))[: len(held)], part]
            told = forest.predict(asked.reshape(-1, x.shape[1])).reshape(len(asked), len(held))
            errors = (told - y[held]) ** 2
            shuffled = errors[1:].reshape(len(parts), _SHUFFLES, len(held)).mean(axis=1)
            plain[held] += errors[0] / _ROUNDS
            excess[held] += (shuffled - errors[0]).T / _ROUNDS
    return plain, excess


def _even(value: float) -> float:
    """Without the last digits, which are of the order of summing: what is nothing is 0."""
    return round(float(value), 9)


def _interval(excess: Floats, y: Floats) -> tuple[Floats, Floats]:
    import numpy as np

    n = len(y)
    drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), _DRAWS) / n
    spread = drawn @ y**2 - (drawn @ y) ** 2
    low, high = np.quantile((drawn @ excess) / np.maximum(spread, 1e-12)[:, None], [0.025, 0.975], axis=0)
    return low, high


def _together(columns: Mapping[str, Coded]) -> list[tuple[str, ...]]:
    """Groups of columns of which each is told by another, or nearly so."""
    groups: list[list[str]] = []
    for name, column in columns.items():
        home = next((group for group in groups if any(_same(column, columns[other]) for other in group)), None)
        if home is None:
            groups.append([name])
        else:
            home.append(name)
    return [tuple(group) for group in groups if len(group) > 1]


def _same(one: Coded, other: Coded) -> bool:
    import numpy as np

    pairs = np.stack([one.kinds, other.kinds])
    count = len(np.unique(pairs, axis=1).T)
    # two columns that never repeat a value tell each other's too, and mean nothing by it
    if count == len(np.unique(pairs[0])) == len(np.unique(pairs[1])) and count <= pairs.shape[1] / 2:
        return True
    return one.ordered and other.ordered and abs(association(one, other.matrix[:, 0]).value) > _ALIKE
