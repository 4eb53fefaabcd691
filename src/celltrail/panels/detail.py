"""The panel of one run: everything that is known of it, its curves first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from celltrail.contract import Answer, Comment, Detail, DetailOptions, Note, SavedPanel, Window
from celltrail.errors import StoreError
from celltrail.panels import saved
from celltrail.panels.chart import OPTIONS
from celltrail.panels.closer import closer, comment_of, flags_of, marks_of, place_of
from celltrail.panels.curves import curves, state_of
from celltrail.panels.evaluation import OPTIONS as EVALUATION
from celltrail.panels.evaluation import shown_of
from celltrail.panels.executions import executed
from celltrail.panels.media import OPTIONS as MEDIA
from celltrail.panels.media import listing, taken
from celltrail.panels.picking import picked
from celltrail.panels.replaying import Replayer
from celltrail.panels.together import bands, to_look_at
from celltrail.panels.widget import Panel, Reply, answer
from celltrail.query import StoredRun
from celltrail.query.detail import comments, detail
from celltrail.query.evaluation import Evaluations, evaluation_of, splits_of
from celltrail.query.media import Media

FIRST_TAB: DetailOptions = {"tab": "", "chart": OPTIONS, "media": MEDIA, "evaluation": EVALUATION}


class Details(Panel):
    """The widget: it holds all it shows, and asks for a stretch of its curves closer, or a note to be kept."""

    def __init__(self, run: StoredRun) -> None:
        self._run = run
        self._media = run.media()
        self._replayer = Replayer(run, self.send, self._renew)
        super().__init__("detail", payload(run, self._media), FIRST_TAB)

    @property
    def answers(self) -> dict[str, Callable[[Any], Answer | Reply | None]]:
        """What its chart asks."""
        return {
            "window": self._answer_window,
            "note": self._answer_note,
            "comment": self._answer_comment,
            "take": lambda asked: taken(self._media, asked),
            "replay": lambda asked: answer(asked["id"], said=self._replayer.ask(asked)),
            "pick": lambda asked: picked(evaluations(self._run), asked),
            "trace": lambda asked: answer(asked["id"], executions=executed(self._run)),
        }

    def _answer_window(self, asked: Window) -> Reply:
        return closer(self._run.store, [self._run.record], asked)

    def _renew(self) -> None:
        """Show the run as it is now."""
        self._run = self._run.refresh()
        self.state = {**payload(self._run, self._media), "view": self.model_id}

    def _answer_note(self, asked: Note) -> Answer:
        text, step = place_of(asked)
        self._run.note(text, metric=asked["metric"], step=step)
        return answer(asked["id"], marks=marks_of(self._run.store, [self._run.id]))

    def _answer_comment(self, asked: Comment) -> Answer:
        self._run.comment(comment_of(asked))
        self._renew()
        return answer(asked["id"], comments=comments(self._run.record))


def payload(run: StoredRun, media: Media | None = None) -> SavedPanel:
    """All of a run as a panel holds it."""
    found = detail(run)
    evaluated = evaluations(run)
    results = _results(run, evaluated)
    lines, totals = curves(run, without=results)
    series = saved.packed(lines, totals)
    state = state_of(run, lines)
    omitted = len(run.record.metrics) - len(results) - len(series)
    return saved.panel(
        "detail",
        run.store.id,
        run.name,
        runs=[state],
        series=series,
        omitted=max(0, omitted),
        detail=found,
        media=listing(media) if media is not None and media.places else None,
        hints=[*_hints(found), *to_look_at(found)],
        bands=bands(run.store.series(run.id), [line.metric for line in lines]),
        evaluations=[shown_of(each) for each in evaluated],
        marks=marks_of(run.store, [run.id])[: saved.MOST_MARKS],
        flags=flags_of(run)[: saved.MOST_MARKS],
    )


def evaluations(run: StoredRun) -> list[Evaluations]:
    """The splits that a run was evaluated on; one whose rows are lost is left out."""
    found: list[Evaluations] = []
    for split in splits_of(run):
        with suppress(StoreError):
            found.append(Evaluations(split, [evaluation_of(run, split)]))
    return found


def _results(run: StoredRun, evaluated: list[Evaluations]) -> set[str]:
    """The metrics that an evaluation gave, and nothing else: they are no curves."""
    names = {f"{each.split}/{score.name}" for each in evaluated for score in each[0].scores}
    return {name for name, metric in run.record.metrics.items() if name in names and metric.count == 1}


def _hints(found: Detail) -> list[str]:
    """Why the run does not hold any more, as it is said above a chart."""
    facts = [row for section in found["sections"] if section["title"] == "run" for row in section["rows"]]
    return [f"stale: {value}" for name, value in facts if name == "stale"]


def bundle(run: StoredRun, widget: Details) -> saved.Bundle:
    """What a cell that ends in a run shows and keeps."""
    kept = saved.detail_bundle(cast("SavedPanel", widget.state), repr(run))
    return saved.with_view(kept, widget.model_id)
