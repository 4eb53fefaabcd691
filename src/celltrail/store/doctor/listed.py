"""The index: whether it gives the answers that the files give."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from celltrail.errors import StoreError
from celltrail.store import root
from celltrail.store.catalogue.listing import Listing
from celltrail.store.doctor.finding import Finding, Patient
from celltrail.store.files.telling import counted


def check(patient: Patient) -> Iterator[Finding]:
    """Compare what a listing through the index says of each run with its files."""
    try:
        known = {record.id: record for record in _listing(patient).records()}
    except (StoreError, OSError):
        return
    wrong = 0
    for folder, record in patient.records.items():
        told = known.pop(folder.name, None)
        if told is None:
            wrong += folder.parent.name == folder.name[-2:]
        elif dataclasses.replace(told, metrics={}) != dataclasses.replace(record, metrics={}) and not told.is_running:
            wrong += 1
    wrong += len(known)
    if wrong:
        yield Finding(
            "index",
            "",
            f"the index says something else than the files of {counted(wrong, 'run')}",
            "lists and queries answer from before",
            "celltrail doctor --repair deletes it; it is made anew from the files",
            mend=lambda: forget(patient),
        )


def forget(patient: Patient) -> str:
    """Delete what the index knows of this trail."""
    _listing(patient).forget()
    return "deleted; the next list makes it anew"


def _listing(patient: Patient) -> Listing:
    return Listing(root.trail_id(patient.root), patient.root, patient.blobs)
