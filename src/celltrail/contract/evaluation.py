"""How good the predictions of runs were."""

from typing import Literal, TypedDict

from celltrail.contract.words import Goal, Real, Scalar


class EvaluationScore(TypedDict):
    """One metric with its 95% interval."""

    name: str
    value: Real
    low: Real
    high: Real
    method: str  # how the interval was made
    goal: Goal


class EvaluationCurve(TypedDict):
    """A curve of one label against the rest, thinned."""

    kind: Literal["roc", "precision_recall"]
    label: str
    x: list[float]
    y: list[float]


class ThresholdDot(TypedDict):
    """How a label is told from the rest when rows that score at least the threshold count as it."""

    label: str
    threshold: float
    fpr: float
    recall: float
    precision: float


class ScatterBin(TypedDict):
    """Rows whose truth and whose prediction lie in these ranges: how many, and where they are on average."""

    low: float
    high: float
    output_low: float
    output_high: float
    truth: float
    output: float
    rows: int


class CalibrationBin(TypedDict):
    """Rows whose predicted probability of a label lies from `low` to `high`."""

    label: str
    low: float
    high: float
    predicted: float  # mean over the rows
    observed: float  # share of them that came true
    rows: int


class FairGroup(TypedDict):
    """The rates of one group of a feature."""

    feature: str
    group: str
    rows: int
    scores: list[EvaluationScore]


class FairnessShown(TypedDict):
    """How a run treats groups."""

    positive: str  # the label that is a gain to get
    few: int  # rows below which little can be said of a group
    gaps: list[EvaluationScore]  # between the groups of a feature: "dpd/age"
    groups: list[FairGroup]
    heads: list[str]
    slices: list[list[Scalar]]  # the least accurate first, under the heads


class EvaluatedRun(TypedDict):
    """One run on the split."""

    run: str
    name: str
    rows: int
    scores: list[EvaluationScore]
    confusion: list[list[int]]  # truth down, predicted across, as `EvaluationShown.labels`; empty without labels
    curves: list[EvaluationCurve]
    dots: list[ThresholdDot]
    bins: list[CalibrationBin]
    residuals: list[int]  # rows between two of `EvaluationShown.edges`
    scatter: list[ScatterBin]  # of a regression, those with most rows first
    heads: list[str]
    worst: list[list[Scalar]]  # the rows that are most wrong, under the heads
    fairness: FairnessShown | None


class EvaluationShown(TypedDict):
    """One split of some runs, side by side."""

    split: str
    task: Literal["binary", "multiclass", "regression", "ranking", "text"]
    labels: list[str]
    edges: list[float]  # of the residuals, predicted minus true; one more than counts
    span: list[float]  # of a regression the least and the largest of all truths and predictions
    runs: list[EvaluatedRun]
    omitted: int  # runs left out


class EvaluationOptions(TypedDict):
    """How an evaluation is shown: the panel owns it."""

    split: str  # "" is the first
    label: str  # whose curves; "" is the first that has some
    shares: bool  # a confusion matrix in shares of its rows instead of counts
