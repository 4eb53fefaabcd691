"""Records: what a run, an execution, a parameter, a metric and an output are, frozen.

Also what every floor above needs to speak of them: ids, clock, and what names of metrics and params say (`names`).
Times are integers in microseconds since the epoch, UTC, and end in ``_us``.
"""

from __future__ import annotations

import math
import operator
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from celltrail.errors import by_whom
from celltrail.model.names import MACHINE as MACHINE
from celltrail.model.names import goal_of as goal_of
from celltrail.model.names import is_of_machine as is_of_machine
from celltrail.model.names import is_seed as is_seed
from celltrail.model.names import parts_of as parts_of
from celltrail.model.names import split_of as split_of

if TYPE_CHECKING:
    from celltrail.contract import Goal, Status

STATUSES: tuple[Status, ...] = ("running", "finished", "failed", "interrupted", "killed")
ParamRule = Literal["assign", "config", "read", "kwarg", "scalar", "declared", "api"]
Level = Literal["info", "warn", "error"]
LEVELS: tuple[Level, ...] = ("info", "warn", "error")  # of an alert
Json = Any  # what orjson round-trips: None, bool, int, float, str, list, dict with str keys

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]  # ten bits at once
RUN_ID = re.compile(f"[0-7][{_CROCKFORD}]{{25}}")
_id_lock = threading.Lock()
_last_id = 0


@dataclass(frozen=True, slots=True)
class Intervention:
    """What somebody did to a run while it went on.

    Attributes:
        do: "stop", "pause" or "knob".
        step: that the run was at, None before its first.
        by: who or what, "panel" for a click in a chart, "rule nan()" for a rule.
        name: of the knob, "" for none.
        before: what that was set to.
        value: what it was changed to.
        seconds: how long the run was paused.
        t_us: when.
    """

    do: Literal["stop", "pause", "knob"]
    step: int | None
    by: str
    name: str = ""
    before: float | None = None
    value: float | None = None
    seconds: float | None = None
    t_us: int = field(default_factory=lambda: now_us())

    @property
    def time(self) -> datetime:
        """When, UTC."""
        return datetime.fromtimestamp(self.t_us / 1e6, tz=UTC)

    def told(self) -> dict[str, Json]:
        """Its fields as an event of a log has them, without those that say nothing."""
        fields = asdict(self)
        del fields["t_us"]
        return {name: value for name, value in fields.items() if value not in (None, "")}

    def __str__(self) -> str:
        """What was done, in words."""
        if self.do == "knob":
            return f"{self.name} {self.before} → {self.value}"
        return f"stopped {by_whom(self.by)}" if self.do == "stop" else f"paused for {self.seconds or 0:.1f} s"


@dataclass(frozen=True, slots=True)
class Resumption:
    """A process that went on with a run which an earlier one had left.

    Attributes:
        t_us: when it went on.
        seen_us: the last sign of life before that.
        was: what had become of the run: "killed", "finished" ...
        step: the last step that still counted then, None before its first.
        rewound: whether points beyond that step were there and no longer count.
    """

    t_us: int
    seen_us: int
    was: Status
    step: int | None = None
    rewound: bool = False

    @property
    def time(self) -> datetime:
        """When, UTC."""
        return datetime.fromtimestamp(self.t_us / 1e6, tz=UTC)

    @property
    def gap_s(self) -> float:
        """How long nobody worked on the run, in seconds."""
        return max(0.0, (self.t_us - self.seen_us) / 1e6)

    def __str__(self) -> str:
        """What happened, in words."""
        place = "" if self.step is None else f" at step {self.step:,}"
        return (
            f"{'rewound and ' if self.rewound else ''}resumed{place}, {self.gap_s:,.0f} s after it had {_HAD[self.was]}"
        )


_HAD = {"running": "been left", "finished": "finished", "failed": "failed", "interrupted": "been interrupted",
        "killed": "been killed"}  # fmt: skip


