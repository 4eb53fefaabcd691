"""The reports there are, each a list of sections; to add one, give it a function here and a name in `KINDS`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from celltrail.query import StoredRun
from celltrail.report import evidence
from celltrail.report.document import Section
from celltrail.report.evidence import Evidence, said, shown

_MODEL = "run.log_model(model, name)"
_DATA = "run.log_data(frame, name, split)"
_EVALUATE = "run.evaluate(y_true, y_pred)"
_FAIR = "run.fairness(y_true, y_pred, groups)"
_EXPLAIN = "run.explain(model, x, y)"
_TEMPLATE = 'ct.template("seed", "data", "val metric", "note")'
_CELL = "%%track on the cell that trains"

_Line = str | tuple[str, Evidence, str]  # a title that people answer, or one with what fills it and how to supply that


def _section(run: StoredRun, title: str, *lines: _Line) -> Section:
    return Section(title, tuple(said(line, run) if isinstance(line, str) else _shown(line, run) for line in lines))


def _shown(line: tuple[str, Evidence, str], run: StoredRun) -> evidence.Field:
    title, fill, supply = line
    return shown(title, fill, run, supply)


def model_card(run: StoredRun) -> Iterator[Section]:
    """What whoever takes up a model wants to know; the headings of https://arxiv.org/abs/1810.03993."""
    yield _section(
        run, "Model details",
        ("Versions", evidence.models, _MODEL), ("Architecture", evidence.architecture, _MODEL),
        ("Who and when", evidence.identity, _CELL), "Licence", "Contact",
    )  # fmt: skip
    yield _section(run, "Intended use", "Intended use", "Out of scope")
    yield _section(run, "Training data", ("Data", evidence.data, _DATA), "Origin and labelling")
    yield _section(
        run, "Training",
        ("Parameters", evidence.params, "ct.start(params={...})"), ("Code", evidence.code, _CELL),
        ("Software", evidence.environment, _CELL), ("Hardware", evidence.hardware, _CELL),
        ("Compute", evidence.compute, _CELL), ("Random numbers", evidence.randomness, _CELL),
    )  # fmt: skip
    yield _section(
        run, "Evaluation",
        ("Metrics", evidence.metrics, _EVALUATE), ("Groups", evidence.fairness, _FAIR),
        ("What it looks at", evidence.explanation, _EXPLAIN), ("Executed again", evidence.replays, "ct.replay(run)"),
    )  # fmt: skip
    yield _section(run, "Limits", "Limitations", "Ethical considerations")


def audit(run: StoredRun) -> Iterator[Section]:
    """Who did what with which code and data, what was changed since, and what shows that nothing else was."""
    yield _section(
        run, "What ran",
        ("Who and when", evidence.identity, _CELL), ("Code", evidence.code, _CELL),
        ("Data", evidence.data, _DATA), ("Software", evidence.environment, _CELL),
        ("Random numbers", evidence.randomness, _CELL), ("Problems while recording", evidence.problems, _CELL),
    )  # fmt: skip
    yield _section(
        run, "What came of it",
        ("Metrics", evidence.metrics, _EVALUATE), ("Versions", evidence.models, _MODEL),
        ("Executed again", evidence.replays, "ct.replay(run)"),
    )  # fmt: skip
    yield _section(
        run, "What people did",
        ("While it ran", evidence.interventions, _CELL),
        ("Since then", evidence.changes, _CELL),
        ("Comments", evidence.comments, 'run.comment("...")'),
        ("Alerts", evidence.alerts, _CELL), ("What its project asks", evidence.asked, _TEMPLATE), "Approved by",
    )  # fmt: skip
    yield _section(run, "Integrity", ("Head of the record of changes", evidence.integrity, "change something first"))


def annex_iv(run: StoredRun) -> Iterator[Section]:
    """The points of Annex IV of Regulation (EU) 2024/1689, https://eur-lex.europa.eu/eli/reg/2024/1689/oj: a draft."""
    yield _section(
        run, "1 General description",
        "Intended purpose", "Provider", ("Versions", evidence.models, _MODEL),
        ("Software", evidence.environment, _CELL), ("Hardware", evidence.hardware, _CELL), "Instructions for use",
    )  # fmt: skip
    yield _section(
        run, "2 Elements and development",
        ("(a, b) Methods and choices", evidence.params, "ct.start(params={...})"),
        ("(a, b) Code", evidence.code, _CELL), "Rationale of the design",
        ("(c) Architecture", evidence.architecture, _MODEL), ("(c) Compute", evidence.compute, _CELL),
        ("(d) Data", evidence.data, _DATA), "Origin and labelling",
        "Human oversight", "Planned changes",
        ("(g) Validation", evidence.metrics, _EVALUATE), ("(g) Discrimination", evidence.fairness, _FAIR),
        ("(g) Signed logs", evidence.integrity, "change something first"), "Cybersecurity",
    )  # fmt: skip
    yield _section(
        run, "3 Monitoring, functioning and control",
        ("Alerts", evidence.alerts, _CELL), "Limitations", "Monitoring",
    )  # fmt: skip
    yield _section(run, "4 Why these metrics", "Why these metrics")
    yield _section(run, "5 Risk management", "Risks")
    yield _section(run, "6 Changes", ("Since then", evidence.changes, _CELL))
    yield _section(run, "7 to 9", "Standards", "Declaration of conformity", "Post-market monitoring plan")


def nist_rmf(run: StoredRun) -> Iterator[Section]:
    """The four functions of the AI Risk Management Framework, https://doi.org/10.6028/NIST.AI.100-1."""
    yield _section(
        run, "Govern",
        "Accountable", "Policy", ("What its project asks", evidence.asked, _TEMPLATE),
        ("Who and when", evidence.identity, _CELL), ("Since then", evidence.changes, _CELL),
    )  # fmt: skip
    yield _section(
        run, "Map",
        "Intended use", "Out of scope", ("Data", evidence.data, _DATA), ("Versions", evidence.models, _MODEL), "Risks",
    )  # fmt: skip
    yield _section(
        run, "Measure",
        ("Metrics", evidence.metrics, _EVALUATE), "Why these metrics", ("Groups", evidence.fairness, _FAIR),
        ("What it looks at", evidence.explanation, _EXPLAIN), ("Executed again", evidence.replays, "ct.replay(run)"),
        ("Compute", evidence.compute, _CELL),
    )  # fmt: skip
    yield _section(
        run, "Manage",
        ("Alerts", evidence.alerts, _CELL), ("While it ran", evidence.interventions, _CELL),
        ("Comments", evidence.comments, 'run.comment("...")'), "Monitoring", "Response to incidents",
    )  # fmt: skip


KINDS: dict[str, Callable[[StoredRun], Iterator[Section]]] = {
    "model-card": model_card,
    "audit": audit,
    "annex-iv": annex_iv,
    "nist-rmf": nist_rmf,
}
