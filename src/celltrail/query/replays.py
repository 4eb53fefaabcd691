"""What replays of a run said, as a panel shows it."""

from __future__ import annotations

from celltrail.contract import ReplayVerdict
from celltrail.query.stored import StoredRun


def last_replay(run: StoredRun) -> ReplayVerdict | None:
    """The newest verdict on a run; None where nobody replayed it."""
    told = run.replays[-1:]
    if not told:
        return None
    (last,) = told
    verdict, first = last["verdict"], last.get("first")
    text = last.get("text") or (f"{verdict}, first here: {first}" if first else verdict)  # earlier ones had no text
    return {
        "verdict": verdict,
        "text": str(text),
        "at": last.get("at", 0) / 1e6,
        "facts": list(map(str, last.get("facts", ()))),
        "over": {"cannot-run": "because", "drifted": "may explain it"}.get(verdict, "seen on the way"),
        "causes": list(map(str, last.get("causes", ()))),
    }


def is_replayable(run: StoredRun) -> bool:
    """Whether a replay can be tried."""
    return run.status != "running" and bool(run.record.executions)
