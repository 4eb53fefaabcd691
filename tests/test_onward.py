"""Resume, rewind and fork: a run goes on after its process, and nothing that was logged is ever lost."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import celltrail as ct
from celltrail.errors import BadValue, NoRun, StoreError
from celltrail.panels.closer import flags_of
from celltrail.panels.curves import state_of
from celltrail.panels.feed import Feed
from celltrail.store import Store
from celltrail.store.docs import generations
from celltrail.store.folders import run_folder
from celltrail.store.log import reader
from celltrail.store.upkeep import rebuild
from kernels import Kernel

KILLED = """
    import os, celltrail as ct
    run = ct.start("train", {"lr": 0.1, "layers": 2}, tags=["first"], notes="a note")
    run.define_metric("score*", goal="max")
    for step in range(11):
        run.log({"loss": 1 / (step + 1), "score": step})
    run.log_text("sample", "before", step=10)
    os.kill(os.getpid(), 9)
"""


def process(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments], capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def killed(store: Store) -> ct.StoredRun:
    assert process(KILLED).returncode == -9
    found = ct.run("train")
    assert found.status == "killed"
    return found


def seal(store: Store, run_id: str, *, drop_logs: bool) -> None:
    """Seal a run as if it had been quiet for long; perhaps remove the logs that the seal covers."""
    folder = run_folder(store.root, run_id)
    for path in (*folder.glob("*.json"), *folder.glob("m/*")):
        os.utime(path, (time.time() - 7200, time.time() - 7200))
    assert store.seal(run_id)
    if drop_logs:
        for path in folder.glob("m/*.ctl"):
            path.unlink()


def test_a_killed_run_goes_on_as_itself(killed: ct.StoredRun) -> None:
    with ct.start(resume="train", params={"lr": 0.05}, tags=["second"]) as run:
        assert (run.id, run.name, run.step, ct.run("train").status) == (killed.id, "train", 10, "running")
        assert run.tags == {"first", "second"}
        with pytest.raises(BadValue, match="still running"):
            ct.start(resume="train")
        run.log(loss=0.05, score=12)
        run.log_text("sample", "after", step=11)
    found = ct.run(killed.id)
    assert (found.status, found.params, found.notes) == ("finished", {"lr": 0.05, "layers": 2}, ["a note"])
    assert found.metrics["loss"].count == 12
    assert found.metrics["loss"].last_step == 11
    assert found.metrics["score"].goal == "max"
    assert found.metrics["score"].max == 12
    assert [item.value for item in found.items("sample")] == ["before", "after"]
    (told,) = found.resumes
    assert (told.was, told.step, told.rewound) == ("killed", 10, False)
    assert 0 < told.gap_s < 60
    assert [(flag["step"], flag["text"]) for flag in flags_of(found)] == [(10.0, str(told))]
    assert found.duration is not None
    assert killed.duration is not None
    assert found.duration >= killed.duration
    assert found.record.problems == ()
    assert not found.store.gaps(found.id)


def test_steps_that_repeat_are_all_kept(killed: ct.StoredRun) -> None:
    with ct.start(resume=killed.id) as run:
        for step in range(5, 13):
            run.log({"loss": float(step)}, step=step)
    found = killed.refresh()
    steps, values = found.series("loss")
    assert steps.tolist() == sorted([*range(11), *range(5, 13)])
    assert values[steps == 7].tolist() == [1 / 8, 7.0]
    history = found.history("loss")
    assert history.step.tolist() == [*range(11), *range(5, 13)]
    assert "superseded" not in history


def test_a_rewound_run_keeps_what_no_longer_counts(killed: ct.StoredRun, store: Store) -> None:
    with ct.start(resume="train@4") as run:
        assert run.step == 4
        run.log(loss=0.3)
    with ct.start(resume="train", step=3) as run:
        run.log(loss=0.4)
        assert ct.run("train").series("loss")[0].tolist() == [0, 1, 2, 3, 4]
    found = killed.refresh()
    for _ in range(2):
        assert found.series("loss")[1].tolist() == [1, 1 / 2, 1 / 3, 1 / 4, 0.4]
        history = found.history("loss")
        assert history.step.tolist() == [*range(11), 5, 4]
        assert history.step[history.superseded].tolist() == [*range(4, 11), 5]
        metric = found.metrics["loss"]
        assert (metric.count, metric.min, metric.last, found.metrics["score"].max) == (5, 0.25, 0.4, 3)
        seal(store, found.id, drop_logs=True) if _ == 0 else None
        store.sweep()
        found = killed.refresh()
    assert [told.rewound for told in found.resumes] == [True, True]


def test_a_fork_shares_a_prefix_and_copies_nothing(killed: ct.StoredRun, store: Store) -> None:
    with ct.start(fork="train@6", params={"lr": 1.0}) as run:
        assert (run.name, run.step) == ("train from 6", 6)
        run.log(loss=0.7)
    with ct.start(resume="train", step=2) as again:  # later changes of the parent are none of the fork's
        again.log(loss=9.0)
    fork = ct.run("train from 6")
    assert fork.parent is not None
    assert fork.parent.id == killed.id
    assert fork.fork_step == 6
    assert [child.id for child in killed.children] == [fork.id]
    assert fork.params == {"lr": 1.0, "layers": 2}
    expected = [*(1 / (step + 1) for step in range(7)), 0.7]
    assert fork.series("loss")[1].tolist() == expected
    assert fork.series("score")[0].tolist() == [*range(7)]
    assert fork.history("loss").step.tolist() == [*range(8)]
    assert (fork.metrics["loss"].count, fork.metrics["score"].max, fork.metrics["score"].goal) == (8, 6, "max")
    (log,) = run_folder(store.root, fork.id).glob("m/*")
    assert sum(len(rows.step) for rows in reader.read(log).rows) == 1
    with ct.start(fork=fork.id) as second:  # of the fork, after its last step
        second.log(loss=0.9)
    assert ct.run(second.id).series("loss")[1].tolist() == [*expected, 0.9]
    assert (flags_of(fork)[0]["step"], flags_of(fork)[0]["text"]) == (6.0, "forked from train")
    copy = Store(store.root.parent / "copy" / ".celltrail")
    store.export([second.id], copy.root)
    assert ct.run(second.id, copy).series("loss")[1].tolist() == [*expected, 0.9]


def test_rows_say_what_a_run_came_of(killed: ct.StoredRun, store: Store) -> None:
    """A fork the name and the step, a child the name; also where the parent is not among the rows."""
    ct.start("fork", fork=f"{killed.id}@4").finish()
    with ct.start(resume=killed.id), ct.start("child"):
        pass
    told = {row["name"]: (row["came_of"], row["resumed"]) for row in ct.runs(store=store).rows()}
    assert told == {"train": (None, 1), "fork": ("train @ 4", 0), "child": ("train", 0)}
    (row,) = ct.runs("name == 'fork'", store=store).rows()
    assert row["came_of"] == "train @ 4"


def test_it_is_the_same_sealed_packed_and_from_the_index(killed: ct.StoredRun, store: Store) -> None:
    seal(store, killed.id, drop_logs=True)
    with ct.start(resume=killed.id) as run:
        run.log(loss=0.5)
        assert Store(store.root).record(killed.id).metrics["loss"].count == 12
    loose = killed.refresh()
    seal(store, killed.id, drop_logs=True)
    store.sweep()
    sealed = Store(store.root)
    assert sealed.record(killed.id).metrics == loose.record.metrics
    assert sealed.record(killed.id).status == "finished"
    assert np.array_equal(sealed.series(killed.id)["loss"].value, [*(1 / (step + 1) for step in range(11)), 0.5])
    assert len(ct.runs("status == 'finished' and last('loss') == 0.5")) == 1
    assert sealed.examine().findings == ()


def test_a_resumed_run_that_dies_too_is_followed_and_rebuilt(killed: ct.StoredRun, store: Store) -> None:
    program = """
        import os, sys, celltrail as ct
        run = ct.start(resume=sys.argv[1])
        run.log(loss=0.5)
        run.params["late"] = True
        os.kill(os.getpid(), 9)
    """
    assert process(program, killed.id).returncode == -9
    found = killed.refresh()
    assert (found.status, found.metrics["loss"].count, found.params["late"]) == ("killed", 12, True)
    folder = run_folder(store.root, found.id)
    name = generations.newest(folder)
    assert name == "run.2.json"
    assert (folder / "run.json").exists()
    (folder / name).write_bytes(b"{")
    rebuild.rebuild(folder, store.blobs)
    again = Store(store.root).record(found.id)
    assert again.rev >= found.record.rev, "a reader who knows the old one looks again"
    assert replace(again, rev=0) == replace(found.record, rev=0)
    with ct.start(resume=found.id) as run:
        run.log(loss=0.25)
    assert killed.refresh().series("loss")[1].tolist()[-2:] == [0.5, 0.25]
    assert len(killed.refresh().resumes) == 2


def test_one_process_alone_goes_on(killed: ct.StoredRun, store: Store) -> None:
    before = store.resumed(killed.id)
    with ct.start(resume=killed.id):
        pass
    record = before.record
    with pytest.raises(StoreError, match="another process has just resumed"):
        store.begin(record, 0, before)


def test_a_live_chart_begins_with_what_is_carried(killed: ct.StoredRun) -> None:
    with ct.start(fork="train@3") as run:
        feed = Feed(run)
        run.log(loss=0.9)
        feed.drain()
        assert feed.columns["loss"].points()[0].tolist() == [0, 1, 2, 3]
        assert [flag["text"] for flag in feed.flags] == ["forked from train"]
        for step in (4, 5):
            run.log({"sys/rss": 1e9}, step)
    with ct.start(resume=run.id) as other:
        feed = Feed(other)
        feed.drain()
        assert feed.state()["points"] == 9, "of the losses and scores; those of the machine are not counted"
    told = state_of(ct.run(run.id), [])
    assert (told["points"], told["step"]) == (9, 4)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"resume": "trian"}, "did you mean 'train'"),
        ({"resume": "train", "step": 99}, "goes to step 10; it cannot be rewound at step 99"),
        ({"fork": "train@11"}, "goes to step 10"),
        ({"fork": "train", "resume": "train"}, "one of the two"),
        ({"step": 3}, "give resume or fork"),
        ({"fork": "train", "step": 1.5}, "not a whole number"),
        ({"resume": 3}, "is no run"),
    ],
)
def test_what_cannot_be_gone_on_with_is_said(killed: ct.StoredRun, wish: dict, words: str) -> None:
    with pytest.raises((BadValue, NoRun), match=words):
        ct.start(**wish)
    assert len(ct.runs()) == 1


@pytest.fixture
def kernel(tmp_path: Path, trail: Path) -> Iterator[Kernel]:
    started = Kernel(tmp_path, {"CELLTRAIL_STORE": str(trail)})
    started.run("%load_ext celltrail")
    yield started
    started.stop()


def test_from_the_notebook(kernel: Kernel, killed: ct.StoredRun) -> None:
    wrong = kernel.run("%%track --resume trian\nx = 1")
    assert wrong.status == "error"
    assert "did you mean 'train'" in wrong.content["evalue"]
    assert kernel.run("x").status == "error"
    assert kernel.run("%%track --resume train\nfor loss in [0.5, 0.4]: pass").status == "ok"
    assert kernel.run("%%track better --fork train@11 --param lr\nlr = 3\nfor loss in [0.3]: pass").status == "ok"
    kernel.run("%unload_ext celltrail")
    found, fork = killed.refresh(), ct.run("better")
    assert found.status == "finished"
    assert found.series("loss")[0].tolist() == [*range(13)]
    assert found.code.startswith("%%track --resume")
    assert len(found.record.executions) == 1
    assert fork.series("loss")[1].tolist()[-2:] == [0.5, 0.3]
    assert fork.params["lr"] == 3
    judged = ct.replay("better")
    assert judged.verdict == "reproduced", judged
