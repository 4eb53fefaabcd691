"""Panels in a real kernel: what goes to the front end while a cell runs, and what stays in the notebook."""

from __future__ import annotations

import base64
import inspect
import json
import math
import re
from collections.abc import Iterator
from typing import Any, Literal

import anywidget
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from celltrail import contract
from celltrail.contract.shape import misfits
from celltrail.panels import saved
from celltrail.panels.chart import OPTIONS, Chart
from celltrail.panels.columns import LIMIT, Column, thin
from celltrail.panels.figure import Line, Look, svg
from celltrail.panels.table import Compared, Table
from celltrail.panels.widget import Panel
from kernels import Kernel, Reply

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("panels")
    kernel = Kernel(folder, {"CELLTRAIL_STORE": str(folder / ".celltrail"), "XDG_CACHE_HOME": str(folder / "cache")})
    kernel.run("import celltrail as ct, math, time")
    yield kernel
    kernel.stop()


def points(reply: Reply) -> list[tuple[contract.Points, np.ndarray]]:
    """The points messages of a cell with their columns."""
    found = []
    for message in reply.messages:
        if message["msg_type"] == "comm_msg" and message["content"]["data"].get("method") == "custom":
            content = message["content"]["data"]["content"]
            if content["kind"] == "points":
                found.append((content, np.frombuffer(bytes(message["buffers"][0]), dtype="<f8")))
    return found


def drawn(reply: Reply) -> dict[str, dict[int, float]]:
    """What a panel that heard all messages has at the end: metric -> step -> value."""
    series: dict[str, list[tuple[float, float]]] = {}
    for message, data in points(reply):
        at = 0
        if message["full"]:
            series.clear()
        for part in message["parts"]:
            block = data[at : at + 3 * part["n"]].reshape(3, part["n"])
            at += 3 * part["n"]
            known = [] if part["start"] == 0 else series[part["metric"]]
            assert part["start"] == len(known)
            series[part["metric"]] = known + list(zip(block[0].tolist(), block[2].tolist(), strict=True))
    return {name: dict(pairs) for name, pairs in series.items()}


def swaps(reply: Reply) -> list[dict[str, Any]]:
    """The saved forms that replaced a live chart; the same with a PNG follows when there is time."""
    return [content for content in reply.of("update_display_data") if "image/png" not in content["data"]]


TRAIN = """
with ct.start("first", {"lr": 0.1}) as run:
    for i in range(40):
        run.log({"train/loss": math.exp(-i / 10), "val/loss": float("nan") if i == 3 else math.exp(-i / 12)}, step=i)
        time.sleep(0.02)
"""


def test_a_chart_grows_while_the_cell_runs(kernel: Kernel):
    """One display, then points in several messages before the cell is over, all of them fitting the contract."""
    reply = kernel.run(TRAIN)
    assert len(reply.of("display_data")) == 1
    messages = points(reply)
    assert len(messages) >= 4
    assert [fault for message, _ in messages for fault in misfits(message, contract.Points)] == []
    assert [message["seq"] for message, _ in messages] == list(range(len(messages)))
    line = drawn(reply)["train/loss"]
    assert line == {i: math.exp(-i / 10) for i in range(40)}
    assert math.isnan(drawn(reply)["val/loss"][3])


