"""What a version must hold before a name stands for it: metrics, fairness, its replay, and what its project asks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from celltrail.errors import BadValue, nearest
from celltrail.query import StoredRun
from celltrail.query.gate import Checked, Rule, check, rule_of
from celltrail.query.plain import number

COMPLETE = "complete"
VERDICTS = ("reproduced", "within-tolerance")  # the better first; what passes
_REPLAY = re.compile(r"\s*replay\s*(==|>=)\s*[\"']?([\w-]+)[\"']?\s*")


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition: a rule over a metric, the least verdict of a replay, or, with neither, that nothing is missing."""

    text: str
    rule: Rule | None
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A condition and what was found; ``str()`` says it."""

    clause: Clause
    is_met: bool
    said: str
    value: float | None = None
    limit: float | None = None

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {"expr": self.clause.text, "value": self.value, "limit": self.limit, "said": self.said}

    def __str__(self) -> str:
        return f"{self.clause.text} ({self.said})"


def clauses(gate: str, alias: str) -> list[Clause]:
    """The conditions of a gate; where it names the alias, the version is meant that this stands for now.

    >>> [clause.text for clause in clauses("val/auc >= champion and replay == reproduced", "champion")]
    ['val/auc >= champion', 'replay == reproduced']

    Raises:
        BadValue: one of them cannot be read.
    """
    return [_clause(text.strip(), alias) for text in re.split(r"\s+and\s+", gate.strip())] if gate.strip() else []


def _clause(text: str, alias: str) -> Clause:
    if text == COMPLETE:
        return Clause(text, None)
    replay = _REPLAY.fullmatch(text)
    if replay is not None:
        if replay[2] not in VERDICTS:
            raise BadValue(
                f"{replay[2]!r} is no verdict to ask for{nearest(replay[2], VERDICTS) or ';'} {' or '.join(VERDICTS)}"
            )
        least = VERDICTS[0] if replay[1] == "==" and replay[2] == VERDICTS[0] else replay[2]
        return Clause(text, None, least)
    left, order, right = re.split(r"(>=|<=|==|>|<)", text, maxsplit=1) if re.search(r"[<>=]", text) else (text, "", "")
    return Clause(text, rule_of(left + order + re.sub(rf"\b{re.escape(alias)}\b", "base", right)))


def judged(clause: Clause, run: StoredRun | None, holder: StoredRun | None, is_held: bool) -> Judged:
    """A condition applied to the run that made a version.

    Args:
        clause: the condition.
        run: that run; None where it is gone.
        holder: the run behind the version that holds the alias now.
        is_held: whether any version does.
    """
    if run is None:
        return Judged(clause, False, "the run that made it is gone")
    if clause.text == COMPLETE:
        return _complete(clause, run)
    if clause.rule is None:
        return _replayed(clause, run)
    if clause.rule.number is None and not is_held:
        return Judged(clause, True, "nothing holds it yet")
    if clause.rule.number is None and holder is None:
        return Judged(clause, False, "the run behind the version that holds it is gone")
    try:
        found: Checked = check(clause.rule, run, holder)
    except BadValue as problem:
        return Judged(clause, False, str(problem))
    is_met = found.is_met
    return Judged(clause, is_met, f"{number(found.value)} against {number(found.limit)}", found.value, found.limit)


def _complete(clause: Clause, run: StoredRun) -> Judged:
    found = run.complete
    if found is None:
        return Judged(clause, False, f"nothing is asked of the runs of {run.project!r}; ct.template(...) says what is")
    return Judged(clause, bool(found), f"run {run.name!r} has {found.text}", found.met, len(found.needs))


def _replayed(clause: Clause, run: StoredRun) -> Judged:
    told = run.replays
    if not told:
        return Judged(clause, False, f"it was never replayed; ct.replay({run.name!r}) does that")
    verdict = str(told[-1].get("verdict", ""))
    is_met = verdict in VERDICTS and VERDICTS.index(verdict) <= VERDICTS.index(clause.verdict)
    return Judged(clause, is_met, f"its newest replay says {verdict}")
