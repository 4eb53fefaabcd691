"""Which trail a question is asked of."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from celltrail.store import Store

MOST_OPEN = 4

_open: OrderedDict[Path, Store] = OrderedDict()  # by folder, the last one asked at the end


def open_store(store: Store | Path | str | None) -> Store:
    """This store, the store of this folder, or the one that belongs to the working folder.

    The next cell that asks the same folder gets the same store, with what that remembers: records, the connection to
    the index, the points read last.
    """
    from celltrail.store import Store, locate
    from celltrail.store.root import trail_id

    if isinstance(store, Store):
        return store
    folder = locate() if store is None else Path(store).expanduser().absolute()
    # no lock, which a fork could leave taken: threads that meet here get two stores, and one of them is kept
    found = _open.pop(folder, None)
    if found is None or found.id != trail_id(folder):  # another trail may stand there by now
        found = Store(folder)
    _open[folder] = found
    while len(_open) > MOST_OPEN:
        _open.popitem(last=False)
    return found