def new_id() -> str:
    """A new ULID: 26 characters, sortable by time, unique over processes and hosts.

    Ids made by one process always increase, also within one millisecond and when the clock is set
    back. Format: https://github.com/ulid/spec

    >>> first, second = new_id(), new_id()
    >>> len(first), first < second
    (26, True)
    """
    global _last_id
    with _id_lock:
        number = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10), "big")
        if number <= _last_id:
            # the increment is random, so that a forked child does not repeat its parent's next id
            number = _last_id + 1 + int.from_bytes(os.urandom(4), "big")
        _last_id = number
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -10, -10)])


def ms_of(ulid: str) -> int:
    """When a ULID was made, in milliseconds since the epoch; 0 for what is none.

    >>> ms_of("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    1469922850259
    """
    if not RUN_ID.fullmatch(ulid):
        return 0
    number = 0
    for digit in ulid[:10]:
        number = number << 5 | _CROCKFORD.index(digit)
    return number


def now_us() -> int:
    """Wall clock, microseconds since the epoch."""
    return time.time_ns() // 1000


_Record = TypeVar("_Record")


def changed(record: _Record, **facts: Any) -> _Record:
    """A record with these facts instead of its own: `dataclasses.replace` in less than half of its time.

    >>> changed(Param("lr", 0.1), value=0.2).value
    0.2
    """
    read, places = _layout(type(record))
    values = list(read(record))
    for name, value in facts.items():
        values[places[name]] = value
    return type(record)(*values)


@lru_cache(maxsize=64)
def _layout(kind: Any) -> tuple[Callable[[Any], tuple[Any, ...]], dict[str, int]]:
    names = [each.name for each in fields(kind)]
    return operator.attrgetter(*names), {name: place for place, name in enumerate(names)}


OWN_SCRATCH = "celltrail-own-"  # how folders begin that hold celltrail's own files for a moment


def trained(record: RunRecord) -> dict[str, Metric]:
    """The summaries of the series of a run that do not tell of the machine."""
    return {name: metric for name, metric in record.metrics.items() if not is_of_machine(name)}


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter with how it came to be known."""

    name: str
    value: Json
    rule: ParamRule = "api"
    line: int | None = None  # in the run's cell, from 1
    origin: str | None = None  # id of the execution it was read from


@dataclass(frozen=True, slots=True)
class Metric:
    """The summary of one series. Steps are those of the log call; values may be NaN or infinite."""

    name: str
    goal: Goal = "none"
    unit: str = ""
    first: float = math.nan
    last: float = math.nan
    last_step: int | None = None
    min: float = math.nan
    min_step: int | None = None
    max: float = math.nan
    max_step: int | None = None
    sum: float = 0.0
    count: int = 0
    nan_count: int = 0
    axis: str | None = None  # the metric of the same log calls it is drawn over; None is the step

    @property
    def best(self) -> float:
        """The value the goal asks for; the last one where there is no goal."""
        return {"min": self.min, "max": self.max}.get(self.goal, self.last)

    @property
    def best_step(self) -> int | None:
        """The step of `best`."""
        return {"min": self.min_step, "max": self.max_step}.get(self.goal, self.last_step)


@dataclass(frozen=True, slots=True)
class Prices:
    """What machine time and energy cost, and what energy emits; None is unknown, and what follows from it too.

    >>> Prices(usd_per_kwh=0.5, gco2_per_kwh=56).of(kwh=2.0, seconds=3600)
    {'energy/gco2e': 112.0, 'cost/usd': 1.0}
    >>> Prices().of(kwh=2.0, seconds=3600)
    {'energy/gco2e': None, 'cost/usd': None}
    """

    usd_per_hour: float | None = None
    usd_per_kwh: float | None = None
    gco2_per_kwh: float | None = None

    @staticmethod
    def names() -> tuple[str, ...]:
        """The prices there are."""
        return ("usd_per_hour", "usd_per_kwh", "gco2_per_kwh")

    def but(self, others: Mapping[str, Json]) -> Prices:
        """These prices, where the others say nothing else."""
        return replace(self, **{name: others[name] for name in self.names() if others.get(name) is not None})

    def told(self) -> dict[str, Json]:
        """Those that are known, by name."""
        return {name: getattr(self, name) for name in self.names() if getattr(self, name) is not None}

    def of(self, kwh: float | None, seconds: float | None) -> dict[str, float | None]:
        """What so much energy and time comes to, by the names of a run's summary."""
        emitted = None if kwh is None or self.gco2_per_kwh is None else kwh * self.gco2_per_kwh
        parts = [
            amount * price
            for amount, price in (
                (None if seconds is None else seconds / 3600, self.usd_per_hour),
                (kwh, self.usd_per_kwh),
            )
            if amount is not None and price is not None
        ]
        return {"energy/gco2e": emitted, "cost/usd": sum(parts) if parts else None}


