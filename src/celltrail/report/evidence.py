"""What a run can show for itself: each function gives the lines of a field and where in the run they stand."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from datetime import datetime

from celltrail.errors import NoRun, StoreError
from celltrail.model import trained
from celltrail.query import StoredRun
from celltrail.query.evaluate import aggregate_of
from celltrail.query.evaluation import evaluation_of, splits_of
from celltrail.query.plain import length, number
from celltrail.query.resources import TOTALS, spelled
from celltrail.report.document import Field
from celltrail.stats.evaluation import Score

Evidence = Callable[[StoredRun], tuple[Iterable[str], str]]
_MOST_LINES = 200
_NONE = ("none",)  # which the record says as well
_ANSWER = re.compile(r"\s*([^:\n]{1,80}?)\s*:\s*(.+)", re.DOTALL)


def shown(title: str, evidence: Evidence, run: StoredRun, supply: str) -> Field:
    """A field from what was recorded, or MISSING with how to supply it."""
    try:
        lines, source = evidence(run)
        told = tuple(lines)[:_MOST_LINES]
    except (NoRun, StoreError):  # gone or damaged is not there either
        told, source = (), ""
    return Field(title, "evidence", told, source) if told else Field(title, "MISSING", (), supply)


def said(title: str, run: StoredRun) -> Field:
    """A field that only people can fill: the note that begins with its title and a colon."""
    for note in reversed(run.notes):
        found = _ANSWER.fullmatch(note)
        if found and found[1].casefold() == title.casefold():
            return Field(title, "note", tuple(line for line in found[2].splitlines() if line.strip()), "run.notes")
    return Field(title, "MISSING", (), f'run.note("{title}: ...")')


def models(run: StoredRun) -> tuple[Iterable[str], str]:
    """The versions it made."""
    licensed = ((each, f", licence {each.licence}" if each.licence else "") for each in run.models)
    return (
        [f"{each.ref}, {each.format}, {each.size:,} bytes, {each.digest}{licence}" for each, licence in licensed],
        "run.models",
    )


def architecture(run: StoredRun) -> tuple[Iterable[str], str]:
    """What its models consist of."""
    made = [each for each in run.models if each.layers]
    return [f"{each.ref}: {each.layers.parameters:,} parameters in {len(each.layers)} layers" for each in made], (
        "run.models[...].architecture"
    )


def params(run: StoredRun) -> tuple[Iterable[str], str]:
    """Each parameter with how it is known."""
    known = run.record.params.values()
    return [f"{each.name} = {each.value!r} (known by {each.rule})" for each in known], "run.params"


def code(run: StoredRun) -> tuple[Iterable[str], str]:
    """Which code ran, and from which commit."""
    lines = [f"code {run.record.code}"] if run.record.code else []
    lines += [f"{what} {value}" for what, value in (("notebook", run.notebook), ("cell", run.cell)) if value]
    git = run.git
    if git.get("commit"):
        lines.append(f"commit {git['commit']}{', with changes not committed' if git.get('dirty') else ''}")
    return lines, "run.code, run.git"


def data(run: StoredRun) -> tuple[Iterable[str], str]:
    """What it used, by digest."""
    lines = []
    for each in run.data:
        rows = f", {each.rows:,} rows" if each.rows is not None else ""
        where = each.source.get("reference") or each.source.get("path")
        lines.append(f"{each.key}{rows}, {each.digest or 'no digest'}{f', from {where}' if where else ''} ({each.how})")
    return lines, "run.data"


def environment(run: StoredRun) -> tuple[Iterable[str], str]:
    """Python, system and the libraries that count."""
    plain = {name: value for name, value in run.environment.items() if isinstance(value, str | int | float)}
    return [f"{name} {value}" for name, value in plain.items() if name != "packages"], "run.environment"


def hardware(run: StoredRun) -> tuple[Iterable[str], str]:
    """The machine."""
    told = run.record.environment.get("hardware", {})
    return [f"{name} {value}" for name, value in told.items() if value not in (None, [], "")], "the record's hardware"


def compute(run: StoredRun) -> tuple[Iterable[str], str]:
    """Time, energy and cost."""
    lines = [f"duration {length(run.duration)}"] if run.duration is not None else []
    names = ("sys/cpu_s", "sys/rss_peak", "energy/kwh", "energy/method", "energy/gco2e", "cost/usd")
    known = [name for name in names if run.summary.get(name) is not None]
    return lines + [f"{TOTALS[name]} {spelled(name, run.summary[name])}" for name in known], "run.resources()"


def metrics(run: StoredRun) -> tuple[Iterable[str], str]:
    """What each evaluation came to, with intervals; without one, the metrics that were logged."""
    lines = [
        f"{split}/{score.name} {number(score.value)}{_around(score)}, n = {score.n}"
        for split in splits_of(run)
        for score in evaluation_of(run, split).scores
    ]
    if lines:
        return lines, "run.evaluation()"
    best = ((metric, aggregate_of(metric, "best")) for metric in trained(run.record).values())
    return [f"{metric.name} {number(value)}" for metric, value in best if value is not None], "run.metrics"


def fairness(run: StoredRun) -> tuple[Iterable[str], str]:
    """How it treats groups."""
    found = run.fairness()
    gaps = [f"{gap.name} {number(gap.value)}{_around(gap)}" for gap in found.gaps]
    return [*gaps, *found.warnings], "run.fairness()"


def explanation(run: StoredRun) -> tuple[Iterable[str], str]:
    """Which features matter to its model, the first ten."""
    table = run.explanation().table.head(10)
    return [f"{row['feature']} {number(row['mean'])}" for row in table.to_dict("records")], "run.explanation()"


def replays(run: StoredRun) -> tuple[Iterable[str], str]:
    """What became of it when it was executed again."""
    return [f"{_day(told.get('at', 0))} {told.get('verdict')}" for told in run.replays], "run.replays"


def randomness(run: StoredRun) -> tuple[Iterable[str], str]:
    """Which generators it used, seeded or not, and where their states are."""
    told = run.record.environment
    lines = [f"seed of {name}: {value}" for name, value in told.get("seeds", {}).items()]
    lines += [f"state of {name}: {digest}" for name, digest in told.get("rng", {}).items()]
    return lines, "the record's seeds and states"


def alerts(run: StoredRun) -> tuple[Iterable[str], str]:
    """What rules and people raised while it ran."""
    return [*map(str, run.alerts)] or _NONE, "run.alerts"


def interventions(run: StoredRun) -> tuple[Iterable[str], str]:
    """What people did to it while it ran."""
    deeds = [f"{each}{'' if each.step is None else f' (step {each.step})'}" for each in run.interventions]
    return deeds or _NONE, "run.interventions"


def changes(run: StoredRun) -> tuple[Iterable[str], str]:
    """What people changed since."""
    return [*map(str, run.audit)] or _NONE, "run.audit"


def comments(run: StoredRun) -> tuple[Iterable[str], str]:
    """What people said about it, with who and when."""
    return [str(each) for each in run.comments] or _NONE, "run.comments"


def asked(run: StoredRun) -> tuple[Iterable[str], str]:
    """How much it has of what its project asks of every run."""
    found = run.complete
    return [] if found is None else [str(found)], "run.complete"


def integrity(run: StoredRun) -> tuple[Iterable[str], str]:
    """Where the hash chains of all changes of the trail end as of now."""
    heads = run.store.audit.heads()
    return [f"{chain}: entry {entry}, {sealed}" for chain, (entry, sealed) in heads.items()], "celltrail verify"


def identity(run: StoredRun) -> tuple[Iterable[str], str]:
    """Who ran it, where and when, and how it ended."""
    ended = f"{run.status} at {run.ended:%Y-%m-%d %H:%M:%S} UTC" if run.ended else run.status
    lines = [f"by {run.user}" if run.user else "", f"on {run.host}" if run.host else ""]
    return [*filter(None, lines), f"started {run.started:%Y-%m-%d %H:%M:%S} UTC", ended], "the record"


def problems(run: StoredRun) -> tuple[Iterable[str], str]:
    """What went wrong while it was recorded."""
    return run.record.problems or _NONE, "the record's problems"


def _around(score: Score) -> str:
    if math.isnan(score.low) or math.isnan(score.high):
        return ""
    return f" ({number(score.low)} to {number(score.high)}, {score.method})"


def _day(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us / 1e6):%Y-%m-%d}"
