"""Folders and files by name and mode: misplaced runs, leftovers, files of others, who may read what."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from celltrail.store.blobs import references
from celltrail.store.doctor.finding import Finding, Patient
from celltrail.store.upkeep.merge import merge_run

_TEMP_AGE_S = 3600.0
_RUN = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_TOP = {
    "trail.json",
    "compacting.json",
    "runs",
    "kernels",
    "actors",
    "registry",
    "packs",
    "catalogue",
    "blobs",
    "audit",
    "trash",
}
_IN_RUN = re.compile(r"run(\.\d+)?\.json|sealed(\.\d+)?\.json|m|edits|control|sealed|artifacts")
_FUTURE_S = 86400.0


def check_places(patient: Patient) -> Iterator[Finding]:
    """Folders of runs that are not where their id says."""
    for folder in references.run_folders(patient.root):
        if not _RUN.fullmatch(folder.name):
            yield Finding(
                "foreign",
                patient.name(folder),
                "is no run: a run's folder has its id as its name",
                "what is in it is not shown",
                "move it out of the trail, or give it its id back if it was renamed",
                level="note",
            )
        elif folder.parent.name != folder.name[-2:]:
            yield Finding(
                "misplaced",
                patient.name(folder),
                f"belongs into runs/{folder.name[-2:]}",
                "this run is not found",
                "celltrail doctor --repair moves it there; of two copies the second goes to the trash",
                mend=lambda folder=folder: _placed(patient, folder),
            )


def check_leftovers(patient: Patient) -> Iterator[Finding]:
    """Temporary files of processes that died, and files that are not the trail's."""
    for path in _walk(patient.root):
        if path.name.endswith(".tmp"):
            if _age(path) > _TEMP_AGE_S:
                yield Finding(
                    "leftover",
                    patient.name(path),
                    "was left behind by a process that died",
                    "room on the disk",
                    "celltrail doctor --repair removes it",
                    mend=lambda path=path: patient.discard(path, "a leftover"),
                )
        elif _is_foreign(path.relative_to(patient.root)):
            yield Finding(
                "foreign",
                patient.name(path),
                "is not a file of celltrail",
                "nothing: it is passed over",
                "move it out of the trail if you do not know it",
                level="note",
            )


def check_modes(patient: Patient) -> Iterator[Finding]:
    """Files that their owner cannot read or everybody can write; links out of the trail; times to come."""
    group = patient.root.stat().st_mode & 0o070
    for path in (patient.root, *_walk(patient.root)):
        try:
            about = path.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISLNK(about.st_mode):
            continue
        need = 0o700 if stat.S_ISDIR(about.st_mode) else 0o400
        wrong = _wrong_with(about, need)
        if wrong:
            is_ours = about.st_uid == os.geteuid()
            mode = (stat.S_IMODE(about.st_mode) | need) & ~0o002 & ~(0 if group else 0o020)
            yield Finding(
                "mode",
                patient.name(path),
                wrong,
                "what is in it is not shown" if "read" in wrong else "anybody on this machine can change it",
                "celltrail doctor --repair mends the mode" if is_ours else "ask its owner to mend the mode",
                mend=(lambda path=path, mode=mode: _chmod(path, mode)) if is_ours else None,
            )
        elif about.st_mtime > time.time() + _FUTURE_S:
            yield Finding(
                "future",
                patient.name(path),
                f"is dated {time.strftime('%Y-%m-%d', time.gmtime(about.st_mtime))}: a clock was wrong",
                "it looks newer than it is",
                "celltrail doctor --repair dates it today",
                mend=lambda path=path: _date(path),
            )


def _placed(patient: Patient, folder: Path) -> str:
    home = patient.root / "runs" / folder.name[-2:] / folder.name
    if home.exists():
        merge_run(folder, home)
        done = f"brought together with {patient.name(home)}; " + patient.discard(folder, "a second copy of a run")
    else:
        home.parent.mkdir(mode=patient.root.stat().st_mode & 0o2770, exist_ok=True)
        folder.rename(home)
        done = f"moved to {patient.name(home)}"
    patient.forget()
    return done


def _walk(root: Path) -> Iterator[Path]:
    """Everything in the trail but what is in the trash."""
    for place, folders, names in os.walk(root):
        if Path(place) == root and "trash" in folders:
            folders.remove("trash")
        folders.sort()
        yield from (Path(place, name) for name in folders + sorted(names))


def _is_foreign(path: Path) -> bool:
    parts = path.parts
    if parts[0] not in _TOP:
        return len(parts) == 1
    if parts[0] == "runs" and len(parts) == 4:
        return not _IN_RUN.fullmatch(parts[3])
    if parts[0] == "runs" and len(parts) == 2:
        return len(parts[1]) != 2
    if parts[0] == "blobs" and len(parts) > 1:
        return not re.fullmatch(r"blobs/([0-9a-f]{2})(/\1[0-9a-f]{62}(\.pieces)?)?", path.as_posix())
    return False


def _wrong_with(about: os.stat_result, need: int) -> str:
    if about.st_uid == os.geteuid() and about.st_mode & need != need:
        return "cannot be read by its owner"
    if about.st_mode & 0o002:
        return "can be changed by everybody"
    return ""


def _age(path: Path) -> float:
    with contextlib.suppress(FileNotFoundError):
        return time.time() - path.lstat().st_mtime
    return 0.0


def _chmod(path: Path, mode: int) -> str:
    path.chmod(mode)
    return f"has mode {mode:o} now"


def _date(path: Path) -> str:
    os.utime(path)
    return "dated today"
