"""Sealed runs: whether their Parquet files are what was sealed, and nothing is half sealed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from celltrail.errors import Damaged
from celltrail.store.blobs import references
from celltrail.store.doctor.finding import Finding, Patient
from celltrail.store.runs import RunFiles
from celltrail.store.seal import sealed

_HALF_AGE_S = 3600.0
_FROM_LOGS = (
    "celltrail doctor --repair takes the seal away: the logs are still there, and celltrail gc seals them again"
)
_FROM_COPY = "put the file of a copy of the trail in its place"


def check(patient: Patient) -> Iterator[Finding]:
    """Seals that do not verify, damaged files, files of a seal that was never finished."""
    for folder in references.run_folders(patient.root):
        if not (folder / sealed.FOLDER).is_dir() and not sealed.numbers(folder):
            continue
        files = RunFiles(folder, patient.blobs)
        seals, unreadable = files.seals()
        has_logs = any((folder / "m").glob("*.ctl"))
        for gap in unreadable:
            yield _wrong(patient, folder / gap.log, "does not verify", has_logs)
        for seal in seals:
            if damage := seal.verify():
                told = "; ".join(map(str, damage[:3]))
                yield _wrong(patient, seal.path, f"has files that do not verify: {told}", bool(files.covered(seal)))
        if not unreadable:
            yield from _half(patient, folder)


def _wrong(patient: Patient, path: Path, what: str, has_logs: bool) -> Finding:
    return Finding(
        "seal",
        patient.name(path),
        what,
        "the logs are read instead, which is slower" if has_logs else "the points in there are not shown",
        _FROM_LOGS if has_logs else _FROM_COPY,
        mend=(lambda: _unsealed(patient, path)) if has_logs else None,
    )


def _unsealed(patient: Patient, path: Path) -> str:
    done = patient.discard(path, "a seal that does not verify, its logs are there")
    patient.forget()
    return f"{done}; the logs count again"


def _half(patient: Patient, folder: Path) -> Iterator[Finding]:
    try:
        known = {name for number in sealed.numbers(folder) for name in _files(sealed.path_of(folder, number))}
    except (Damaged, KeyError, TypeError, FileNotFoundError):
        return
    for path in sorted((folder / sealed.FOLDER).glob("*.parquet")):
        if path.name not in known and time.time() - path.stat().st_mtime > _HALF_AGE_S:
            yield Finding(
                "half-sealed",
                patient.name(path),
                "belongs to a seal that was never finished: its process died",
                "room on the disk; the logs are the truth",
                "celltrail doctor --repair removes it",
                mend=lambda path=path: patient.discard(path, "a seal that was never finished"),
            )


def _files(path: Path) -> list[str]:
    body = sealed.of_bytes(path.read_bytes(), path.name)
    return [*body["tables"], body["events"]["file"]]