def test_the_swap_leaves_a_form_that_needs_no_kernel(kernel: Kernel):
    """At the end the live view gives way to our MIME type, HTML, PNG and text, within the budget."""
    reply = kernel.run(TRAIN)
    live = reply.of("display_data")[0]
    assert WIDGET_VIEW in live["data"]
    assert live["data"][contract.MIME]["view"] == live["data"][WIDGET_VIEW]["model_id"]
    (final,) = swaps(reply)
    assert final["transient"] == live["transient"]
    assert set(final["data"]) == {contract.MIME, "text/html", "text/plain"}
    later = kernel.run("time.sleep(3)")
    pictures = later.of("update_display_data") + later.late("update_display_data")
    (bundle,) = [picture["data"] for picture in pictures if picture["transient"] == live["transient"]]
    assert {**bundle, **final["data"]} == bundle
    assert set(bundle) == {contract.MIME, "text/html", "image/png", "text/plain"}
    assert misfits(bundle[contract.MIME], contract.SavedPanel) == []
    assert bundle[contract.MIME]["view"] == live["data"][contract.MIME]["view"]
    assert len(json.dumps(bundle)) <= saved.BUDGET
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert "<script" not in bundle["text/html"]
    assert "data:image/svg+xml;base64," in bundle["text/html"]
    assert "first finished" in bundle["text/plain"]
    (series,) = [one for one in bundle[contract.MIME]["series"] if one["metric"] == "train/loss"]
    values = np.frombuffer(base64.b64decode(series["value"]), dtype="<f4")
    assert np.allclose(values, [math.exp(-i / 10) for i in range(40)])


@pytest.mark.parametrize(("ending", "status"), [("1 / 0", "failed"), ("raise KeyboardInterrupt", "interrupted")])
def test_the_swap_comes_after_any_ending(kernel: Kernel, ending: str, status: str):
    """An error and an interrupt leave the same saved form, with the status and the sentence of the error."""
    reply = kernel.run(f"with ct.start('bad') as run:\n    run.log(loss=1.0)\n    {ending}")
    assert reply.status == "error"
    (final,) = swaps(reply)
    assert WIDGET_VIEW not in final["data"]
    (state,) = final["data"][contract.MIME]["runs"]
    assert state["status"] == status
    if status == "failed":
        assert state["error"] == "ZeroDivisionError: division by zero"


def test_runs_of_one_cell_share_a_chart(kernel: Kernel):
    """A loop over settings gives one chart with several lines, not one chart each."""
    reply = kernel.run(
        "for lr in (1, 2, 3):\n    with ct.start(f'lr {lr}', {'lr': lr}) as run:\n        run.log(loss=lr)"
    )
    assert len(reply.of("display_data")) == 1
    (final,) = swaps(reply)
    assert [state["name"] for state in final["data"][contract.MIME]["runs"]] == ["lr 1", "lr 2", "lr 3"]


def test_a_run_that_outlives_its_cell_is_swapped_when_it_ends(kernel: Kernel):
    """A run left open keeps its chart alive; finish() in a later cell swaps the first cell's output."""
    first = kernel.run("run = ct.start('open'); run.log(loss=2.0)")
    assert swaps(first) == []
    later = kernel.run("run.log(loss=1.0); run.finish()")
    (final,) = swaps(later)
    assert final["transient"] == first.of("display_data")[0]["transient"]


def test_a_flood_stays_below_ten_messages_a_second(kernel: Kernel):
    """Jupyter Server drops messages above a rate; a tight loop must not reach it, and the last point must arrive."""
    reply = kernel.run(
        "began = time.monotonic()\n"
        "with ct.start('flood') as run:\n"
        "    for i in range(20_000):\n"
        "        run.log({'loss': i}, step=i)\n"
        "print(time.monotonic() - began)"
    )
    seconds = float(reply.text)
    messages = points(reply)
    assert len(messages) <= 10 * seconds + 3
    line = drawn(reply)["loss"]
    assert len(line) <= LIMIT
    assert line[19_999] == 19_999.0
    assert line[0] == 0.0


def test_a_cell_without_points_shows_no_chart(kernel: Kernel):
    """A run that logs nothing leaves the output alone."""
    reply = kernel.run("with ct.start('quiet'):\n    pass")
    assert reply.of("display_data") == []
    assert swaps(reply) == []


def test_the_table_is_kept_without_a_widget_view(kernel: Kernel):
    """A table has no moment to be swapped, so nothing that breaks on reopening may be in it from the start."""
    reply = kernel.run("ct.runs()")
    (result,) = reply.of("execute_result")
    assert set(result["data"]) == {contract.MIME, "text/html", "text/plain"}
    payload = result["data"][contract.MIME]
    assert misfits(payload, contract.SavedPanel) == []
    assert payload["view"]
    assert {row["name"] for row in payload["rows"]} >= {"first", "bad"}
    assert "<table" in result["data"]["text/html"]


