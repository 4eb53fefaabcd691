"""Saved charts and media that were left behind: their run went on, or ended, and no kernel told the output of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from celltrail.contract import Band, ChartOptions
from celltrail.contract.shape import misfits
from celltrail.errors import NoRun
from celltrail.model import RUN_ID
from celltrail.panels import media, saved
from celltrail.panels.chart import MOST_LINES, OPTIONS, label_of
from celltrail.panels.closer import flags_of, marks_of
from celltrail.panels.curves import curves, state_of
from celltrail.panels.pools import groupings
from celltrail.query import StoredRun, find
from celltrail.query.media import media_of

if TYPE_CHECKING:
    from celltrail.panels.figure import Line
    from celltrail.store import Store


def is_left_behind(payload: Any) -> bool:
    """Whether this says of a run that it goes on, which only a kernel could take back."""
    if not isinstance(payload, dict) or payload.get("kind") not in _HEALED or not isinstance(payload.get("trail"), str):
        return False
    runs = payload.get("runs")
    if not isinstance(runs, list) or not all(isinstance(state, dict) for state in runs):
        return False
    return any(state.get("status") == "running" for state in runs)


def healed(payload: dict[str, Any], store: Store) -> saved.Bundle | None:
    """The panel as the trail knows it now, in all its forms; None where the trail has not all of its runs.

    Args:
        payload: of our MIME type, one that `is_left_behind`.
        store: the trail that it names.
    """
    ids = [state.get("run") for state in payload["runs"]]
    if not all(isinstance(run_id, str) and RUN_ID.fullmatch(run_id) for run_id in ids):
        return None
    try:
        runs = [find(run_id, store) for run_id in ids]
    except NoRun:
        return None
    view = payload.get("view")
    return _HEALED[payload["kind"]](payload, runs, store, view if isinstance(view, str) else None)


def _media(payload: dict[str, Any], runs: list[StoredRun], store: Store, view: str | None) -> saved.Bundle | None:
    kept = media_of(runs)
    return media.bundle(kept, view, [state_of(run, []) for run in kept.runs]) if kept.places else None


def _chart(payload: dict[str, Any], runs: list[StoredRun], store: Store, view: str | None) -> saved.Bundle | None:
    ids = [run.id for run in runs]
    asked, bands = payload.get("chart"), payload.get("bands")
    options = OPTIONS if misfits(asked, ChartOptions) else cast("ChartOptions", asked)
    drawn = [curves(run) for run in runs]
    lines, totals = _shown(runs, drawn, options)
    facts = saved.Facts(
        [state_of(run, found) for run, (found, _) in zip(runs, drawn, strict=True)],
        marks_of(store, ids),
        [flag for run in runs for flag in flags_of(run)],
        [] if misfits(bands, list[Band]) else cast("list[Band]", bands),
        groupings([run.record for run in runs]),
    )
    bundle = saved.chart_bundle(store.id, str(payload.get("title", "")), lines, totals, options, facts)
    return saved.with_view(bundle, view)


_HEALED: dict[str, Callable[[dict[str, Any], list[StoredRun], Store, str | None], saved.Bundle | None]] = {
    "chart": _chart,
    "media": _media,
}


def _shown(
    runs: list[StoredRun], drawn: list[tuple[list[Line], list[int]]], options: ChartOptions
) -> tuple[list[Line], list[int]]:
    """The curves that are not switched off, those of one metric together and the axis first."""
    found: list[tuple[Line, int]] = []
    for run, curves_of_run in zip(runs, drawn, strict=True):
        for line, total in zip(*curves_of_run, strict=True):
            if f"{run.id}/{line.metric}" not in options["hidden"] or line.metric == options["x"]:
                found.append((replace(line, label=label_of(run.name, line.metric, len(runs))), total))
    names = list(dict.fromkeys(line.metric for line, _ in found))
    found.sort(key=lambda each: (each[0].metric != options["x"], names.index(each[0].metric)))
    return [line for line, _ in found[:MOST_LINES]], [total for _, total in found[:MOST_LINES]]
