"""Runs below the one in which a library tries several things by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import celltrail as ct


def child(
    run: ct.Run, name: str, params: Mapping[str, Any], tags: tuple[str, ...], seconds: float | None = None
) -> ct.Run:
    """Begin a run below this one, in its trail and project; the library's own threads may do so too.

    Args:
        run: the one it is below.
        name: what it is called.
        params: its own.
        tags: its own.
        seconds: how long it took, of one that is told of once it is over: writing it down takes no time to speak of.
    """
    own = ct.start(
        name[:200], params, tags=tags, group=run.name, project=run.record().project, store=run.store, parent=run.id
    )
    if seconds is not None:
        own.learn(duration_s=seconds)
    return own
