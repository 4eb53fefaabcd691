"""Templates: what every run of a project must have, and what a run lacks of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, QueryError
from celltrail.model import RunRecord
from celltrail.query import tree
from celltrail.query.asking import Row, cell_of, goals_of, points_of
from celltrail.query.columns import Column
from celltrail.query.evaluate import Question
from celltrail.query.language import parse
from celltrail.query.needs import WORDS, check, expression_of, is_word, resolved
from celltrail.query.opening import open_store
from celltrail.query.sql import keys_of
from celltrail.store.root import project_of

if TYPE_CHECKING:
    from pathlib import Path

    from celltrail.query.runs import RunSet
    from celltrail.store import Store


@dataclass(frozen=True, slots=True)
class Completeness:
    """How much a run has of what its project asks; true when it has all.

    Attributes:
        needs: what is asked, as the template says it.
        missing: what of it the run lacks.

    >>> found = Completeness(("seed", "note", "params.lr < 1"), ("note", "params.lr < 1"))
    >>> str(found), bool(found)
    ('complete 1 of 3: no note, not params.lr < 1', False)
    """

    needs: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def met(self) -> int:
        """How many it has."""
        return len(self.needs) - len(self.missing)

    @property
    def text(self) -> str:
        """How many of how many, and what is missing by name."""
        lacks = ", ".join(f"{'no' if is_word(need) else 'not'} {need}" for need in self.missing)
        return f"{self.met} of {len(self.needs)}{f': {lacks}' if lacks else ''}"

    def __bool__(self) -> bool:
        return not self.missing

    def __str__(self) -> str:
        return f"complete {self.text}"


class Needed:
    """What the templates of a trail ask, as they are now, to be asked of one run after the other."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._templates = {each.name: each.needs for each in store.templates.list()} if store.id else {}
        self._read: dict[str, list[tuple[str, Question]]] = {}

    def of(self, record: RunRecord) -> Completeness | None:
        """What a run has of it; None where nothing is asked of its project."""
        if record.project not in self._templates:
            return None
        lacks = tuple(need for need, question in self._questions(record.project) if not _has(record, question))
        return Completeness(self._templates[record.project], lacks)

    def _questions(self, project: str) -> list[tuple[str, Question]]:
        if project not in self._read:
            self._read[project] = [(need, self._question(need)) for need in self._templates[project]]
        return self._read[project]

    def __bool__(self) -> bool:
        return bool(self._templates)

    @property
    def column(self) -> Column:
        """The share of what is asked that a run has, from 0 to 1, as a column over the index."""
        asked = {project: self._questions(project) for project in self._templates}
        nodes = [question.node for questions in asked.values() for _, question in questions]
        keys = (("id",), ("project",), *sorted(set().union(*map(keys_of, nodes)) - {("id",), ("project",)}))

        def share(*facts: Any) -> float | None:
            row = Row(facts[0], dict(zip(keys, facts, strict=True)))
            questions = asked.get(facts[1])
            if questions is None:
                return None
            return sum(_has(row, replace(each, facts=cell_of)) for _, each in questions) / len(questions)

        return Column("complete", keys, share, numeric=True)

    def _question(self, need: str) -> Question:
        text = expression_of(need)
        try:
            node, _ = resolved(parse(text), self._store)
        except QueryError:  # of a later celltrail
            node = tree.Unknown(0, 0)
        is_measured = any(isinstance(part, tree.Metric) for part in tree.walk(node))
        goals = self._store.look((), lambda look: goals_of(look, [node])) if is_measured else {}
        return Question(node, text, points_of(self._store), goals)


def _has(record: RunRecord | Row, question: Question) -> bool:
    try:
        return question.matches(record)
    except QueryError:  # the best of a metric that has no direction
        return False


@dataclass(frozen=True)
class Template:
    """What every run of a project must have; made by `template`.

    Attributes:
        project: the project.
        needs: words and expressions; none where nothing is asked.
    """

    project: str
    needs: tuple[str, ...]
    _store: Store

    @property
    def incomplete(self) -> RunSet:
        """The runs of the project that lack something, newest first."""
        from celltrail.query.runs import runs

        return runs("not complete", project=self.project, store=self._store)

    def __repr__(self) -> str:
        if not self.needs:
            return (
                f"nothing is asked of the runs of {self.project!r}: ct.template('seed', 'data', 'val metric', 'note')"
            )
        said = [f"a run of {self.project!r} must have"]
        said += [f"  {need}{f' ({expression_of(need)})' if is_word(need) else ''}" for need in self.needs]
        lacking = len(self.incomplete)
        return "\n".join([*said, f"{lacking} run{'s' * (lacking != 1)} of it lack{'s' * (lacking == 1)} some"])


def template(*needs: str, project: str | None = None, store: Store | Path | str | None = None) -> Template:
    """Say what every run of a project must have, or return what it is.

    Each run then says what it lacks: in the run table, in its panel and under its chart. The query ``complete`` and
    a promotion with ``gate="complete"`` ask for it.

    Args:
        needs: words: ``seed``, ``data``, ``model``, ``note``, ``comment``, ``tag``, ``folder``, ``group``, ``commit``,
            ``val metric`` (or train, test, eval); or expressions of the query language. Without any, nothing changes.
        project: ``CELLTRAIL_PROJECT`` or "default" unless given.
        store: the trail; found by `celltrail.store.locate` unless given.

    Raises:
        BadValue: a need is not a known word.
        QueryError: a need is an expression that cannot be read.

    >>> import celltrail as ct
    >>> asked = ct.template("seed", "val metric", "note")
    >>> with ct.start("demo", seed=1) as run:
    ...     run.log({"val/acc": 0.9})
    >>> print(ct.run("demo").complete)
    complete 2 of 3: no note
    """
    found = open_store(store)
    name = project_of(project)
    if not needs:
        return Template(name, found.templates[name].needs if name in found.templates else (), found)
    if not all(isinstance(need, str) for need in needs):
        raise BadValue(
            f"a need is a word or an expression, as in {', '.join(map(repr, list(WORDS)[:3]))}, not {needs!r}"
        )
    return Template(name, found.templates.save(name, [check(need.strip()) for need in needs]).needs, found)
