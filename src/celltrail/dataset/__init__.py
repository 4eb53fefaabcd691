"""Data as rows: digests that do not depend on files, profiles, differences, and what leaks between splits.

Nothing here knows a run or a trail; `celltrail.data` has the verbs.
"""

from celltrail.dataset.difference import Difference, difference, of_digests
from celltrail.dataset.digest import ColumnDigest, Digest, digest_of
from celltrail.dataset.profile import profile_of, sample_of
from celltrail.dataset.splits import Splits, check_splits
from celltrail.dataset.table import Table, table_of
from celltrail.dataset.version import DataVersion

__all__ = [
    "ColumnDigest",
    "DataVersion",
    "Difference",
    "Digest",
    "Splits",
    "Table",
    "check_splits",
    "difference",
    "digest_of",
    "of_digests",
    "profile_of",
    "sample_of",
    "table_of",
]
