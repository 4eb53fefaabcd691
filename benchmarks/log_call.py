"""What one ``log()`` call costs, as a ratio to appending and flushing one JSON line in the same process.

    python benchmarks/log_call.py                                  celltrail, and every peer that is installed
    python benchmarks/log_call.py --install wandb trackio mlflow   give peers an environment each, then measure

Machines are shared and busy, so an absolute time means little: read the ratios. What is durable differs and
belongs beside the numbers: a JSON line is handed to the system at each call, so it survives the death of the
process, and so does celltrail's point; MLflow commits each call to SQLite; wandb (offline) and trackio hand
the point to a background writer and lose what it has not written yet.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SIZES = (1, 5, 50)
CALLS = {"mlflow": 150}
ROUNDS = 5
PEERS = {"wandb": "wandb", "trackio": "trackio", "mlflow": "mlflow-skinny sqlalchemy alembic"}
ENVIRONMENTS = Path(__file__).parent.parent / "build" / "peers"

Log = Callable[[dict[str, float], int], None]


def jsonl(folder: Path) -> tuple[Log, Callable[[], None]]:
    """The yardstick: one line written and flushed per call."""
    file = (folder / "points.jsonl").open("a")

    def log(values: dict[str, float], step: int) -> None:
        file.write(json.dumps({"step": step, "t": time.time(), **values}) + "\n")
        file.flush()

    return log, file.close


def celltrail(folder: Path) -> tuple[Log, Callable[[], None]]:
    import celltrail as ct

    run = ct.start("bench", store=ct.Store(folder / ".celltrail"))
    return run.log, run.finish


def wandb(folder: Path) -> tuple[Log, Callable[[], None]]:
    import wandb

    run = wandb.init(mode="offline", dir=str(folder), project="bench", settings=wandb.Settings(silent=True))
    return lambda values, step: run.log(values, step=step), run.finish


def trackio(folder: Path) -> tuple[Log, Callable[[], None]]:
    os.environ["TRACKIO_DIR"] = str(folder)
    import trackio

    trackio.init(project="bench", embed=False)
    return lambda values, step: trackio.log(values, step=step), trackio.finish


def mlflow(folder: Path) -> tuple[Log, Callable[[], None]]:
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    mlflow.start_run()
    return lambda values, step: mlflow.log_metrics(values, step=step), mlflow.end_run


TRACKERS = {"jsonl": jsonl, "celltrail": celltrail, "wandb": wandb, "trackio": trackio, "mlflow": mlflow}


def times(log: Log, size: int, calls: int, first: int) -> list[float]:
    """Microseconds of each of ``calls`` calls with ``size`` metrics."""
    values = {f"train/metric_{i}": 0.123456789 * (i + 1) for i in range(size)}
    taken = []
    for step in range(first, first + calls):
        values["train/metric_0"] = step * 0.001
        began = time.perf_counter_ns()
        log(values, step)
        taken.append((time.perf_counter_ns() - began) / 1000)
    return taken


def measure(name: str) -> dict[str, dict[str, float]]:
    """Median and 99th percentile of the tracker and of the yardstick, rounds of both taken in turn."""
    calls = CALLS.get(name, 2000)
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        yard, close_yard = jsonl(Path(folder))
        log, close = TRACKERS[name](Path(folder))
        step = 0
        for size in SIZES:
            ours: list[float] = []
            theirs: list[float] = []
            for one in (log, yard):
                times(one, size, calls // 10, step)  # warm up
                step += calls
            for _ in range(ROUNDS):
                ours += times(log, size, calls, step)
                theirs += times(yard, size, calls, step)
                step += calls
            result[str(size)] = {
                "p50": statistics.median(ours),
                "p99": statistics.quantiles(ours, n=100)[98],
                "yard_p50": statistics.median(theirs),
                "yard_p99": statistics.quantiles(theirs, n=100)[98],
            }
        close()
        close_yard()
    return result


def python_of(name: str) -> Path | None:
    """The interpreter that has this tracker, or None."""
    if name == "celltrail":
        return Path(sys.executable)
    python = ENVIRONMENTS / name / "bin" / "python"
    return python if python.exists() else None


def install(name: str) -> None:
    """Give a peer an environment of its own under build/peers."""
    print(f"installing {name} ...", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENTS / name)], check=True)
    python = str(ENVIRONMENTS / name / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", *PEERS[name].split()], check=True)


def table(names: list[str]) -> str:
    """The ratios as a Markdown table."""
    head = [
        "tracker",
        *(f"{s} metric{'s' * (s > 1)}, p50" for s in SIZES),
        *(f"{s}, p99" for s in SIZES),
        "p50 of 1, us",
    ]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name in names:
        python = python_of(name)
        if python is None:
            continue
        command = [str(python), __file__, "--only", name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900)
        if done.returncode:
            print(f"{name} failed:\n{done.stderr[-2000:]}", file=sys.stderr)
            continue
        sizes = json.loads(done.stdout.splitlines()[-1])
        p50 = [f"{row['p50'] / row['yard_p50']:.2f}x" for row in sizes.values()]
        p99 = [f"{row['p99'] / row['yard_p99']:.2f}x" for row in sizes.values()]
        lines.append("| " + " | ".join([name, *p50, *p99, f"{sizes['1']['p50']:.1f}"]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", nargs="*", choices=list(PEERS), default=[], metavar="PEER")
    parser.add_argument("--only", choices=list(TRACKERS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measure(arguments.only)))
        return
    for name in arguments.install:
        install(name)
    print("log() against one JSON line, json.dumps + write + flush, in the same process (1.00x = the same)\n")
    print(table(["celltrail", *PEERS]))


if __name__ == "__main__":
    main()
