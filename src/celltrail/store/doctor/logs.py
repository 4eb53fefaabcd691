"""The logs of each run: what does not verify, and whose they are."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

from celltrail.errors import Damaged
from celltrail.model import RunRecord
from celltrail.store.blobs import references
from celltrail.store.docs.generations import newest
from celltrail.store.doctor.finding import Finding, Patient
from celltrail.store.files import disk
from celltrail.store.files.encoding import encode
from celltrail.store.files.telling import counted
from celltrail.store.log import COVERED, EVENT_KIND, HEADER, MAGIC, frame
from celltrail.store.log.reader import Contents, Gap, State, _Scan, read
from celltrail.store.seal import sealed

_ENDED = {"finished", "failed", "interrupted"}


def check(patient: Patient) -> Iterator[Finding]:
    """Stretches of logs that cannot be read, of runs that nobody writes any more."""
    all_held: list[tuple[Path, RunRecord, _Held]] = []
    for folder in references.run_folders(patient.root):
        if patient.is_running(folder):
            continue
        record, held = patient.records.get(folder), _Held()
        for path in sorted((folder / "m").glob("*.ctl")):
            try:
                contents = read(path)
            except FileNotFoundError:
                continue  # sealed meanwhile
            held.take(path, contents)
            patient.take_items(folder.name, contents.events)
            yield from _of_log(patient, folder, path, contents)
        if record is not None:
            all_held.append((folder, record, held))
        if record is not None and record.status == "killed":
            yield Finding(
                "killed",
                patient.name(folder),
                f"run {record.name!r} was killed: its process is gone and never ended it",
                "each listing reads its log instead of its document",
                "nothing: celltrail gc seals it",
                level="note",
            )
    away = {run for *_, held in all_held for run in held.strangers}
    for folder, record, held in all_held:
        if folder.name not in away:
            yield from _lacking(patient, folder, record, held)


class _Held:
    """What the logs of a run hold, all together."""

    def __init__(self) -> None:
        self.points: Counter[str] = Counter()
        self.is_damaged = False
        self.strangers: set[str] = set()  # runs whose logs they are
        self.last: tuple[Path, int | None] | None = None  # the log of the owner, and its last step

    def take(self, path: Path, contents: Contents) -> None:
        """Count one of them."""
        for rows in contents.rows:
            self.points.update(dict.fromkeys(rows.names, len(rows.step)))
        # of what a later celltrail wrote, or nobody can read, it is not known what it holds
        self.is_damaged = self.is_damaged or bool(contents.gaps) or contents.newer or contents.head is None
        self.last = path, contents.state.step
        if contents.head and (run := contents.head.get("run")) not in (None, path.parent.parent.name):
            self.strangers.add(str(run))


def _lacking(patient: Patient, folder: Path, record: RunRecord, held: _Held) -> Iterator[Finding]:
    """Points that a run counted when it ended and that no log has: a log that was cut off or is gone."""
    # damage is told already, and so is what the run itself says it lost; sealed or carried on, others hold points too
    if record.status not in _ENDED or record.problems or held.is_damaged or record.generation > 1 or record.carried:
        return
    if sealed.numbers(folder) or (folder / sealed.FOLDER).is_dir():
        return
    lost = {name: metric.count - held.points[name] for name, metric in record.metrics.items()}
    missing, counted_ = sum(max(0, count) for count in lost.values()), sum(m.count for m in record.metrics.values())
    if not missing:
        return
    path, step = held.last or (folder / "m", None)
    about = f"ends after step {step:,}: " if step is not None else ""
    what = f"{missing:,} of the {counted(counted_, 'point')} that the run logged are not there"
    yield Finding(
        "cut",
        patient.name(path),
        about + what,
        "these points are lost; tables still show what they came to",
        "celltrail import of a copy of the trail brings them back; celltrail doctor --repair says it on the run",
        mend=lambda: _said(patient, folder, f"{what} any more: {path.name} was cut off or is gone"),
    )


def _said(patient: Patient, folder: Path, text: str) -> str:
    _tell(folder, text)
    patient.forget()
    return "said on the run"


def _of_log(patient: Patient, folder: Path, path: Path, contents: Contents) -> Iterator[Finding]:
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
    told = "; ".join(gap.inside for gap in contents.gaps[:3])
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
