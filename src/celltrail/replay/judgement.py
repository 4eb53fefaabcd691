"""The verdict on a replay: from what came of its executions, and where they first went another way."""

from __future__ import annotations

from celltrail.query.stored import StoredRun
from celltrail.replay.attempt import Attempt
from celltrail.replay.inside import WouldWrite
from celltrail.replay.judging import (
    SeriesVerdict,
    Verdict,
    compare_series,
    differing_values,
    measured,
    same_text,
    worst,
)
from celltrail.replay.kernel import Answer
from celltrail.replay.slices import Step
from celltrail.replay.verdict import First, Replay


def judge(told: Replay, attempt: Attempt, rtol: float) -> None:
    """Say what came of it.

    Args:
        told: the replay, which gets its verdict.
        attempt: what ran.
        rtol: the relative difference up to which a point is within tolerance.
    """
    told.cells_s = sum(answer.seconds for answer in attempt.answers)
    if attempt.failed is not None:
        _judge_failed(told, *attempt.failed)
        return
    for then, now in attempt.pairs:
        before, after = differing_values(then.needs.get("values", {}), now.needs.get("values", {}))
        series = compare_series(then, now, rtol)
        is_target = then.id == told.run
        if is_target:
            told.series, told.measured = series, measured(then)
        bad = _first_bad(series)
        if told.first is None and (before or bad or after):
            told.first = _first(then, before, bad, after)
        if is_target:
            told.outputs_same = same_text(then, now)
            told.verdict = _verdict(series, after, told.outputs_same)
    if told.verdict == "":
        told.verdict, told.reason = "cannot-run", "failed"
        told.causes.insert(0, "the cell ran, but nothing recorded it as a run")
    elif told.verdict == "drifted" and not told.causes:
        told.causes.append("nothing that was recorded explains it: hidden state, threads or the library itself")


def _judge_failed(told: Replay, step: Step, answer: Answer) -> None:
    told.verdict, told.reason = "cannot-run", "not-replayable" if answer.ename == WouldWrite.__name__ else "failed"
    place = "the run's own cell" if step.is_target else f"cell [{step.count}]"
    what = {
        "timeout": f"took longer than it was given, {answer.seconds:.0f} s",
        "died": "ended the kernel",
        "error": answer.evalue if answer.ename == WouldWrite.__name__ else f"raised {answer.ename}: {answer.evalue}",
    }.get(answer.status, answer.status)
    told.first = First(step.execution, None, None, f"{place} {what}")
    told.causes.insert(0, f"{place} {what}" + (f"; it raised {step.error} when it was recorded" if step.error else ""))


def _first_bad(series: list[SeriesVerdict]) -> SeriesVerdict | None:
    bad = [each for each in series if each.verdict == "drifted"]
    return min(bad, key=lambda each: (each.first_step is None, each.first_step or 0), default=None)


def _first(then: StoredRun, before: list[str], bad: SeriesVerdict | None, after: list[str]) -> First:
    execution = then.record.executions[-1].id
    if before:
        origin = then.lineage.parents.get(before[0], execution)
        return First(origin, None, None, f"`{before[0]}` was another already when run {then.name!r} began")
    if bad is not None:
        text = f"{bad.name} at step {bad.first_step}: {_number(bad.recorded)} then, {_number(bad.replayed)} now"
        return First(execution, bad.name, bad.first_step, text)
    return First(execution, None, None, f"`{after[0]}` is another at the end of run {then.name!r}")


def _verdict(series: list[SeriesVerdict], after: list[str], is_same_text: bool) -> Verdict:
    """By the series; where there are none, by the values left behind and by what was printed."""
    if series:
        return worst(each.verdict for each in series)
    return "drifted" if after or not is_same_text else "reproduced"


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.6g}"
