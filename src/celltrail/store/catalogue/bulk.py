"""Taking in many runs that the index does not know yet: a trail of another machine, an index begun anew."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

from celltrail.errors import Damaged
from celltrail.store.blobs import Blobs
from celltrail.store.catalogue import entries, segments, unread
from celltrail.store.catalogue.unread import Fresh
from celltrail.store.folders import run_folder
from celltrail.store.index import reading
from celltrail.store.index.database import Session
from celltrail.store.runs import RunFiles

_AT_ONCE = 300  # new runs in one transaction: other processes wait no longer than that

_dice = random.Random()  # a generator of its own: that of the module is the user's


def take_catalogued(session: Session, trail: Path, blobs: Blobs, new: set[str]) -> None:
    """Write those of these runs whose files are as the catalogue saw them; the others are left in ``new``."""
    for segment in segments.readable(trail):
        for group in range(len(segment.groups)):
            with contextlib.suppress(Damaged, OSError):
                if new.isdisjoint(segment.runs(group)):
                    continue
                found = [entry for entry in segment.entries(group) if entry.run in new and entry.is_of_its_run]
                stamped = [(entry, RunFiles(run_folder(trail, entry.run), blobs).stamp()) for entry in found]
                held = [
                    Fresh.of(entry, stamp)
                    for entry, stamp in stamped
                    if entries.holds(entry.state, trail, entry.run, stamp)
                ]
                # the look at the files came before the transaction: what another process wrote meanwhile stays
                with session.writing() as rows:
                    known = reading.known(session.db, [fresh.run for fresh in held])
                    rows.put_new(fresh for fresh in held if fresh.run not in known)
                new -= {fresh.run for fresh in held}


def take_documents(session: Session, trail: Path, new: set[str]) -> None:
    """Write those of these runs that are over and told by their documents alone; the others are left in ``new``.

    In the order in which they were begun, which is the one in which the disk has them and in which the tables of
    the index grow at their ends; but several processes begin at different places.
    """
    left = sorted(new)
    begin = _dice.randrange(len(left)) if left else 0
    left = left[begin:] + left[:begin]
    for start in range(0, len(left), _AT_ONCE):
        some = left[start : start + _AT_ONCE]
        with session.writing() as rows:
            known = reading.known(session.db, some)
            places = (f"{trail}/runs/{run_id[-2:]}/{run_id}" for run_id in some if run_id not in known)
            new -= known | rows.put_new(filter(None, map(unread.read, places)))
