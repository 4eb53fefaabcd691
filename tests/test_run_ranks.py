"""Several processes, one run: ranks, workers, forks; who owns it, who is alive, in which order points merge."""

from __future__ import annotations

import base64
import copy
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import celltrail as ct
from celltrail.errors import BadValue, NoRun, StoreError
from celltrail.panels.detail import payload
from celltrail.panels.earlier import decoded
from celltrail.query.detail import detail
from celltrail.run import joining, start
from celltrail.store import Store, control
from celltrail.store.log.ranks import Writer

RANK = """
import sys, time, celltrail as ct
run = ct.start("ranks", params={"lr": 0.1})
rank = run.writer.rank
for step in range(20):
    run.log({"loss": rank + step / 100, f"only/{rank}": step}, step=step)
"""


def process(program: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


# whoever joins a run without a rank must come before it is over
TOGETHER = (
    RANK
    + """
import os, pathlib
pathlib.Path(sys.argv[1], str(os.getpid())).touch()
while len(os.listdir(sys.argv[1])) < 8:
    time.sleep(0.02)
"""
)


def done(*children: subprocess.Popen[str]) -> list[str]:
    outputs = [child.communicate(timeout=60) for child in children]
    assert [child.returncode for child in children] == [0] * len(children), [error for _, error in outputs if error]
    return [output for output, _ in outputs]


def test_eight_ranks_on_a_brand_new_trail_are_one_run(store: Store) -> None:
    """All begin at once; rank 0 owns the document; every value is there once, ordered by step and then rank."""
    children = [process(RANK, CELLTRAIL_RUN_ID="job-17", RANK=str(rank)) for rank in range(8)]
    done(*children)
    (record,) = store.records()
    assert (record.name, record.status, record.problems) == ("ranks", "finished", ())
    assert {name: param.value for name, param in record.params.items()} == {"lr": 0.1}
    loss = store.series(record.id)["loss"]
    assert loss.step.tolist() == sorted(list(range(20)) * 8)
    assert loss.value.tolist() == [rank + step / 100 for step in range(20) for rank in range(8)]
    writers = store.writers(record.id)
    assert [(writer.rank, writer.has_ended, writer.step) for writer in writers] == [(r, True, 19) for r in range(8)]
    assert [record.metrics[f"only/{rank}"].last for rank in range(8)] == [19.0] * 8
    loss = record.metrics["loss"]
    assert (loss.count, loss.min, loss.max, loss.last_step) == (160, 0.0, 7.19, 19)


def test_eight_processes_told_the_same_id_have_one_owner(store: Store, tmp_path: Path) -> None:
    """Without ranks too, whoever is first makes the run; nobody fails and no value is lost."""
    (tmp_path / "there").mkdir()
    done(*(process(TOGETHER, tmp_path / "there", CELLTRAIL_RUN_ID="job") for _ in range(8)))
    (record,) = store.records()
    assert record.status == "finished"
    assert len(store.series(record.id)["loss"].value) == 160
    assert len(store.writers(record.id)) == 8


def test_eight_runs_on_a_brand_new_trail(store: Store) -> None:
    """Eight processes that begin runs of their own at once all have one, and there is one trail."""
    done(*(process(RANK) for _ in range(8)))
    records = store.records()
    assert [record.status for record in records] == ["finished"] * 8
    assert all(len(store.series(record.id)["loss"].value) == 20 for record in records)


def test_a_worker_joins_by_the_environment(store: Store) -> None:
    """`run.environment()` makes ct.log() of another process go to this run; what it says of it arrives as edits."""
    with start("parent", store=store) as run:
        run.log(loss=1.0)
        work = """
        import celltrail as ct
        ct.log({"worker": 2.0})
        run = ct.current()
        run.params["seen"], run.summary["rows"] = 7, 100
        run.tags.add("worked")
        assert not run.writer.owns
        """
        done(process(work, **run.environment()))
        document = (store.root / "runs" / run.id[-2:] / run.id / "run.json").read_bytes()
    record = store.record(run.id)
    assert b"seen" not in document
    assert (record.name, record.status, record.tags) == ("parent", "finished", ("worked",))
    assert (record.params["seen"].value, record.summary["rows"]) == (7, 100)
    assert record.metrics["worker"].last == 2.0
    assert set(store.series(run.id)) == {"loss", "worker"}


def test_what_a_process_starts_after_it_joined_is_its_own(store: Store) -> None:
    """The environment names the run of the first ct.start(); a loop of starts gives runs of their own."""
    work = """
    import celltrail as ct
    for name in ("first", "second", "third"):
        with ct.start(name) as run:
            run.log(x=1)
    """
    done(process(work, CELLTRAIL_RUN_ID="job"))
    assert sorted(record.name for record in store.records()) == ["first", "second", "third"]


def test_a_dead_rank_is_told_and_the_owner_decides_the_status(store: Store) -> None:
    """Rank 1 is killed while rank 0 goes on: the run says so, with its last step, and finishes."""
    stay = RANK + "\nprint(run.id, flush=True)\nsys.stdin.read()"
    owner, rank = (
        subprocess.Popen(
            [sys.executable, "-c", stay],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "CELLTRAIL_RUN_ID": "job", "RANK": number},
        )
        for number in ("0", "1")
    )  # fmt: skip
    assert owner.stdout
    assert rank.stdout
    run_id = owner.stdout.readline().strip()
    assert rank.stdout.readline().strip() == run_id
    assert store.record(run_id).problems == ()
    rank.send_signal(signal.SIGKILL)
    rank.wait()
    fresh = Store(store.root)
    for reader in (store, fresh):
        record = reader.record(run_id)
        assert record.status == "running"
        (problem,) = record.problems
        assert problem.startswith(f"rank 1 (pid {rank.pid} on ")
        assert "died after step 19; what it logged until then is here" in problem
    owner.communicate("")
    for reader in (store, fresh, Store(store.root)):
        record = reader.record(run_id)
        assert record.status == "finished"
        assert [problem[:6] for problem in record.problems] == ["rank 1"]
        assert record.metrics["loss"].count == 40


