"""What processes begun by a cell do stands in the cell's own chart, while they do it."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import celltrail as ct
from celltrail import contract
from celltrail.panels import following
from celltrail.panels.curves import curves
from celltrail.panels.earlier import decoded
from celltrail.panels.feed import Feed
from celltrail.panels.figure import Line
from celltrail.panels.following import Followed
from celltrail.query import StoredRun
from celltrail.store import Store
from kernels import Kernel, Reply

MIME = contract.MIME

RANKS = """
import os, subprocess, sys
program = '''
import time, celltrail as ct
run = ct.start("ddp")
rank = run.writer.rank
for step in range(30):
    run.log({"train/loss": rank + 1 / (step + 1)}, step=step)
    time.sleep(0.04 * (1 + 2 * (rank == 2)))
'''
ranks = [
    subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "CELLTRAIL_RUN_ID": "job", "RANK": str(rank)})
    for rank in range(3)
]
print([rank.wait() for rank in ranks])
"""

WORKERS = """%%track pool
import multiprocessing, time
import celltrail as ct
def work(number):
    for step in range(20):
        ct.log({"train/loss": number}, step=step)
        time.sleep(0.05)
with multiprocessing.get_context("fork").Pool(2) as pool:
    pool.map(work, range(2), chunksize=1)
    pool.close()
    pool.join()
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """One for all: each of these cells is of its own."""
    folder: Path = tmp_path_factory.mktemp("others")
    one = Kernel(folder, {"CELLTRAIL_STORE": str(folder / ".celltrail"), "XDG_CACHE_HOME": str(folder / "cache")})
    one.run("%load_ext celltrail\nimport celltrail as ct")
    yield one
    one.stop()


def charts(reply: Reply) -> list[dict[str, Any]]:
    kept = [*reply.of("display_data"), *reply.of("update_display_data")]
    return [each["data"][MIME] for each in kept if each["data"].get(MIME, {}).get("kind") == "chart"]


def told(reply: Reply) -> list[dict[str, Any]]:
    """What the panel was told of the runs while the cell was at work."""
    points = [each["data"].get("content", {}) for each in reply.of("comm_msg")]
    return [run for each in points if each.get("kind") == "points" for run in each["runs"]]


