"""Tables for a paper: a metric over rows and columns, with intervals and the best in bold."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

import celltrail as ct
from celltrail.errors import BadValue
from celltrail.query import RunSet
from celltrail.run import start
from celltrail.stats.interval import mean_interval
from celltrail.store import Store

# learning rate, width -> accuracy of each seed
ACCURACY = {
    (0.01, 64): [0.80, 0.82, 0.84],
    (0.01, 128): [0.90, 0.92, 0.91],
    (0.1, 64): [0.70, 0.71, 0.72],
    (0.1, 128): [0.95],
}


@pytest.fixture
def sweep(store: Store) -> RunSet:
    for (lr, width), values in ACCURACY.items():
        for seed, value in enumerate(values):
            with start(f"{lr} {width}", {"lr": lr, "width_px": width, "seed": seed}, store=store) as run:
                run.log({"val/acc": value, "loss": 1 - value})
    start("no accuracy", {"lr": 0.1, "width_px": 64}, store=store).finish()
    return ct.runs(store=store)


def test_latex(sweep: RunSet) -> None:
    """Booktabs, names escaped, numbers to the second digit of their interval, the best of each column in bold."""
    assert sweep.to_latex(rows="lr", cols="width_px", value="val/acc") == "\n".join(
        [
            r"\begin{tabular}{lrr}",
            r"\toprule",
            r"& \multicolumn{2}{c}{width\_px} \\",
            r"\cmidrule(lr){2-3}",
            r"lr & 64 & 128 \\",
            r"\midrule",
            r"0.01 & $\mathbf{0.820} \pm 0.050$ & $0.910 \pm 0.025$ \\",
            r"0.1 & $0.710 \pm 0.025$ & $\mathbf{0.95}$ \\",
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def test_markdown_and_the_lowest_of_a_loss(sweep: RunSet) -> None:
    """Without columns there is one; of a loss the lowest is best."""
    assert sweep.to_markdown(rows=["params.width_px"], value="best.loss").splitlines() == [
        "| width_px | best loss |",
        "| --- | ---: |",
        "| 64 | 0.235 ± 0.065 |",
        "| 128 | **0.080 ± 0.034** |",
    ]


def test_csv_and_frame_have_every_digit(sweep: RunSet, tmp_path: Path) -> None:
    """A line a cell: mean, half of the interval and runs; nothing rounded."""
    text = sweep.to_csv(rows="lr", cols="width_px", value="val/acc")
    assert text is not None
    lines = list(csv.DictReader(io.StringIO(text)))
    told = {(float(line["lr"]), int(line["width_px"])): line for line in lines}
    assert set(told) == set(ACCURACY)
    for place, values in ACCURACY.items():
        mean, half = mean_interval(values)
        assert float(told[place]["best val/acc"]) == mean
        assert told[place]["interval"] == ("" if half is None else str(half))
        assert int(told[place]["runs"]) == len(values)
    assert sweep.to_csv(tmp_path / "table.csv", rows="lr", cols="width_px", value="val/acc") is None
    assert (tmp_path / "table.csv").read_text() == text
    frame = sweep.crosstab("lr", "width_px", value="val/acc").df()
    assert frame.loc[0.1, "128"] == 0.95


def test_rows_of_two_and_what_is_missing(sweep: RunSet) -> None:
    """Rows by two parameters; a cell without runs is a dash; an expression can be the value and has no best."""
    table = sweep.crosstab(["lr", "seed"], "width_px", value="last('val/acc') * 100")
    assert table.rows == ((0.01, 0), (0.01, 1), (0.01, 2), (0.1, 0), (0.1, 1), (0.1, 2))
    assert str(table).splitlines()[-1].split() == ["0.1", "2", "72", "\u2013"]
    assert "*" not in str(table).splitlines()[-1]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"rows": "lr"}, "needs rows and a value"),
        ({"value": "val/acc"}, "needs rows and a value"),
        ({"rows": "lr", "value": "status"}, "no run has a number for 'status'"),
        ({"rows": "params.learning", "value": "val/acc"}, "no run has 'params.learning'"),
        ({"rows": [1], "value": "val/acc"}, "rows takes names of columns"),
    ],
)
def test_what_cannot_be_tabulated(sweep: RunSet, asked: dict[str, str], said: str) -> None:
    """A sentence with the value and what is allowed."""
    with pytest.raises(BadValue, match=said):
        sweep.to_latex(**asked)  # pyright: ignore


def test_a_status_in_latex_has_no_mark(sweep: RunSet) -> None:
    """Also where the columns were named: its mark is not in every font."""
    assert "finished" in sweep[:1].to_latex(["name", "status"])
    assert "✓" not in sweep[:1].to_latex(["name", "status"])


def test_picked_runs_keep_their_order(sweep: RunSet) -> None:
    """By id, those of the set only."""
    ids = [run.id for run in sweep]
    picked = sweep[1:].pick([ids[3], ids[0], ids[2], "01"])
    assert [run.id for run in picked] == [ids[3], ids[2]]
    assert len(picked.to_markdown(["name"]).splitlines()) == 4
