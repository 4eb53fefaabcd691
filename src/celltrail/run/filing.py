"""How files that a training writes get into the trail: stamped when they are told of, copied in the background.

A file that has changed between the two is left alone: whoever changed it tells of it again.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, StoreError
from celltrail.model import Metric, is_of_machine, new_id
from celltrail.run.copying import copier
from celltrail.store import artifacts
from celltrail.store.artifacts import CHECKPOINT, Artifact, Artifacts, File
from celltrail.store.artifacts.keeping import Keep, plan
from celltrail.store.blobs.fresh import FreshBlobs
from celltrail.store.files import forks
from celltrail.store.files.hashing import Stamp
from celltrail.store.files.telling import sized

if TYPE_CHECKING:
    from celltrail.contract import Goal

SOON_S = 0.2  # until then the values of a loop that came before are written
SETTLE_S = 1.0  # in this time a library that wrote a file may tell of the folder around it
REST = 20  # times as long as copying took nothing is copied unasked: a loop may write one at every step
MOST_METRICS = 50
MOST_FILES = 2000

Stamps = dict[str, Stamp]  # by the path inside


@dataclass(slots=True, eq=False)
class Offer:
    """A file or folder to keep, as it was when somebody told of it."""

    path: Path
    name: str
    kind: str
    by: str
    stamps: Stamps
    t_us: int  # when, by the clock of the run's log
    step: int | None = None  # where it belongs and how good it is, unless the log is to tell
    metrics: dict[str, float] | None = None

    @property
    def is_asked(self) -> bool:
        """Whether the user's own code asked for it."""
        return self.by == "api"

    def is_same(self) -> bool:
        """Whether it is still what it was."""
        return stamps_of(self.path) == self.stamps


def stamps_of(path: Path) -> Stamps:
    """What tells cheaply whether a file, or those in a folder, are still the same; empty where there are none."""
    if not path.is_dir():
        stamp = Stamp.of(str(path))
        return {path.name: stamp} if stamp else {}
    found: Stamps = {}
    for folder, _, names in os.walk(path):
        for name in names:
            each = Path(folder, name)
            if stamp := Stamp.of(str(each)):
                found[each.relative_to(path).as_posix()] = stamp
            if len(found) > MOST_FILES:
                raise BadValue(f"{path.name!r} has more than {MOST_FILES:,} files; keep an archive of it instead")
    return dict(sorted(found.items()))


