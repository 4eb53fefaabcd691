"""How good predictions are: rows with truth and output, metrics with intervals, and the curves behind them."""

from celltrail.stats.evaluation.curves import Calibration, Curve, calibration, precision_recall, roc
from celltrail.stats.evaluation.evaluation import Evaluation, Score
from celltrail.stats.evaluation.metrics import scores_of
from celltrail.stats.evaluation.reading import Read, read

__all__ = [
    "Calibration",
    "Curve",
    "Evaluation",
    "Read",
    "Score",
    "calibration",
    "precision_recall",
    "read",
    "roc",
    "scores_of",
]
