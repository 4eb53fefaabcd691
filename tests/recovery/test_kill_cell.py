"""A kernel killed with -9 in the middle of a tracked cell: the row "kill -9 in 5 spots" of what must survive a failure.

The run reads killed (or finished, where the cell was over), no `log()` that returned is lost, of what was printed and
watched at most the last quarter of a second is, and the next kernel goes on in the same trail.
"""

from __future__ import annotations

import contextlib
import queue
import time
from pathlib import Path

import pytest

from celltrail.query import runs
from celltrail.store import Store
from kernels import Kernel

KILL = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
# the kernel dies at the n-th file that is put in the place of another, on whatever thread that happens
AT_A_REPLACEMENT = """
import os, signal
replaces, seen = os.replace, []
def replace(*args, **kwargs):
    seen.append(args)
    if len(seen) == {n}:
        os.kill(os.getpid(), signal.SIGKILL)
    return replaces(*args, **kwargs)
os.replace = replace
"""
LOOP = """
import time
for step in range(400):
    loss = 1 / (step + 1)
    ct.log({"logged": loss}, step)
    with open("logged.txt", "a") as told:
        _ = told.write(f"{step}\\n")
    print(step, flush=True)
    time.sleep(0.002)
"""


def kernel_in(folder: Path) -> Kernel:
    kernel = Kernel(folder, {"CELLTRAIL_STORE": str(folder / ".celltrail"), "XDG_CACHE_HOME": str(folder / "cache")})
    assert kernel.run("%load_ext celltrail\nimport celltrail as ct, os, signal").status == "ok"
    return kernel


def die(kernel: Kernel, cell: str) -> str:
    """Run a cell that does not come back; what its client had seen of it."""
    kernel.client.execute(cell)
    process, limit, seen = kernel.manager.provisioner.process, time.monotonic() + 60, ""
    while process.poll() is None:
        assert time.monotonic() < limit, "the kernel lives on"
        with contextlib.suppress(queue.Empty):
            message = kernel.client.get_iopub_msg(timeout=0.2)
            seen += message["content"].get("text", "") if message["msg_type"] == "stream" else ""
    kernel.client.stop_channels()
    return seen


def goes_on(folder: Path) -> None:
    """The next kernel records into the same trail."""
    kernel = kernel_in(folder)
    try:
        assert kernel.run("%%track next\nloss = 1.0").status == "ok"
    finally:
        kernel.stop()
    assert [run.name for run in runs("status == 'finished' and name == 'next'", store=folder / ".celltrail")] == [
        "next"
    ]
    assert Store(folder / ".celltrail").examine().wrong == []


def test_in_its_first_line(tmp_path: Path) -> None:
    """The run is there with its code: it was written before the body began."""
    die(kernel_in(tmp_path), f"%%track first\n{KILL}")
    (run,) = runs(store=tmp_path / ".celltrail")
    assert (run.name, run.status) == ("first", "killed")
    assert "SIGKILL" in run.code
    goes_on(tmp_path)


def test_in_a_loop(tmp_path: Path) -> None:
    """Every `log()` that came back is there; of watched values and text all but the last quarter of a second."""
    cell = LOOP.replace(
        "    time.sleep(0.002)", f"    time.sleep(0.002)\n    if step == 300:\n        {KILL.splitlines()[1]}"
    )
    die(kernel_in(tmp_path), f"%%track loop --watch loss\n{cell}")
    (run,) = runs(store=tmp_path / ".celltrail")
    returned = [int(line) for line in (tmp_path / "logged.txt").read_text().split()]
    assert run.status == "killed"
    step, value = run.series("logged")
    assert step.tolist() == returned == list(range(301))
    assert value.tolist() == [1 / (each + 1) for each in returned]
    watched, _ = run.series("loss")
    assert len(watched) >= 301 - 125  # 2 ms a step
    assert watched.tolist() == list(range(len(watched)))
    goes_on(tmp_path)


def test_in_a_flood_of_text(tmp_path: Path) -> None:
    """What was printed up to then is kept, cut like any other, and the run can be read."""
    flood = "for line in range(200_000):\n    print(line, 'x' * 80)\n"
    die(kernel_in(tmp_path), f"%%track flood\n{flood}{KILL}")
    (run,) = runs(store=tmp_path / ".celltrail")
    assert run.status == "killed"
    assert run.code.count("print") == 1
    goes_on(tmp_path)


@pytest.mark.parametrize("hook", ["first", "last"])
def test_after_its_body(tmp_path: Path, hook: str) -> None:
    """Before our own hook has run, or just after it: the points are all there, and the status is one of the two."""
    kernel = kernel_in(tmp_path)
    callbacks = "get_ipython().events.callbacks['post_run_cell']"
    place = "insert(0, end)" if hook == "first" else "append(end)"
    kernel.run(
        "def end(result):\n    if result.info.raw_cell.startswith('%%track after'):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        f"{callbacks}.{place}"
    )
    die(kernel, "%%track after\nfor step in range(50):\n    ct.log({'logged': step / 2}, step)")
    (run,) = runs(store=tmp_path / ".celltrail")
    assert run.status == ("killed" if hook == "first" else "finished")
    assert run.series("logged")[0].tolist() == list(range(50))
    goes_on(tmp_path)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_while_the_record_is_written(tmp_path: Path, n: int) -> None:
    """At the n-th replacement of a file, by whatever thread: a reader sees the old document or the new one."""
    kernel = kernel_in(tmp_path)
    kernel.run("%%track before\nloss = 0.5")
    kernel.run("import time\ntime.sleep(0.5)")
    kernel.client.execute(
        AT_A_REPLACEMENT.format(n=n)
    )  # not waited for: what is still filed of `before` may be the n-th
    loop = "for step in range(20):\n    ct.log({'logged': step / 2}, step)"
    cell = f"%%track written\nlr = 0.1\n{loop}\nimport time\ntime.sleep(0.3)"
    kernel.client.execute(cell)
    process, limit = kernel.manager.provisioner.process, time.monotonic() + 10
    while process.poll() is None and time.monotonic() < limit:
        time.sleep(0.1)
    kernel.stop()
    found = {run.name: run for run in runs(store=tmp_path / ".celltrail")}
    assert found["before"].status == "finished"
    if "written" in found:
        run = found["written"]
        assert run.status in ("killed", "finished", "interrupted")
        steps = run.series("logged")[0].tolist() if "logged" in run.metrics else []
        assert steps == list(range(len(steps)))
    goes_on(tmp_path)
