"""The logs of each run: what does not verify, and whose they are."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

from celltrail.errors import Damaged
from celltrail.store.blobs import references
from celltrail.store.docs.generations import newest
from celltrail.store.doctor.finding import Finding, Patient
from celltrail.store.files import disk
from celltrail.store.files.encoding import encode
from celltrail.store.files.telling import counted
from celltrail.store.log import COVERED, EVENT_KIND, HEADER, MAGIC, frame
from celltrail.store.log.reader import Contents, Gap, State, _Scan, read


def check(patient: Patient) -> Iterator[Finding]:
    """Stretches of logs that cannot be read, of runs that nobody writes any more."""
    for folder in references.run_folders(patient.root):
        if patient.is_running(folder):
            continue
        for path in sorted((folder / "m").glob("*.ctl")):
            yield from _of_log(patient, folder, path)
        record = patient.records.get(folder)
        if record is not None and record.status == "killed":
            yield Finding(
                "killed",
                patient.name(folder),
                f"run {record.name!r} was killed: its process is gone and never ended it",
                "each listing reads its log instead of its document",
                "nothing: celltrail gc seals it",
                level="note",
            )


def _of_log(patient: Patient, folder: Path, path: Path) -> Iterator[Finding]:
    try:
        contents = read(path)
    except FileNotFoundError:
        return  # sealed meanwhile
    if contents.newer:
        yield Finding(
            "newer",
            patient.name(path),
            "holds records of a later celltrail",
            "what they say is not shown here",
            "pip install --upgrade celltrail",
            level="note",
        )
    elif contents.head is None and not contents.rows and not contents.events:
        yield Finding(
            "log",
            patient.name(path),
            f"holds nothing that can be read, in {counted(path.stat().st_size, 'byte')}",
            "what was in it is lost",
            "celltrail import of a copy of the trail brings it back; celltrail doctor --repair takes it out of the way",
            mend=lambda: patient.discard(path, "nothing in it verifies"),
        )
    elif contents.gaps:
        yield _damaged(patient, folder, path, contents)
    elif contents.head and contents.head.get("run") not in (None, folder.name):
        yield Finding(
            "stranger",
            patient.name(path),
            f"is a log of run {contents.head['run']}",
            "its points are shown as if they were of this run",
            "celltrail doctor --repair moves it to its own run",
            mend=lambda: _sent_home(patient, path, str(contents.head and contents.head["run"])),
        )


def _damaged(patient: Patient, folder: Path, path: Path, contents: Contents) -> Finding:
    told = "; ".join(map(str, contents.gaps[:3]))
    more = f" and {len(contents.gaps) - 3} more" if len(contents.gaps) > 3 else ""
    return Finding(
        "gap",
        patient.name(path),
        f"is damaged: {told}{more}",
        "the records in there are lost; all others are read",
        "celltrail import of a copy of the trail brings them back; celltrail doctor --repair keeps what is whole",
        mend=lambda: _healed(patient, folder, path, contents.gaps),
    )


def _healed(patient: Patient, folder: Path, path: Path, gaps: list[Gap]) -> str:
    """Put a copy with the records that verify in the place of a damaged log; the log itself goes to the trash."""
    about, data = path.stat(), path.read_bytes()
    scan = _Scan(path, data, State())
    text = f"{counted(sum(gap.size for gap in gaps), 'byte')} of {path.name} could not be read and were left out"
    told = frame(EVENT_KIND, encode({"t": scan.contents().state.t_us, "kind": "problem", "text": text}), scan._salt)
    temp = disk.temp_name(path)
    try:
        disk.write_new(temp, MAGIC + b"".join(_whole(data, scan)) + told, about.st_mode & 0o777)
        os.utime(temp, ns=(about.st_atime_ns, about.st_mtime_ns))  # it tells when the run was last alive
        kept = patient.keep(path, "a log with damage, replaced by a copy without")
        os.replace(temp, path)
    finally:
        temp.unlink(missing_ok=True)
    _tell(folder, text)
    patient.forget()
    return f"the records that verify were kept; {kept}"


def _whole(data: bytes, scan: _Scan) -> Iterator[bytes]:
    """The bytes of every record that verifies, each once."""
    seen: set[bytes] = set()
    position = len(MAGIC) if data.startswith(MAGIC) else next(scan._candidates(0), len(data))
    while position + HEADER.size <= len(data):
        size, crc, kind = HEADER.unpack_from(data, position)
        record = data[position : position + HEADER.size + size]
        if crc32(record[HEADER.size :], crc32(COVERED.pack(size, kind), scan._salt)) != crc:
            position = next(scan._candidates(position + 1), len(data))
            continue
        if record not in seen:
            seen.add(record)
            yield record
        position += len(record)


def _tell(folder: Path, text: str) -> None:
    """Keep with the run what it lost, where its document can be read; nobody else writes it any more."""
    from celltrail.store.docs.documents import Documents

    def put(entries: dict[Any, Any]) -> None:
        entries[str(len(entries) + 1)] = {"text": text}

    def count(entries: dict[Any, Any]) -> None:
        entries[folder.name]["rev"] = entries[folder.name].get("rev", 0) + 1

    with contextlib.suppress(Damaged, KeyError), Documents(folder / newest(folder)) as documents:
        if folder.name in documents.table("run")._read_table():
            documents.change("problems", put)
            documents.change("run", count)


def _sent_home(patient: Patient, path: Path, run: str) -> str:
    home = patient.root / "runs" / run[-2:] / run / "m" / path.name
    if home.exists():
        return "a log of this name is there already; " + patient.discard(path, f"a log of run {run}")
    if not home.parent.is_dir():
        return f"not moved: run {run} is not in this trail"
    path.rename(home)
    patient.forget()
    return f"moved to {patient.name(home)}"
