"""Series over any axis, windows, and the log calls of a run as a frame."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celltrail.errors import BadValue, NoRun
from celltrail.query import find, runs
from celltrail.run import start
from celltrail.store.folders import run_folder
from celltrail.store.log import Log

NAN = math.nan


@pytest.fixture
def epochs(store):
    """Loss each step, an epoch every tenth call, an accuracy at the end of each epoch."""
    with start("a", store=store) as run:
        run.define_metric("val/acc", axis="epoch")
        for step in range(100):
            axes = {"epoch": step / 50} if step % 10 == 5 else {}
            run.log({"loss": 1 / (step + 1)}, step=step, **axes)
            if step % 50 == 49:
                run.log({"val/acc": step / 100}, step=step)
    return find("a", store)


def other_writer(store, run_id, rank, calls):
    """The log that another process of the run wrote."""
    log = Log(run_folder(store.root, run_id) / "m", f"0a1b2c3d-77-mf3k2p1q-{rank}-9e0f", {"run": run_id})
    for names, step, t_us, values in calls:
        log.row(names, step, t_us, values)
    log.end({"t": 0, "status": "finished"})
    log.close()


def test_a_series_over_another_metric(epochs):
    """x is the axis of the same call, else its last value; points before its first one stand nowhere."""
    epoch, loss = epochs.series("loss", x="epoch")
    assert len(epoch) == len(loss) == 95
    assert epoch[:11].tolist() == [0.1] * 10 + [0.3]
    assert loss[0] == 1 / 6
    assert epochs.series("val/acc", x="axis")[0].tolist() == [0.9, 1.9]
    assert epochs.series("loss", x="axis")[0].tolist() == list(range(100))
    with pytest.raises(BadValue, match=r"no axis 'epochs'.*did you mean 'epoch'"):
        epochs.series("loss", x="epochs")


def test_a_series_over_time(epochs):
    """ "time" is a moment, "relative" the seconds since the run started."""
    moments, _ = epochs.series("loss", x="time")
    assert moments.dtype == np.dtype("datetime64[us]")
    started = np.datetime64(epochs.started.replace(tzinfo=None), "us")
    assert (moments >= started).all()
    seconds, _ = epochs.series("loss", x="relative")
    assert np.array_equal(seconds, (moments - started).astype(np.int64) / 1e6)


def test_windows_on_every_axis(epochs):
    """Both ends are part of it, None is open, and the ends of time are written as people write them."""
    assert epochs.series("loss", window=(10, 12))[0].tolist() == [10, 11, 12]
    assert epochs.series("loss", window=(None, 2))[0].tolist() == [0, 1, 2]
    assert len(epochs.series("loss", window=(98, None))[0]) == 2
    assert len(epochs.series("loss", window=(0.3, 0.3), x="epoch")[0]) == 10
    moments, values = epochs.series("loss", x="time")
    zoned = [datetime.fromtimestamp(int(moment.astype(np.int64)) / 1e6, UTC) for moment in moments[[3, 6]]]
    inside = moments[(moments >= moments[3]) & (moments <= moments[6])]
    for window in [(moments[3], moments[6]), tuple(zoned), tuple(moment.isoformat() for moment in zoned)]:
        assert epochs.series("loss", window=window, x="time")[0].tolist() == inside.tolist()
    everything = (epochs.started - timedelta(days=1), None)
    assert len(epochs.series("loss", window=everything, x="time")[1]) == len(values)
    for wrong in [(5, 4), (math.nan, 4), ("a", 4)]:
        with pytest.raises(BadValue, match="window"):
            epochs.series("loss", window=wrong)
    with pytest.raises(BadValue, match="no moment"):
        epochs.series("loss", window=("yesterday", None), x="time")


def test_a_window_is_seen_closer(store):
    """The same number of points for a tenth of the series shows more of it."""
    with start("a", store=store) as run:
        for step in range(20_000):
            run.log({"x": math.sin(step / 3)}, step=step)
    stored = find("a", store)
    steps, values = stored.series("x", points=1_000, window=(5_000, 5_999))
    assert steps.tolist() == list(range(5_000, 6_000))
    assert values.tolist() == [math.sin(step / 3) for step in range(5_000, 6_000)]
    assert len(stored.series("x", points=1_000)[0]) <= 1_000


calls = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(["a", "b", "val/c"]), st.floats(), min_size=1),
        st.integers(0, 4),
        st.integers(0, 2),  # microseconds since the call before: 0 is another thread in the same moment
    ),
    max_size=30,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(calls)
def test_history_is_the_calls_that_were_made(store, logged):
    """Every call is a row with its step and values, in order; only calls of one moment may change places."""
    with start("a", store=store) as run:
        began = moment = run.writer.clock()
        rows = []
        for values, step, wait in logged:
            moment += wait
            rows.append((tuple(values), step, moment, list(values.values())))
        for names, step, moment, numbers in rows:
            run.log_block(names, np.array([step]), np.array([moment]), np.array([numbers]))
    frame = find(run.id, store).history()
    names = list(frame.columns[2:])
    found = [
        (round(time.timestamp() * 1e6) - began, step, *map(repr, values))
        for time, step, *values in zip(frame["time"], frame["step"], *[frame[name] for name in names], strict=True)
    ]
    points = sorted(
        (t - began, step, name, repr(value))
        for values, step, t, numbers in rows
        for name, value in zip(values, numbers, strict=True)
    )
    kept = sorted(
        (t, step, name, value)
        for t, step, *values in found
        for name, value in zip(names, values, strict=True)
        if (t, step, name, value) in points
    )
    assert set(kept) == set(points)
    assert [t for t, *_ in found] == sorted(t for t, *_ in found)
    if len({(step, t) for _, step, t, _ in rows}) == len(rows):
        expected = [
            (t - began, step, *[repr(dict(zip(values, numbers, strict=True)).get(name, NAN)) for name in names])
            for values, step, t, numbers in rows
        ]
        assert sorted(found) == sorted(expected)


def test_history_of_several_ranks(store):
    """Calls of all ranks by time, with the rank only where there are several."""
    with start("a", store=store) as run:
        run.log({"loss": 1.0}, step=0)
        run.log({"loss": 2.0, "lr": 0.5}, step=1)
    assert "rank" not in find("a", store).history()
    moment = run.record().started_us
    other_writer(store, run.id, 1, [(("loss",), 0, moment + 10**9, (5.0,)), (("gpu",), 1, moment + 10**9 + 1, (0.5,))])
    frame = find("a", store).history()
    assert frame.columns.tolist()[:3] == ["step", "time", "rank"]
    assert sorted(frame.columns[3:]) == ["gpu", "loss", "lr"]
    assert frame["rank"].tolist() == [0, 0, 1, 1]
    assert frame["loss"].tolist()[:3] == [1, 2, 5]
    assert frame["gpu"].tolist()[3] == 0.5
    assert frame["time"].is_monotonic_increasing
    assert find("a", store).history("gpu").columns.tolist() == ["step", "time", "gpu"]


def test_whole_numbers_keep_their_digits(store):
    """Beyond 2**53 a float would change them; the column then holds Python's own integers."""
    seen = [2**53 + 1, 2**60 + 3, 7, 2**70 + 1]
    with start("a", store=store) as run:
        for step, number in enumerate(seen):
            run.log({"tokens": number, "loss": 0.5}, step=step)
    frame = find("a", store).history()
    assert frame["tokens"].tolist() == seen
    assert frame["loss"].dtype == np.float64
    assert frame["step"].dtype == np.int64


