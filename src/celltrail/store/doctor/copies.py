"""Packs and the catalogue: copies, of which nothing is lost when they go, but which must not say what is not so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from celltrail.errors import Damaged
from celltrail.store.catalogue import entries, segments
from celltrail.store.catalogue.segments import Segment
from celltrail.store.doctor.finding import Finding, Patient
from celltrail.store.files.telling import counted
from celltrail.store.folders import run_folder
from celltrail.store.runs import RunFiles
from celltrail.store.seal import packs
from celltrail.store.seal.packs import Pack


def check(patient: Patient) -> Iterator[Finding]:
    """Copies that do not verify, and entries of the catalogue that say something else than the files."""
    for path in sorted((patient.root / packs.FOLDER).glob("*.json")):
        try:
            Pack.of(path).verify()
        except (Damaged, FileNotFoundError):
            yield _wrong(patient, path, "does not verify")
    for path in segments.paths(patient.root):
        try:
            wrong = _differing(patient, Segment(path))
        except Damaged:
            yield _wrong(patient, path, "does not verify")
        except FileNotFoundError:
            continue  # put together with another one just now
        else:
            if wrong:
                yield _wrong(patient, path, f"says something else than the files of {counted(wrong, 'run')}")


def _differing(patient: Patient, segment: Segment) -> int:
    if segment.format != segments.FORMAT:
        return 0  # not read, and so nobody is told wrong
    wrong = 0
    for group in range(len(segment.groups)):
        for entry in segment.entries(group):
            files = RunFiles(run_folder(patient.root, entry.run), patient.blobs)
            try:
                is_current = entries.holds(entry.state, patient.root, entry.run, files.stamp())
                wrong += is_current and entries.read(patient.root, files) not in {entry, None}
            except OSError:
                continue
    return wrong


def _wrong(patient: Patient, path: Path, what: str) -> Finding:
    return Finding(
        "copy",
        patient.name(path),
        what,
        "time: the runs' own files are read instead" if "verify" in what else "lists may show what is not so",
        "celltrail doctor --repair removes it; celltrail gc makes it again",
        mend=lambda: _discarded(patient, path),
    )


def _discarded(patient: Patient, path: Path) -> str:
    patient.forgets_index = True  # it may have been built from this
    return patient.discard(path, "a copy that is not what it should be")
