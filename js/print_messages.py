"""Prints messages as Python really sends them: ``python js/print_messages.py > js/test/messages.ts``.

The TypeScript tests replay them, so neither side of the contract can drift alone. A small sweep is run on a
trail in a temporary folder; what would differ from one printing to the next (ids, clocks, the machine) is
replaced by something fixed.
"""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np

from celltrail.compare import compare
from celltrail.contract import FromKernel, Points, SavedPanel
from celltrail.panels import saved
from celltrail.panels.chart import OPTIONS, Chart
from celltrail.panels.columns import Floats
from celltrail.panels.detail import Details
from celltrail.panels.feed import Feed
from celltrail.panels.figure import Line
from celltrail.panels.pools import groupings
from celltrail.panels.saved import detail_bundle
from celltrail.panels.table import Table, compare_bundle, table_bundle
from celltrail.query import find, runs
from celltrail.run import Logged, Run, start
from celltrail.store import Store

Recorded = tuple[FromKernel, list[float]]
CLOCK_US = 1_700_000_000_000_000


@contextmanager
def recording(panel: Chart | Table) -> Iterator[list[Recorded]]:
    """Keep what a panel sends instead of sending it: there is no front end here."""
    heard: list[Recorded] = []

    def keep(message: FromKernel, buffers: list[bytes] | None = None) -> None:
        heard.append((message, np.frombuffer(buffers[0], "<f8").tolist() if buffers else []))

    panel.send = keep
    yield heard
    panel.close()


def logged(run: Run, feed: Feed, first: int, last: int) -> None:
    """Log some steps and hand the same points to the feed, at fixed times."""
    for step in range(first, last):
        values = {"train/loss": math.exp(-step / 7), "val/acc": math.nan if step == 3 else 1 - math.exp(-step / 9)}
        run.log(values, step=step)
        at = feed.run.record().started_us + step * 100_000
        feed.put(Logged(run, tuple(values), step, at, list(values.values())))
    feed.drain()


def chart(store: Store) -> tuple[list[Recorded], SavedPanel]:
    """A chart of two runs: everything, then news, then the ending of one in an error."""
    panel = Chart("01TRAIL", "a sweep")
    with recording(panel) as heard:
        first = start("narrow", {"lr": 0.1, "layers": [64, 10]}, tags=["sweep"], store=store)
        second = start("wide", {"lr": 0.01, "layers": [128, 10]}, store=store)
        feeds = [Feed(first), Feed(second)]
        for begin, end in ((0, 5), (5, 9), (9, 12)):
            for run, feed in zip((first, second), feeds, strict=True):
                logged(run, feed, begin, end)
            panel.tell(feeds, full=False)
        first.finish()
        second.finish(error=ValueError("the loss is <b>gone</b>"))
        panel.tell(feeds, full=True)
    shown: list[tuple[Line, Floats]] = [
        (Line(feed.run.id, name, name, column.points()), column.points())
        for feed in feeds
        for name, column in feed.columns.items()
    ]
    states = cast("Points", heard[-1][0])["runs"]
    lines = [line for line, _ in shown]
    totals = [points.shape[1] for _, points in shown]
    facts = saved.Facts(states, groupings=groupings([first.record(), second.record()]))
    bundle = saved.chart_bundle("01TRAIL", "a sweep", lines, totals, OPTIONS, facts)
    return heard, bundle[saved.contract.MIME]


def answers(store: Store) -> list[Recorded]:
    """What a table answers: rows, a comparison, the sentence of a bad expression."""
    panel = Table(runs(store=store))
    with recording(panel) as heard:
        for intent in (
            {"kind": "query", "id": "q1", "where": "params.lr > 0.05"},
            {"kind": "query", "id": "q2", "where": "params.lr >"},
            {"kind": "compare", "id": "c1", "runs": [run.id for run in runs(store=store)]},
        ):
            panel._hear(None, cast("Any", intent), [])
    return heard


def saved_detail(store: Store, chart: SavedPanel) -> SavedPanel:
    """All of a run; its surroundings are those of whoever prints, and so is the pace of its points."""
    panel = Details(find("narrow", store))
    made = detail_bundle(cast("SavedPanel", panel.state), "")[saved.contract.MIME]
    panel.close()
    kept = ("metrics", "params")
    made["detail"]["sections"] = [section for section in made["detail"]["sections"] if section["title"] in kept]
    for series, paced in zip(made["series"], chart["series"], strict=False):
        series["seconds"] = paced["seconds"]
    return {**made, "view": None}


def settled(value: Any, names: dict[str, str]) -> Any:
    """The value without what differs between printings."""
    if isinstance(value, dict):
        fixed = {
            "created": 1_700_000_000.0,
            "duration": 1.5,
            "seconds": 1.5,
            "started": 1_700_000_000.0,
            "view": None,
            "spark": [1.0, None, 0.5],
        }
        return {
            key: fixed[key] if key in fixed and not isinstance(inner, str) else settled(inner, names)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [settled(inner, names) for inner in value]
    if isinstance(value, str):
        for old, new in names.items():
            value = value.replace(old, new)
        return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-01-01 00:00:00", value)
    return round(value, 6) if isinstance(value, float) else value


def without_machine(comparison: dict[str, Any]) -> None:
    """The environment is that of whoever prints, and durations are never twice the same."""
    comparison["environment"] = []
    comparison["facts"] = [fact for fact in comparison["facts"] if fact["name"] in ("name", "status", "error")]


def literal(value: Any) -> str:
    """A value as TypeScript; JSON has no word for what is not finite."""
    return json.dumps(value, indent=1, ensure_ascii=False).replace("-Infinity", "Number.NEGATIVE_INFINITY")


def printed() -> str:
    """The whole of messages.ts."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / ".celltrail")
        heard, payload = chart(store)
        heard += answers(store)
        everything = runs(store=store)
        names = {run.id: f"01RUN{number}" for number, run in enumerate(everything)} | {store.id: "01TRAIL"}
        payloads = [
            payload,
            table_bundle(everything, None)[saved.contract.MIME],
            compare_bundle(compare(everything), store.id, None)[saved.contract.MIME],
            saved_detail(store, payload),
        ]
    for message, _ in heard:
        if message["kind"] == "answer" and message["comparison"]:
            without_machine(cast("dict[str, Any]", message["comparison"]))
    without_machine(cast("dict[str, Any]", payloads[2]["comparison"]))
    recorded = [{"message": settled(message, names), "data": [round(x, 6) for x in data]} for message, data in heard]
    return (
        "// Printed from Python by `make print` (js/print_messages.py); never edited.\n"
        'import type { FromKernel, SavedPanel } from "../src/contract.ts";\n\n'
        "/** What the kernel sent, in order, each with the float64 values of its buffer. */\n"
        f"export const messages = {literal(recorded)} satisfies {{ message: FromKernel; data: number[] }}[];\n\n"
        "/** A saved chart, table, comparison and run. */\n"
        f"export const panels = {literal(settled(payloads, names))} satisfies SavedPanel[];\n"
    )


if __name__ == "__main__":
    print(printed(), end="")  # noqa: T201