def test_columns_of_a_history(store):
    """Metrics named like our own columns do not replace them; x adds one; wrong names say which is near."""
    with start("a", store=store) as run:
        for step in range(4):
            run.log({"time": 9.0, "loss": 0.5}, step=step)
            run.log({"epoch": step / 2}, step=step)
    stored = find("a", store)
    frame = stored.history()
    assert frame.columns.tolist() == ["step", "time", "metrics.time", "loss", "epoch"]
    assert isinstance(frame["time"].dtype, pd.DatetimeTZDtype)
    frame = stored.history("loss", x="epoch")
    assert frame.columns.tolist() == ["step", "time", "epoch", "loss"]
    assert frame["epoch"].isna().tolist() == [True, False, False, False]
    assert frame["epoch"].tolist()[1:] == [0, 0.5, 1]
    assert (stored.history(x="relative")["relative"] >= 0).all()
    with pytest.raises(NoRun, match=r"no metric 'los'.*did you mean 'loss'"):
        stored.history(["los"])
    with start("empty", store=store):
        pass
    assert find("empty", store).history().columns.tolist() == ["step", "time"]


def test_one_metric_of_many_runs(store):
    """A long frame that joins with the table of runs by id; runs without the metric are left out."""
    for number in range(4):
        with start("a" if number < 2 else f"run {number}", {"lr": number}, store=store) as run:
            for step in range(5 * number):
                run.log({"loss": step / 2, "epoch": step // 2}, step=step)
    found = runs(store=store).sort("created")
    frame = found.metric("loss")
    assert frame.columns.tolist() == ["run", "name", "step", "value"]
    assert len(frame) == 5 + 10 + 15
    assert frame.groupby("run", observed=True)["value"].max().tolist() == [2.0, 4.5, 7.0]
    assert frame["name"].unique().tolist() == ["a", "run 2", "run 3"]
    joined = frame.merge(found.df(["id", "params.lr"]), left_on="run", right_on="id")
    assert len(joined) == 30
    assert found.metric("loss", points=4, x="epoch").columns.tolist() == ["run", "name", "epoch", "value"]
    assert len(found.metric("loss", points=4)) == 12
    with start("later", store=store) as run:
        going_on = runs(store=store)
        assert len(going_on) == 5
        run.log({"new": 1.0})
        assert going_on.metric("new")["name"].tolist() == ["later"]
    calls = found.history("loss")
    assert calls.columns.tolist() == ["run", "name", "step", "time", "loss"]
    assert len(calls) == 30
    assert found.history().columns.tolist() == ["run", "name", "step", "time", "loss", "epoch"]
    for ask in (found.metric, found.history):
        with pytest.raises(NoRun, match=r"none of 4 runs has the metric 'los'; did you mean 'loss'"):
            ask("los")
    assert len(runs("name == 'nobody'", store=store).history()) == 0
