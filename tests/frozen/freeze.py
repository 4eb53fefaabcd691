"""Freezes a small trail of the present format, to be read by every later celltrail: ``python tests/frozen/freeze.py``.

Only for a new format: a frozen trail is never made again. Host, user and boot in it belong to nobody.
"""

from __future__ import annotations

import dataclasses
import getpass
import json
import math
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from celltrail.model import Execution, Failure, Output, Param, RunRecord, new_id, now_us
from celltrail.store import RunWriter, Store, root
from celltrail.store.files import alive
from celltrail.store.files.encoding import encode

HERE = Path(__file__).parent
PLACE = HERE / f"format-{root.FORMAT}"
NEUTRAL = "frozen"


def told(store: Store) -> dict[str, Any]:
    """All that a reader gets of a trail, as plain JSON, by the name of the run."""
    return json.loads(
        encode(
            {
                record.name: {
                    "record": dataclasses.asdict(record),
                    "series": {
                        name: [series.step.tolist(), series.t_us.tolist(), series.value.tolist()]
                        for name, series in sorted(store.series(record.id).items())
                    },
                    "events": store.events(record.id),
                    "edits": store.edits(record.id),
                    "gaps": [str(gap) for gap in store.gaps(record.id)],
                }
                for record in store.records()
            }
        )
    )


def findings(store: Store) -> list[list[str]]:
    """What the doctor says of it."""
    return sorted([finding.kind, finding.where] for finding in store.examine(reads_all=True).findings)


def aged(folder: Path, seconds: float) -> None:
    """As if nobody had touched these files for so long."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - seconds,) * 2)


def _begin(store: Store, name: str, **fields: Any) -> RunWriter:
    now = now_us()
    record = RunRecord(new_id(), name, "running", "frozen", now, now, user=NEUTRAL, host=NEUTRAL)
    return store.begin(dataclasses.replace(record, **fields))


def _finished(store: Store) -> None:
    code = store.blobs.put("loss = 1 / step\n")
    writer = _begin(
        store,
        "finished",
        code=code,
        tags=("first",),
        notes=("as it was run",),
        params={"lr": Param("lr", 0.1, "assign")},
    )
    for step in range(12):
        writer.row(("loss", "acc"), step, writer.clock(), (1 / (step + 1), math.nan if step % 4 == 0 else step / 12))
        if step % 3 == 0:
            writer.row(("lr",), step, writer.clock(), (10.0**-step,))
            writer.row(("loss", "gradient norm"), step, writer.clock(), (0.5, math.inf if step else -math.inf))
            writer.item("said", step, f"step {step} \N{CHECK MARK}")
    writer.item("tokens", 11, 2**53 + 1, type="integer")
    writer.event("problem", text="a fault of the recording")
    writer.put("params", "seed", {"value": 2**80, "rule": "api"})
    writer.put("summary", "verdict", {"value": {"good": True, "bound": math.inf}})
    writer.put("environment", "env", {"python": "3.11", "packages": {"numpy": "2.4"}})
    output = Output(0, "stdout", 4, data={"text/plain": store.blobs.put("done")})
    now = now_us()
    execution = Execution("x1", 3, "cell-1", "ok", now, now, code, outputs=(output,))
    record = dataclasses.replace(store.record(writer.id), executions=(execution,))
    writer.close(dataclasses.replace(record, status="finished", ended_us=writer.clock(), duration_s=1.5))
    for field, value in {
        "name": "finished",
        "tag:first": False,
        "tag:kept": True,
        "note:01J0000000000000000000000A": "a later word",
        "rating": 4,
        "starred": True,
        "param:lr": 0.2,
        "mark:01J0000000000000000000000B": {"text": "here", "metric": "loss", "step": 3},
    }.items():
        store.edit(writer.id, field, value)


def _killed(store: Store) -> None:
    """A process that was killed while the machine lost what it wrote last."""
    child = os.fork()
    if child == 0:
        writer = _begin(store, "killed")
        for step in range(20):
            writer.row(("loss",), step, writer.clock(), (step / 7,))
        writer.put("params", "late", {"value": "only in the log", "rule": "api"})
        writer.row(("loss",), 20, writer.clock(), (20 / 7,))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    (killed,) = (record.id for record in store.records() if record.name == "killed")
    (log,) = (store.root / "runs" / killed[-2:] / killed / "m").glob("*.ctl")
    log.write_bytes(log.read_bytes()[:-5])


def _sealed(store: Store) -> None:
    writer = _begin(store, "sealed")
    for step in range(30):
        writer.row(("loss", "acc"), step, writer.clock(), (1 / (step + 1), math.nan if step == 7 else step / 30))
        if step % 10 == 0:
            writer.row(("val/loss",), step, writer.clock(), (step / 3,))
            writer.event("problem", text=f"at {step}")
    error = Failure("ValueError", "no more data")
    record = dataclasses.replace(store.record(writer.id), status="failed", error=error, ended_us=writer.clock())
    writer.close(record)
    folder = store.root / "runs" / writer.id[-2:] / writer.id
    aged(folder, 4000)
    assert store.compact().sealed == [writer.id]
    aged(folder, 4000)
    assert store.compact().released == [writer.id]


def _neutral() -> None:
    os.environ |= {"XDG_CACHE_HOME": tempfile.mkdtemp(), "HOME": f"/{NEUTRAL}", "CELLTRAIL_KEEP_LOGS": "1"}
    platform.node = lambda: NEUTRAL
    getpass.getuser = lambda: NEUTRAL
    alive._boot = lambda: NEUTRAL  # pyright: ignore[reportAttributeAccessIssue]
    alive._machine = lambda: NEUTRAL  # pyright: ignore[reportAttributeAccessIssue]


def main() -> None:
    """Make the trail and what is told of it; refuses to make one again."""
    if PLACE.exists():
        sys.exit(f"{PLACE.name} is frozen")
    _neutral()
    with tempfile.TemporaryDirectory() as folder:
        trail = Path(folder) / ".celltrail"
        store = Store(trail)
        _sealed(store)
        _finished(store)
        _killed(store)
        aged(trail / "runs", 100)
        shutil.copytree(trail, PLACE)
    copy = Store(PLACE)
    expected = {"runs": told(copy), "findings": findings(copy), "head": copy.audit.head()}
    (HERE / f"{PLACE.name}.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
