"""Compaction: runs that are over are sealed, their logs removed an hour later, small runs packed, all catalogued.

It is done by one process at a time, of its own and with low priority, so that no cell is slower for it:
``python -m celltrail.store.seal.compaction TRAIL``.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from celltrail.errors import CelltrailError
from celltrail.store.audit import Audit
from celltrail.store.blobs import Blobs
from celltrail.store.catalogue.cataloguing import catalogue
from celltrail.store.docs.settings import Settings
from celltrail.store.files.claim import Claim
from celltrail.store.folders import run_folder, run_ids
from celltrail.store.runs import RunFiles
from celltrail.store.seal import sealing
from celltrail.store.seal.packing import pack

WORTH_RUNS, WORTH_BYTES = 16, 16 << 20
LOOK_AT = 512  # runs, the newest: a look must cost less than a cell notices
KEEP_LOGS = "CELLTRAIL_KEEP_LOGS"
_RENEW_S = 60.0


@dataclass(slots=True)
class Compaction:
    """What was done."""

    sealed: list[str] = field(default_factory=list)  # runs
    released: list[str] = field(default_factory=list)  # runs whose sealed logs were removed
    freed: int = 0  # bytes
    packed: int = 0  # runs, in packs made or made larger
    catalogued: int = 0  # runs, in segments of the catalogue written
    problems: list[str] = field(default_factory=list)
    is_done: bool = True  # False: another process is at it

    def __str__(self) -> str:
        if not self.is_done:
            return "another process compacts this trail just now"
        done = f"{_runs(len(self.sealed))} sealed, the logs of {_runs(len(self.released))} removed "
        done += f"({self.freed / 1e6:.1f} MB), {_runs(self.packed)} packed, {_runs(self.catalogued)} catalogued"
        return "; ".join([done, *self.problems])


def compact(root: Path, blobs: Blobs, audit: Audit) -> Compaction:
    """Seal what can be sealed and remove the logs that may go. Trouble with one run is told, and passed over."""
    claim = Claim(root / "compacting.json")
    if not claim.take():
        return Compaction(is_done=False)
    try:
        return _Pass(root, blobs, audit, claim).run()
    finally:
        claim.drop()


class _Pass:
    def __init__(self, root: Path, blobs: Blobs, audit: Audit, claim: Claim) -> None:
        self._root = root
        self._blobs = blobs
        self._audit = audit
        self._claim = claim
        self._renewed = time.monotonic()
        self._done = Compaction()

    def run(self) -> Compaction:
        heads = self._audit.heads()
        ids = sorted(run_ids(self._root))
        for run_id in ids:
            folder = run_folder(self._root, run_id)
            if not _logs(folder):
                continue
            files = RunFiles(folder, self._blobs)
            with self._passing_over(run_id):
                if sealing.seal(folder, files, heads) is not None:
                    self._done.sealed.append(run_id)
                else:
                    self._release(folder, files)
        if self._done.sealed:
            self._audit.record_all([("seal", run_id, None) for run_id in self._done.sealed])
        self._claim.renew()
        made = pack(self._root, self._blobs, ids)
        self._done.packed = sum(runs for _, runs in made)
        if made:
            self._audit.record_all([("compact", f"packs/{name}", {"runs": runs}) for name, runs in made])
        self._claim.renew()
        listed = catalogue(self._root, self._blobs, ids)
        self._done.catalogued = sum(runs for _, runs in listed)
        return self._done

    def _release(self, folder: Path, files: RunFiles) -> None:
        paths = sealing.release(folder, files)
        if paths is None:
            # it has been sealed long enough but does not verify any more: made again, while the logs are there
            if sealing.seal(folder, files, self._audit.heads(), verify=True) is not None:
                self._done.sealed.append(files.id)
            return
        if paths:
            self._audit.record("seal", files.id, {"removed": [path.name for path in paths]})
            self._done.released.append(files.id)
        for path in paths:
            self._done.freed += path.stat().st_size
            path.unlink()

    @contextlib.contextmanager
    def _passing_over(self, run_id: str) -> Generator[None]:
        if time.monotonic() - self._renewed > _RENEW_S:
            self._renewed = time.monotonic()
            self._claim.renew()
        try:
            yield
        except (OSError, CelltrailError) as error:
            self._done.problems.append(f"run {run_id}: {error}")


def is_worth_it(root: Path) -> bool:
    """Whether enough logs of runs that are over wait to be sealed; a look at the newest runs only."""
    if os.environ.get(KEEP_LOGS) or not os.access(root, os.W_OK) or (root / "compacting.json").exists():
        return False
    if not Settings(root)["logs.sealed"]:
        return False
    quiet = time.time() - sealing.QUIET_S
    runs = size = 0
    for run_id in sorted(run_ids(root), reverse=True)[:LOOK_AT]:
        folder = run_folder(root, run_id)
        if (folder / "sealed.json").exists():
            continue
        stats = [entry.stat() for entry in _logs(folder)]
        if stats and max(about.st_mtime for about in stats) < quiet:
            runs += 1
            size += sum(about.st_size for about in stats)
        if runs >= WORTH_RUNS or size >= WORTH_BYTES:
            return True
    return False


def begin(root: Path) -> subprocess.Popen[bytes] | None:
    """Compact in a process of its own, which nobody needs to wait for; None where there is no way to start one."""
    name = Path(sys.executable or "").name.lower()
    if not name.startswith(("python", "pypy")):  # inside another program that is its executable, not ours
        return None
    home = str(Path(__file__).parents[2])
    paths = [*filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)), home]
    # one thread: the cores are the user's
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    # -P: a module of the user's in the working folder must not stand in for one of Python's
    command = [sys.executable, "-P", "-m", "celltrail.store.seal.compaction", str(root)]
    none = subprocess.DEVNULL
    try:
        return subprocess.Popen(command, stdin=none, stdout=none, stderr=none, env=environment, start_new_session=True)
    except OSError:
        return None


def main(argv: Sequence[str]) -> int:
    """Compact the trail named; 0 unless another process is at it."""
    import psutil

    (place,) = argv
    root = Path(place)
    with contextlib.suppress(psutil.Error, OSError, AttributeError):
        myself = psutil.Process()
        myself.nice(getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", 15))
        myself.ionice(getattr(psutil, "IOPRIO_CLASS_IDLE", None))
    done = compact(root, Blobs(root), Audit(root))
    return 0 if done.is_done else 1


def _logs(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder / "m") as found:
            return [entry for entry in found if entry.name.endswith(".ctl")]
    except OSError:
        return []


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count:,} runs"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
