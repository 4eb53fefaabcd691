"""Charts over a real sweep: which columns they draw, what they say, and what they refuse."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier

from celltrail.errors import BadValue, NoRun
from celltrail.panels.vega import MIME, renderer
from celltrail.query import RunSet, runs
from celltrail.query.figure import drawn_from_runs
from celltrail.run import start
from celltrail.store import Store

ALPHAS = (1e-6, 1e-4, 1e-2, 1.0)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Linear models of handwritten digits: four regularisations, two losses, three seeds, a width of the batch."""
    store = Store(tmp_path_factory.mktemp("swept") / ".celltrail")
    x, y = load_digits(return_X_y=True)
    x = x / 16
    for alpha in ALPHAS:
        for loss in ("hinge", "log_loss"):
            for seed in range(3):
                params = {"alpha": alpha, "loss": loss, "seed": seed, "same": True}
                with start(f"{loss} {alpha:g}", params, store=store) as run:
                    model = SGDClassifier(loss=loss, alpha=alpha, random_state=seed)
                    for epoch in range(1, 4):
                        model.partial_fit(x[:600], y[:600], classes=range(10))
                        run.log({"val/acc": model.score(x[600:], y[600:]), "epoch": epoch}, step=epoch * 600)
    return store


@pytest.fixture
def found(swept: Store) -> RunSet:
    return runs(store=swept)


def rows(chart) -> list[dict]:
    """The largest data set inside a chart."""
    return max(chart.to_dict()["datasets"].values(), key=len)


