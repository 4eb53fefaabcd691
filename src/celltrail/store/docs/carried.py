"""What a run has from before its present process: points of its earlier ones, or those of the run it forked from.

They are never copied. The blob that a document names in ``carried`` says where they are, up to where they
count, and what they come to, so that summaries go on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from celltrail.errors import Damaged, NoRun
from celltrail.model import Json, Metric, is_of_machine
from celltrail.store.blobs import Blobs
from celltrail.store.docs import records
from celltrail.store.files.encoding import decode, encode
from celltrail.store.log.series import Cuts, Series, Source, Window, counting


@dataclass(frozen=True, slots=True)
class Prefix:
    """The points that a fork shares: those another run had at some moment, up to a step."""

    run: str
    step: int
    until_us: int
    cuts: Cuts


@dataclass(frozen=True, slots=True)
class Carried:
    """What is carried into a process that goes on with a run.

    Attributes:
        metrics: the summaries of all points that count.
        logs: of the run's own logs that were there, how much of each is in the metrics, in bytes.
        cuts: by writer the last step that counts, where the run was rewound.
        prefix: what it shares with the run it was forked from.
    """

    metrics: Mapping[str, Metric] = field(default_factory=dict)
    logs: Mapping[str, int] = field(default_factory=dict)
    cuts: Cuts = field(default_factory=dict)
    prefix: Prefix | None = None

    def put(self, blobs: Blobs) -> str:
        """Keep it; the digest of its blob."""
        told: dict[str, Json] = {
            "metrics": records.metric_fields(self.metrics),
            "logs": dict(self.logs),
            "cuts": dict(self.cuts),
        }
        if self.prefix is not None:
            prefix = self.prefix
            told["prefix"] = {"run": prefix.run, "step": prefix.step, "until": prefix.until_us, "cuts": prefix.cuts}
        return blobs.put(encode(told))


NOTHING = Carried()


def carried(digest: str, blobs: Blobs) -> Carried:
    """What `Carried.put` kept; nothing where that is gone."""
    if not digest:
        return NOTHING
    try:
        told = decode(blobs.get(digest))
        prefix = told.get("prefix")
        return Carried(
            records.metrics_of(told["metrics"]),
            told["logs"],
            told["cuts"],
            Prefix(prefix["run"], prefix["step"], prefix["until"], prefix["cuts"]) if prefix else None,
        )
    except (OSError, NoRun, Damaged, KeyError, TypeError):
        return NOTHING


class Shared:
    """Points of another run as a source of this one's."""

    def __init__(self, source: Source, prefix: Prefix) -> None:
        self._source = source
        self._prefix = prefix

    @property
    def names(self) -> Sequence[str]:
        """The metrics it may have points of."""
        return [name for name in self._source.names if not is_of_machine(name)]

    def parts(self, name: str, window: Window | None) -> Iterator[tuple[str, Series]]:
        """The points that are shared, apart for each writer; with a window only its steps."""
        prefix = self._prefix
        if is_of_machine(name):
            return
        for writer, part in self._source.parts(name, window):
            counts = counting(part, prefix.cuts.get(writer))
            kept = part.at(counts & (part.step <= prefix.step) & (part.t_us <= prefix.until_us))
            if len(kept.step):
                yield writer, kept
