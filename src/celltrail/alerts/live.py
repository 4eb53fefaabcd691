"""Rules over runs that go on: they hear what is logged on the thread that logs it, and tell."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from celltrail.alerts.applied import Applied, Around, Fired
from celltrail.alerts.earlier import Earlier, prices_of
from celltrail.alerts.rule import Rule, of_document
from celltrail.errors import CelltrailError
from celltrail.model import Prices, new_id, now_us
from celltrail.query.evaluate import Question, truth
from celltrail.query.language import parse
from celltrail.query.plain import clipped
from celltrail.run import Event, Logged, LoggedBlock, Run, Wish, listen
from celltrail.run.keeper import keeper
from celltrail.store import Store
from celltrail.store.docs.actors import AsTheyAre

_TITLE = 200
_guards: dict[str, Guard] = {}
_unlisten: Callable[[], None] | None = None
_lock = threading.Lock()


def guard_of(run: Run) -> Guard:
    """What applies rules to this run; made when the first one comes."""
    global _unlisten
    with _lock:
        found = _guards.get(run.id)
        if found is None:
            found = _guards[run.id] = Guard(run)
            if _unlisten is None:
                _unlisten = listen(_hear)
            run.before_end(found.close)
            run.at_end(keeper.add(found), lambda: _leave(run.id))
        return found


def begin(run: Run) -> None:
    """Apply the rules that its trail keeps."""
    if not run.writer.owns:
        return  # what is for all ranks is for the first
    rules, faults = _rules.of(run.store) or ([], [])
    if rules:
        guard = guard_of(run)
        for rule in rules:
            guard.add(rule, is_asked=False)
    for fault in faults:
        run.writer.note(fault)


def _leave(run_id: str) -> None:
    global _unlisten
    with _lock:
        _guards.pop(run_id, None)
        if not _guards and _unlisten is not None:
            _unlisten()  # from now on a call of log() has nobody to tell
            _unlisten = None


def _hear(event: Event) -> None:
    if isinstance(event, Logged | LoggedBlock) and (guard := _guards.get(event.run.id)):
        guard.hear(event)


def _of_trail(store: Store) -> tuple[list[Rule], list[str]]:
    """The rules of a trail, and what is wrong with others."""
    rules: list[Rule] = []
    faults: list[str] = []
    for document in store.rules.list():
        try:
            if document.where:
                parse(document.where)
            rules.append(of_document(document))
        except CelltrailError as problem:
            faults.append(f"the rule {document.name!r} of this trail cannot be read: {problem}")
    return rules, faults


_rules = AsTheyAre(_of_trail)


@dataclass(slots=True)
class _Standing:
    """A rule that stands over a run."""

    rule: Rule
    applied: Applied
    is_asked: bool  # for this run, and not for many
    where: Question | None
    is_for_it: bool | None  # None: what its trail's expression asks is not known of this run yet


class Guard:
    """The rules of one run."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._rules: list[_Standing] = []
        self._lock = threading.RLock()  # an alert may make somebody log
        self._around = Around(run.record, Earlier(run.store, run.record()), self._priced)
        self._prices: tuple[float, Prices] | None = None

    @property
    def store(self) -> Store:
        """The trail of the run."""
        return self.run.store

    def add(self, rule: Rule, *, is_asked: bool) -> None:
        """Let a rule stand; one that stands already is not added again."""
        with self._lock:
            if any(each.rule == rule for each in self._rules):
                return
            where = Question(parse(rule.where), rule.where) if rule.where else None
            applied = rule.apply(self._around, self.run.record().started_us)
            applied.step = self.run.step
            standing = _Standing(rule, applied, is_asked, where, None if where else True)
            self._admit(standing)
            self._rules.append(standing)

    def hear(self, event: Logged | LoggedBlock) -> None:
        """What was logged, already on disk."""
        with self._lock:
            for standing in tuple(self._rules):
                if standing.is_for_it:
                    for fired in self._heard(standing, event):
                        self._fire(standing.rule, fired)

    def keep(self, now_s: float) -> None:
        """Time passes: called by the keeper's thread a few times a second."""
        with self._lock:
            for standing in tuple(self._rules):
                if standing.is_for_it is None:
                    self._admit(standing)
                if standing.is_for_it and standing.applied.by_clock and self.run.is_running:
                    fired = self._safely(standing, lambda each=standing: each.applied.tick(now_us()))
                    if fired is not None:
                        self._fire(standing.rule, fired)

    def stumble(self, error: Exception) -> None:
        """That failed: the run goes on."""
        self.run.stumble(error)

    def close(self) -> None:
        """The run is about to end: say which rules asked in vain."""
        self.keep(time.monotonic())
        for standing in self._rules:
            applied = standing.applied
            if standing.is_asked and not applied.has_heard and not applied.by_clock:
                names = ", ".join(applied.metrics) or "anything"
                has = ", ".join(sorted(self.run.record().metrics)[:8]) or "nothing"
                self.run.writer.note(f"the rule {str(standing.rule)!r} never saw {names}; the run logged {has}")

    def _admit(self, standing: _Standing) -> None:
        if standing.where is not None and standing.is_for_it is None:
            try:
                standing.is_for_it = truth(standing.where.value(self.run.record()))
            except CelltrailError as problem:
                self._give_up(standing, problem)

    def _heard(self, standing: _Standing, event: Logged | LoggedBlock) -> Iterable[Fired]:
        hear = standing.applied.hear
        if isinstance(event, Logged):
            fired = self._safely(standing, lambda: hear(event.names, event.step, event.t_us, event.values))
            return () if fired is None else (fired,)
        rows = zip(event.steps.tolist(), event.t_us.tolist(), event.values.tolist(), strict=True)
        told = (self._safely(standing, lambda row=row: hear(event.names, *row)) for row in rows)
        return [fired for fired in told if fired is not None]

    def _safely(self, standing: _Standing, ask: Callable[[], Fired | None]) -> Fired | None:
        try:
            return ask()
        except Exception as error:  # noqa: BLE001  a training goes on, whatever becomes of a rule
            self._give_up(standing, error)
            return None

    def _give_up(self, standing: _Standing, error: Exception) -> None:
        if standing in self._rules:
            self._rules.remove(standing)
            self.run.writer.note(f"the rule {str(standing.rule)!r} was given up: {error}")

    def _fire(self, rule: Rule, fired: Fired) -> None:
        run = self.run
        title = clipped(" ".join((rule.title or rule.text).split()), _TITLE)
        with contextlib.suppress(CelltrailError):  # it has ended meanwhile
            run.log_alert(
                title, fired.text, level=rule.level, metric=fired.metric, value=fired.value, step=fired.step,
                rule=str(rule),
            )  # fmt: skip
            _say(run.name, title, fired)
            if rule.webhook:
                from celltrail.alerts.webhooks import post

                letter = rule.letter(run.id, run.name, run.record().project, fired)
                post.send(rule.webhook, letter, run.writer.note)
            if rule.stop:
                run.steer(Wish(f"rule {new_id()}", "stop", f"rule {rule}"))

    def _priced(self) -> Prices:
        """Prices may be said while the run goes on; they are looked up once a second."""
        now = time.monotonic()
        if self._prices is None or now - self._prices[0] > 1:
            self._prices = now, prices_of(self.store, self.run.record())
        return self._prices[1]


def _say(name: str, title: str, fired: Fired) -> None:
    """In a terminal a line; a notebook shows it itself."""
    if "ipykernel" not in sys.modules and os.environ.get("CELLTRAIL_QUIET") != "1":
        at = "" if fired.step is None else f" at step {fired.step:,}"
        sys.stderr.write(f"celltrail: {name}{at}: {title}: {fired.text}\n")


def _in_child() -> None:
    """A forked child has no part in the runs of its parent."""
    global _lock
    _lock = threading.Lock()
    _guards.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
