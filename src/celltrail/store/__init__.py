"""The trail on disk: `Store` is the one door to it.

Points go to append-only logs, what a run is to ``run.json``, what people say about it to ``edits/``,
bytes to ``blobs/``. One file has one writing process; merging is reading.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from celltrail.errors import BadValue, NoRun, StoreError, nearest
from celltrail.model import RUN_ID, Json, RunRecord
from celltrail.store import places, root
from celltrail.store.blobs import Blobs
from celltrail.store.docs import actors, edits, fields
from celltrail.store.files import disk
from celltrail.store.files.pending import settle
from celltrail.store.folders import run_folder, run_ids
from celltrail.store.log.ranks import Writer, rank_of
from celltrail.store.log.series import Series, SeriesMapping
from celltrail.store.log.summary import Summaries
from celltrail.store.log.writer import RunWriter
from celltrail.store.root import locate
from celltrail.store.upkeep.verbs import Upkeep

if TYPE_CHECKING:
    from celltrail.store.across import Across
    from celltrail.store.audit import Audit
    from celltrail.store.catalogue.facts import Key
    from celltrail.store.catalogue.gathered import Gathered
    from celltrail.store.catalogue.listing import Listing
    from celltrail.store.docs.settings import Settings
    from celltrail.store.docs.views import Rules, Templates, Views
    from celltrail.store.index import Look
    from celltrail.store.index.searching import Searcher
    from celltrail.store.log.reader import Gap
    from celltrail.store.onward import Onward
    from celltrail.store.recent import Recent
    from celltrail.store.runs import RunFiles

__all__ = [
    "Blobs", "RunWriter", "Series", "SeriesMapping", "Store", "Summaries", "Writer", "locate", "rank_of",
]  # fmt: skip

ENDED = {"finished", "failed", "interrupted", "killed"}

_T = TypeVar("_T")


class Store(Upkeep):
    """The trail in a folder. Cheap to open; nothing is created before the first write.

    Args:
        root: the folder; that of the working folder unless given, as `celltrail.start` finds it.

    >>> import celltrail as ct
    >>> with ct.start("script") as run: pass
    >>> [record.name for record in ct.Store().records()]
    ['script']
    """

    def __init__(self, root: Path | str | None = None) -> None:
        self.root = locate() if root is None else Path(root).expanduser().absolute()
        self.blobs = Blobs(self.root)
        self._id = ""
        self._made: Listing | None = None
        self._damage: dict[str, tuple[str, ...]] = {}  # met by reading series or events
        self._searcher: Searcher | None = None
        self._recent: Recent | None = None

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"

    @property
    def id(self) -> str:
        """The id of the trail, or "" before its first write."""
        self._id = self._id or root.trail_id(self.root)
        return self._id

    def begin(
        self, record: RunRecord, rank: int = 0, before: Onward | None = None, *, is_over: bool = False
    ) -> RunWriter:
        """Create a run on disk, status running, and return the writer that owns it.

        Of several processes that begin a run of the same id, one owns it; the others join it. With what was
        ``before`` a run that is there goes on. Of one that ``is_over`` before it is written down nobody waits for the
        document, which is there with the first `RunWriter.flush`.

        Raises `StoreError` when the trail cannot be written.
        """
        folder = run_folder(self.root, record.id)
        if record.generation == 1 and os.path.exists(f"{folder}{os.sep}run.json"):
            return self.join(record.id, rank)
        try:
            trail = root.establish(self.root)
            places.note(trail, self.root)
            disk.make_folder(folder, self.root)  # first, for as a rule it is this one that is missing
            disk.make_folder(folder / "m", self.root)
            writer = RunWriter(folder, trail, record.id, rank)
            if before is None:
                writer.own(record, self.blobs, is_over=is_over)
            elif not writer.own(record, self.blobs, before.tables, before.carried.logs):
                writer.close(record)
                raise StoreError(f"another process has just resumed run {record.name!r}; only one can go on with it")
            if record.generation > 1:
                # nobody looks at the documents of a run that is over unless told
                actors.touch(self.root, {record.id: time.time_ns() // 1_000_000 << 16})
            return writer
        except StoreError:
            raise
        except OSError as error:
            raise StoreError(root.unwritable(self.root, error)) from error

    def resumed(self, run_id: str, step: int | None = None) -> Onward:
        """What a process starts with that goes on with this run, which has ended or was killed."""
        from celltrail.store.onward import resumed

        return resumed(self._files(run_id), step)

    def forked(self, run_id: str, step: int | None = None) -> Onward:
        """What a run starts with that forks off this one."""
        from celltrail.store.onward import forked

        return forked(self._files(run_id), step)

    def find(self, ref: str) -> RunRecord:
        """The run of this id, else the newest of this name that is not deleted, else the only one whose id begins so.

        Raises `NoRun`, whose sentence names the nearest.
        """
        from celltrail.store.catalogue.referring import record_of

        return record_of(ref, self)

    def join(self, run_id: str, rank: int = 0) -> RunWriter:
        """A further writer of a run that another process owns: its own log, never the run's document.

        A rank above 0 may be there before the process that begins the run, and may come when that has
        ended it; any other process joins only a run that has not ended: `StoreError`.
        """
        if not RUN_ID.fullmatch(run_id):
            raise BadValue(f"{run_id!r} is no id of a run, which has 26 characters such as 01HZX3V9YQ2T5W8A4B6C7D9E0F")
        folder = run_folder(self.root, run_id)
        if not rank or folder.is_dir():
            folder = self._existing(run_id)
        status = self.record(run_id).status if (folder / "run.json").exists() else "running"
        if (status in ENDED and not rank) or (folder / "sealed.json").exists():
            raise StoreError(f"run {run_id} has already {status}: a process can only join one that still runs")
        try:
            trail = root.establish(self.root)
            disk.make_folder(folder / "m", self.root)
            writer = RunWriter(folder, trail, run_id, rank)
            if status in ENDED:
                # nobody looks at the logs of a run that is over, but everybody at its edits
                disk.make_folder(folder / "edits", self.root)
                os.utime(folder / "edits")
                actors.touch(self.root, {run_id: time.time_ns() // 1_000_000 << 16})
            return writer
        except StoreError:
            raise
        except OSError as error:
            raise StoreError(root.unwritable(self.root, error)) from error

    def writers(self, run_id: str) -> list[Writer]:
        """The processes that write or wrote this run, by rank; none once it is sealed."""
        return self._files(run_id).writers()

    def record(self, run_id: str) -> RunRecord:
        """One run: its document, people's edits, and whether its process still lives."""
        self._existing(run_id)
        record = self._listing().record(run_id)
        if damage := self._damage.get(run_id):
            record = dataclasses.replace(record, problems=tuple(dict.fromkeys(record.problems + damage)))
        return record

    def records(self) -> list[RunRecord]:
        """All runs, newest first."""
        return self._listing().records() if self.id else []

    def series(self, run_id: str) -> SeriesMapping:
        """The points of a run by metric name; each series is put together when asked for."""
        from celltrail.store.recent import Recent

        self._recent = self._recent or Recent()
        return self._recent.series(self._files(run_id))

    def window(self, run_id: str, name: str, first_step: float, last_step: float) -> Series:
        """The points of a metric from one step to another, both included; KeyError where the run has no such metric.

        Of a sealed run only the stretch around these steps is read.
        """
        return self.series(run_id).window(name, first_step, last_step)

    def metric(self, name: str, run_ids: Iterable[str]) -> dict[str, Series]:
        """The points of one metric by run, for the runs that have it: one read for the many that are packed."""
        ids = list(dict.fromkeys(run_ids))
        across = self.across(name, ids)
        return {run_id: series for run_id in ids if (series := across.series(run_id)) is not None}

    def across(self, name: str, run_ids: Iterable[str], *, times: bool = True) -> Across:
        """The points of one metric of any of these runs: those in packs are read now, others when asked for.

        Where ``times`` are not needed they are not read, and ``t_us`` may be empty.
        """
        from celltrail.store.across import Across
        from celltrail.store.seal.packs import packs_of

        settle()
        packed = packs_of(self.root).metric(name, list(run_ids), times)
        return Across(packed, lambda run_id: self._files(run_id).series().get(name))

    def events(self, run_id: str) -> list[dict[str, Json]]:
        """What happened, in order: events as logged, and items with ``kind`` "item"."""
        return self._files(run_id).events()

    def gaps(self, run_id: str) -> list[Gap]:
        """The damaged stretches of a run's logs."""
        return self._files(run_id).gaps(self.record(run_id).status)

    @cached_property
    def settings(self) -> Settings:
        """What all who use this trail agree on, by name: get, set, delete."""
        from celltrail.store.docs.settings import Settings

        return Settings(self.root)

    @cached_property
    def views(self) -> Views:
        """The questions that people gave a name: save, list, delete."""
        from celltrail.store.docs.views import Views

        return Views(self.root)

    @cached_property
    def rules(self) -> Rules:
        """The alert rules that people keep: save, list, delete."""
        from celltrail.store.docs.views import Rules

        return Rules(self.root)

    @cached_property
    def templates(self) -> Templates:
        """What runs of each project must have: save, list, delete."""
        from celltrail.store.docs.views import Templates

        return Templates(self.root)

    @property
    def audit(self) -> Audit:
        """The record of what was changed in this trail, and by whom."""
        from celltrail.store.audit import Audit

        return Audit(self.root)

    def edit(self, run_id: str, field: str, value: Json, *, by_run: bool = False) -> None:
        """Change what people say about a run: its name, a tag, a note ... None takes it back.

        ``by_run`` is for the run's own code while it records: that is no change of a record, and not audited.
        """
        self.edit_all({run_id: {field: value}}, by_run=by_run)

    def edit_all(self, changes: Mapping[str, Mapping[str, Json]], *, by_run: bool = False) -> None:
        """Change several fields of several runs, run id -> field -> value: all are checked before any is changed."""
        wishes: dict[str, dict[str, Json]] = {}
        for run_id, values in changes.items():
            self._existing(run_id)
            wishes[run_id] = dict(fields.normal(field, value) for field, value in values.items())
        try:
            with edits.clock.lock:
                made = {run_id: self._prepared(run_id, values) for run_id, values in wishes.items() if values}
                if not by_run:
                    self.audit.record_all(edits.deeds(made))
                for run_id, some in made.items():
                    edits.save(run_folder(self.root, run_id) / "edits", some)
                if not by_run:  # a run that goes on is looked at anyway
                    actors.touch(self.root, {run_id: some[-1].at for run_id, some in made.items()})
            if self._made is not None:
                self._made.mark(changes)
        except StoreError:
            raise
        except OSError as error:
            raise StoreError(root.unwritable(self.root, error)) from error

    def _prepared(self, run_id: str, values: Mapping[str, Json]) -> list[edits.Edit]:
        folder = run_folder(self.root, run_id) / "edits"
        disk.make_folder(folder, self.root)
        return edits.prepared(folder, values)

    def edits(self, run_id: str) -> dict[str, Json]:
        """The value of every field that people changed."""
        return edits.view(edits.read(self._existing(run_id) / "edits"))

    def document(self, run_id: str) -> RunRecord:
        """The run as its own process wrote it, without what people said later."""
        return self._files(run_id).document()

    def notes(self, run_id: str) -> dict[str, str]:
        """The notes of a run by the field that changes each."""
        return edits.notes_of(self.document(run_id).notes, self.edits(run_id))

    def look(self, keys: Iterable[Key], answer: Callable[[Look], _T]) -> _T:
        """What ``answer`` makes of all runs as they are now, over the columns of the index.

        Args:
            keys: the facts it needs, such as ``("status",)``, ``("params", "lr")``, ``("metric", "last", "loss")``.
            answer: called with a `Look`, perhaps twice; it must not ask the store meanwhile.
        """
        return self._listing().look(keys, answer)

    def again(self, keys: Iterable[Key], answer: Callable[[Look], _T]) -> _T | None:
        """As `look`, but of the runs as the last `look` found them; None where these facts were not asked for yet."""
        return self._listing().again(keys, answer)

    def fetch(self, run_ids: Sequence[str]) -> dict[str, RunRecord]:
        """These runs as the last `look` found them, by their ids; one that was removed is missing."""
        return self._listing().fetch(run_ids)

    def gathered(self, run_ids: Sequence[str], keys: Sequence[Key], *, every: bool = False) -> Gathered:
        """Facts of these runs as the last `look` found them, and what names they have: much less work than `fetch`.

        Args:
            run_ids: the runs; one that was removed is left out.
            keys: as in `look`.
            every: also the facts of every param, metric and summary entry.
        """
        return self._listing().known(run_ids, lambda look: look.gathered(run_ids, keys, every=every))

    def names(self, kind: str) -> dict[str, int]:
        """The names of all params, metrics, summary entries or tags, and how many runs have each.

        ``kind`` is "param", "metric", "summary" or "tag".
        """
        return self.look((), lambda look: look.names(kind))

    @property
    def searcher(self) -> Searcher:
        """Full text: finds words in code, names, notes, params, errors and outputs of the runs."""
        from celltrail.store.index.searching import Searcher

        listing = self._listing()
        if self._searcher is None or self._searcher.listing is not listing:
            self._searcher = Searcher(listing, self.blobs)
        return self._searcher

    def sweep(self) -> None:
        """Look at every run again, also at those whose files changed without a word: by another program, by a copy."""
        self._listing().sweep()

    def _listing(self) -> Listing:
        from celltrail.store.catalogue.listing import Listing  # what only records needs no database

        settle()
        if self._made is None or self._made.trail != self.id:
            self._made = Listing(self.id, self.root, self.blobs)
        return self._made

    def _existing(self, run_id: str) -> Path:
        folder = run_folder(self.root, run_id)
        if len(run_id) < 3 or "/" in run_id or not folder.is_dir():
            near = nearest(run_id, run_ids(self.root))
            raise NoRun(f"no run {run_id!r} in {self.root.name}{near}; ct.runs() lists them")
        return folder

    def _files(self, run_id: str) -> RunFiles:
        from celltrail.store.runs import RunFiles

        settle()
        return RunFiles(self._existing(run_id), self.blobs, self._damage)