@dataclass(frozen=True, slots=True)
class Failure:
    """The exception a run or an execution ended with."""

    ename: str
    evalue: str
    traceback: str = ""  # blob digest of the text as IPython showed it, or "" where there was none

    def __str__(self) -> str:
        first = self.evalue.strip().splitlines()[0] if self.evalue.strip() else ""
        return f"{self.ename}: {first}" if first else self.ename


@dataclass(frozen=True, slots=True)
class Output:
    """One thing the cell showed, in the order shown."""

    seq: int
    kind: Literal["stdout", "stderr", "display", "result", "error"]
    size: int  # bytes as the client received them
    truncated: bool = False
    display_id: str | None = None
    data: dict[str, str] = field(default_factory=dict)  # mime type -> blob digest
    earlier: tuple[dict[str, str], ...] = ()  # of a display that was updated: its first states, as `data`


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of one cell."""

    id: str
    count: int | None  # the number in the brackets
    cell_id: str | None
    status: Literal["running", "ok", "error", "interrupted", "killed", "skipped"]
    started_us: int
    ended_us: int | None = None
    code: str = ""  # blob digest
    error: Failure | None = None
    outputs: tuple[Output, ...] = ()
    recipe: str = ""  # key of its code over its inputs, 32 characters; "" where that cannot be told
    needs: str = ""  # blob digest of an object: names, values, files and whatever else the execution needed


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said about a run to whoever reads it; ``str()`` is one line of when, who and what.

    Attributes:
        id: a ULID, whose time is when it was said.
        by: the account that said it.
        text: what was said, in plain text.
    """

    id: str
    by: str
    text: str

    @property
    def time(self) -> datetime:
        """When it was said, UTC."""
        return datetime.fromtimestamp(ms_of(self.id) / 1000, tz=UTC)

    def __str__(self) -> str:
        return f"{self.time:%Y-%m-%d %H:%M} UTC {self.by or 'somebody'}: {self.text}"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as the trail has it: its own document, people's edits, and whether its process still lives."""

    id: str
    name: str
    status: Status
    project: str
    created_us: int
    started_us: int
    ended_us: int | None = None
    duration_s: float | None = None  # by the monotonic clock; None while running
    parent: str | None = None
    fork_step: int | None = None  # up to which the points of its parent are its own too
    generation: int = 1  # how many processes have owned it, one after the other
    carried: str = ""  # blob digest of what `store.docs.carried` says of the points from before this process
    resumes: tuple[Resumption, ...] = ()
    group: str | None = None
    cell_id: str | None = None
    notebook: str | None = None
    user: str = ""
    host: str = ""  # readable name of the machine
    writer: str = ""
    code: str = ""  # blob digest of the run's cell or script
    error: Failure | None = None
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    params: dict[str, Param] = field(default_factory=dict)
    metrics: dict[str, Metric] = field(default_factory=dict)
    summary: dict[str, Json] = field(default_factory=dict)
    executions: tuple[Execution, ...] = ()
    environment: dict[str, dict[str, Json]] = field(default_factory=dict)  # env, git, hardware, seeds
    data: dict[str, dict[str, Json]] = field(default_factory=dict)  # by name and split: what it used, by digest
    models: dict[str, dict[str, Json]] = field(default_factory=dict)  # by model@version: what it made, loaded, timed
    problems: tuple[str, ...] = ()  # faults of celltrail's own while recording this run
    rev: int = 0
    # what only people say, in edits and never in the run's own document
    comments: tuple[Comment, ...] = ()
    folder: str | None = None
    rating: float | None = None
    starred: bool = False
    archived: bool = False  # out of sight unless asked for
    deleted: bool = False  # goes to the trash at the next clean-up

    @property
    def is_running(self) -> bool:
        """Whether the run has not ended and its process was seen alive."""
        return self.status == "running"
