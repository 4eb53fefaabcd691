"""Statistics of plain numbers: what the charts and comparisons of runs rest on. Nothing here knows a run."""

from celltrail.stats.difference import Gap, bootstrap, flipped, holm, mcnemar, paired, welch
from celltrail.stats.importance import FEWEST as FEWEST_ROWS
from celltrail.stats.importance import RELIABLE, Forest, Importance, importance
from celltrail.stats.surface import Surface, surface

__all__ = [
    "FEWEST_ROWS",
    "RELIABLE",
    "Forest",
    "Gap",
    "Importance",
    "Surface",
    "bootstrap",
    "flipped",
    "holm",
    "importance",
    "mcnemar",
    "paired",
    "surface",
    "welch",
]