def test_a_rank_that_outlives_the_owner_is_still_read(store: Store) -> None:
    """The owner's end is the run's end; points of a rank that goes on are in series and summary all the same."""
    run = start("owner", store=store)
    run.log(loss=1.0)
    rank = store.join(run.id, rank=1)
    rank.row(("loss", "late"), 1, rank.clock(), (0.5, 1.0))
    run.finish()
    assert store.record(run.id).status == "finished"
    rank.row(("loss", "late"), 2, rank.clock(), (0.25, 2.0))
    for reader in (store, Store(store.root)):
        record = reader.record(run.id)
        assert record.status == "finished"
        assert (record.metrics["late"].last, record.metrics["loss"].min) == (2.0, 0.25)
    rank.row(("loss", "late"), 3, rank.clock(), (0.125, 3.0))
    rank.close(store.record(run.id))
    for reader in (store, Store(store.root)):
        assert reader.record(run.id).metrics["loss"].count == 4
        assert reader.record(run.id).problems == ()


def test_an_owner_that_dies_kills_the_run_whoever_else_lives(store: Store) -> None:
    """Only the owner decides: a rank that goes on does not keep the run running."""
    owner = process(RANK + "\nprint(run.id, flush=True)\ntime.sleep(60)", CELLTRAIL_RUN_ID="job")
    assert owner.stdout
    run_id = owner.stdout.readline().strip()
    rank = store.join(run_id, rank=1)
    rank.row(("loss",), 1, rank.clock(), (0.5,))
    assert store.record(run_id).status == "running"
    owner.kill()
    owner.communicate()
    rank.row(("loss",), 2, rank.clock(), (0.5,))
    record = store.record(run_id)
    assert (record.status, record.problems) == ("killed", ())
    assert record.metrics["loss"].count == 22


def test_a_rank_that_comes_after_the_end_is_read(store: Store) -> None:
    """A short run may be over before its last rank is there: its points are in all the same, for every reader."""
    with start("owner", store=store) as run:
        run.log(loss=1.0)
    before = Store(store.root)
    assert [reader.record(run.id).metrics["loss"].count for reader in (store, before)] == [1, 1]
    rank = store.join(run.id, rank=5)
    rank.row(("loss",), 3, rank.clock(), (0.5,))
    rank.close(store.record(run.id))
    for reader in (store, before, Store(store.root)):
        record = reader.record(run.id)
        assert (record.status, record.metrics["loss"].count, record.problems) == ("finished", 2, ())


