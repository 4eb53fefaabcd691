"""What people said: edits that cannot be read or come from a clock far ahead, actors' documents, the audit."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from celltrail.errors import Damaged
from celltrail.store.blobs import references
from celltrail.store.doctor.finding import Finding, Patient
from celltrail.store.files import disk
from celltrail.store.files.encoding import decode, encode
from celltrail.store.files.telling import counted

_AHEAD_MS = 86_400_000
_TABLES = ("set", "folded")


def check(patient: Patient) -> Iterator[Finding]:
    """Every file of edits, every actor's document, every chain of the audit."""
    for folder in references.run_folders(patient.root):
        for path in sorted((folder / "edits").glob("*.json")):
            yield from _of_edits(patient, path)
    for path in sorted((patient.root / "actors").glob("*.json")):
        if _read(path) is None:
            yield _torn(patient, path, "the settings and views kept in it are not used")
    yield from _of_audit(patient)


def _of_edits(patient: Patient, path: Path) -> Iterator[Finding]:
    tables = _read(path)
    if tables is None:
        yield _torn(patient, path, "what one person said of this run is not shown")
        return
    try:
        latest = max((fields["at"] >> 16 for table in _TABLES for fields in tables.get(table, {}).values()), default=0)
    except (KeyError, TypeError, AttributeError):
        yield _torn(patient, path, "what one person said of this run is not shown")
        return
    ahead = latest - time.time() * 1000
    if ahead > _AHEAD_MS:
        yield Finding(
            "ahead",
            patient.name(path),
            f"holds edits from a clock {counted(round(ahead / _AHEAD_MS), 'day')} ahead",
            "these edits win over all that others make until that day",
            "celltrail doctor --repair dates them back to when the file was written, in their order",
            mend=lambda: _dated_back(patient, path),
        )


def _torn(patient: Patient, path: Path, cost: str) -> Finding:
    return Finding(
        "torn",
        patient.name(path),
        "is not readable",
        cost,
        "celltrail import of a copy of the trail brings it back; celltrail doctor --repair takes it out of the way",
        mend=lambda: patient.discard(path, "not readable"),
    )


def _dated_back(patient: Patient, path: Path) -> str:
    tables: Any = _read(path)
    # the edits of actors whose process has ended, taken over, stand in a table of their own
    entries = {(table, name): fields for table in _TABLES for name, fields in tables.get(table, {}).items()}
    limit = (int(time.time() * 1000) + _AHEAD_MS) << 16
    wrong = sorted((name for name in entries if entries[name]["at"] > limit), key=lambda name: entries[name]["at"])
    written = min(path.stat().st_mtime, time.time())
    for number, name in enumerate(wrong):
        entries[name]["at"] = (int(written * 1000) << 16) + number
    kept = patient.keep(path, "edits from a clock ahead")
    disk.replace_whole(path, encode(tables), path.stat().st_mode & 0o777)
    os.utime(path, (written, written))
    patient.forget()
    return f"{counted(len(wrong), 'edit')} dated back; {kept}"


def _of_audit(patient: Patient) -> Iterator[Finding]:
    from celltrail.store.audit import Audit

    report = Audit(patient.root).verify()
    for fault in report.faults:
        yield Finding(
            "audit",
            f"audit/{fault.chain}.jsonl",
            f"entry {fault.n} {fault.text}" if fault.n else fault.text,
            "the record of who changed what is not to be trusted from there on",
            "compare with a copy of the trail; what was done to the record cannot be undone, celltrail verify shows it",
        )


def _read(path: Path) -> Any:
    """The tables in a document, {} where there is none any more, None where it cannot be read."""
    try:
        tables = decode(path.read_bytes(), path.name)
    except FileNotFoundError:
        return {}
    except Damaged:
        return None
    return tables if isinstance(tables, dict) else None
