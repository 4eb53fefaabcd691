"""Watched values on their way to the log: nothing lost, in order, those of one iteration together."""

from __future__ import annotations

import math
import os
import threading
import time
from itertools import pairwise

import numpy as np
import pytest

from celltrail.capture.watch import columns
from celltrail.capture.watch.columns import Column
from celltrail.capture.watch.points import Watcher
from celltrail.capture.watch.steps import Steps
from celltrail.run import LoggedBlock, listen, start
from celltrail.store import Store


def column(stamps: list[int], values: list[float], steps: list[int] | None = None) -> Column:
    return Column(np.array(stamps), np.array(values, float), np.array(steps or range(len(stamps))))


def taken(held: dict[str, Column], *, until: int = 10**12, is_last: bool = False) -> list[tuple[tuple[str, ...], int]]:
    """The names of each block that is handed out, and how many rows it has."""
    return [(names, len(block[0])) for names, block in columns.rows(held, until, is_last)]


def test_values_of_one_iteration_become_one_row() -> None:
    """Two names bound turn and turn about share rows; the one still on its way is waited for, a moment."""
    loss, acc = column([1, 3, 5], [1, 2, 3]), column([2, 4], [7, 8])
    held = {"loss": loss, "acc": acc}
    assert taken(held, until=6) == [(("loss", "acc"), 2)]
    assert {name: len(rest) for name, rest in held.items()} == {"loss": 1, "acc": 0}
    assert taken(held, until=7) == []  # its partner may come
    assert taken(held) == [(("loss",), 1)]  # nobody came


def test_names_that_do_not_alternate_have_rows_of_their_own() -> None:
    """A value per epoch is no partner of one per batch, nor one that came in another order or in another turn."""
    assert taken({"loss": column([1, 2, 3, 4], [1] * 4), "acc": column([5], [1])}) == [(("loss",), 4), (("acc",), 1)]
    assert taken({"a": column([1, 2], [0, 0]), "b": column([3, 4], [0, 0])}) == [(("a",), 2), (("b",), 2)]
    turned = {"a": column([1, 3], [0, 0], [0, 1]), "b": column([2, 4], [0, 0], [0, 5])}
    assert taken(turned) == [(("a",), 2), (("b",), 2)]


def test_a_first_value_waits_for_its_partner() -> None:
    """If the first turn is torn by the recorder looking in, the names still end up in the same rows."""
    held = {"loss": column([1, 3], [1, 2]), "acc": column([2], [7])}
    assert taken(held, until=4) == []
    held["acc"] = column([2, 4], [7, 8])
    assert taken(held, until=5) == [(("loss", "acc"), 2)]


def test_what_is_no_number_is_left_out() -> None:
    """None marks what was no number and is no point; a real NaN is one."""
    found = Column.of([1, 2, 3, 4, 5], [None, math.nan, 2.5, 10**400, True])
    assert found.stamps.tolist() == [2, 3, 5]
    assert math.isnan(found.values[0])
    assert found.values[1:].tolist() == [2.5, 1.0]


@pytest.mark.parametrize("seed", range(20))
def test_steps_depend_on_the_order_of_values_alone(seed: int) -> None:
    """However they are handed in: rising, never behind the busiest name, and in lockstep where names alternate."""
    random = np.random.default_rng(seed)
    names = np.array(["loss", "acc", "val_loss", "lr"])[random.choice(4, 300, p=[0.5, 0.3, 0.1, 0.1])]
    stamps = np.arange(300)

    def given(cuts: list[int]) -> dict[str, list[int]]:
        steps, found = Steps(), {name: [] for name in names}
        for low, high in pairwise([0, *cuts, 300]):
            part = {name: stamps[low:high][names[low:high] == name] for name in set(names[low:high])}
            for name, some in (steps.of(part) if part else {}).items():
                found[name] += some.tolist()
        return found

    whole = given([])
    assert given(sorted(random.choice(299, 12, replace=False) + 1)) == whole
    assert given(list(range(1, 300))) == whole
    counts = dict.fromkeys(names.tolist(), 0)
    for name in names.tolist():
        counts[name] += 1
        step = whole[name][counts[name] - 1]
        assert step >= max(counts.values()) - 1
        assert counts[name] == 1 or step > whole[name][counts[name] - 2]
    turns = Steps().of({"a": stamps[::2], "b": stamps[1::2]})
    assert turns["a"].tolist() == turns["b"].tolist() == list(range(150))


