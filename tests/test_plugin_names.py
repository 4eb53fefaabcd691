"""What plug-ins share: the series that they write into a run."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import celltrail as ct
from celltrail.plugins.names import Key, Nobody, Series, per_run

LOSS, ACC = Key("train", "loss"), Key("val", "acc")


def test_what_is_made_for_a_run_is_let_go_with_it(tmp_path: Path):
    """It holds the run: kept by it for ever, neither would go, of as many runs as a session has."""
    of = per_run(lambda run: Series(Nobody(), run, "library"))
    with ct.start("a", store=ct.Store(tmp_path)) as run:
        of(run).log({LOSS: 0.5}, step=3)
        assert of(run) is of(run)
        gone = weakref.ref(of(run))
    gc.collect()
    assert gone() is None


def test_a_round_that_lacks_something_or_has_more(tmp_path: Path):
    """Rounds mostly tell the same series; what is no number, missing or new in one changes nothing of the others."""
    with ct.start("a", store=ct.Store(tmp_path)) as run:
        series = Series(Nobody(), run, "library")
        told = [
            {LOSS: 0.5, ACC: 0.1},
            {LOSS: 0.4, ACC: 0.2},
            {LOSS: 0.3, ACC: "n/a"},
            {ACC: 0.3},
            {ACC: 0.4, LOSS: 0.2},
        ]
        for step, values in enumerate(told):
            series.log(values, step=step)
    series.log({ACC: 0.9, LOSS: 0.1}, step=9)  # the run has ended: nobody is told, and nothing is raised
    kept = {name: (list(series.step), list(series.value)) for name, series in run.store.series(run.id).items()}
    assert kept == {"train/loss": ([0, 1, 2, 4], [0.5, 0.4, 0.3, 0.2]), "val/acc": ([0, 1, 3, 4], [0.1, 0.2, 0.3, 0.4])}
