"""What is handed in to be evaluated, as columns: which task it is, and what is wrong with it in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from celltrail.errors import BadValue, nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Column = NDArray[Any]
    Floats = NDArray[np.float64]

Task = Literal["binary", "multiclass", "regression", "ranking"]
_TASKS = get_args(Task)
_SUM = 1e-3  # how far the probabilities of a row may be from 1 together


@dataclass(frozen=True)
class Read:
    """Rows to be evaluated.

    Attributes:
        task: what is predicted.
        truth: shape (n,).
        output: what was predicted, of shape (n,): labels, or numbers where those are the task; of a ranking its scores.
        score: of a classification: shape (n, labels), or (n, 1) for the second of two labels; None without.
        labels: of a classification, in the order of the scores.
        ids: shape (n,), each once.
        groups: shape (n,); of a ranking the queries. None without.
    """

    task: Task
    truth: Column
    output: Column
    score: Floats | None
    labels: list[Any]
    ids: Column
    groups: Column | None

    @property
    def has_probabilities(self) -> bool:
        """Whether the scores are probabilities."""
        if self.score is None or self.score.min() < 0 or self.score.max() > 1:
            return False
        return self.score.shape[1] == 1 or bool((abs(self.score.sum(axis=1) - 1) < _SUM).all())


def read(
    y_true: Any,
    y_pred: Any = None,
    y_score: Any = None,
    *,
    task: str | None = None,
    labels: Any = None,
    groups: Any = None,
    ids: Any = None,
) -> Read:
    """The rows, checked; the arguments are those of `Run.evaluate`."""
    import numpy as np

    if task is not None and task not in _TASKS:
        raise BadValue(f"no task {task!r}{nearest(task, _TASKS) or ';'} there is {', '.join(_TASKS)}")
    if y_pred is None and y_score is None:
        raise BadValue("nothing was predicted: give y_pred, or scores as y_score")
    truth = _column("y_true", y_true)
    pred = None if y_pred is None else _array("y_pred", y_pred)
    score = None if y_score is None else _array("y_score", y_score)
    given = pred if pred is not None else score
    n = len(truth)
    for name, column in (("y_pred", pred), ("y_score", score)):
        if column is not None and len(column) != n:
            raise BadValue(f"{name} has {len(column)} rows and y_true {n}: they belong together row by row")
    kind = task or _task_of(truth, given)
    held = None if groups is None else _beside("groups", groups, n)
    keys = np.arange(n) if ids is None else _beside("ids", ids, n)
    if len(np.unique(keys)) < n:
        raise BadValue(
            f"ids has {n - len(np.unique(keys))} values twice; an id is of one row, so that runs can be paired"
        )
    if kind == "regression":
        return Read(kind, _numbers("y_true", truth), _numbers("y_pred", _flat("y_pred", given)), None, [], keys, held)
    if kind == "ranking":
        if held is None:
            raise BadValue("a ranking needs groups: for each row the query that it belongs to")
        ranked = _flat("y_score", score if score is not None else pred)
        return Read(kind, _numbers("y_true", truth), _numbers("y_score", ranked), None, [], keys, held)
    return _classes(truth, pred, score, labels, keys, held)


def _task_of(truth: Column, given: Column | None) -> Task:
    """By the truth; whole numbers are classes unless fractions were predicted for more than two of them."""
    import numpy as np

    kinds = np.unique(truth)
    if truth.dtype.kind == "f" and not (truth == np.rint(truth)).all():
        return "regression"
    fractions = given is not None and given.ndim == 1 and given.dtype.kind == "f" and not np.isin(given, kinds).all()
    if truth.dtype.kind in "iuf" and fractions and len(kinds) > 2:
        return "regression"
    return "binary" if len(kinds) <= 2 else "multiclass"


def _classes(truth: Column, pred: Column | None, score: Column | None, labels: Any, ids: Column, groups: Any) -> Read:
    import numpy as np

    if score is None and pred is not None and (pred.ndim == 2 or _is_score(truth, pred)):
        pred, score = None, pred
    output = None if pred is None else _flat("y_pred", pred)
    if truth.dtype.kind == "b":
        truth = truth.astype(int)
        output = None if output is None else output.astype(int)
    seen = truth if output is None else np.concatenate([truth, _like(truth, output)])
    found = np.unique(seen) if labels is None else _column("labels", labels)
    missing = np.setdiff1d(seen, found)
    if len(missing):
        raise BadValue(f"labels lacks {missing[0]!r}, which is among the rows; name all {len(np.unique(seen))} of them")
    names = found.tolist()
    scores = None if score is None else _scores(score, names)
    if output is None:
        assert scores is not None
        output = _decided(scores, found)
    task: Task = "binary" if len(names) <= 2 else "multiclass"
    return Read(task, truth, _like(truth, output), scores, names, ids, groups)


def _is_score(truth: Column, pred: Column) -> bool:
    import numpy as np

    return pred.dtype.kind == "f" and not np.isin(pred, np.unique(truth)).all()


def _scores(score: Column, labels: list[Any]) -> Floats:
    made = _numbers("y_score", score)
    if made.ndim == 1:
        made = made[:, None]
    if len(labels) == 2 and made.shape[1] == 2:
        made = made[:, 1:]
    wanted = 1 if len(labels) <= 2 else len(labels)
    if made.shape[1] != wanted:
        raise BadValue(
            f"y_score has {made.shape[1]} columns for {len(labels)} labels ({', '.join(map(str, labels[:6]))}); "
            "give one column for each, in this order, or say labels=model.classes_"
        )
    return made


def _decided(score: Floats, labels: Column) -> Column:
    """The label of the highest score; of two the second one from 0.5 on, or from 0 on where it is no probability."""
    if score.shape[1] > 1:
        return labels[score.argmax(axis=1)]
    is_probability = score.min() >= 0 and score.max() <= 1
    return labels[(score[:, 0] > (0.5 if is_probability else 0.0)).astype(int)]


def _array(name: str, value: Any) -> Column:
    """Anything that becomes an array; without missing values."""
    import numpy as np
    import pandas as pd

    if hasattr(value, "detach"):  # a tensor that needs its gradient refuses to be an array
        value = value.detach()
    if hasattr(value, "cpu"):
        value = value.cpu()
    try:
        found = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise BadValue(f"{name} is no array ({error}); np.asarray({name}) has to work") from None
    if not found.size:
        raise BadValue(f"{name} is empty: there is nothing to evaluate")
    if found.ndim not in (1, 2):
        raise BadValue(f"{name} has shape {found.shape}; allowed are one row a value, or one column a label")
    gaps = int(np.asarray(pd.isna(found)).sum())
    if gaps:
        raise BadValue(f"{name} has {gaps} missing or NaN values; leave these rows out and say so with run.note")
    return found.astype(str) if found.dtype.kind == "O" else found


def _column(name: str, value: Any) -> Column:
    return _flat(name, _array(name, value))


def _flat(name: str, found: Column | None) -> Column:
    assert found is not None
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != 1:
        raise BadValue(f"{name} has shape {found.shape}; one value a row is needed")
    return found


def _numbers(name: str, found: Column) -> Floats:
    if found.dtype.kind not in "biuf":
        raise BadValue(f"{name} holds {found.dtype}, not numbers; convert it with .astype(float)")
    made = found.astype("float64")
    if abs(made).max() == float("inf"):
        raise BadValue(f"{name} holds an infinity; leave these rows out and say so with run.note")
    return made


def _beside(name: str, value: Any, n: int) -> Column:
    found = _column(name, value)
    if len(found) != n:
        raise BadValue(f"{name} has {len(found)} values for {n} rows")
    return found


def _like(truth: Column, output: Column) -> Column:
    """Foretold labels in the type of the true ones: 1.0 is 1, and text is text."""
    if truth.dtype.kind in "US" or output.dtype.kind in "US":
        if truth.dtype.kind != output.dtype.kind:
            raise BadValue(f"y_true holds {truth.dtype} and y_pred {output.dtype}: labels of both must be of one type")
        return output
    return output.astype(truth.dtype) if (output == output.astype(truth.dtype)).all() else output
