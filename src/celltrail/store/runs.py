"""One run as its files tell it: document, log, edits, and whether its process still lives."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celltrail.errors import Damaged, NoRun
from celltrail.model import Execution, Json, Metric, RunRecord
from celltrail.store.blobs import Blobs
from celltrail.store.catalogue.seen import Seen
from celltrail.store.docs import edits, generations, records
from celltrail.store.docs.carried import Carried, Shared, carried
from celltrail.store.files import alive, disk
from celltrail.store.files.alive import Process
from celltrail.store.files.encoding import decode
from celltrail.store.files.network import retried
from celltrail.store.folders import run_folder
from celltrail.store.log import logs, ranks, reader, writer_of
from celltrail.store.log.logs import Logs
from celltrail.store.log.ranks import Writer
from celltrail.store.log.reader import Contents, Gap, State
from celltrail.store.log.series import SeriesMapping
from celltrail.store.log.summary import Said, Summaries
from celltrail.store.seal import sealed
from celltrail.store.seal.sealed import Seal

if TYPE_CHECKING:
    from celltrail.contract import Status

# a change within this time of the last one may leave the same time stamp on a file
_RACY_NS = 2_000_000_000
_STILL_COMING_S = 5.0


class RunFiles:
    """The folder of one run, for reading."""

    def __init__(self, folder: str | Path, blobs: Blobs, damage: dict[str, tuple[str, ...]] | None = None) -> None:
        self.place = os.fspath(folder)  # text: a listing asks thousands of runs for their stamp
        self._blobs = blobs
        self._damage = {} if damage is None else damage  # where it is told what could not be read of a run
        self.id = os.path.basename(self.place)

    @property
    def _folder(self) -> Path:
        return Path(self.place)

    @retried
    def refresh(self, seen: Seen | None) -> Seen:
        """What the run is now, given what was seen of it before; the same object when nothing changed.

        Raises FileNotFoundError when there is no such run (yet).
        """
        stamp = self.stamp()
        if seen is not None and stamp and seen.stamp == stamp:
            if seen.ended:
                return seen
            is_same = self.sizes() == seen.sizes and self._status(seen) == seen.record.status
            if is_same and all(writer.is_alive(self._folder) for writer in seen.waiting):
                return seen
        return self._reread(seen, stamp)

    def document(self) -> RunRecord:
        """What the run's own process wrote of it, without the edits of people."""
        return self._tables()[1]

    def series(self, read: dict[str, Contents] | None = None) -> SeriesMapping:
        """Its points; what was ``read`` of its logs before is not read again."""
        seals, _ = self.seals()
        own = [*seals, *self._read(seals, read).sources]
        known = self.carried()
        return SeriesMapping([*self._shared(known), *own], known.cuts)

    def carried(self) -> Carried:
        """What its document says of points from before its present process; of most runs nothing."""
        with contextlib.suppress(OSError, NoRun):
            data = Path(self.place, generations.newest(self.place)).read_bytes()
            if b'"carried":""' not in data:
                return carried(self.document().carried, self._blobs)
        return carried("", self._blobs)

    def _shared(self, known: Carried) -> list[Shared]:
        """The points of the run it was forked from, where that is still here."""
        if known.prefix is None:
            return []
        folder = run_folder(Path(self.place).parents[2], known.prefix.run)
        if not folder.is_dir():
            return []
        return [Shared(source, known.prefix) for source in RunFiles(folder, self._blobs).series().sources]

    def events(self) -> list[dict[str, Json]]:
        """Its events and items, by time."""
        seals, _ = self.seals()
        found = [event for seal in seals for event in seal.events()]
        found += self._read(seals).events
        return sorted(found, key=lambda event: event.get("t", 0))

    def gaps(self, status: str) -> list[Gap]:
        """What cannot be read, without what may just not be there yet."""
        seals, found = self.seals()
        for seal in seals:
            found += seal.gaps + seal.verify()
        for path, contents in logs.each(self._folder, sealed.covered_by(seals)):
            found += _without_tail(contents.gaps, contents.state.offset, path, status == "running")
        return found

    def writers(self) -> list[Writer]:
        """The processes that wrote the logs that are here, by rank."""
        states: dict[str, State] = {}
        ended: set[str] = set()
        for path in logs.paths(self._folder):
            contents = reader.read(path)
            states[path.name] = contents.state
            if contents.end is not None:
                ended.add(writer_of(path.name))
        return self._writers(states, ended)

    def _read(self, seals: list[Seal], known: dict[str, Contents] | None = None) -> Logs:
        """What the logs hold that is not sealed; damage that is met is told."""
        found = logs.read(self._folder, sealed.covered_by(seals), None, known)
        for path in logs.paths(self._folder) if found.gaps else ():
            gaps = [gap for gap in found.gaps if gap.log == path.name]
            tail = path.stat().st_size - max((gap.size for gap in gaps), default=0)
            for gap in _without_tail(gaps, tail, path, False):
                told = self._damage.get(self.id, ())
                self._damage[self.id] = tuple(dict.fromkeys((*told, str(gap))))
        return found

    def seals(self) -> tuple[list[Seal], list[Gap]]:
        """What is sealed of it, and the seals that do not verify."""
        found: list[Seal] = []
        unreadable: dict[int, Gap] = {}
        for number in sealed.numbers(self._folder):
            try:
                found.append(Seal(self._folder, number, self.covered))
            except FileNotFoundError:
                continue
            except (Damaged, KeyError, TypeError, ValueError, AttributeError):
                unreadable[number] = sealed.unreadable(self._folder, number)
        replaced = {number for seal in found for number in seal.body["replaces"]}
        return sealed.current(found), [gap for number, gap in unreadable.items() if number not in replaced]

    def sealed_writers(self) -> set[str]:
        """Whose logs are sealed, also where they are gone."""
        return {writer for seal in self.seals()[0] for writer in seal.writers}

    def covered(self, seal: Seal) -> Logs | None:
        """The logs a seal covers, while all of them are there."""
        sizes = self.sizes()
        if any(sizes.get(log, -1) < size for log, size in seal.covers.items()):
            return None
        found = logs.read(self._folder, seal.begins, seal.covers)
        return None if found.gaps != seal.gaps else found

    def unedited(self) -> tuple[RunRecord, Any]:
        """The record without what people say of it, and the document it comes from.

        Raises FileNotFoundError when there is no such run (yet).
        """
        tables, record, problem, seal, _ = self._tables()
        return self._of_itself(tables, record, problem, seal, None, "").record, tables

    def _reread(self, seen: Seen | None, stamp: str) -> Seen:
        tables, record, problem, seal, document = self._tables()
        new = self._of_itself(tables, record, problem, seal, seen, stamp)
        is_all = not new.states and not new.metrics and not {"more_metrics", "shared"} & tables["run"][self.id].keys()
        if new.ended and seal is None and is_all:
            new.document = document
        if os.path.exists(self.place + "/edits"):
            new.said = edits.view(edits.read(self._folder / "edits"))
            new.record = edits.applied(new.record, new.said)
        return new

    def _of_itself(
        self,
        tables: Any,
        record: RunRecord,
        problem: tuple[str, ...],
        seal: Seal | None,
        seen: Seen | None,
        stamp: str,
    ) -> Seen:
        run = tables["run"][self.id]
        ended = run["status"] != "running" and not problem
        if seal is not None:
            later = [log for log in self.sizes() if log not in seal.covers]
            ended = not later
            # what the seal covers is in its record; only what came afterwards is followed
            states = {log: State(size) for log, size in seal.covers.items() if log in self.sizes()}
            seen = Seen(record, "", False, states=states, metrics=records.metrics_of(tables["metrics"]))
        new = Seen(record, stamp, ended, open=ended and seal is None and bool(run.get("open")))
        if not ended:
            new.owner = self._owner(tables)
            self._follow(new, seen, tables)
        else:
            if "more_metrics" in run:
                new.record = dataclasses.replace(new.record, metrics=new.record.metrics | self._rest_of_metrics(run))
            self._add_ranks(new, bool(run.get("shared")))
        if problem or new.states:
            said = dict.fromkeys((*new.record.problems, *problem, *new.gaps, *self._lost(new)))
            new.record = dataclasses.replace(new.record, problems=tuple(said))
        new.record = self._judged(new.record, new)
        return new

    def _follow(self, new: Seen, old: Seen | None, tables: Any) -> None:
        """Bring a record up to the last point in the logs: while a run lives, and for ever when it was killed."""
        new.sizes = self.sizes()
        before = carried(new.record.carried, self._blobs)
        summaries = Summaries(before.metrics)
        new.states = {log: State(size) for log, size in before.logs.items() if log in new.sizes}
        new.closed = {writer_of(log) for log in before.logs}
        is_same = old is not None and old.record.generation == new.record.generation
        # a damaged log may have been mended or replaced meanwhile: it is read from the start
        if old is not None and is_same and not old.ended and not old.gaps and old.states.keys() <= new.sizes.keys():
            new.states, new.facts, new.end, new.t_us = dict(old.states), list(old.facts), old.end, old.t_us
            new.closed = set(old.closed)
            summaries = Summaries(old.metrics)
        for path in logs.paths(self._folder):
            contents = self._take(path, new, summaries)
            if writer_of(path.name) == new.record.writer:  # of other processes only the own part has ended
                new.end = contents.end or new.end
            new.facts += [event for event in contents.events if event.get("kind") == "fact"]
        written = tables["run"][self.id].get("changes", 0)
        new.facts = [fact for fact in new.facts if fact.get("n", 0) > written]
        for fact in new.facts:
            entries = tables.setdefault(fact["table"], {})
            entries[fact["key"]] = {**entries.get(fact["key"], {}), **fact["fields"]}
        for name, said in tables.get("declared", {}).items():
            summaries.declare(name, Said(said.get("goal"), said.get("unit"), said.get("axis")))
        new.metrics = summaries.metrics()
        new.record = dataclasses.replace(records.record_of(tables), metrics=new.metrics)

    def _add_ranks(self, new: Seen, is_shared: bool) -> None:
        """Add to a run that its owner has ended what other processes logged; it goes on while they do."""
        # who came after the end has touched the edits; most runs have neither, and are not looked into
        if not is_shared and not os.path.exists(self.place + "/edits"):
            return
        sizes, before = self.sizes(), carried(new.record.carried, self._blobs)
        others = [path for path in logs.paths(self._folder) if writer_of(path.name) != new.record.writer]
        others = [path for path in others if sizes.get(path.name, 0) > before.logs.get(path.name, 0)]
        new.states |= {path.name: State(before.logs[path.name]) for path in others if path.name in before.logs}
        seal = self._last_word(new.record.generation)
        if not new.record.writer or not (others or is_shared or seal):
            return
        metrics = new.record.metrics
        if seal:
            metrics = metrics | records.metrics_of(seal.body["record"]["metrics"])
            others = [path for path in others if path.name not in seal.covers]
            if metrics == new.record.metrics and not others and not is_shared:
                return  # of one process, as most are
        summaries = Summaries(metrics)
        for path in others:
            self._take(path, new, summaries)
        new.record = dataclasses.replace(new.record, metrics=summaries.metrics())
        new.end, new.sizes, new.metrics = {"status": new.record.status}, self.sizes(), new.record.metrics
        self._lost(new)
        new.ended = not new.waiting

    def _take(self, path: Path, new: Seen, summaries: Summaries) -> Contents:
        """Fold what a log has got since it was read last."""
        contents = reader.read(path, new.states.get(path.name))
        new.states[path.name] = contents.state
        new.t_us = max(new.t_us, contents.state.t_us)
        if contents.end is not None:
            new.closed.add(writer_of(path.name))
        gaps = _without_tail(contents.gaps, contents.state.offset, path, False)
        new.gaps += [str(gap) for gap in gaps if str(gap) not in new.gaps]
        if len(gaps) < len(contents.gaps):
            new.stamp = ""  # a tail that may still come: to be looked at again
        is_own = writer_of(path.name) == new.record.writer
        for rows in contents.rows:
            summaries.fold(rows.names, rows.step, rows.values, is_own)
        return contents

    def _lost(self, new: Seen) -> list[str]:
        """Sentences about ranks that died while the run went on; who may still write is kept in ``waiting``."""
        if all(writer_of(log) == new.record.writer for log in new.states):
            return []
        others = [writer for writer in self._writers(new.states, new.closed) if writer.name != new.record.writer]
        new.waiting = [writer for writer in others if writer.is_alive(self._folder)]
        if new.end is None and new.owner is not None and alive.is_alive(new.owner) is False:
            return []  # they died together
        owner = ranks.rank_of(new.record.writer)
        gone = [writer for writer in others if not writer.has_ended and writer not in new.waiting]
        return [ranks.lost(writer) for writer in gone if writer.rank != owner and not writer.is_fork]

    def _writers(self, states: dict[str, State], ended: set[str]) -> list[Writer]:
        """The writers of logs that were read so far, by rank."""
        parts: dict[str, list[Path]] = {}
        for path in logs.paths(self._folder):
            if path.name in states:
                parts.setdefault(writer_of(path.name), []).append(path)
        found: list[Writer] = []
        for name in sorted(parts, key=ranks.order_of):
            head, seen_s = reader.read_head(parts[name][0]), max(path.stat().st_mtime for path in parts[name])
            step = states[parts[name][-1].name].step
            found.append(ranks.writer_of(name, head, name in ended, seen_s, step))
        return found

    def _judged(self, record: RunRecord, seen: Seen) -> RunRecord:
        """The record with the status the run really has."""
        status = record.status if seen.ended else self._status(seen)
        if status == record.status:
            return record
        if status == "killed":
            is_dead = seen.owner is not None and alive.is_alive(seen.owner) is False
            disk.sweep(
                self._folder, (generations.newest(self.place), seen.owner.pid) if seen.owner and is_dead else None
            )
        ended = seen.t_us or record.started_us
        executions = tuple(_stopped(execution, ended) for execution in record.executions)
        duration = max(0.0, (ended - record.started_us) / 1e6)
        return dataclasses.replace(record, status=status, ended_us=ended, duration_s=duration, executions=executions)

    def _status(self, seen: Seen) -> Status:
        if seen.end is not None:
            return seen.end.get("status", "finished")
        is_alive = alive.is_alive(seen.owner) if seen.owner else None
        if is_alive is None:
            newest = max((path.stat().st_mtime for path in logs.paths(self._folder)), default=0.0)
            is_alive = newest > disk.now_at(self._folder) - alive.SILENT_S
        return "running" if is_alive else "killed"

    @retried
    def stamp(self) -> str:
        """Changes whenever the document or an edit does; empty when a change just now could be missed."""
        try:
            about = os.stat(f"{self.place}/{generations.newest(self.place)}")
        except FileNotFoundError:
            about = None
        try:
            changed = os.stat(self.place + "/edits").st_mtime_ns
        except FileNotFoundError:
            changed = 0
        return "" if time.time_ns() - changed < _RACY_NS else stamp_of(about, changed)

    def sizes(self) -> dict[str, int]:
        """Its logs, and how much each holds, in bytes."""
        return {path.name: path.stat().st_size for path in logs.paths(self._folder)}

    def _tables(self) -> tuple[Any, RunRecord, tuple[str, ...], Seal | None, bytes]:
        """The document, its record and its bytes; where it cannot be read, what the head of the log knows, and why.

        Of a run that nobody closed the document is too old: once its logs are gone, its seal has the last word.
        """
        tables, record, problem, data = None, None, "", b""
        name = generations.newest(self.place)
        try:
            with Path(self.place, name).open("rb") as file:
                data = file.read()
            tables = decode(data, name)
            record = records.record_of(tables)
            if record.status != "running":
                return tables, record, (), None, data
        except FileNotFoundError:
            problem = f"{name} is missing"
        except (Damaged, KeyError, TypeError, ValueError, AttributeError):
            problem = f"{name} is not readable"
        told = (f"{problem}; what the log knows is shown instead",) if problem else ()
        if seal := self._last_word(record.generation if record is not None else 0):
            tables = seal.body["record"]
            return tables, records.record_of(tables), told, seal, b""
        if record is not None:
            return tables, record, (), None, data
        paths = sorted(logs.paths(self._folder), key=lambda path: ranks.order_of(writer_of(path.name)))
        head = next((head for path in paths if (head := reader.read_head(path))), None)
        if head is None or time.time_ns() // 1000 - head["wall_us"] < _STILL_COMING_S * 1e6:
            raise FileNotFoundError(f"run {self.id} has no document")
        run = {"name": self.id[-6:].lower(), "status": "running", "project": "", "writer": head["writer"]}
        run |= {"created_us": head["wall_us"], "started_us": head["wall_us"]}
        tables = {"run": {self.id: run}}
        return tables, records.record_of(tables), told, None, b""

    def _last_word(self, generation: int) -> Seal | None:
        """The newest seal, once logs that are sealed are gone; none where a later process has gone on since."""
        if not os.path.exists(self.place + "/sealed"):
            return None
        seals, sizes = self.seals()[0], self.sizes()
        if not any(log not in sizes for log in sealed.covered_by(seals)):
            return None
        sealed_as = seals[-1].body["record"]["run"][self.id].get("generation", 1)
        return seals[-1] if sealed_as >= generation else None

    def _owner(self, tables: Any) -> Process | None:
        writer = tables["run"][self.id].get("writer")
        fields = tables.get("writers", {}).get(writer)
        if fields is None:
            fields = reader.read_head(self._folder / "m" / f"{writer}.0001.ctl")
        try:
            return Process(fields["pid"], fields["start"], fields["boot"], fields["host"]) if fields else None
        except KeyError:
            return None

    def _rest_of_metrics(self, run: dict[str, Json]) -> dict[str, Metric]:
        """The metrics that did not fit into the document."""
        try:
            return records.metrics_of(decode(self._blobs.get(run["more_metrics"]))) if "more_metrics" in run else {}
        except (OSError, NoRun):
            return {}


def stamp_of(document: os.stat_result | None, edited_ns: int = 0) -> str:
    """The stamp of files that are so: the document, and when an edit was added last, 0 where there is none."""
    about = f"{document.st_mtime_ns} {document.st_size} {document.st_ino}" if document else "none"
    return f"{about} {edited_ns}"


def _without_tail(gaps: list[Gap], tail: int, path: Path, is_live: bool) -> list[Gap]:
    """The gaps in a log but for what may just not be there yet: from ``tail`` on in one that grew just now."""
    is_fresh = is_live or time.time() - path.stat().st_mtime < _STILL_COMING_S
    return [gap for gap in gaps if not (is_fresh and gap.start >= tail)]


def _stopped(execution: Execution, at_us: int) -> Execution:
    if execution.status != "running":
        return execution
    return dataclasses.replace(execution, status="killed", ended_us=execution.ended_us or at_us)
