"""What a chart asks its kernel: a closer look at a stretch, and notes on points."""

from __future__ import annotations

import base64
import re
import tracemalloc
from typing import Any

import numpy as np
import pytest

import celltrail as ct
from celltrail import contract
from celltrail.contract.shape import misfits
from celltrail.panels import saved
from celltrail.panels.chart import OPTIONS, Chart, LiveChart
from celltrail.panels.closer import MOST_POINTS, flag_of
from celltrail.panels.curves import curves, state_of
from celltrail.panels.detail import Details
from celltrail.panels.feed import Feed
from celltrail.panels.figure import Line, Look, svg
from celltrail.panels.places import placed
from celltrail.panels.widget import Panel
from celltrail.query import find
from celltrail.run import Alerted, Logged, listen
from celltrail.store import Store
from counting import opened


def asked(panel: Panel, intent: dict[str, Any]) -> tuple[dict[str, Any], np.ndarray]:
    """What a panel sends for an intent: the message and the numbers of its buffer."""
    heard: list[tuple[dict[str, Any], np.ndarray]] = []

    def keep(content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        heard.append((content, np.frombuffer(buffers[0]) if buffers else np.empty(0)))

    panel.send = keep
    panel._hear(None, intent, [])  # pyright: ignore[reportArgumentType]
    assert [fault for message, _ in heard for fault in misfits(message, contract.FromKernel)] == []
    return heard[0]


def window(run: str, low: float, high: float, points: int, x: str = "step") -> dict[str, Any]:
    return {
        "kind": "window", "id": "w", "runs": [run], "metrics": ["loss", "absent"], "x": x,
        "low": low, "high": high, "points": points,
    }  # fmt: skip


def test_a_stretch_comes_with_the_points_that_the_chart_had_thinned_out(store: Store):
    """Of 50,000 points a zoom into 100 steps gets each of them and one neighbour at both ends."""
    with ct.start("long", store=store) as run:
        steps, times = np.arange(50_000), np.arange(50_000) + run.record().started_us
        run.log_block(("loss",), steps, times, np.sin(steps)[:, None])
        feed = Feed(run)
        panel = Chart(store.id, "long", {run.id: feed})
        message, data = asked(panel, window(run.id, 20_000, 20_099, 4000))
        (part,) = message["parts"]
        assert (part["metric"], part["n"]) == ("loss", 102)
        assert data[:102].tolist() == list(range(19_999, 20_101))
        assert np.array_equal(data[204:], np.sin(np.arange(19_999, 20_101)))
        message, data = asked(panel, window(run.id, 0, 1e9, 10**9))
        assert message["parts"][0]["n"] <= MOST_POINTS
        message, data = asked(panel, window(run.id, 0.010, 0.011, 4000, "relative"))
        n = message["parts"][0]["n"]
        assert (data[0], data[n - 1]) == (9_999, 11_001)
        message, _ = asked(panel, window(run.id, 1e7, 2e7, 100))
        assert message["parts"][0]["n"] == 0


def test_a_hand_that_pans_has_nothing_read_or_computed_again(store: Store):
    """The second window of a long series opens no file and makes no array that is as long as the series."""
    count = 200_000
    with ct.start("long", store=store) as run:
        steps = np.arange(count)
        run.log_block(("loss",), steps, steps + run.record().started_us, np.sin(steps)[:, None])
    panel = Details(find("long", store))
    for x, wide in (("step", 1.0), ("relative", 1e-6)):
        asked(panel, window(run.id, 0, count / 2 * wide, 1000, x))
        tracemalloc.start()
        with opened() as paths:
            asked(panel, window(run.id, count / 4 * wide, count * 3 / 4 * wide, 1000, x))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert paths == []
        assert peak < count * 8


@pytest.mark.parametrize("x", ["step", "relative", "time", "epoch"])
@pytest.mark.parametrize("is_rising", [True, False])
def test_a_stretch_goes_from_the_neighbour_before_it_to_the_one_after_it(store: Store, x: str, is_rising: bool):
    """Whether the steps rise, are repeated or go back; held against a look at every point."""
    dice = np.random.default_rng(7)
    steps = dice.integers(-40, 40, 300)
    steps = np.sort(steps) if is_rising else steps
    with ct.start("any", store=store) as run:
        began = run.record().started_us
        times = began + np.cumsum(dice.integers(1, 4, 300)) * 250_000
        values = np.stack([np.arange(300.0), np.arange(300) // 7.0], axis=1)
        run.log_block(("loss", "epoch"), steps, times, values)
    where = {"step": steps, "relative": (times - began) / 1e6, "time": times / 1e6, "epoch": values[:, 1]}[x]
    panel = Details(find("any", store))
    for low, high in [(where.min(), where.max()), *np.sort(dice.uniform(where.min(), where.max(), (40, 2))).tolist()]:
        inside = np.flatnonzero((where >= low) & (where <= high))
        message, data = asked(panel, window(run.id, float(low), float(high), 4000, x) | {"metrics": ["loss"]})
        n = message["parts"][0]["n"]
        wanted = np.arange(max(0, inside[0] - 1), min(300, inside[-1] + 2)) if len(inside) else np.arange(0)
        assert data[2 * n : 3 * n].tolist() == wanted.tolist()


def test_a_note_on_a_point_is_kept_in_the_trail(store: Store):
    """A note of the live chart and one of the run's panel stand in the run's marks and in what is saved."""
    with ct.start("noted", store=store) as run:
        run.log({"loss": 1.0}, step=7)
        panel = Chart(store.id, "noted", {run.id: Feed(run)})
        note = {"kind": "note", "id": "n", "run": run.id, "metric": "loss", "step": 7.0, "text": " a spike "}
        message, _ = asked(panel, note)
        mark = {"run": run.id, "metric": "loss", "step": 7.0, "text": "a spike"}
        assert message["marks"] == panel.state["marks"] == [mark]
    (stored,) = ct.runs(store=store)
    details = Details(stored)
    assert details.state["marks"] == [mark]
    message, _ = asked(details, {**note, "text": "and here"})
    assert [one["text"] for one in message["marks"]] == ["a spike", "and here"]
    assert [one["text"] for one in stored.refresh().marks] == ["a spike", "and here"]


@pytest.mark.parametrize(
    ("change", "said"), [({"text": "  "}, "without words"), ({"run": "01NOBODY"}, "shows no run '01NOBODY'")]
)
def test_a_note_that_cannot_be_kept_is_answered_with_a_sentence(store: Store, change: dict[str, Any], said: str):
    """Empty words and a foreign run leave the trail as it was."""
    with ct.start("noted", store=store) as run:
        panel = Chart(store.id, "noted", {run.id: Feed(run)})
        note = {"kind": "note", "id": "n", "run": run.id, "metric": "loss", "step": 7.0, "text": "x"}
        message, _ = asked(panel, {**note, **change})
        assert message["kind"] == "fault"
        assert said in message["text"]
        assert store.edits(run.id) == {}


def test_a_stretch_over_another_metric(store: Store):
    """A window of epochs brings the points logged in them, and the epochs themselves as closely."""
    with ct.start("epochs", store=store) as run:
        run.define_metric("loss", axis="epoch")
        for step in range(100):
            run.log({"loss": step / 100}, step=step, epoch=step // 10)
        feed = Feed(run)
        panel = Chart(store.id, "epochs", {run.id: feed})
        asking = window(run.id, 3, 4, 4000, "epoch") | {"metrics": ["loss", "epoch"]}
        message, data = asked(panel, asking)
        assert [(part["metric"], part["n"]) for part in message["parts"]] == [("loss", 22), ("epoch", 22)]
        assert (data[0], data[21]) == (29, 50)
        assert feed.state()["axes"] == ["epoch"]
        run.log({"val/acc": 0.9}, step=9, epoch=9)  # counted in epochs, as some frameworks do
        assert feed.state()["step"] == 99


@pytest.mark.parametrize(
    ("x", "first", "last"), [("step", 0, 9), ("relative", 1, 10), ("time", 1001, 1010), ("epoch", 0, 3)]
)
def test_the_picture_stands_where_the_panel_does(x: str, first: float, last: float):
    """Each axis places the points of the saved picture; its ticks are within it, those of time are times of day."""
    steps = np.arange(10.0)
    lines = [
        Line("r", "loss", "loss", np.array([steps, steps + 1, steps])),
        Line("r", "epoch", "epoch", np.array([steps, steps + 1, steps // 3])),
    ]
    drawn = placed(lines, x, {"r": 1000.0})
    assert [(line.points[0, 0], line.points[0, -1]) for line in drawn] == [(first, last)] * 2
    assert "nan" not in svg(drawn, Look(x=x))
    if x == "time":
        assert re.search(r">\d\d:\d\d:\d\d<", svg(drawn, Look(x=x)))


@pytest.mark.parametrize(
    ("x", "told"), [("step", "to step 9"), ("relative", "to 2.0 s"), ("time", "to ..:..:.."), ("epoch", None)]
)
def test_a_plot_of_the_picture_that_ends_early_says_so(x: str, told: str | None):
    """Beside a loss of each step, a plot of each epoch has ticks of its own and names where it ends."""
    steps = np.arange(1000.0)
    few = np.arange(10.0)
    lines = [
        Line("r", "train", "train/loss", np.array([steps, steps / 50, 1 / (1 + steps)])),
        Line("r", "val", "val/acc", np.array([few, few / 4.5, few / 10])),
        Line("r", "val", "val/f1", np.array([few * 30, few, few / 10])),  # ends beyond a quarter
        Line("r", "val", "val/first", np.array([[0.0], [0.0], [0.5]])),  # and a point is no line
        Line("r", "epoch", "epoch", np.array([steps, steps / 50, steps // 50])),
    ]
    plots = svg(placed(lines, x, {"r": 1000.0}), Look(x=x)).split("<g transform")
    (acc,) = [plot for plot in plots if ">acc<" in plot]
    assert [" own x axis" in plot for plot in plots] == [told is not None and plot == acc for plot in plots]
    if told is not None:
        assert re.search(f"own x axis, {told}<", acc)
    if x == "step":
        assert ">8</text>" in acc


def test_train_stands_before_val_in_the_picture_whichever_came_first() -> None:
    """So the solid line is the same one in every picture."""
    steps = np.arange(20.0)
    points = np.array([steps, steps, 1 / (1 + steps)])
    val, plain = Line("r", "val", "val/loss", points), Line("r", "plain", "loss", points)
    assert svg([val, plain]) == svg([plain, val])
    one, other = svg([val, plain]).index(">val<"), svg([val, plain]).index(">plain<")
    assert other > one  # the legend is written from the right: the first one last


def test_a_thousand_runs_are_saved_in_the_room_of_a_few(store: Store):
    """The first of them with all their curves, and in words how many there are; the kernel tells only what is new."""
    with ct.start("search", store=store) as run:
        run.log({"val/loss": 1.0, "val/acc": 0.5})
        feed = Feed(run)
        states = [{**feed.state(), "run": f"r{number}", "name": f"trial {number}"} for number in range(1000)]
    points = np.array([[0.0, 1.0], [0.5, 0.6], [2.0, 3.0]])
    lines = [Line(f"r{at}", f"trial {at}", name, points) for name in ("val/loss", "val/acc") for at in range(30)]
    facts = saved.Facts(states, groupings=[{"by": "lr", "of": {state["run"]: "0.1" for state in states}}])
    bundle = saved.marked(saved.chart_bundle("t", "search", lines, [2] * len(lines), OPTIONS, facts), "stale")
    kept = bundle[contract.MIME]
    assert saved.size(bundle) <= saved.BUDGET
    assert {series["metric"] for series in kept["series"]} == {"val/loss", "val/acc"}
    assert kept["hints"] == ["stale", "the first 30 of 1,000 runs; the trail has all: ct.runs()"]
    assert kept["hints"][1] in bundle["text/html"]
    assert len(kept["runs"]) == len(kept["groupings"][0]["of"]) == 30


def test_a_search_keeps_its_curves(store: Store):
    """Of thirty trials with what they reported on the way: what is for the eye alone gives way to them."""
    rng = np.random.default_rng(0)
    with ct.start("search", store=store) as run:
        for number in range(30):
            with run.trial(f"depth={number % 5} leaves={number} rate={rng.random()}", seconds=1) as trial:
                for step in range(15 if number % 3 else 4):
                    trial.log({"intermediate": rng.random()}, step=step)
                trial.log({"objective": rng.random(), "fit_s": rng.random()}, step=number)
    drawn = [(trial, curves(trial)[0]) for trial in find(run.id, store).children]
    lines = [line for _, each in drawn for line in each]
    states = [state_of(trial, each) for trial, each in drawn]
    together = [{"by": name, "of": {each["run"]: f"{name}=0.1" for each in states}} for name in ("depth", "loss")]
    facts = saved.Facts(states, groupings=together)  # pyright: ignore[reportArgumentType]
    bundle = saved.chart_bundle("t", "search", lines, [15] * len(lines), OPTIONS, facts)
    kept = bundle[contract.MIME]
    assert saved.size(bundle) <= saved.BUDGET
    assert len(kept["series"]) == len(saved.packed(lines, [15] * len(lines))) >= 45
    assert re.search(r"and \d+ more runs", bundle["text/html"])
    assert "<img" in bundle["text/html"]


def test_short_lines_leave_their_room_to_long_ones() -> None:
    """Of a search, whose trials have a point each, the curve of the run above stays what it was."""
    long = Line("r", "search", "acc", np.array([np.arange(90.0)] * 2 + [np.sin(np.arange(90.0))]))
    short = [Line(f"t{at}", f"trial {at}", "objective", np.ones((3, 1))) for at in range(40)]
    series = saved.packed([long, *short], [90] * 41)
    kept = {each["run"]: len(base64.b64decode(each["step"])) // 8 for each in series}
    assert kept == {"r": 90, **{line.run: 1 for line in short}}


def test_a_run_that_is_over_is_told_of_once(store: Store):
    """Of a thousand runs in a cell one or two go on; a panel that appears late is told of all."""
    runs = [ct.start(f"r{number}", store=store) for number in range(3)]
    feeds = {run.id: Feed(run) for run in runs}
    chart = Chart(store.id, "all", feeds)
    sent: list[Any] = []
    chart.send = lambda message, buffers=None: sent.append([state["name"] for state in message["runs"]])
    for finished in runs:
        chart.tell(list(feeds.values()), full=False)
        finished.finish()
    chart.tell(list(feeds.values()), full=False)
    chart.tell(list(feeds.values()), full=False)
    chart.tell(list(feeds.values()), full=True)
    assert sent == [["r0", "r1", "r2"], ["r0", "r1", "r2"], ["r1", "r2"], ["r2"], [], ["r0", "r1", "r2"]]


def test_the_picture_has_no_plot_of_a_declared_axis(store: Store):
    """Unless it is all there is; its line is kept, so that the saved panel can be drawn over it."""
    points = np.array([[0.0, 1.0], [0.5, 0.6], [2.0, 3.0]])
    with ct.start("axis", store=store) as run:
        run.define_metric("loss", axis="epoch")
        run.log(loss=1.0, epoch=0)
        states = [Feed(run).state()]

    def drawn(*metrics: str) -> tuple[list[str], set[str]]:
        lines = [Line(run.id, "axis", metric, points) for metric in metrics]
        bundle = saved.chart_bundle("t", "n", lines, [2] * len(lines), OPTIONS, saved.Facts(states))
        encoded = re.search(r"base64,([^\"]+)", bundle["text/html"])
        assert encoded is not None
        titles = re.findall(r">(loss|epoch)<", base64.b64decode(encoded[1]).decode())
        return titles, {series["metric"] for series in bundle[contract.MIME]["series"]}

    assert drawn("loss", "epoch") == (["loss"], {"loss", "epoch"})
    assert drawn("epoch") == (["epoch"], {"epoch"})


def test_a_line_that_stands_nowhere_leaves_the_step(store: Store):
    """A picture over a metric that no run has is one over steps, not an empty one."""
    points = np.array([[0.0, 1.0], [0.5, 0.6], [2.0, 3.0]])
    with ct.start("plain", store=store) as run:
        run.log(loss=1.0)
        states = [Feed(run).state()]
    lines = [Line(run.id, "loss", "loss", points)]
    over = [
        saved.chart_bundle("t", "n", lines, [2], {**OPTIONS, "x": x}, saved.Facts(states))["text/html"]
        for x in ("epoch", "step")
    ]
    assert over[0] == over[1]


class Output:
    """What a live chart put into the output of its cell, newest last."""

    def __init__(self) -> None:
        self.bundles: list[dict[str, Any]] = []

    def __call__(self, bundle: dict[str, Any], display_id: str, *, update: bool) -> None:
        assert update == bool(self.bundles)
        self.bundles.append(bundle)

    @property
    def payload(self) -> contract.SavedPanel:
        """The newest of ours."""
        return self.bundles[-1][contract.MIME]


def live(run: ct.Run) -> tuple[LiveChart, Output]:
    output = Output()
    chart = LiveChart(output)
    chart.add(run)
    chart.show()
    return chart, output


def test_after_its_end_a_chart_answers_as_before(store: Store):
    """Everything again, a closer look and a note, which gets into the saved form and its picture."""
    with ct.start("over", store=store) as run:
        chart, output = live(run)
        for step in range(30):
            run.log({"loss": 1 / (1 + step)}, step=step)
            chart.feeds[run.id].put(Logged(run, ("loss",), step, run.record().started_us + step, [1 / (1 + step)]))
    chart.swap()
    panel = chart.widget
    assert panel is not None
    assert output.payload["view"] == panel.model_id
    message, data = asked(panel, {"kind": "sync", "id": "s"})
    assert (message["kind"], message["full"], len(data)) == ("points", True, 90)
    message, _ = asked(panel, window(run.id, 10, 12, 100))
    assert message["parts"][0]["n"] == 5
    before = output.bundles[-1]["text/html"]
    asked(panel, {"kind": "note", "id": "n", "run": run.id, "metric": "loss", "step": 7.0, "text": "a spike"})
    assert [mark["text"] for mark in output.payload["marks"]] == ["a spike"]
    assert "a spike" in output.bundles[-1]["text/html"]
    assert picture_of(output.bundles[-1]["text/html"]) != picture_of(before)
    assert "image/png" in output.bundles[-1]


def picture_of(html: str) -> str:
    return base64.b64decode(re.findall(r"base64,([^\"]+)", html)[0]).decode()


def test_alerts_stand_on_the_axis_live_and_saved(store: Store):
    """An alert reaches the panel at the next tick, and is in the saved payload, its text and its picture."""
    with ct.start("alerted", store=store) as run:
        chart, output = live(run)
        feed = chart.feeds[run.id]
        stop = listen(lambda event: feed.flag(flag_of(run.id, event)) if isinstance(event, Alerted) else None)
        for step in range(5):
            feed.put(Logged(run, ("loss",), step, run.record().started_us + step, [float(step)]))
        run.log_alert("loss is <b>high</b>", "look", metric="loss", level="error", step=3)
        run.log_alert("disk nearly full")
        stop()
        assert chart.has_news
        chart.tick()
        assert chart.widget is not None
        flags = chart.widget.state["flags"]
        assert [(flag["metric"], flag["step"], flag["level"]) for flag in flags] == [
            ("loss", 3.0, "error"), (None, None, "warn"),
        ]  # fmt: skip
        assert flags[0]["text"] == "loss is <b>high</b>: look"
    chart.swap()
    assert output.payload["flags"] == flags
    html = output.bundles[-1]["text/html"]
    assert "&lt;b&gt;high" in html
    assert "<b>" not in html
    assert picture_of(html).count("#d1242f") == 2
    (stored,) = ct.runs(store=store)
    assert Details(stored).state["flags"] == flags


def test_the_band_of_earlier_runs_is_in_the_saved_picture(store: Store):
    """By step it stands behind the line; over another axis, where nobody knows it, it does not."""
    points = np.array([[0.0, 5.0, 9.0], [0.1, 0.2, 0.3], [1.0, 3.0, 2.0]])
    quartiles = [np.array([0.0, 4.0, 9.0]), *(np.full(3, value) for value in (1.0, 1.5, 2.0))]
    encoded = [
        base64.b64encode(each.astype(kind).tobytes()).decode()
        for each, kind in zip(quartiles, ("<f8", "<f4", "<f4", "<f4"), strict=True)
    ]
    band: contract.Band = {
        "metric": "loss",
        "runs": 3,
        **dict(zip(("step", "low", "middle", "high"), encoded, strict=True)),
    }  # pyright: ignore[reportAssignmentType]
    with ct.start("banded", store=store) as run:
        states = [Feed(run).state()]
    facts = saved.Facts(states, bands=[band])
    for x, drawn in (("step", 1), ("relative", 0)):
        made = saved.chart_bundle("t", "n", [Line(run.id, "loss", "loss", points)], [3], {**OPTIONS, "x": x}, facts)
        assert picture_of(made["text/html"]).count("fill-opacity") == drawn


def test_a_chart_of_many_layers_saves_its_losses():
    """Of 90 series of layers, which came first, the picture and the payload have those of the model before them."""
    points = np.array([np.arange(20.0), np.arange(20.0), np.linspace(1, 0, 20)])
    layers = [f"train/{what}/block.{n}" for n in range(30) for what in ("weight_norm", "grad_norm", "update_ratio")]
    names = [*layers, "epoch", "sys/rss", "train/lr", "train/loss", "val/loss", "val/acc"]
    lines = [Line("r", "run", name, points, 20) for name in names]
    kept = [each["metric"] for each in saved.packed(lines, [20] * len(lines))]
    assert kept[:4] == ["train/loss", "val/loss", "val/acc", "train/lr"]
    assert len(kept) < len(lines)
    picture = svg(lines)
    assert [name in picture for name in (">loss<", ">acc<", ">lr<")] == [True] * 3


def test_a_loss_on_its_way_to_infinity_is_not_there_yet():
    """What is finite in the trail is finite in the saved form, also where 32 bits end; all else stays small."""
    values = np.array([1.0, 1e39, 1e300, np.inf, np.nan])
    wide, plain = saved.packed(
        [
            Line("r", "loss", "loss", np.array([np.arange(5.0), np.arange(5.0), each]))
            for each in (values, values[[0, 0, 0, 3, 4]])
        ],
        [5, 5],
    )
    kept = np.frombuffer(base64.b64decode(wide["value"]), dtype="<f8")
    assert kept.tobytes() == values.tobytes()
    assert len(base64.b64decode(plain["value"])) == 5 * 4