def test_a_block_reads_like_the_same_calls_one_by_one(store: Store) -> None:
    """Many rows in one write are read back as if logged one after the other, with the same summaries and no damage."""
    one, many = start("one", store=store), start("many", store=store)
    values = np.random.default_rng(1).normal(size=(20_001, 2))
    values[7, 0] = math.nan
    steps = np.arange(20_001)
    heard: list[LoggedBlock] = []
    stop = listen(lambda event: heard.append(event) if isinstance(event, LoggedBlock) else None)
    many.log({"loss": 5.0}, step=-1)
    one.log({"loss": 5.0}, step=-1)
    many.log_block(("loss", "acc"), steps, steps + many.writer.clock(), values)
    stop()
    for step, (loss, acc) in enumerate(values[:3000].tolist()):
        one.log({"loss": loss, "acc": acc}, step)
    one.finish()
    many.finish()
    found = store.series(many.id)
    np.testing.assert_array_equal(found["loss"].value[1:], values[:, 0])
    np.testing.assert_array_equal(found["acc"].step, steps)
    assert store.gaps(many.id) == []
    assert len(heard) == 1
    metric = store.record(many.id).metrics["loss"]
    assert (metric.count, metric.nan_count, metric.first, metric.last) == (20_002, 1, 5.0, values[-1, 0])
    np.testing.assert_array_equal(store.series(one.id)["loss"].value, found["loss"].value[:3001])


def test_nothing_is_lost_while_the_recorder_looks_in(store: Store) -> None:
    """Values put away while another thread drains all arrive, in order."""
    watcher, run = Watcher(), start("busy", store=store)
    points = watcher.open(run)
    plan = watcher.plan
    first = len(plan.targets)
    for name in ("loss", "loss", "acc"):
        plan.sinks.append(points.sink(len(plan.targets)))
        plan.targets.append(name)
    over = threading.Event()

    def drain() -> None:
        while not over.is_set():
            points.drain()

    thread = threading.Thread(target=drain)
    thread.start()
    for i in range(30_000):
        plan.sinks[first + i % 2].extend((time.perf_counter_ns(), float(i)))
        plan.sinks[first + 2].extend((time.perf_counter_ns(), -float(i)))
    over.set()
    thread.join()
    watcher.close(points)
    run.finish()
    series = store.series(run.id)
    np.testing.assert_array_equal(series["loss"].value, np.arange(30_000.0))
    np.testing.assert_array_equal(series["acc"].value, -np.arange(30_000.0))
    assert (series["loss"].t_us == series["acc"].t_us).mean() > 0.9
    np.testing.assert_array_equal(series["loss"].step, np.arange(30_000))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_keeps_no_values(store: Store) -> None:
    """In a child nobody takes the values away, so they are not gathered."""
    watcher, run = Watcher(), start("parent", store=store)
    points = watcher.open(run)
    index = len(watcher.plan.targets)
    watcher.plan.sinks.append(points.sink(index))
    watcher.plan.targets.append("loss")
    child = os.fork()
    if child == 0:
        for i in range(1000):
            watcher.plan.sinks[index].extend((i, 1.0))
        os._exit(len(watcher.plan.sinks[index]))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    watcher.plan.sinks[index].extend((1, 1.0))
    watcher.close(points)
    run.finish()
    assert store.record(run.id).metrics["loss"].count == 1