class Filing:
    """The files of one run on their way into the trail."""

    def __init__(self, run: Any) -> None:
        self._run = run
        self.keep: Keep | None = None  # what the user said
        self._waiting: dict[tuple[Path, str], tuple[float, Offer]] = {}  # with the time at which they are due
        self._rests_until = 0.0
        self._fresh: FreshBlobs | None = None
        if run.is_running:
            run.before_end(self.flush)
        self._make_anew()
        forks.in_child(self._make_anew)

    def _make_anew(self) -> None:
        self._lock = threading.Lock()  # the main thread tells of files, that of the keeper asks what is due
        self._waiting.clear()

    def take(self, offer: Offer) -> None:
        """Keep this when it is due."""
        now, key = time.monotonic(), (offer.path, offer.name)
        is_done = offer.is_asked or offer.path.is_dir()
        with self._lock:
            if is_done:  # what stands in a folder is told of with it
                for other in [other for other in self._waiting if offer.path in other[0].parents]:
                    del self._waiting[other]
            due = self._waiting[key][0] if key in self._waiting else now + (SOON_S if is_done else SETTLE_S)
            self._waiting[key] = max(due, now + SOON_S), offer
        if not self._run.is_running:
            self.flush()  # told of as the record of the run is closed

    def tick(self, now_s: float) -> None:
        """Copy what is due at this monotonic time; what was not asked for not while copying took much time lately."""
        is_resting = now_s < self._rests_until
        self._send(lambda due, offer: due <= now_s and (offer.is_asked or not is_resting))

    def flush(self) -> None:
        """Copy all that waits: nothing more will come."""
        self._send(lambda due, offer: True)

    def _send(self, is_due: Callable[[float, Offer], bool]) -> None:
        with self._lock:
            found = [(key, offer) for key, (due, offer) in self._waiting.items() if is_due(due, offer)]
            for key, _ in found:
                del self._waiting[key]
        for _, offer in found:
            copier.put(partial(self._file, offer, self._run.owe()))

    def found(self, kind: str | None = None) -> Artifacts:
        """What the trail has of the run, once all that was told of is there."""
        self.flush()
        store = self._run.store
        return artifacts.artifacts_of(store.root, self._run.id, store.blobs, self._goals(), kind)

    # on the copier's thread

    def _file(self, offer: Offer, settle: Any) -> None:
        began = time.monotonic()
        try:
            self._keep(offer)
        except (StoreError, BadValue, OSError) as error:
            self._run.writer.note(f"{offer.name} could not be kept: {error}")
        except Exception as error:  # noqa: BLE001  the shield around the copier: other runs' files are kept too
            self._run.stumble(error)
        finally:
            if not offer.is_asked:
                self._rests_until = time.monotonic() + REST * (time.monotonic() - began)
            settle()

    def _keep(self, offer: Offer) -> None:
        if not (offer.is_asked or self._is_wanted()):
            return
        keep = self._policy(offer)
        size = sum(stamp.size for stamp in offer.stamps.values())
        why = self._why_not(size, keep) if offer.is_same() else "it was changed or deleted before it could be copied"
        digests: dict[str, str] = {}
        if not why:
            base = offer.path if offer.path.is_dir() else offer.path.parent
            digests = {path: self._blobs.put_file(base / path) for path in offer.stamps}
            if not offer.is_same():
                self._blobs.take_away(digests.values(), self._digests(self._known()))
                why, digests = "it was changed while it was copied", {}
        if why and (offer.path, offer.name) in self._waiting:
            return  # its writer has told of it again
        step, metrics = self._standing(offer)
        is_one = not offer.path.is_dir() and len(offer.stamps) == 1
        files = tuple(
            File(offer.name if is_one else path, stamp.size, digests.get(path, ""))
            for path, stamp in offer.stamps.items()
        )
        made = Artifact(new_id(), offer.name, offer.kind, step, offer.t_us, offer.by, files, metrics, why)
        artifacts.write(self._run.store.root, self._run.id, made)
        self._say("not kept" if why else "kept", made, why)
        if offer.kind == CHECKPOINT and not why:
            self._let_go(keep)

    def _standing(self, offer: Offer) -> tuple[int | None, dict[str, float]]:
        """The step that the run was at, and the last values of what it trains, not layer by layer."""
        known = self._run.record().metrics
        names = [name for name in known if not is_of_machine(name) and name.count("/") < 2][:MOST_METRICS]
        series, values, last = self._run.store.series(self._run.id), {}, (-1, None)
        for name in names if offer.metrics is None or offer.step is None else ():
            if name in series:
                before = series[name].at(series[name].t_us <= offer.t_us)
                if len(before.value):
                    values[name] = float(before.value[-1])
                    last = max(last, (int(before.t_us[-1]), int(before.step[-1])), key=itemgetter(0))
        told = {name: values[name] for name in [*filter(_is_held_out, values), *values]}  # held-out ones first
        metrics = told if offer.metrics is None else offer.metrics
        return (last[1] if offer.step is None else offer.step), metrics

    def _is_wanted(self) -> bool:
        is_off = os.environ.get("CELLTRAIL_CHECKPOINTS") == "0"
        return self.keep is not None or (not is_off and self._run.store.settings["checkpoints.kept"])

    def _policy(self, offer: Offer) -> Keep:
        if self.keep is not None or offer.is_asked:
            return self.keep or Keep()
        return Keep(by=_telling(self._run.record().metrics), budget=self._run.store.settings["checkpoints.budget"])

    def _why_not(self, size: int, keep: Keep) -> str:
        if keep.budget is not None and size > keep.budget:
            return (
                f"its {sized(size)} are more than the {sized(keep.budget)} that checkpoints of the run may take; "
                "run.keep_checkpoints(budget=...) allows more"
            )
        free = artifacts.free_bytes(self._run.store.root)
        return f"the disk of the trail has {sized(max(0, free))} left for it" if size > free else ""

    def _let_go(self, keep: Keep) -> None:
        known = list(self._known())
        # what the user's code keeps goes only where it said so
        candidates = [each for each in known if self.keep is not None or each.by != "api"]
        for each in plan(candidates, keep, Artifacts((), self._goals()).goal, self._blobs).go:
            known.remove(each)
            artifacts.forget(self._run.store.root, self._run.id, each)
            self._blobs.take_away(self._digests([each]), self._digests(known))
            self._say("let go", each, "to stay within what checkpoints of the run may take")

    def _known(self) -> Artifacts:
        store = self._run.store
        return artifacts.artifacts_of(store.root, self._run.id, self._blobs, {}, CHECKPOINT)

    @staticmethod
    def _digests(found: Iterable[Artifact]) -> list[str]:
        return [file.digest for each in found for file in each.files if file.digest]

    @property
    def _blobs(self) -> FreshBlobs:
        if self._fresh is None or self._fresh.trail != self._run.store.root:
            self._fresh = FreshBlobs(self._run.store.root)
        return self._fresh

    def _goals(self) -> dict[str, Goal]:
        return {name: metric.goal for name, metric in self._run.record().metrics.items() if metric.goal != "none"}

    def _say(self, do: str, artifact: Artifact, why: str) -> None:
        told = {"name": artifact.name, "step": artifact.step, "size": artifact.size, "why": why}
        self._run.writer.event("artifact", do=do, type=artifact.kind, **told)


def _is_held_out(metric: str) -> bool:
    return metric.startswith(("val", "eval", "test"))


def _telling(metrics: Mapping[str, Metric]) -> str | None:
    """The metric by which a checkpoint is good, where nobody says: the loss of held-out data, or the first of it."""
    held = [name for name, metric in metrics.items() if _is_held_out(name) and metric.goal != "none"]
    return next((name for name in held if name.endswith("loss")), held[0] if held else None)
