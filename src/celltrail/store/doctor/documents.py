"""``run.json`` of each run: there, readable, and that of the run whose folder it is in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from celltrail.errors import Damaged, NoRun
from celltrail.store.blobs import references
from celltrail.store.docs import records
from celltrail.store.docs.generations import newest
from celltrail.store.doctor.finding import Finding, Patient
from celltrail.store.files.encoding import decode
from celltrail.store.files.written import is_run_written
from celltrail.store.log import reader
from celltrail.store.upkeep.rebuild import rebuild

_YOUNG_S = 60.0


def check(patient: Patient) -> Iterator[Finding]:
    """Documents that are lost or torn, and folders of runs with nothing in them."""
    for folder in references.run_folders(patient.root):
        try:
            name = newest(folder)
            tables: Any = decode((folder / name).read_bytes(), name)
            records.record_of(tables)
            continue
        except FileNotFoundError:
            what = "is missing"
        except (Damaged, KeyError, TypeError, ValueError, AttributeError):
            what = "is not readable"
        except OSError:
            continue  # who may read what is looked at elsewhere
        logs = sorted((folder / "m").glob("*.ctl"))
        if not any(path.is_file() for path in folder.rglob("*")):
            if _age(folder) > _YOUNG_S:
                yield _empty(patient, folder)
        else:
            yield _lost(patient, folder, what, logs)


def rewritten(patient: Patient, folder: Path, why: str) -> str:
    """Write the document again from the log; an old one is kept in the trash."""
    path = folder / newest(folder)
    kept = f"; {patient.keep(path, why)}" if path.exists() else ""
    try:
        rebuild(folder, patient.blobs)
    except NoRun as error:
        return f"cannot be written again: {error}"
    patient.forget()
    return f"written again from the log{kept}"


def _lost(patient: Patient, folder: Path, what: str, logs: list[Path]) -> Finding:
    has_log = any(reader.read_head(path) for path in logs)
    is_written = is_run_written(folder)
    remedy = "celltrail doctor --repair writes it again from the log"
    if is_written:
        remedy = "its process lives and writes it again by itself"
    elif not has_log:
        remedy = "celltrail import of a copy of the trail brings it back"
    return Finding(
        "document",
        patient.name(folder / newest(folder)),
        what,
        "of this run only what its log knows is shown" if has_log else "this run cannot be shown",
        remedy,
        mend=(lambda: rewritten(patient, folder, what)) if has_log and not is_written else None,
    )


def _empty(patient: Patient, folder: Path) -> Finding:
    return Finding(
        "empty",
        patient.name(folder),
        "is the folder of a run that never began: its process died first",
        "nothing",
        "celltrail doctor --repair removes it",
        mend=lambda: patient.discard(folder, "a run that never began"),
    )


def _age(folder: Path) -> float:
    try:
        return time.time() - max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
    except FileNotFoundError:
        return 0.0  # somebody is at it