def test_ranks_of_another_program_grow_below_the_cell(kernel: Kernel):
    """Of a cell that is no run: their mean, the band of them and the slow one, while they run and in what is kept."""
    reply = kernel.run(RANKS)
    assert reply.text.endswith("[0, 0, 0]\n"), reply.complaints
    live = [state["points"] for state in told(reply) if state["status"] == "running"]
    assert live == sorted(live)
    assert 0 < live[0] < 90
    shown = charts(reply)[-1]
    assert [(state["name"], state["status"], state["points"]) for state in shown["runs"]] == [("ddp", "finished", 90)]
    assert shown["hints"] == ["rank 2 slower than the others"]
    (band,) = (decoded(each) for each in shown["bands"])
    assert np.allclose(band[1:, -1], [1 / 30, 1 + 1 / 30, 2 + 1 / 30])
    (line,) = (each for each in shown["series"] if each["metric"] == "train/loss")
    assert (line["n"], len(base64.b64decode(line["step"])) // 8) == (90, 30)
    assert shown["runs"][0]["last"]["train/loss"] == pytest.approx(band[2, -1])  # where the line ends


def test_workers_grow_in_the_chart_of_the_run_that_they_join(kernel: Kernel):
    """One run; their points come while the cell waits for them, and all of them are in what is kept."""
    reply = kernel.run(WORKERS)
    live = [state["points"] for state in told(reply) if state["status"] == "running"]
    assert any(0 < points < 40 for points in live)
    shown = charts(reply)[-1]
    assert [(state["name"], state["status"], state["points"]) for state in shown["runs"]] == [("pool", "finished", 40)]
    (band,) = (decoded(each) for each in shown["bands"])
    assert band[1:, -1].tolist() == [0.0, 0.5, 1.0]
    counted = kernel.run("print(len(ct.runs()), ct.run('pool').record.metrics['train/loss'].count)")
    assert counted.text.split() == ["2", "40"]


@pytest.mark.parametrize("kind", ["own", "another process's"])
def test_the_last_look_waits_for_one_that_goes_on(kind: str, store: Store, monkeypatch: pytest.MonkeyPatch):
    """A cell may end while the thread that looks has found the run over, but has not read its points yet."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(run: StoredRun) -> tuple[list[Line], list[int]]:
        begun.set()
        assert go_on.wait(30)
        return curves(run)

    if kind == "own":
        with ct.start("pool", store=store) as run:
            feed = Feed(run)
            worker = store.join(run.id, rank=1)
            worker.row(("train/loss",), 0, worker.clock(), (0.5,))
            worker.close(store.record(run.id))
    else:
        program = "import celltrail as ct\nwith ct.start('pool') as run: run.log({'train/loss': 0.5})"
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
        feed = Followed(store, ct.run("pool").id)
    monkeypatch.setattr(following, "curves", slow)
    looking = threading.Thread(target=feed.look)
    looking.start()
    assert begun.wait(30)
    threading.Timer(0.2, go_on.set).start()
    feed.look()
    feed.drain()
    looking.join(30)
    assert feed.trained == ["train/loss"]


LAUNCHED = """%%track launched
import multiprocessing, os
def train(rank):
    os.environ.update(RANK=str(rank), WORLD_SIZE="2", MASTER_PORT="29500")
    import torch
    torch.set_num_threads(1)
    torch.manual_seed(rank)
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for step in range(5):
        loss = model(torch.ones(8, 4)).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    ct.start("named by the code", {"world": 2})
ranks = [multiprocessing.get_context("fork").Process(target=train, args=(rank,)) for rank in range(2)]
[rank.start() for rank in ranks]
[rank.join() for rank in ranks]
"""


def test_ranks_that_the_cell_forks_tell_by_themselves(kernel: Kernel):
    """As `notebook_launcher` makes them: a loop with no edit is in the cell's run, loss and all, once for each rank."""
    pytest.importorskip("torch")
    shown = charts(kernel.run(LAUNCHED))[-1]
    (line,) = (each for each in shown["series"] if each["metric"] == "train/loss")
    assert (line["n"], [band["runs"] for band in shown["bands"] if band["metric"] == "train/loss"]) == (10, [2])
    told = kernel.run("run = ct.runs()[0]; print(len(ct.runs()), run.name, run.params['world'], len(run.ranks))")
    assert told.text.split() == ["3", "launched", "2", "2"]


QUICK = """
import subprocess, sys
program = "import celltrail as ct; ct.start('quick').log({'train/loss': 0.5}, step=3)"
print(subprocess.run([sys.executable, "-c", program]).returncode)
"""


def test_a_program_that_is_over_before_anybody_looked(tmp_path: Path):
    """Its run is shown below the cell that began it, and not below the next one; what cannot be read is in no way."""
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(tmp_path / "trail"), "XDG_CACHE_HOME": str(tmp_path / "cache")})
    try:
        kernel.run("%load_ext celltrail\nimport celltrail as ct, time\nfrom celltrail.panels import others")
        kernel.run("others.LOOK_S = 120\ntime.sleep(1)")  # whoever looks from now on looks when this test is over
        (place,) = (tmp_path / "cache" / "celltrail" / "processes").glob("*/begun")
        gone, half = "01ARZ3NDEKTSV4RRFFQ69G5FAV", place / "01BRZ3NDEKTSV4RRFFQ69G5FAV.1.tmp"
        (place / gone).write_text(f"{gone}\n{tmp_path / 'gone'}")
        half.write_text("")  # just being written
        reply = kernel.run(QUICK)
        assert reply.text == "0\n", reply.complaints
        shown = charts(reply)[-1]
        assert [(state["name"], state["status"], state["points"]) for state in shown["runs"]] == [
            ("quick", "finished", 1)
        ]
        assert [each.name for each in place.iterdir()] == [half.name]
        shutil.rmtree(place.parent)
        assert kernel.run("time.sleep(0.1)").of("display_data") == []
        (state,) = charts(kernel.run(QUICK))[-1]["runs"]
        assert (state["name"], state["status"]) == ("quick", "finished")
    finally:
        kernel.stop()
