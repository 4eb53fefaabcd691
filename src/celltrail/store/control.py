"""What is asked of a run whose process cannot be reached: a file for each wish, made once and never changed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from celltrail.errors import Damaged
from celltrail.model import RUN_ID, Json, new_id
from celltrail.store.files import disk
from celltrail.store.files.encoding import decode, encode
from celltrail.store.folders import run_folder

_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def post(trail: Path, run_id: str, wish: Mapping[str, Json]) -> None:
    """Leave a wish for the process that records this run."""
    place = run_folder(trail, run_id) / "control"
    disk.make_folder(place, trail)
    disk.create_whole(place / f"{new_id()}.json", encode(dict(wish)))


def told(trail: Path, run_id: str) -> list[tuple[int, dict[str, Json]]]:
    """All wishes there ever were for a run, each with when it was left, in microseconds; oldest first."""
    place = run_folder(trail, run_id) / "control"
    try:
        names = sorted(name for name in os.listdir(place) if RUN_ID.fullmatch(name.removesuffix(".json")))
    except OSError:
        return []
    found: list[tuple[int, dict[str, Json]]] = []
    for name in names:
        with contextlib.suppress(OSError, Damaged):
            found.append((_left_us(name), decode((place / name).read_bytes(), name)))
    return found


def _left_us(name: str) -> int:
    """The time in a ULID, at the end of its millisecond."""
    number = 0
    for sign in name[:10]:
        number = number * 32 + _SIGNS.index(sign)
    return number * 1000 + 999


class Wishes:
    """The wishes for one run, each told once.

    Args:
        run_id: the run.
    """

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._seen: set[str] = set()

    def fresh(self, trail: Path) -> list[dict[str, Json]]:
        """Those that came since this was asked last, oldest first."""
        place = run_folder(trail, self._run_id) / "control"
        try:
            names = sorted(set(os.listdir(place)) - self._seen) if os.access(place, os.F_OK) else ()
        except OSError:  # nobody ever wished for anything
            return []
        found: list[dict[str, Json]] = []
        for name in names:
            with contextlib.suppress(OSError, Damaged):  # not whole yet: it is there at the next look
                if name.endswith(".json"):
                    found.append(decode((place / name).read_bytes(), name))
                self._seen.add(name)
        return found
