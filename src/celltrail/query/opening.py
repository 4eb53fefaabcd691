"""Which trail a question is asked of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from celltrail.store import Store


def open_store(store: Store | Path | str | None) -> Store:
    """This store, the store of this folder, or the one that belongs to the working folder."""
    from celltrail.store import Store, locate

    if isinstance(store, Store):
        return store
    return Store(locate() if store is None else store)
