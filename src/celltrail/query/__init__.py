"""Questions to the trail: an expression finds runs, and a run gives its series and frames.

``runs("params.lr < 0.01 and best('val/loss') < 0.3").sort("-best('val/acc')").df()``
"""

from celltrail.query.language import parse
from celltrail.query.opening import open_store
from celltrail.query.runs import RunSet, runs
from celltrail.query.stored import StoredRun, find

__all__ = ["RunSet", "StoredRun", "find", "open_store", "parse", "runs"]
