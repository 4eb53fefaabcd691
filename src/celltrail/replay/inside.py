"""What a replay runs in its fresh kernel, without leaving a name there."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from pathlib import Path
from typing import Any

from celltrail.capture import rng


def restore(places: Iterable[str], namespace: MutableMapping[str, Any]) -> None:
    """Set the generators to the states in these files.

    Args:
        places: one file for each generator, as a trail keeps it.
        namespace: where generators that are variables are.
    """
    rng.restore(dict(rng.unpack(Path(place).read_bytes()) for place in places), namespace)
