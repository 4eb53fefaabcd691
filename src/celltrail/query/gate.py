"""Whether a run holds what is asked of it beside a baseline: ``val/acc >= base - 0.01``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from celltrail.contract import Goal
from celltrail.errors import BadValue, nearest
from celltrail.model import goal_of, is_of_machine
from celltrail.query.resources import is_resource
from celltrail.query.row import real
from celltrail.query.stored import StoredRun

_ORDERS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
_AGGREGATES = ("best", "last", "first", "min", "max")
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RULE = re.compile(
    rf"\s*(?:(?P<aggregate>\w+)\(\s*(?P<inner>.+?)\s*\)|(?P<metric>.+?))\s*(?P<order>>=|<=|==|>|<)\s*"
    rf"(?:(?P<number>{_NUMBER})|base(?:\s*(?P<sign>[+*-])\s*(?P<by>{_NUMBER})\s*(?P<percent>%)?)?)\s*"
)
_HOW = "write it as 'val/acc >= base - 0.01', 'last(val/loss) <= base + 2%' or 'val/acc >= 0.9'"


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition: a metric, an order, and a number or the baseline's value moved by a little."""

    text: str
    metric: str
    aggregate: str
    order: str
    number: float | None  # None: relative to the baseline
    sign: str = "+"
    by: float = 0.0
    is_percent: bool = False

    def limit(self, base: float | None) -> float:
        """The number that the run is held against.

        Args:
            base: the baseline's value; None for a rule that does not speak of it.

        >>> rule_of("loss <= base + 10%").limit(2.0), rule_of("acc >= 0.9").limit(None)
        (2.2, 0.9)
        """
        if self.number is not None:
            return self.number
        assert base is not None
        by = abs(base) * self.by / 100 if self.is_percent else self.by
        return base * by if self.sign == "*" else base - by if self.sign == "-" else base + by

    def holds(self, value: float, limit: float) -> bool:
        """Whether the value is on the right side of the limit; NaN never is."""
        return _ORDERS[self.order](value, limit)


@dataclass(frozen=True, slots=True)
class Checked:
    """A rule beside what was found."""

    rule: Rule
    value: float
    base: float | None
    limit: float
    is_met: bool

    def payload(self) -> dict[str, object]:
        """As JSON, where NaN and infinities are words."""
        return {
            "expr": self.rule.text, "metric": self.rule.metric, "aggregate": self.rule.aggregate,
            "value": real(self.value), "base": None if self.base is None else real(self.base),
            "limit": real(self.limit), "is_met": self.is_met,
        }  # fmt: skip


def rule_of(text: str) -> Rule:
    """What an expression asks; `BadValue` says how to write one.

    >>> rule_of("last(val/loss) < base * 1.05").metric
    'val/loss'
    >>> rule_of("val/acc")
    Traceback (most recent call last):
    celltrail.errors.BadValue: 'val/acc' is no condition: write it as 'val/acc >= base - 0.01', \
'last(val/loss) <= base + 2%' or 'val/acc >= 0.9'
    """
    found = _RULE.fullmatch(text)
    if found is None:
        raise BadValue(f"{text!r} is no condition: {_HOW}")
    aggregate = found["aggregate"] or "best"
    if aggregate not in _AGGREGATES:
        raise BadValue(
            f"{aggregate!r} in {text!r} is none of {', '.join(_AGGREGATES)}{nearest(aggregate, _AGGREGATES)}"
        )
    if found["percent"] and found["sign"] == "*":
        raise BadValue(f"{text!r} multiplies by a percentage: write base * 1.05, or base + 5%")
    return Rule(
        text.strip(), (found["inner"] or found["metric"]).strip("`\"'"), aggregate, found["order"],
        None if found["number"] is None else float(found["number"]),
        found["sign"] or "+", float(found["by"] or 0), found["percent"] is not None,
    )  # fmt: skip


def check(rule: Rule, run: StoredRun, baseline: StoredRun | None) -> Checked:
    """A rule applied to a run.

    Args:
        rule: the condition.
        run: the run in question.
        baseline: what it is held against; only a rule with ``base`` needs one.

    Raises:
        BadValue: a run lacks the metric, or the rule needs a baseline and there is none.
    """
    if rule.number is None and baseline is None:
        raise BadValue(f"{rule.text!r} speaks of a baseline: name its tag with --baseline")
    value = _value(rule, run)
    base = _value(rule, baseline) if rule.number is None and baseline is not None else None
    limit = rule.limit(base)
    return Checked(rule, value, base, limit, rule.holds(value, limit))


def _value(rule: Rule, run: StoredRun) -> float:
    metric = run.metrics.get(rule.metric)
    if metric is not None:
        goal: Goal = metric.goal if metric.goal != "none" else goal_of(rule.metric)
        wanted = {"min": "min", "max": "max"}.get(goal, "last") if rule.aggregate == "best" else rule.aggregate
        return float(getattr(metric, wanted))
    told = run.record.summary.get(rule.metric)
    if isinstance(told, int | float) and not isinstance(told, bool):
        return float(told)
    known = [name for name in (*run.metrics, *run.record.summary) if not (is_resource(name) or is_of_machine(name))]
    tail = nearest(rule.metric, known) or f"; it has {', '.join(sorted(known)[:8]) or 'none'}"
    raise BadValue(f"run {run.name!r} has no metric {rule.metric!r}{tail}")
