"""Blobs: whether they hold what was put, and whether all that are referred to are there."""

from __future__ import annotations

from collections.abc import Iterator

from celltrail.errors import Damaged, NoRun, StoreError
from celltrail.model import RunRecord
from celltrail.store.blobs import BlobFile
from celltrail.store.doctor.finding import Finding, Patient
from celltrail.store.files.telling import counted, sized
from celltrail.store.upkeep.trash import Trashed

MOST_READ = 1 << 30  # bytes read unless asked for all: about a second where the disk gives so much


def check(patient: Patient) -> Iterator[Finding]:
    """Damaged blobs, and then the ones that are missing."""
    files = sorted(patient.blobs.files(), key=lambda file: file.used, reverse=True)
    read = unread = 0
    for file in files:
        if not patient.reads_all and read + file.size > MOST_READ:
            unread += file.size
            continue
        read += file.size
        if not _is_whole(patient, file):
            yield _damaged(patient, file)
    if unread:
        yield Finding(
            "unread",
            "blobs",
            f"{sized(unread)} of older blobs were not read",
            "damage in them is found when they are asked for",
            "celltrail doctor --all reads every byte",
            level="note",
        )
    yield from _missing(patient)


def _missing(patient: Patient) -> Iterator[Finding]:
    there = {file.digest for file in patient.blobs.files()}
    named = {digest: set(runs) for digest, runs in patient.items.items() if digest not in there}
    for record in patient.records.values():
        for digest in _shown(record) - there:
            named.setdefault(digest, set()).add(record.id)
    for file in patient.blobs.files():
        if file.is_list:
            try:
                pieces = patient.blobs.manifest(file.digest).blobs
            except StoreError:
                continue
            for piece in pieces:
                if piece not in there:
                    named.setdefault(piece, set()).add(f"blob {file.digest[:12]}")
    if not named:
        return
    thrown: dict[str, list[Trashed]] = {}
    for entry in patient.trash.entries():
        if entry.path.startswith("blobs/"):
            thrown.setdefault(entry.path.rsplit("/", 1)[1].removesuffix(".pieces"), []).append(entry)
    for digest, holders in sorted(named.items()):
        whole = next((entry for entry in thrown.get(digest, ()) if _verifies(entry, digest)), None)
        yield Finding(
            "missing",
            f"blobs/{digest[:2]}/{digest}",
            f"is missing, and {_told(patient, holders)} to it" + (f"; it is in trash/{whole.date}" if whole else ""),
            "the output, code or file that it holds cannot be shown",
            "celltrail doctor --repair brings it back from the trash"
            if whole
            else "celltrail import of a copy of the trail brings it back; recording the same bytes again does too",
            mend=(lambda whole=whole: _restored(patient, whole)) if whole else None,
        )


def _shown(record: RunRecord) -> set[str]:
    """The blobs that showing a run needs; other words of 64 characters may be hashes of anything."""
    failures = [record.error, *(execution.error for execution in record.executions)]
    found = {record.code, *(digest for each in record.executions for digest in (each.code, each.needs))}
    found |= {failure.traceback for failure in failures if failure}
    for execution in record.executions:
        for output in execution.outputs:
            found.update(*(state.values() for state in (output.data, *output.earlier)))
    about = record.environment
    kept = [about.get("env", {}).get("packages"), *(about.get("git", {}).get(name) for name in ("diff", "sources"))]
    # the first trails had the packages themselves here, not the digest of their list
    return {digest for digest in (*found, *kept) if digest and isinstance(digest, str)}


def _damaged(patient: Patient, file: BlobFile) -> Finding:
    holders = patient.named.get(file.digest, set())
    return Finding(
        "blob",
        patient.name(file.path),
        "does not hold what was put into it" + (f"; {_told(patient, holders)} to it" if holders else ""),
        "it cannot be shown" if holders else "nothing: no run refers to it",
        "celltrail doctor --repair takes it out of the way, so that recording or importing the same bytes mends it",
        mend=lambda: _discarded(patient, file),
    )


def _is_whole(patient: Patient, file: BlobFile) -> bool:
    try:
        if file.is_list:
            patient.blobs.manifest(file.digest)
        else:
            patient.blobs.verify(file.digest)
    except Damaged:
        return False
    except (NoRun, OSError):
        return True  # gone meanwhile, or not ours to read: not damaged
    return True


def _discarded(patient: Patient, file: BlobFile) -> str:
    return patient.discard(file.path, "does not hold what was put into it")


def _verifies(entry: Trashed, digest: str) -> bool:
    from blake3 import blake3

    from celltrail.store.blobs.chunks import manifest_of

    try:
        if entry.path.endswith(".pieces"):
            manifest_of(digest, entry.place.read_bytes())
            return True
        whole = blake3()
        with entry.place.open("rb") as file:
            while block := file.read(1 << 20):
                whole.update(block)
        return whole.hexdigest() == digest
    except (Damaged, OSError):
        return False


def _restored(patient: Patient, entry: Trashed) -> str:
    patient.trash.restore(entry)
    return f"brought back from trash/{entry.date}"


def _told(patient: Patient, holders: set[str]) -> str:
    first, *others = sorted(holders)
    told = f"run {patient.names[first]!r} ({first})" if first in patient.names else first
    return f"{told} and {counted(len(others), 'other')} refer" if others else f"{told} refers"
