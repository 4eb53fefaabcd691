"""A run's points are decoded once for all its metrics, and again as soon as anything about its files changed."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from celltrail.query import find, runs
from celltrail.query.opening import MOST_OPEN
from celltrail.run import start
from celltrail.store import Store
from celltrail.store.log import reader
from celltrail.store.recent import MOST_BYTES


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The logs that were decoded, in order."""
    seen: list[str] = []
    really = reader.read

    def read(path: Path, *args: object) -> reader.Contents:
        seen.append(path.name)
        return really(path, *args)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(reader, "read", read)
    return seen


def test_one_decoding_serves_all_metrics(tmp_path: Path, reads: list[str]) -> None:
    store = Store(tmp_path / ".celltrail")
    with start("many", store=store) as run:
        for step in range(50):
            run.log({f"metric_{number}": step + number for number in range(20)}, step)
    found = find("many", store)
    reads.clear()
    for number in range(20):
        assert found.series(f"metric_{number}")[1].tolist() == [step + number for step in range(50)]
    assert len(reads) == 1


def test_what_is_given_may_be_written_into(tmp_path: Path) -> None:
    store = Store(tmp_path / ".celltrail")
    with start("mine", store=store) as run:
        run.log({"loss": 1.0, "other": 2.0}, 0)
        run.log({"loss": 0.5, "other": 3.0}, 1)
    found = find("mine", store)
    step, value = found.series("loss")
    step += 7
    value[:] = np.nan
    assert [each.tolist() for each in found.series("loss")] == [[0, 1], [1.0, 0.5]]
    frame = found.history()
    frame.loc[:, "loss"] = -1.0
    assert found.series("loss")[1].tolist() == [1.0, 0.5]


def test_a_run_that_goes_on_is_read_on(tmp_path: Path) -> None:
    store = Store(tmp_path / ".celltrail")
    with start("live", store=store) as run:
        run.log({"loss": 1.0}, 0)
        assert store.series(run.id)["loss"].value.tolist() == [1.0]
        run.log({"loss": 0.5, "acc": 0.9}, 1)
        assert store.series(run.id)["loss"].value.tolist() == [1.0, 0.5]
        assert store.series(run.id)["acc"].value.tolist() == [0.9]


def test_a_log_that_grew_is_read_from_where_it_was_read_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what was appended since, until the log has been read in too many pieces; the points are a fresh reader's."""
    store, begun = Store(tmp_path / ".celltrail"), []
    really = reader.read

    def read(path: Path, state: reader.State | None = None, stop: int | None = None) -> reader.Contents:
        begun.append(0 if state is None else state.offset)
        return really(path, state, stop)

    monkeypatch.setattr(reader, "read", read)
    with start("live", store=store) as run:
        for step in range(80):
            run.log({"loss": 1.0 / (step + 1), **({"acc": float(step)} if step % 3 else {})}, step)
            begun.clear()
            found = store.series(run.id)
            assert len(found["loss"].value) == step + 1
            assert begun == [0] if step == 0 else True
            if step in (1, 20, 79):
                kept = begun[-1]
                fresh = Store(store.root).series(run.id)
                assert kept > 0
                for name in fresh:
                    assert [column.tolist() for column in found[name]] == [column.tolist() for column in fresh[name]]
    assert len(store.series(run.id)["loss"].value) == 80


def test_the_runs_of_one_chart_are_decoded_once_each(tmp_path: Path, reads: list[str]) -> None:
    store = Store(tmp_path / ".celltrail")
    ids = []
    for name in ("one", "two", "three"):
        with start(name, store=store) as run:
            run.log({"loss": 1.0}, 0)
        ids.append(run.id)
    for run_id in ids:
        store.series(run_id)
    reads.clear()
    assert [store.series(run_id)["loss"].value.tolist() for run_id in ids] == [[1.0]] * 3
    assert reads == []


def test_sealing_and_losing_the_log_change_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / ".celltrail")
    with start("sealed", store=store) as run:
        for step in range(200):
            run.log({"loss": 1 / (step + 1)}, step)
    before = store.series(run.id)["loss"]
    hours_ago = time.time() - 7200  # a run is sealed once nobody can still be writing
    for path in store.root.glob(f"runs/*/{run.id}/**/*"):
        os.utime(path, (hours_ago, hours_ago))
    assert store.seal(run.id)
    for log in store.root.glob(f"runs/*/{run.id}/m/*.ctl"):
        log.unlink()
    after = store.series(run.id)["loss"]
    assert after is not before
    assert after.value.tolist() == before.value.tolist()


def test_a_fork_sees_what_becomes_of_the_run_it_shares_points_with(tmp_path: Path, reads: list[str]) -> None:
    store = Store(tmp_path / ".celltrail")
    with start("trunk", store=store) as trunk:
        for step in range(5):
            trunk.log({"loss": float(step)}, step)
    with start("branch", fork="trunk@2", store=store) as branch:
        branch.log({"loss": 30.0}, 3)
    assert store.series(branch.id)["loss"].value.tolist() == [0.0, 1.0, 2.0, 30.0]
    reads.clear()
    assert store.series(branch.id)["loss"].value.tolist() == [0.0, 1.0, 2.0, 30.0]
    assert len(reads) == 2


def test_what_would_fill_the_memory_is_not_held(tmp_path: Path, reads: list[str]) -> None:
    store = Store(tmp_path / ".celltrail")
    with start("large", store=store) as run:
        run.log({"loss": 1.0}, 0)
    (log,) = store.root.glob(f"runs/*/{run.id}/m/*.ctl")
    os.truncate(log, MOST_BYTES + 1)  # a hole, which reads as zeros
    reads.clear()
    for _ in range(2):
        assert store.series(run.id)["loss"].value.tolist() == [1.0]
    assert reads.count(log.name) >= 2


def test_the_next_question_finds_the_store_of_the_last_one(tmp_path: Path) -> None:
    folder = tmp_path / ".celltrail"
    with start("one", store=Store(folder)) as run:
        run.log({"loss": 1.0}, 0)
    assert runs(store=folder).store is runs(store=str(folder)).store
    for number in range(MOST_OPEN):
        runs(store=tmp_path / f"other-{number}")
    assert [each.name for each in runs(store=folder)] == ["one"]


def test_another_trail_in_the_place_of_one_that_was_asked(tmp_path: Path) -> None:
    """A folder that was deleted and begun anew is not answered for from memory."""
    folder = tmp_path / ".celltrail"
    with start("old", store=Store(folder)):
        pass
    assert [each.name for each in runs(store=folder)] == ["old"]
    shutil.rmtree(folder)
    assert list(runs(store=folder)) == []
    with start("new", store=Store(folder)):
        pass
    assert [each.name for each in runs(store=folder)] == ["new"]


def test_a_child_asks_for_itself(tmp_path: Path) -> None:
    """The connection of the parent is not used in a fork."""
    folder = tmp_path / ".celltrail"
    with start("before", store=Store(folder)):
        pass
    assert [each.name for each in runs(store=folder)] == ["before"]
    if not (child := os.fork()):
        with start("in the child", store=Store(folder)):
            pass
        found = sorted(each.name for each in runs(store=folder))
        os._exit(0 if found == ["before", "in the child"] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sorted(each.name for each in runs(store=folder)) == ["before", "in the child"]