def test_a_run_shows_all_of_itself_within_the_budget(kernel: Kernel):
    """A cell that ends in a run keeps its curves, facts, code and outputs, also a run of a thousand of each."""
    kernel.run(TRAIN)
    made = kernel.run(
        "with ct.start('huge', {f'layer{i}.width': 'x' * 150 for i in range(900)}) as run:\n"
        "    run.log({f'loss/{i}': i for i in range(300)})\n"
        "    run.note('<script>alert(1)</script>')\n"
        "    raise ValueError('gone')"
    )
    assert made.status == "error"
    for name, first in (("first", 0.1), ("huge", None)):
        reply = kernel.run(f"ct.run({name!r})")
        (result,) = reply.of("execute_result")
        payload = result["data"][contract.MIME]
        assert misfits(payload, contract.SavedPanel) == []
        assert saved.size(result["data"]) <= saved.BUDGET
        assert payload["series"]
        assert payload["view"]
        sections = {section["title"]: section for section in payload["detail"]["sections"]}
        assert {"metrics", "params", "run", "software", "packages"} <= set(sections)
        assert first is None or ["lr", first, "api", None] in sections["params"]["rows"]
        assert "<script" not in result["data"]["text/html"]
    assert sections["params"]["more"] + len(sections["params"]["rows"]) == 900
    assert payload["detail"]["run"]["error"] == "ValueError: gone"


def test_intents_are_answered_once_each(kernel: Kernel):
    """A query gets rows, a bad expression and a foreign intent get their sentence; nothing stays silent."""
    kernel.run(
        "from celltrail.panels.table import Table\ntable = Table(ct.runs())\nsent = []\ntable.send = sent.append"
    )
    reply = kernel.run(
        "table._hear(None, {'kind': 'query', 'id': 'a', 'where': \"name == 'first'\"}, [])\n"
        "table._hear(None, {'kind': 'query', 'id': 'b', 'where': 'params.lr <'}, [])\n"
        "table._hear(None, {'kind': 'compare', 'id': 'c', 'runs': [r.id for r in ct.runs()[:2]]}, [])\n"
        "table._hear(None, {'kind': 'nonsense', 'id': 'd'}, [])\n"
        "import json; print(json.dumps(sent))"
    )
    answers = json.loads(reply.text)
    assert [(answer["kind"], answer["reply_to"]) for answer in answers] == [
        ("answer", "a"), ("fault", "b"), ("answer", "c"), ("fault", "d"),
    ]  # fmt: skip
    assert {row["name"] for row in answers[0]["rows"]["rows"]} == {"first"}
    assert [fault for answer in answers for fault in misfits(answer, contract.FromKernel)] == []


def test_no_output_holds_a_path_or_a_port(kernel: Kernel):
    """What celltrail displays can be published: no absolute path, no address, no user name of this machine."""
    reply, alone = kernel.run(TRAIN + "\nct.runs()"), kernel.run("ct.run('first')")
    contents = reply.of("display_data") + swaps(reply) + reply.of("execute_result") + alone.of("execute_result")
    assert len(contents) == 4
    for content in contents:
        html = content["data"]["text/html"]
        for hidden in re.findall(r"base64,([A-Za-z0-9+/=]+)", html):
            html += base64.b64decode(hidden).decode("utf-8", "replace")
        payload = {**content["data"][contract.MIME], "series": []}
        text = html + json.dumps(payload) + content["data"]["text/plain"]
        assert not re.search(r"/(tmp|home|root|Users|work|var)/|127\.0\.0\.1|localhost|:\d{4,5}\b", text)


def test_our_widgets_hide_nothing_of_ipywidgets():
    """A method named like one of the base class would silently replace it: list all clashes."""
    base = {name for name in dir(anywidget.AnyWidget) if not name.startswith("__")}
    for kind in (Panel, Chart, Table, Compared):
        ours = {name for name, value in vars(kind).items() if inspect.isfunction(value) or isinstance(value, property)}
        assert not ours & base, f"{kind.__name__} replaces {sorted(ours & base)} of the widget it is built on"


