"""Sealed runs: whether their Parquet files are what was sealed, and nothing is half sealed."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from celltrail.errors import Damaged
from celltrail.model import Json
from celltrail.store.blobs import references
from celltrail.store.doctor.finding import Finding, Patient
from celltrail.store.files import disk
from celltrail.store.log import logs
from celltrail.store.runs import RunFiles
from celltrail.store.seal import remade, sealed
from celltrail.store.seal.sealed import Seal

_HALF_AGE_S = 3600.0
_FROM_LOGS = (
    "celltrail doctor --repair takes the seal away: the logs are still there, and celltrail gc seals them again"
)
_FROM_COPY = "put the file of a copy of the trail in its place"


def check(patient: Patient) -> Iterator[Finding]:
    """Seals that do not verify or are lost, damaged files, files of a seal that was never finished."""
    for folder in references.run_folders(patient.root):
        if not (folder / sealed.FOLDER).is_dir() and not sealed.numbers(folder):
            continue
        files = RunFiles(folder, patient.blobs)
        seals, unreadable = files.seals()
        for seal in seals:
            patient.take_items(folder.name, seal.events())
            if damage := seal.verify():
                told = "; ".join(map(str, damage[:3]))
                yield _wrong(patient, seal.path, f"has files that do not verify: {told}", bool(files.covered(seal)))
        yield from _unproven(patient, folder, [folder / gap.log for gap in unreadable])


def _unproven(patient: Patient, folder: Path, unreadable: list[Path]) -> Iterator[Finding]:
    """Documents that do not verify, and files that no document proves."""
    known, read = _known(folder)
    said = remade.left(folder, known)
    covered = sealed.covered_by(read) | {path.name: path.stat().st_size for path in logs.paths(folder)}
    needed = {sealer: about for sealer, about in said.items() if about and not _are_in(about, covered)}
    bad = {sealed.path_of(folder, number): number for number in sealed.numbers(folder)}
    for path in unreadable:
        sealer = remade.of_number(said, bad[path])
        if sealer in needed or not any((folder / "m").glob("*.ctl")):
            yield _to_remake(patient, folder, path, sealer, "does not verify")
        else:
            yield _wrong(patient, path, "does not verify", True)
    replaced = {number for seal in read for number in seal.body["replaces"]}
    for number in sorted({about["number"] for about in needed.values()} - {*bad.values()} - replaced):
        path = sealed.path_of(folder, number)
        yield _to_remake(patient, folder, path, remade.of_number(needed, number), "is missing")
    if not read and not unreadable and not needed and not covered and any(not about for about in said.values()):
        yield _to_remake(patient, folder, sealed.path_of(folder, 1), None, "is missing")
    elif not unreadable:
        yield from _half(patient, folder, known, needed)


def _known(folder: Path) -> tuple[set[str], list[Seal]]:
    """The files that documents prove, also those of replaced seals, and these seals."""
    known: set[str] = set()
    read: list[Seal] = []
    for number in sealed.numbers(folder):
        try:
            seal = Seal(folder, number, lambda _: None)
            known |= {*seal.body["tables"], seal.body["events"]["file"]}
            read.append(seal)
        except (Damaged, KeyError, TypeError, ValueError, AttributeError, FileNotFoundError):
            continue
    return known, read


def _are_in(about: Mapping[str, Json], covered: Mapping[str, int]) -> bool:
    """Whether everything the files of a seal hold is elsewhere too."""
    return all(size <= covered.get(log, -1) for log, size in remade.covers(about).items())


def _to_remake(patient: Patient, folder: Path, path: Path, sealer: str | None, what: str) -> Finding:
    mend, remedy = None, "celltrail doctor --repair makes it again from the files it proved"
    try:
        if sealer is None:
            raise Damaged("no file there says which seal it is of")
        remade.body(folder, sealer)
        mend = lambda: _remade(patient, folder, path, sealer)  # noqa: E731
    except (Damaged, KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        told = str(error) if isinstance(error, Damaged) else "what they say cannot be read"
        remedy = f"its files stay as they are and it cannot be made again from them: {told}; {_FROM_COPY}"
    return Finding("seal", patient.name(path), what, "the points in there are not shown", remedy, mend=mend)


def _remade(patient: Patient, folder: Path, path: Path, sealer: str) -> str:
    data = sealed.to_bytes(remade.body(folder, sealer))
    kept = ""
    if path.exists():
        kept = "; " + patient.keep(path, "a seal that does not verify, made again from its files")
        disk.replace_whole(path, data)
    elif not disk.create_whole(path, data):
        return "was there again already"
    patient.forget()
    return f"made again from its files, all of which verify{kept}"


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


def _half(patient: Patient, folder: Path, known: Collection[str], needed: Collection[str]) -> Iterator[Finding]:
    for path in sorted((folder / sealed.FOLDER).glob("*.parquet")):
        if path.name in known or any(f".{sealer}." in path.name for sealer in needed):
            continue
        if time.time() - path.stat().st_mtime > _HALF_AGE_S:
            yield Finding(
                "half-sealed",
                patient.name(path),
                "belongs to a seal that was never finished: its process died",
                "room on the disk; the logs are the truth",
                "celltrail doctor --repair removes it",
                mend=lambda path=path: patient.discard(path, "a seal that was never finished"),
            )
