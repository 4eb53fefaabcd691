"""What was read of a run, as the index keeps it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from celltrail.errors import Damaged
from celltrail.model import Json, Metric, RunRecord
from celltrail.store.docs import edits, records
from celltrail.store.files.alive import Process
from celltrail.store.files.encoding import decode, encode
from celltrail.store.log.ranks import Writer
from celltrail.store.log.reader import State


@dataclass(slots=True)
class Seen:
    """What was read of a run, and for which state of its files that is true."""

    record: RunRecord
    stamp: str  # of document and edits; "" when they may have changed unnoticed
    ended: bool  # the run's own process ended it: edits can still come, and while it is `open` more of its own
    document: bytes = b""  # of an ended run as it stands in the file, where that tells all but the edits
    said: Mapping[str, Json] = field(default_factory=dict)  # by people: the value of each edited field
    sizes: dict[str, int] = field(default_factory=dict)  # of the logs, while not ended
    states: dict[str, State] = field(default_factory=dict)
    metrics: dict[str, Metric] = field(default_factory=dict)  # folded from the logs
    facts: list[dict[str, Json]] = field(default_factory=list)  # changes later than the document
    end: dict[str, Json] | None = None
    t_us: int = 0  # of the last record
    owner: Process | None = None  # whose death kills the run
    closed: set[str] = field(default_factory=set)  # writers whose last record was read
    open: bool = False  # its own process still gathers facts; known only as long as the document was just read
    gaps: list[str] = field(default_factory=list)  # what could not be read of the logs
    waiting: list[Writer] = field(default_factory=list)  # ranks and workers that may still write

    def encode(self) -> tuple[bytes, bytes]:
        """As bytes for the index: the document, and what is known besides."""
        more: dict[str, Json] = {"stamp": self.stamp, "ended": self.ended}
        if self.document:
            return self.document, encode(more | {"said": self.said})
        tables = records.tables_of(self.record)
        tables["run"][self.record.id] |= {name: getattr(self.record, name) for name in ("rev", *records.EDITED)}
        if not self.ended:
            more["states"] = {
                log: [state.offset, list(state.schemas.items()), state.step, state.t_us]
                for log, state in self.states.items()
            }
            more |= {"sizes": self.sizes, "metrics": records.metric_fields(self.metrics)}
            more |= {"facts": self.facts, "end": self.end, "t": self.t_us}
            more |= {"closed": sorted(self.closed), "gaps": self.gaps}
            if self.waiting:
                more["stamp"] = ""  # who reads this cannot tell when they died, and looks again
            more["owner"] = dataclasses.asdict(self.owner) if self.owner else None
        return encode(tables), encode(more)


def seen_of(document: bytes, more: bytes) -> Seen | None:
    """What `Seen.encode` gave, or None when it is not that."""
    try:
        body = decode(more, "index")
        seen = Seen(records.record_of(decode(document, "index")), body["stamp"], body["ended"])
        if "said" in body:
            seen.document, seen.said = document, body["said"]
            seen.record = edits.applied(seen.record, seen.said)
        if not seen.ended:
            seen.sizes, seen.facts, seen.end, seen.t_us = body["sizes"], body["facts"], body["end"], body["t"]
            seen.owner = Process(**body["owner"]) if body["owner"] else None
            seen.closed, seen.gaps = set(body["closed"]), body["gaps"]
            seen.metrics = records.metrics_of(body["metrics"])
            for log, (offset, schemas, step, t_us) in body["states"].items():
                seen.states[log] = State(offset, {number: tuple(names) for number, names in schemas}, step, t_us)
        return seen
    except (Damaged, KeyError, TypeError, ValueError, AttributeError):
        return None


def record_of(document: bytes, more: bytes) -> RunRecord | None:
    """Only the record in what `Seen.encode` gave."""
    try:
        record = records.record_of(decode(document, "index"))
        return edits.applied(record, said_in(more))
    except (Damaged, KeyError, TypeError, ValueError, AttributeError):
        return None


def said_in(more: bytes) -> Mapping[str, Json]:
    """What people said of the run, where the document does not have it already."""
    return decode(more, "index").get("said", {}) if b'"said":{}' not in more else {}
