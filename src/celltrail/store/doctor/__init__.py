"""The doctor: examines a trail, says what is wrong in plain words, and repairs what can be repaired.

Nothing is destroyed: what a repair replaces or removes goes to the trash first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from celltrail.errors import CelltrailError, NoRun, StoreError
from celltrail.model import Json
from celltrail.store import root
from celltrail.store.audit import Audit
from celltrail.store.blobs import references
from celltrail.store.docs.generations import newest
from celltrail.store.doctor import contents, copies, documents, folders, listed, logs, machine, people, seals, trailfile
from celltrail.store.doctor.finding import Finding, Patient
from celltrail.store.files.telling import counted

# the order matters: a run must be in its place before its files are looked at
_CHECKS: tuple[Callable[[Patient], Iterator[Finding]], ...] = (
    trailfile.check,
    folders.check_modes,
    folders.check_places,
    documents.check,
    logs.check,
    seals.check,
    people.check,
    contents.check,
    copies.check,
    folders.check_leftovers,
    machine.check,
    listed.check,
)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, in the order looked for."""

    findings: tuple[Finding, ...]
    runs: int
    blobs: int

    @property
    def wrong(self) -> list[Finding]:
        """What is wrong, or was before it was repaired."""
        return [finding for finding in self.findings if finding.level == "wrong"]

    @property
    def notes(self) -> list[Finding]:
        """What is worth knowing and needs no repair."""
        return [finding for finding in self.findings if finding.level == "note"]

    @property
    def is_healthy(self) -> bool:
        """Whether nothing was wrong to begin with."""
        return not self.wrong

    def payload(self) -> dict[str, Json]:
        """As JSON."""
        names = ("kind", "level", "where", "run", "what", "cost", "remedy", "done")
        told = [{name: getattr(finding, name) for name in names} for finding in self.findings]
        return {"healthy": self.is_healthy, "runs": self.runs, "blobs": self.blobs, "findings": told}

    def __str__(self) -> str:
        lines = [str(finding) + (f" ({finding.done})" if finding.done else "") for finding in self.findings]
        return "\n".join([f"{counted(self.runs, 'run')}, {counted(self.blobs, 'blob')}", *lines])


def examine(trail: Path, *, repair: bool = False, rebuild: Iterable[str] = (), reads_all: bool = False) -> Report:
    """Look at everything in a trail.

    Args:
        trail: its folder.
        repair: mend what can be mended. Each repair is in the audit before it is made.
        rebuild: ids of runs whose document is to be written again from the log although it can be read.
        reads_all: read every byte of every blob, however many there are.

    Raises:
        NoRun: there is no trail, or no such run.
        StoreError: the trail is newer than this celltrail, or a repair could not be recorded in the audit.
    """
    if not trail.is_dir():
        raise NoRun(f"there is no trail {trail.name!r} to examine; the first run makes one")
    patient = Patient(trail, reads_all=reads_all)
    found: list[Finding] = []
    for run in rebuild:
        found.append(_rebuilding(patient, run))
        _mend(patient, found[-1])
    for check in _CHECKS:
        met = list(check(patient))
        for finding in met:  # all of them before a repair: after it, every run is read again
            finding.run = patient.run_at(finding.where)
        for finding in met:
            if repair and finding.mend:
                _mend(patient, finding)
            found.append(finding)
    if patient.forgets_index:
        listed.forget(patient)
    runs, blobs = sum(1 for _ in references.run_folders(trail)), patient.blobs.usage().count
    return Report(tuple(found), runs, blobs)


def _mend(patient: Patient, finding: Finding) -> None:
    assert finding.mend
    try:
        Audit(patient.root).record("repair", finding.where, {"kind": finding.kind, "what": finding.what})
    except OSError as error:
        raise StoreError(root.unwritable(patient.root, error)) from error
    try:
        finding.done = finding.mend()
    except (OSError, CelltrailError) as error:
        finding.done = f"could not be repaired: {getattr(error, 'strerror', None) or error}"
        finding.mend = None


def _rebuilding(patient: Patient, run: str) -> Finding:
    folder = patient.root / "runs" / run[-2:] / run
    if len(run) < 3 or "/" in run or not folder.is_dir():
        raise NoRun(f"no run {run!r} in {patient.root.name}; ct.runs() lists them")
    if patient.is_running(folder):
        raise StoreError(f"run {run} is going on and writes its document itself; end it first")
    return Finding(
        "rebuild",
        patient.name(folder / newest(folder)),
        "is to be written again, as asked",
        "nothing",
        "nothing",
        level="note",
        mend=lambda: documents.rewritten(patient, folder, "as asked"),
    )
