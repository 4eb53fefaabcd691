"""What the record of a run says by itself, no file asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from celltrail.model import Comment, Failure, Json, Metric, Resumption, RunRecord, trained
from celltrail.query.evaluate import aggregate_of, duration_of
from celltrail.query.plain import length, number

if TYPE_CHECKING:
    from celltrail.contract import Status


class Recorded:
    """The facts of a run as attributes."""

    record: RunRecord

    @property
    def id(self) -> str:
        """The run's ULID."""
        return self.record.id

    @property
    def name(self) -> str:
        """Its name."""
        return self.record.name

    @property
    def status(self) -> Status:
        """running, finished, failed, interrupted or killed."""
        return self.record.status

    @property
    def project(self) -> str:
        """The project it belongs to."""
        return self.record.project

    @property
    def group(self) -> str | None:
        """Its group."""
        return self.record.group

    @property
    def params(self) -> dict[str, Json]:
        """The parameters, name to value."""
        return {name: param.value for name, param in self.record.params.items()}

    @property
    def metrics(self) -> dict[str, Metric]:
        """The summary of every metric."""
        return dict(self.record.metrics)

    @property
    def summary(self) -> dict[str, Json]:
        """The last value of every metric, and whatever the code put into ``run.summary``."""
        last = {name: aggregate_of(metric, "last") for name, metric in self.record.metrics.items()}
        return {**{name: value for name, value in last.items() if value is not None}, **self.record.summary}

    @property
    def tags(self) -> list[str]:
        """The tags."""
        return list(self.record.tags)

    @property
    def notes(self) -> list[str]:
        """The notes, oldest first."""
        return list(self.record.notes)

    @property
    def comments(self) -> list[Comment]:
        """The comments on it, oldest first: ``time``, ``by``, ``text``.

        >>> import celltrail as ct
        >>> with ct.start("script") as run: pass
        >>> [told.text for told in ct.run(run.id).comment("try a smaller step").comments]
        ['try a smaller step']
        """
        return list(self.record.comments)

    @property
    def folder(self) -> str | None:
        """The folder it is in, None for none."""
        return self.record.folder

    @property
    def rating(self) -> float | None:
        """The number it was rated with."""
        return self.record.rating

    @property
    def starred(self) -> bool:
        """Whether somebody starred it."""
        return self.record.starred

    @property
    def archived(self) -> bool:
        """Whether it is archived."""
        return self.record.archived

    @property
    def deleted(self) -> bool:
        """Whether it is deleted; it goes to the trash at the next clean-up."""
        return self.record.deleted

    @property
    def user(self) -> str:
        """The account it ran as."""
        return self.record.user

    @property
    def host(self) -> str:
        """The name of the machine it ran on."""
        return self.record.host

    @property
    def created(self) -> datetime:
        """When the run was made, UTC."""
        return _moment(self.record.created_us)

    @property
    def started(self) -> datetime:
        """When it started, UTC."""
        return _moment(self.record.started_us)

    @property
    def ended(self) -> datetime | None:
        """When it ended, UTC; None while it runs or if its end was not seen."""
        return None if self.record.ended_us is None else _moment(self.record.ended_us)

    @property
    def duration(self) -> float | None:
        """Seconds from start to end."""
        return duration_of(self.record)

    @property
    def cell(self) -> str | None:
        """The id of its cell."""
        return self.record.cell_id

    @property
    def notebook(self) -> str | None:
        """The path of its notebook, relative."""
        return self.record.notebook

    @property
    def environment(self) -> dict[str, Json]:
        """Python, packages, platform."""
        return dict(self.record.environment.get("env", {}))

    @property
    def git(self) -> dict[str, Json]:
        """Commit, branch and whether files were changed; empty outside a repository."""
        return dict(self.record.environment.get("git", {}))

    @property
    def overhead(self) -> dict[str, Json]:
        """What recording cost: ``main_ns`` of the cell's own time and its parts, ``background_ns`` of processor time.

        ``pre``, ``examine``, ``fingerprint`` and ``post`` are timed; ``watch`` and ``tee`` are counts (``values``,
        ``messages``) times what one costs on that machine. ``bytes`` are in the run's own files as the cell ended,
        its blobs not among them. Empty for a run that no cell recorded.
        """
        return dict(self.record.environment.get("overhead", {}))

    @property
    def error(self) -> Failure | None:
        """The exception it ended with; ``str()`` is one line."""
        return self.record.error

    @property
    def resumes(self) -> list[Resumption]:
        """Each time it was resumed: when, after what gap, at which step, and whether it was rewound to that step."""
        return list(self.record.resumes)

    @property
    def fork_step(self) -> int | None:
        """If it is a fork, the step up to which it shares the points of `parent`; else None."""
        return self.record.fork_step

    @property
    def stopped_by(self) -> str | None:
        """Who or what stopped it early, "panel" for a click; None if nobody did."""
        return self.summary.get("stopped_by")

    def __repr__(self) -> str:
        told = [f"run {self.name!r}", self.id, self.status]
        if self.duration is not None:
            told.append(length(self.duration))
        told += [f"{name}={_brief(value)}" for name, value in list(self.params.items())[:4]]
        for name, metric in list(trained(self.record).items())[:3]:
            value = aggregate_of(metric, "best")
            told.append(f"{'best ' if metric.goal != 'none' else ''}{name} {'' if value is None else number(value)}")
        if self.error is not None:
            told.append(str(self.error))
        return f"<{' · '.join(told)}>"


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1e6, tz=UTC)


def _brief(value: Any) -> str:
    text = number(value) if isinstance(value, float) else repr(value)
    return text if len(text) <= 30 else f"{text[:29]}…"