def test_what_cannot_be_joined(store: Store) -> None:
    """A run that is not there, or has ended; the sentence says so."""
    with start("over", store=store) as run:
        pass
    with pytest.raises(StoreError, match="has already finished"):
        store.join(run.id)
    with pytest.raises(NoRun, match="no run"):
        store.join("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    with pytest.raises(BadValue, match="is no id of a run"):
        store.join("../../etc", rank=1)


POOL = """
import multiprocessing, os, sys
import celltrail as ct

def work(number):
    ct.log({"from/workers": number})
    return number

if __name__ == "__main__":
    run = ct.start("pool")
    os.environ.update(run.environment())
    with multiprocessing.get_context(sys.argv[1]).Pool(3) as pool:
        pool.map(work, range(30), chunksize=1)
        pool.close()
        pool.join()
    run.log({"from/parent": 1.0})
    run.finish()
    print(run.id)
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_a_pool_log_to_the_run(store: Store, tmp_path: Path, method: str) -> None:
    """However multiprocessing makes them: each has a log of its own, every value is there once, all ended well."""
    program = tmp_path / "pool.py"
    program.write_text(POOL)
    command = [sys.executable, str(program), method]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    record = store.record(result.stdout.split()[-1])
    assert (record.name, record.status, record.problems) == ("pool", "finished", ())
    assert sorted(store.series(record.id)["from/workers"].value) == list(range(30))
    assert record.metrics["from/workers"].count == 30
    assert all(writer.has_ended for writer in store.writers(record.id))


def test_a_fork_that_executes_another_program_joins_too(store: Store) -> None:
    """fork + exec: the program in the child is a process like any other."""
    with start("parent", store=store) as run:
        child = os.fork()
        if child == 0:
            program = "import celltrail as ct; ct.log(x=1.0)"
            os.execve(sys.executable, [sys.executable, "-c", program], {**os.environ, **run.environment()})
        assert os.waitpid(child, 0)[1] == 0
        run.log(y=1.0)
    assert set(store.series(run.id)) == {"x", "y"}
    assert {writer.has_ended for writer in store.writers(run.id)} == {True}


def test_a_rank_may_be_there_before_the_owner(store: Store) -> None:
    """Its log waits in the run's folder until rank 0 makes the run."""
    done(process(RANK, CELLTRAIL_RUN_ID="job", SLURM_PROCID="2"))
    assert store.records() == []
    done(process(RANK, CELLTRAIL_RUN_ID="job", SLURM_PROCID="0"))
    deadline = time.monotonic() + 10
    while not store.records() and time.monotonic() < deadline:
        time.sleep(0.05)
    (record,) = store.records()
    assert (record.name, record.status) == ("ranks", "finished")
    assert record.metrics["loss"].count == 40


LAUNCHED = """
import multiprocessing, os, signal, sys, time
import celltrail as ct
rank = int(os.environ["RANK"])
with ct.start("launched", params={"job": sys.argv[1]}) as run:
    for step in range(10):
        run.log({"loss": rank + step / 100}, step=step)
        time.sleep(0.02 * (1 + 2 * rank))
        if rank == 1 and step == 6 and "dies" in sys.argv:
            os.kill(os.getpid(), signal.SIGKILL)
    loader = multiprocessing.get_context("fork").Process(target=ct.log, args=({"loaded": 1.0},))
    loader.start()  # as a loader of data does: it belongs to the run too
    loader.join()
    while "dies" in sys.argv:
        time.sleep(0.1)
"""


def torchrun(program: Path, *options: object) -> subprocess.Popen[str]:
    program.write_text(LAUNCHED)
    words = ["--nproc-per-node", 2, *options[:-1], program, *str(options[-1]).split()]
    command = [sys.executable, "-m", "torch.distributed.run", *map(str, words)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


def test_torchrun_makes_one_run_of_all_ranks(store: Store, tmp_path: Path) -> None:
    """One run with two ranks, two jobs are two runs, with and without --standalone; a rank that is killed is named."""
    pytest.importorskip("torch")
    program = tmp_path / "train.py"
    plain = ("--master-port", 29613)  # the same port and the same name, "none", one job after the other
    done(torchrun(program, *plain, "first"), torchrun(program, "--standalone", "second"))
    done(torchrun(program, *plain, "third"))
    dead = torchrun(program, "--standalone", "fourth dies")
    dead.communicate(timeout=60)
    assert dead.returncode
    records = {record.params["job"].value: record for record in store.records()}
    assert sorted(records) == ["first", "fourth", "second", "third"]
    assert len(store.records()) == 4
    for job in ("first", "second", "third"):
        record = records[job]
        assert (record.status, record.problems) == ("finished", ())
        assert record.metrics["loss"].count == 20
        assert record.metrics["loaded"].count == 2
        ranks = ct.run(record.id, store=store).ranks
        assert [(rank.rank, rank.step, rank.is_slow, rank.has_died) for rank in ranks] == [
            (0, 9, False, False),
            (1, 9, True, False),
        ]
        assert ranks[1].step_s > 0.06
        assert all(rank.resources["sys/rss_peak"] > 10_000_000 for rank in ranks)
        assert ranks[1].resources["sys/seconds"] > 0.6
    run = ct.run(records["fourth"].id, store=store)
    assert run.status in ("killed", "interrupted")
    assert str(run.ranks[1]).endswith("(died after step 6; slower than the others)")
    (told,) = (each["rows"] for each in detail(run)["sections"] if each["title"] == "ranks")
    assert told[1][:2] == [1, 6]
    assert told[1][-1].startswith("died after step 6")
    assert payload(run)["hints"][-1].endswith("rank 1 died after step 6; slower than the others")
    # in its plot the ranks are one line, their mean, before the band from the least to the most of them
    shown = payload(ct.run(records["first"].id, store=store))
    (band,) = (decoded(each) for each in shown["bands"] if each["metric"] == "loss")
    assert band[0].tolist() == list(range(10))
    logged = np.arange(10) / 100
    assert np.allclose(band[1:], [logged, logged + 0.5, logged + 1.0])
    (line,) = (each for each in shown["series"] if each["metric"] == "loss")
    assert (line["n"], len(base64.b64decode(line["step"])) // 8) == (20, 10)
    assert shown["hints"] == ["rank 1 slower than the others"]


STOPPED = """
import time, celltrail as ct
run = ct.start("ranks")
with run:
    for step in range(100_000):
        run.log({"loss": 1 / (1 + step)}, step=step)
        time.sleep(0.01)
"""


def writers_of(store: Store, run: str) -> list[Writer]:
    return store.writers(run) if store.records() else []


def test_a_stop_is_for_all_ranks_at_one_step(store: Store) -> None:
    """The owner says at which, far enough ahead: a rank that left alone would leave the others waiting for it."""
    children = [process(STOPPED, CELLTRAIL_RUN_ID="job-stop", RANK=str(rank)) for rank in range(3)]
    run = joining.id_of("job-stop")
    while len([writer for writer in writers_of(store, run) if writer.step]) < 3:
        time.sleep(0.05)
    control.post(store.root, run, {"id": "w", "do": "stop", "by": "panel"})
    errors = [child.communicate(timeout=60)[1] for child in children]
    assert all("StopTraining: ranks was stopped at step" in error for error in errors)
    (record,) = store.records()
    assert (record.status, record.summary["stopped_by"], record.problems) == ("finished", "panel", ())
    assert len({writer.step for writer in store.writers(record.id)}) == 1


HANDED = """
import multiprocessing, sys
import celltrail as ct

def work(run, number):
    run.log({"from/workers": number}, step=number)
    return run.id

if __name__ == "__main__":
    for name in ("first", "second"):  # joblib's workers live on
        with ct.start(name) as run:
            if sys.argv[1] == "loky":
                from joblib import Parallel, delayed
                told = Parallel(2)(delayed(lambda each: work(run, each))(each) for each in range(12))
            else:
                with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
                    told = pool.starmap(work, [(run, each) for each in range(12)])
                    pool.close()
                    pool.join()
            run.log({"from/parent": 1.0})
            assert set(told) == {run.id}, told
"""


@pytest.mark.parametrize("method", ["loky", "fork", "spawn"])
def test_a_run_that_is_handed_to_workers_is_the_same_there(store: Store, tmp_path: Path, method: str) -> None:
    """As an argument or in a closure: every value once, each worker its own log, and nothing in the environment."""
    if method == "loky":
        pytest.importorskip("joblib")
    program = tmp_path / "handed.py"
    program.write_text(HANDED)
    result = subprocess.run([sys.executable, str(program), method], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert sorted(record.name for record in store.records()) == ["first", "second"]
    for record in store.records():
        assert (record.status, record.problems) == ("finished", ())
        assert sorted(store.series(record.id)["from/workers"].value) == list(range(12))
        assert 2 <= len({writer.name for writer in store.writers(record.id)}) <= 3
        assert all(writer.has_ended for writer in store.writers(record.id))


JOINED = """
import multiprocessing, sys, warnings
from concurrent.futures import ProcessPoolExecutor
import celltrail as ct

def work(number):
    ct.log({"from/workers": number})
    run = ct.current()
    return run.id if run is not None else None

class Pool:
    def __init__(self, method):
        if method == "loky":
            from joblib import Parallel, delayed
            self.map = lambda numbers: Parallel(2)(delayed(work)(each) for each in numbers)
        else:
            self.pool = ProcessPoolExecutor(2, multiprocessing.get_context(method))
            self.map = lambda numbers: list(self.pool.map(work, numbers))

if __name__ == "__main__":
    pool = Pool(sys.argv[1])  # its workers live on
    for name in ("first", "second"):
        with ct.start(name) as run:
            assert set(pool.map(range(12))) == {run.id}
            with ct.start("inner") as inner:
                assert set(pool.map(range(12))) == {inner.id}
            assert set(pool.map(range(12))) == {run.id}
    assert set(pool.map(range(12))) == {None}
"""


@pytest.mark.parametrize("method", ["loky", "fork", "spawn", "forkserver"])
def test_workers_join_the_run_that_is_open(store: Store, tmp_path: Path, method: str) -> None:
    """Handed nothing, also those of an earlier run: each point goes to the run of its moment, and to none after it."""
    if method == "loky":
        pytest.importorskip("joblib")
    program = tmp_path / "joined.py"
    program.write_text(JOINED)
    command = [sys.executable, str(program), method]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert 1 <= result.stderr.count("the process that made this worker is in no run") <= 2, result.stderr
    records = store.records()
    assert sorted(record.name for record in records) == ["first", "inner", "inner", "second"]
    for record in records:
        assert (record.status, record.problems) == ("finished", ())
        times = 1 if record.name == "inner" else 2
        assert sorted(store.series(record.id)["from/workers"].value) == sorted([*range(12)] * times)
        assert all(writer.has_ended for writer in store.writers(record.id))
        assert [rank.has_died for rank in ct.run(record.id, store=store).ranks] == [False]
    assert not list((tmp_path / "cache" / "celltrail" / "processes").glob("*"))


def test_a_script_begun_in_a_run_is_below_it(store: Store) -> None:
    """Its runs are its own, and children of the run in which it was begun; a worker's own runs likewise."""
    own = "import celltrail as ct\nfor name in 'ab':\n    ct.start(name, {'x': 1}).finish()"
    with start("outer", store=store) as run:
        done(process(own))
    done(process(own))
    assert sorted((each.name, each.parent) for each in store.records() if each.id != run.id and each.parent) == [
        ("a", run.id), ("b", run.id),
    ]  # fmt: skip
    assert len(store.records()) == 5


def test_a_copy_of_a_run_is_the_run(store: Store) -> None:
    """Also once it has ended: whoever copies what holds one does not begin another."""
    with start("a", store=store) as run:
        assert copy.deepcopy({"run": run})["run"] is run
    assert pickle.loads(pickle.dumps(run)) is run


def test_forked_ranks_are_told_apart(store: Store) -> None:
    """As `notebook_launcher` makes them: the function and its run are there already, the rank comes later."""
    with start("launched", store=store) as run:
        children = []
        for rank in range(2):
            children.append(os.fork())
            if children[-1] == 0:
                os.environ["RANK"] = str(rank)
                run.log({"train/loss": 1.0 + rank}, step=0)
                if rank:
                    os.kill(os.getpid(), signal.SIGKILL)
                os._exit(0)
        assert [os.waitpid(child, 0)[1] for child in children] == [0, signal.SIGKILL]
        run.log({"done": 1.0})
    assert sorted(store.series(run.id)["train/loss"].value) == [1.0, 2.0]
    assert sorted(writer.rank for writer in store.writers(run.id)) == [0, 0, 1]
    assert [each.told for each in ct.run(run.id, store=store).ranks] == ["", "died after step 0"]


def test_a_rank_reads_as_a_line(store: Store) -> None:
    """Also in the list that a cell ends in."""
    with start("one", store=store) as run:
        for step in range(5):
            run.log({"loss": 1.0}, step=1000 * step)
    (rank,) = ct.run(run.id, store=store).ranks
    assert str(rank).startswith("rank 0: step 4,000, ")
    assert repr([rank]) == f"[<{rank}>]"
    assert str(replace(rank, processes=4, step_s=0.1, has_died=True)) == (
        "rank 0: step 4,000, 100 ms a step, 4 processes (died after step 4,000)"
    )