# columns


@given(st.lists(st.floats(width=32), min_size=1, max_size=400), st.integers(4, 60))
def test_thinning_keeps_ends_and_extremes(values: list[float], limit: int):
    """Whatever the series, the first and last point and the extremes stay and nothing is invented."""
    columns = np.array([np.arange(len(values)), np.zeros(len(values)), values])
    small = thin(columns, limit)
    assert small.shape[1] <= max(limit, 4)
    assert small[0, 0] == 0
    assert small[0, -1] == len(values) - 1
    finite = [value for value in values if math.isfinite(value)]
    if finite and len(finite) == len(values):
        assert small[2].max() == max(finite)
        assert small[2].min() == min(finite)
    assert all(np.array_equal(columns[:, int(step)], small[:, i], equal_nan=True) for i, step in enumerate(small[0]))


def test_a_column_stays_bounded():
    """A million points take the memory of a screenful; the count stays true."""
    column = Column()
    for start in range(0, 1_000_000, 10_000):
        steps = np.arange(start, start + 10_000)
        column.add(steps.tolist(), steps.tolist(), np.sin(steps).tolist())
    assert column.total == 1_000_000
    assert column.points().shape[1] <= LIMIT
    assert column._size <= 2 * LIMIT + 10_000


def test_a_long_column_is_as_fine_at_its_beginning_as_at_its_end():
    """What was logged first is not thinned again and again: each tenth of a walk keeps its share, and its shape."""
    column, steps = Column(), np.arange(200_000)
    walk = np.cumsum(np.random.default_rng(0).normal(size=len(steps)))
    for start in range(0, len(steps), 500):
        part = slice(start, start + 500)
        column.add(steps[part], steps[part] / 10, walk[part])
    kept = column.points()
    shares = np.histogram(kept[0], bins=10, range=(0, len(steps)))[0]
    assert kept.shape[1] <= LIMIT
    assert shares.min() > 0.8 * kept.shape[1] / 10, shares
    assert np.abs(np.interp(steps, kept[0], kept[2]) - walk).max() < 0.1 * np.ptp(walk)
    assert (kept[2].min(), kept[2].max(), column.last) == (walk.min(), walk.max(), walk[-1])