def test_every_chart_is_known_small_and_told_without_a_front_end(found: RunSet):
    """Each is shown by celltrail's renderer, needs no file, warns of nothing, and is a sentence for those who hear."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        charts = [
            found.parallel(),
            found.scatter("params.alpha", "val/acc"),
            found.scatter("params.alpha", "params.loss", "params.seed", "val/acc", color="params.loss"),
            found.scatter("params.alpha", "params.seed", contour="val/acc"),
            found.importance("val/acc"),
            found.chart("val/acc", x="epoch", color="params.loss"),
        ]
        bundles = [renderer(chart.to_dict())[0] for chart in charts]
    assert all(drawn_from_runs(chart) for chart in charts)
    for bundle in bundles:
        assert len(json.dumps(bundle)) < 60_000
        assert "<script" not in bundle.get("text/html", "")
        assert "val/acc" in bundle["text/plain"] + bundle.get("text/html", "")
        assert bundle[MIME]["description"]


def test_parallel_axes_are_what_varies_and_the_metric(found: RunSet):
    """One row per run, words in the order a reader expects, the metric last and as the colour."""
    spec = found.parallel().to_dict()
    labels = spec["layer"][0]["encoding"]["x"]["axis"]["labelExpr"]
    assert json.loads(labels.removesuffix("[datum.value]")) == {
        "p0": "alpha", "p1": "loss", "p2": "seed", "p3": "best val/acc",
    }  # fmt: skip
    assert len(rows(found.parallel())) == 24
    assert [param["name"] for param in spec["params"]][:4] == ["brush0", "brush1", "brush2", "brush3"]
    marks = [layer["data"]["values"] for layer in spec["layer"][1:] if "values" in layer.get("data", {})]
    words = [mark["label"] for mark in marks[-1] if mark["axis"] == "p1"]
    assert words == ["hinge", "log_loss"]
    assert next(mark["label"] for mark in marks[-1] if mark["axis"] == "p0") == "1e-06"


def test_parallel_lines_are_counted_and_their_gaps_told(store: Store):
    """A run without two values beside each other has no line; whose line has a gap, or no colour, is said."""
    for number in range(6):
        params = {"a": number, "b": -number, "c": 2 * number}
        for lacking in {2: "c", 3: "b", 4: "ab"}.get(number, ""):
            del params[lacking]
        with start(f"r{number}", params, store=store) as run:
            if number not in (3, 5):
                run.log({"acc": number / 6})
    chart = runs(store=store).parallel("params.a", "params.b", "params.c", "acc")
    assert len(rows(chart)) == 5
    title = chart.to_dict()["title"]
    assert title["text"] == "5 runs by best acc"
    assert title["subtitle"][:3] == [
        "5 of 6 runs: the others lack too many values",
        "3 runs have gaps: no a in 1, b in 1, c in 1, best acc in 1",
        "1 run is grey, without best acc",
    ]


def test_names_that_mean_something_to_vega_are_only_names(store: Store):
    """Dots, brackets, quotes and backslashes in a param stay one column."""
    odd = "model.layers[0]['a\"b\\c']"
    for value in (1, 2):
        with start(f"r{value}", {odd: value, "run": value}, store=store) as run:
            run.log({"loss": value / 2})
    assert {"run", "params.run", "duration"} < rows(runs(store=store).scatter("loss", "params.run", "duration"))[
        0
    ].keys()
    spec = runs(store=store).parallel().to_dict()
    assert rows(runs(store=store).parallel())[0][odd] in (1, 2)
    told = [each["field"] for each in spec["layer"][0]["encoding"]["tooltip"]]
    assert "model\\.layers\\[0\\]\\[\\'a\\\"b\\\\c\\'\\]" in told


def test_a_matrix_has_a_chart_for_each_pair(found: RunSet):
    """Titles stand at its edges only, and every chart has a brush of its own that all of them obey."""
    spec = found.scatter("params.alpha", "params.loss", "val/acc").to_dict()
    parts = [part for line in spec["vconcat"] for part in line["hconcat"]]
    assert [(part["encoding"]["x"]["field"], part["encoding"]["y"]["field"]) for part in parts] == [
        ("alpha", "loss"), ("alpha", "best val/acc"), ("loss", "best val/acc"),
    ]  # fmt: skip
    assert [part["encoding"]["x"]["axis"]["title"] for part in parts] == [None, "alpha", "loss"]
    assert len({param["name"] for param in spec["params"]}) == 3
    assert parts[0]["encoding"]["x"]["scale"]["type"] == "log"


def test_a_contour_is_blank_where_no_run_is(store: Store):
    """Within the range of the runs, with one rectangle for a stretch of one colour, and with its own error told."""
    rng = np.random.default_rng(0)
    for place, (a, b) in enumerate(rng.random((40, 2)) * [1, 0.3] + [0.1, 0.1]):
        with start(f"r{place}", {"a": float(a), "b": float(b if place else 1.0)}, store=store) as run:
            run.log({"val/acc": float(a + 0.01 * rng.normal())})
    chart = runs(store=store).scatter("params.a", "params.b", contour="val/acc")
    cells = next(data for data in chart.to_dict()["datasets"].values() if "height" in data[0])
    assert len({cell["height"] for cell in cells}) >= 6
    lonely = runs(store=store)[-1].params["a"]
    assert not [
        cell for cell in cells if cell["y"] > 0.65 and abs(cell["x"] - lonely) > 0.3 and abs(cell["x2"] - lonely) > 0.3
    ]
    assert "typically off by" in chart.to_dict()["title"]["subtitle"][0]
    with pytest.raises(BadValue, match="over two columns"):
        runs(store=store).scatter("params.a", contour="val/acc")


def test_importance_of_a_real_sweep(found: RunSet):
    """Regularisation matters for these models, the seed does not; what is the same everywhere is not asked."""
    data = found.importance("val/acc").data.set_index("param")
    assert data.index[0] == "alpha"
    assert data.loc["alpha", "low"] > 0
    assert abs(data.loc["seed", "importance"]) < 0.1
    assert "same" not in data.index
    assert data.loc["loss", "kind"] == "correlation ratio (words)"
    title = found.importance("val/acc").to_dict()["title"]
    assert title["text"].startswith("Best val/acc depends on alpha")
    assert "explains" in title["subtitle"][0]
    assert found.importance("val/acc", "seed", "params.loss").data["param"].isin(["seed", "loss"]).all()


def test_few_runs_are_called_few(found: RunSet):
    """Below twenty runs the title says so; below six there is no chart."""
    said = found[:9].importance("val/acc").to_dict()["title"]["subtitle"]
    assert said[0] == "only 9 runs; at least 20 are needed for a reliable result"
    with pytest.raises(BadValue, match="known of 3 runs of 3: importance needs 6"):
        found[:3].importance("val/acc")


def test_a_metric_over_another_metric(found: RunSet):
    """x may be any metric, such as the epoch, or the axis that was declared; colour may be any column."""
    chart = found.chart("val/acc", x="epoch", color="params.loss")
    assert {point["at"] for point in rows(chart)} == {1, 2, 3}
    assert {point["loss"] for point in rows(chart)} == {"hinge", "log_loss"}
    spec = chart.to_dict()
    assert spec["encoding"]["x"]["title"] == "epoch"
    assert spec["encoding"]["color"]["scale"]["domain"] == ["hinge", "log_loss"]
    assert spec["params"][0]["bind"] == "legend"
    points = found.chart("val/acc", x="params.alpha", color="params.loss").to_dict()
    assert points["encoding"]["color"]["field"] == "loss"


def test_a_line_has_the_colour_its_run_has_in_the_panels(found: RunSet):
    """The hue comes from the run's id, not from its place in the legend."""
    first, both = found[:1].chart("val/acc"), found[:2].chart("val/acc")
    of = [chart.to_dict()["encoding"]["color"]["scale"]["range"][0] for chart in (first, both)]
    assert of[0] == of[1]


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (lambda found: found.parallel("params.alpha"), BadValue, "2 to 12 columns and were asked for 1"),
        (lambda found: found.parallel("val/acc", "val/acc"), BadValue, "asked for twice"),
        (lambda found: found.scatter("params.alpha", "val/ac"), NoRun, "did you mean 'val/acc'"),
        (lambda found: found.scatter("params.loss", "params.alpha", contour="val/acc"), BadValue, "such as 'hinge'"),
        (lambda found: found.chart("params.loss", x="params.alpha"), BadValue, "such as 'hinge'"),
        (lambda found: found.importance("params.loss"), BadValue, "holds words"),
        (lambda found: found.importance("val/acc", "params.lr"), BadValue, "no run has the param 'lr'"),
        (lambda found: found.importance("best('val/acc') * 0"), BadValue, "nothing to explain"),
    ],
)
def test_what_cannot_be_drawn_is_said(found: RunSet, ask, error, said):
    """The sentence has the column and what is there instead."""
    with pytest.raises(error, match=said):
        ask(found)


def test_the_charts_load_nothing_before_they_are_asked():
    """Neither Altair nor scikit-learn comes with a set of runs."""
    code = "import sys; from celltrail.query import runs; print({'altair', 'sklearn', 'pandas'} & sys.modules.keys())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_an_axis_with_one_value_has_it_as_its_only_tick(store: Store) -> None:
    """Vega itself would write 4.000000 below it."""
    for acc in (0.5, 0.75):
        with start("same", {"depth": 4}, store=store) as run:
            run.log({"val/acc": acc})
    drawn = runs(store=store).chart("val/acc", x="params.depth").to_dict()["encoding"]
    assert (drawn["x"]["axis"], "axis" in drawn["y"]) == ({"format": ".4~g", "values": [4.0]}, False)
