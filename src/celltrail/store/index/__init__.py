"""The index: what was read of each run, kept outside the trail so that questions need not read it again.

It is a SQLite file on a disk of this machine and can be deleted at any time. Where it cannot be written, is of
another version or does not verify, an index in memory is built from the files, and the answers are the same.
"""

from celltrail.store.index.cells import Column
from celltrail.store.index.database import Index
from celltrail.store.index.look import Look

__all__ = ["Column", "Index", "Look"]