def test_gaps_and_infinite_points_of_a_long_column_stay():
    """NaN is a gap of the line however often the column is made shorter."""
    column = Column()
    for start in range(0, 100_000, 1000):
        values = np.sin(np.arange(start, start + 1000) / 5000)
        values[:] = np.nan if start in {3000, 60_000} else values
        column.add(range(start, start + 1000), range(1000), np.where(values == values.max(), np.inf, values))
    kept = column.points()
    assert {3, 60} <= set((kept[0, np.isnan(kept[2])] // 1000).astype(int))
    assert np.isinf(kept[2]).any()
    assert kept.shape[1] <= LIMIT
    again = Column()
    again.replace(kept, column.total)
    again.add([100_000], [0], [7.0])
    assert again.points()[2, -1] == again.last == 7.0


# the saved form


def lines(count: int, points: int) -> list[Line]:
    steps = np.arange(points, dtype=float)
    values = [np.sin(6 * steps / points + i) for i in range(count)]
    return [Line("r", f"metric {i}", f"train/metric {i}", np.array([steps, steps, v])) for i, v in enumerate(values)]


@pytest.mark.parametrize(("count", "points"), [(1, 10), (10, 200), (60, 4000), (3, 100_000)])
def test_a_saved_chart_is_within_budget(count: int, points: int):
    """However much was logged, one output takes at most 60 kB and says what it left out."""
    state: contract.RunState = {
        "run": "r", "name": "n", "status": "finished", "step": 1.0, "seconds": 1.0, "points": 1,
        "last": {f"train/metric {i}": 0.5 for i in range(count)}, "goals": {},
        "earlier": 0, "beaten": {}, "left": None, "error": None, "started": 0.0, "axes": [],
        "asked_to": "", "paused": False, "knobs": [],
    }  # fmt: skip
    shown = lines(count, points)
    options: contract.ChartOptions = {**OPTIONS, "smooth": "median"}
    made = saved.chart_bundle("t", "n", shown, [points] * count, options, saved.Facts([state]))
    bundle = saved.with_png(made, shown, options)
    assert saved.size(bundle) <= saved.BUDGET
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    payload = bundle[contract.MIME]
    assert len(payload["series"]) + payload["omitted"] == count
    assert misfits(payload, contract.SavedPanel) == []


@pytest.mark.parametrize("y", ["linear", "log", "symlog"])
@pytest.mark.parametrize(
    "values", [[], [1.0], [5.0, 5.0], [math.nan] * 3, [math.inf, 1.0], [-1.0, 0.0, 1.0], [1e-300, 1e300]]
)
def test_the_picture_of_anything(values: list[float], y: Literal["linear", "log", "symlog"]):
    """No series breaks the picture: empty, constant, NaN only, infinite, negative on a log axis."""
    steps = np.arange(len(values), dtype=float)
    look = Look(y=y, smooth="time", weight=0.9)
    picture = svg([Line("r", "<b>&", "a<b", np.array([steps, steps, np.array(values)]))], look)
    assert picture.startswith("<svg")
    assert not re.search(r"[ML ](nan|inf|-inf)|NaN", picture)
    assert "<b>" not in picture


def test_an_empty_answer_says_why(kernel: Kernel):
    """A question that no run answers is not the same as an empty trail, and a misspelt name is named."""
    kernel.run(TRAIN)
    (result,) = kernel.run("ct.runs('params.lrr > 1')").of("execute_result")
    hints = result["data"][contract.MIME]["hints"]
    assert hints[0] == "no run matches"
    assert "did you mean" in hints[1]
    assert "no run matches" in result["data"]["text/html"]


def test_a_tracked_cell_with_a_metric_in_its_loop_shows_the_chart_first(kernel: Kernel):
    """The chart stands above what the loop prints, also when nothing but a variable's name announces points."""
    kernel.run("%load_ext celltrail")
    try:
        reply = kernel.run("%%track named\nfor epoch in range(3):\n    loss = 1 / (epoch + 1)\n    print(loss)")
        kinds = [message["msg_type"] for message in reply.messages]
        assert kinds.index("display_data") < kinds.index("stream")
        assert drawn(reply)["loss"] == {0: 1.0, 1: 0.5, 2: 1 / 3}
        assert len(swaps(reply)) == 1
        assert kernel.run("%%track unseen --no-chart\nfor epoch in range(3):\n    loss = 1").of("display_data") == []
        assert kernel.run("%%track nothing\nx = 1").of("display_data") == []
    finally:
        kernel.run("%unload_ext celltrail")


def test_what_outlives_its_cell_is_drawn_below_it(kernel: Kernel):
    """A task's first number makes the chart of the cell that began it, not of the one that waits for it."""
    kernel.run("%load_ext celltrail\nimport asyncio")
    began = kernel.run(
        "%%track late\n"
        "async def work():\n"
        "    for i in range(8):\n"
        "        await asyncio.sleep(0.1)\n"
        "        ct.log({'loss': 1 / (i + 1)}, step=i)\n"
        "task = asyncio.create_task(work())"
    )
    assert not began.of("display_data")
    waited = kernel.run("await task")
    assert not waited.of("display_data")
    (shown,) = waited.late("display_data")
    assert shown["data"][contract.MIME]["title"] == "late"
    (cell,) = {message["parent_header"]["msg_id"] for message in waited.strays if message["msg_type"] == "display_data"}
    assert cell == began.messages[0]["parent_header"]["msg_id"]
    kernel.run("%%track next\npass")
    last = kernel.run("import time\ntime.sleep(1.5)")
    forms = [each for each in (*last.of("update_display_data"), *last.late("update_display_data"))
             if each["transient"] == shown["transient"]]  # fmt: skip
    (series,) = forms[-1]["data"][contract.MIME]["series"]
    assert series["n"] == 8
