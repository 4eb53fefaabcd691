"""What a run says of itself: name, params, tags, notes, summaries; its document is kept up to that."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, NoRun, StoreError
from celltrail.model import Json, Param, RunRecord, changed, new_id
from celltrail.run import joining
from celltrail.run.facts import Facts, Tags
from celltrail.run.folding import Folding
from celltrail.run.values import check_name, check_price, check_step
from celltrail.store import RunWriter, Store
from celltrail.store.docs.actors import person_name
from celltrail.store.docs.records import tables_of
from celltrail.store.files import forks
from celltrail.store.files.disk import Unsynced
from celltrail.store.log.summary import Said

if TYPE_CHECKING:
    from celltrail.contract import Goal, Status
    from celltrail.store.onward import Onward

FLUSH_S = 1.0


class Described:
    """The facts of one run, kept in its document by the process that owns it; a rank or worker says them as edits."""

    def __init__(
        self, store: Store, record: RunRecord, rank: int, joins: bool, before: Onward | None, *, is_over: bool
    ) -> None:
        self._store = store
        self.is_over = is_over  # before it is written down
        begun = store.join(record.id, rank) if joins else store.begin(record, rank, before, is_over=is_over)
        self.writer: RunWriter = begun
        joining.take(record.id)
        record = changed(record, writer=self.writer.writer)
        self._record = record if self.writer.owns else _as_owned(store, record)
        self.tags = Tags(lambda: self._record.tags, self._tag)
        self.params = Facts("param", self._params, self._set_param)
        self.summary = Facts("summary", self._summary, self._set_summary)
        self._folding = Folding(before)
        self._stored = tables_of(record)
        self._flushed = time.monotonic()
        self._started = self._flushed - (before.spent_s if before else 0.0)
        self._is_closed = False
        # what it keeps beside its log and document, and the trials below it: brought to the disk with the log
        self._unsynced = Unsynced(lambda: None)
        self._make_lock()
        forks.in_child(self._make_lock)
        self.writer.begun_in_child = lambda: forks.at_end(self._end_in_child)

    def _end_in_child(self) -> None:
        """A forked child that wrote something is done: its own log says so, the run is not its to end."""
        self.writer.close(replace(self.record(), status="finished"))

    def _make_lock(self) -> None:
        """Taken before the lock of the summaries, and that before the writer's; a forked child makes it anew."""
        self._document_lock = threading.RLock()

    @property
    def store(self) -> Store:
        """The trail it is in; once that is gone, the one in which it goes on."""
        if self._store.root != self.writer.home:
            self._store = Store(self.writer.home)
        return self._store

    @property
    def id(self) -> str:
        """The run's ULID."""
        return self._record.id

    @property
    def name(self) -> str:
        """The run's name; need not be unique."""
        return self._record.name

    @property
    def status(self) -> Status:
        """running, finished, failed or interrupted."""
        return self._record.status

    @property
    def is_running(self) -> bool:
        """Whether `finish` has not been called yet."""
        return self._record.status == "running"

    @property
    def ended_us(self) -> int | None:
        """When it ended; None while it goes on."""
        return self._record.ended_us

    @property
    def seconds(self) -> float:
        """How long the run has taken, by a clock that is never set back."""
        done = self._record.duration_s
        return time.monotonic() - self._started if done is None else done

    def _params(self) -> dict[str, Json]:
        return {name: param.value for name, param in self._record.params.items()}

    def _summary(self) -> dict[str, Json]:
        """The last value of every metric, and what was put in by hand."""
        last = {name: metric.last for name, metric in self._folding.metrics().items() if metric.count}
        return {**last, **self._record.summary}

    def _set_param(self, name: str, value: Json) -> None:
        self.describe(params={name: Param(name, value)})
        self._say(f"param:{name}", value)

    def _set_summary(self, name: str, value: Json) -> None:
        self.describe(summary={name: value})
        self._say(f"summary:{name}", value)

    def say_data(self, key: str, told: dict[str, Json]) -> None:
        """Add or replace what the run says of data it uses."""
        self.describe(data={key: told})
        self._say(f"data:{key}", told)

    def say_model(self, key: str, told: dict[str, Json]) -> None:
        """Add or replace what the run says of a model it made, loaded or timed."""
        self.describe(models={key: told})
        self._say(f"model:{key}", told)

    def _say(self, field: str, value: Json) -> None:
        """What a rank or worker says of the run is an edit, for the document is the owner's to write."""
        if not self.writer.owns and value is not None:
            self._edit(field, value)

    def _tag(self, tag: str, on: bool) -> None:
        """Tags are edits, as if a person had made them: two can add different tags at once."""
        self._edit(f"tag:{tag}", on)
        others = tuple(other for other in self._record.tags if other != tag)
        self._record = replace(self._record, tags=(*others, tag) if on else others)

    def _edit(self, field: str, value: Json) -> None:
        try:
            self.store.edit(self.id, field, value, by_run=self.is_running)
        except (NoRun, StoreError):
            before = self.writer.home
            self.writer.sync()
            if self.writer.home == before:
                raise
            self.store.edit(self.id, field, value, by_run=self.is_running)  # the trail is gone, and was left

    def record(self) -> RunRecord:
        """The run as it is now, metric summaries included."""
        metrics = self._folding.metrics()
        with self.writer.lock:
            return changed(
                self._record,
                metrics=metrics,
                params=dict(self._record.params),
                summary=dict(self._record.summary),
            )

    def note(self, text: str, *, metric: str | None = None, step: int | None = None) -> None:
        """Add a note in plain text, to the run or to a metric and step; edits by people end up in the same place."""
        field, value = f"note:{new_id()}", str(text)
        if metric is not None or step is not None:
            field = field.replace("note", "mark")
            value = {"text": value, "metric": metric, "step": None if step is None else check_step(step)}
        self._edit(field, value)

    def comment(self, text: str) -> None:
        """Add a comment for whoever reads the run, in plain text; it is kept with who made it and when."""
        if not isinstance(text, str) or not text.strip():
            raise BadValue(f"a comment has some text, not {text!r}")
        self._edit(f"comment:{new_id()}", {"by": person_name(), "text": text.strip()})

    def rename(self, name: str) -> None:
        """Give the run another name, as people can also do later."""
        name = check_name(name, "run")
        self._edit("name", name)
        self._record = replace(self._record, name=name)

    def define_metric(
        self, name: str, *, goal: Goal | None = None, unit: str | None = None, axis: str | None = None
    ) -> None:
        """Say how to read a metric: which way is better, its unit, its axis. What is left out stays as it is.

        Args:
            name: the metric, or a pattern for many, including later ones: ``"val/*"``. A name takes precedence over
                a pattern, and a later pattern over an earlier one.
            goal: which way is better: "min", "max" or "none".
            unit: its unit, such as "s".
            axis: a metric of the same log calls, such as "epoch", that its chart offers to draw it over instead of
                the step; ``x="axis"`` means this one.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     run.define_metric("val/*", goal="max", axis="epoch")
        ...     run.log({"val/acc": 0.9}, epoch=1.5)
        >>> run.record().metrics["val/acc"].axis
        'epoch'
        """
        if goal not in (None, "min", "max", "none"):
            raise BadValue(f"goal {goal!r} is not one of 'min', 'max', 'none'")
        said = Said(goal, unit, None if axis is None else check_name(axis))
        name = check_name(name)
        self.writer.put("declared", name, self._folding.declare(name, said)._asdict())

    def describe(self, **facts: Any) -> None:
        """Add facts about where the run came from, as `model.RunRecord` names them.

        For whoever watches the run from outside (a cell, a script, a launcher): ``cell_id``, ``notebook``,
        ``code`` (a blob digest), ``params``, ``environment``, ``executions``, ``problems``. Dictionaries are
        merged key by key, everything else is replaced.
        """
        self.learn(**facts)
        self._flush()

    @property
    def described(self) -> RunRecord:
        """The run as it was told last, without its metrics: what costs nothing to ask."""
        return self._record

    def learned(self, name: str) -> Any:
        """One of these facts as it is known now; what of it is a dictionary is not to be changed."""
        return getattr(self._record, name)

    def learn(self, **facts: Any) -> None:
        """`describe`, written down with whatever is written next: at the latest, the end of the run."""
        with self.writer.lock:
            for name, value in facts.items():
                if isinstance(value, dict):
                    facts[name] = {**getattr(self._record, name), **value}
            self._record = changed(self._record, **facts)

    def prices(
        self,
        *,
        usd_per_hour: float | None = None,
        usd_per_kwh: float | None = None,
        gco2_per_kwh: float | None = None,
    ) -> None:
        """Set what this machine and its energy cost, and what the energy emits; what is left out stays as it is.

        When the run ends, ``cost/usd`` and ``energy/gco2e`` in its summary are computed from these. Without a price
        they are unknown, never 0. For all runs of a trail: ``%track config prices.usd_per_kwh 0.3``.

        Args:
            usd_per_hour: US dollars an hour of this machine.
            usd_per_kwh: US dollars a kWh.
            gco2_per_kwh: grams of CO2 equivalent a kWh.

        Raises:
            BadValue: a price is not a number from 0.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     run.prices(usd_per_hour=1.2, gco2_per_kwh=56)
        """
        given = {"usd_per_hour": usd_per_hour, "usd_per_kwh": usd_per_kwh, "gco2_per_kwh": gco2_per_kwh}
        known = self._record.environment.get("prices", {})
        said = {name: check_price(name, value) for name, value in given.items() if value is not None}
        self.describe(environment={"prices": {**known, **said}})

    def environment(self) -> dict[str, str]:
        """The variables with which another process joins this run, by its own ``ct.start()`` or ``ct.log()``.

        >>> from celltrail.run import start
        >>> with start("parent") as run:
        ...     sorted(run.environment())
        ['CELLTRAIL_RUN_ID', 'CELLTRAIL_STORE']
        """
        return {"CELLTRAIL_RUN_ID": self.id, "CELLTRAIL_STORE": str(self.store.root)}

    def _flush(self, *, waits: bool = True) -> None:
        """Bring the document up to what is known now; without ``waits`` the disk has it by the next sync."""
        with self._document_lock:
            if self._is_closed:
                return
            began = time.monotonic()
            self._stage()
            self.writer.flush(waits=waits)
            now = time.monotonic()
            # a slow disk gets fewer writes: at most 1 % of the time goes into documents
            self._flushed = now + max(0.0, 100 * (now - began) - FLUSH_S)

    def _stage(self) -> None:
        """Put what is known now into the log; the next write of the document brings it there."""
        tables = tables_of(self.record())
        self.writer.put_all(
            [
                (table, key, fields)
                for table, entries in tables.items()
                for key, fields in entries.items()
                if self._stored.get(table, {}).get(key) != fields
            ]
        )
        self._stored = tables


def _as_owned(store: Store, record: RunRecord) -> RunRecord:
    """The run a process joined, as its owner describes it; what this process was told while there is no owner."""
    try:
        return replace(store.record(record.id), status="running", metrics={})
    except NoRun:
        return record
