"""Trails of many runs, made quickly and in the real formats: what the other benchmarks read.

    python benchmarks/trails.py build/trails/100k 100000            documents only, about a minute
    python benchmarks/trails.py build/trails/1k 1000 --points 1000  with a log of 1,000 calls a run
    python benchmarks/trails.py build/trails/wide 10000 --more 184  with 184 columns more in the run table

The same arguments give the same runs, so that two measurements are of the same trail. Nothing is fsynced.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import sys
from pathlib import Path
from struct import Struct
from zlib import crc32

import numpy as np

from celltrail.model import Failure, Metric, Param, RunRecord
from celltrail.store import Summaries, root
from celltrail.store import log as logs
from celltrail.store.docs import records
from celltrail.store.files.encoding import encode
from celltrail.store.folders import run_folder

METRICS = ("train/loss", "val/loss", "train/acc", "val/acc", "lr")
GOALS = {"train/loss": "min", "val/loss": "min", "train/acc": "max", "val/acc": "max", "lr": "none"}
STATUSES = ("finished",) * 17 + ("failed",) * 2 + ("interrupted",)
TAGS = ("baseline", "mlp", "cnn", "transformer", "sweep", "keep")
OPTIMIZERS = ("adam", "adamw", "sgd", "lion")
BEGAN_US = 1_767_225_600_000_000  # 2026-01-01
SPACING_US = 97_000_000  # between two runs
STEPS = 100  # of the summaries of a run without a log
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def make_trail(folder: Path | str, runs: int, points: int = 0, more: int = 0) -> Path:
    """Write a trail of so many finished runs with 10 params, 5 metrics and tags; its folder.

    Args:
        folder: where; it becomes the trail itself. One that has as many runs already is left as it is.
        runs: how many.
        points: ``log()`` calls of all five metrics in each run; 0 writes no logs, only the summaries of 100.
        more: columns more in a table of the runs: half of them params, half the last and best value of metrics.
    """
    folder = Path(folder)
    done = folder.with_name(f"{folder.name}.made")  # beside it: a trail holds nothing but its own files
    asked = f"{runs} {points}" + f" {more}" * (more > 0)
    if done.exists() and done.read_text() == asked:
        return folder
    trail = root.establish(folder)
    for number in range(runs):
        _write(folder, trail, widened(record_of(number), number, more), points)
    done.write_text(asked)
    return folder


def record_of(number: int) -> RunRecord:
    """The run of this number, the same each time."""
    dice = random.Random(number)
    created = BEGAN_US + number * SPACING_US
    status = dice.choice(STATUSES)
    duration = round(dice.expovariate(1 / 300), 3)
    return RunRecord(
        id=_id(created // 1000, dice),
        name=f"{dice.choice(TAGS)}-{number}",
        status=status,
        project=f"project-{number % 7}",
        created_us=created,
        started_us=created,
        ended_us=created + int(duration * 1e6),
        duration_s=duration,
        group=f"sweep-{number // 50}" if number % 3 else None,
        cell_id=f"cell-{number % 40}",
        notebook=f"notebooks/{number % 12}.ipynb",
        user="ada",
        host="bench",
        writer=f"0000000a-1-0-0-{number & 0xFFFF:04x}",
        error=Failure("ValueError", f"loss is not finite at step {number}") if status == "failed" else None,
        tags=tuple(dice.sample(TAGS, dice.randint(0, 3))),
        params=_params(number, dice),
        metrics={name: _summary(name, dice) for name in METRICS},
        summary={"size": dice.randint(1, 10**6)},
        environment={"env": {"python": "3.11.7"}, "git": {"commit": f"{dice.getrandbits(160):040x}", "dirty": False}},
    )


def widened(record: RunRecord, number: int, more: int) -> RunRecord:
    """The run with so many columns more in a table, see `make_trail`."""
    dice = random.Random(-1 - number)
    params = {f"option_{i}": Param(f"option_{i}", dice.randint(0, 9 + i), "scalar", i) for i in range(more // 2)}
    metrics = {name: _summary(name, dice) for name in (f"val/score_{i}" for i in range(more // 4))}
    metrics = {name: dataclasses.replace(metric, goal="max") for name, metric in metrics.items()}
    return dataclasses.replace(record, params=record.params | params, metrics=record.metrics | metrics)


def _params(number: int, dice: random.Random) -> dict[str, Param]:
    values = {
        "lr": 10 ** dice.uniform(-5, -1),
        "batch_size": dice.choice((16, 32, 64, 128)),
        "epochs": dice.randint(1, 100),
        "layers": dice.randint(1, 12),
        "dropout": round(dice.uniform(0, 0.6), 2),
        "optimizer": dice.choice(OPTIMIZERS),
        "seed": number,
        "weight_decay": 0.0 if dice.random() < 0.3 else 10 ** dice.uniform(-6, -2),
        "augment": dice.random() < 0.5,
        # in one run of ten a word where the others have a number, and in some not at all
        "warmup": "auto" if number % 10 == 0 else dice.randint(0, 500),
    }
    if number % 13 == 0:
        del values["warmup"]
    return {name: Param(name, value, "scalar", line) for line, (name, value) in enumerate(values.items(), 1)}


def _summary(name: str, dice: random.Random) -> Metric:
    low, last, high = sorted(dice.random() * (3 if "loss" in name else 1) for _ in range(3))
    return Metric(
        name,
        GOALS.get(name, "none"),
        first=high,
        last=last,
        last_step=STEPS - 1,
        min=low,
        min_step=dice.randrange(STEPS),
        max=high,
        max_step=0,
        sum=last * STEPS,
        count=STEPS,
    )


def _write(folder: Path, trail: str, record: RunRecord, points: int) -> None:
    place = run_folder(folder, record.id)
    (place / "m").mkdir(parents=True, exist_ok=True)
    if points:
        steps, values = _series(record, points)
        summaries = Summaries()
        summaries.fold(METRICS, steps, values)
        metrics = {name: dataclasses.replace(each, goal=GOALS[name]) for name, each in summaries.metrics().items()}
        record = dataclasses.replace(record, metrics=metrics)
        (place / "m" / f"{record.writer}.0001.ctl").write_bytes(log_of(record, trail, steps, values))
    tables = records.tables_of(record)
    tables["run"][record.id] |= {"rev": 3, "changes": 30}
    tables["writers"] = {record.writer: {"pid": 1, "start": "1", "boot": "bench", "host": "bench"}}
    (place / "run.json").write_bytes(encode(tables))


def _series(record: RunRecord, points: int) -> tuple[np.ndarray, np.ndarray]:
    noise = np.random.default_rng(record.created_us)
    falling = np.exp(-np.linspace(0, 3, points))[:, None]
    values = np.abs(falling * (1, 1.1, -0.9, -0.8, 0) + (0, 0, 1, 0.9, 1e-3) + noise.normal(0, 0.02, (points, 5)))
    return np.arange(points, dtype=np.int64), values


def log_of(record: RunRecord, trail: str, steps: np.ndarray, values: np.ndarray) -> bytes:
    """The log of a run as its writer would have left it: head, schema, a row per call, end."""
    salt = logs.salt_of(record.writer)
    head = {"format": 1, "trail": trail, "run": record.id, "rank": 0, "pid": 1, "start": "1", "boot": "bench"}
    head |= {"host": "bench", "wall_us": record.started_us, "mono_us": 0, "writer": record.writer, "part": 1}
    width = values.shape[1]
    length = logs.ROW.size + 8 * width
    inner = crc32(logs.COVERED.pack(length, logs.ROW_KIND), salt)
    pack = Struct(f"{logs.ROW.format}{width}d").pack
    between = max(1, ((record.ended_us or record.started_us) - record.started_us) // len(steps))
    pieces = [logs.MAGIC, logs.frame(logs.HEAD_KIND, encode(head), salt)]
    schema = logs.frame(logs.SCHEMA_KIND, encode([0, METRICS]), salt)
    pieces.append(schema)
    for step, row in zip(steps.tolist(), values.tolist(), strict=True):
        body = pack(0, step, record.started_us + step * between, *row)
        pieces.append(logs.HEADER.pack(length, crc32(body, inner), logs.ROW_KIND) + body)
    end = {"t": record.ended_us, "status": record.status, "rows": len(steps)}
    end["metrics"] = records.metric_fields(record.metrics)
    return b"".join([*pieces, schema, logs.frame(logs.END_KIND, encode(end), salt)])


def _id(milliseconds: int, dice: random.Random) -> str:
    number = milliseconds << 80 | dice.getrandbits(80)
    return "".join(_LETTERS[number >> shift & 31] for shift in range(125, -5, -5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("runs", type=int)
    parser.add_argument("--points", type=int, default=0)
    parser.add_argument("--more", type=int, default=0)
    asked = parser.parse_args()
    make_trail(asked.folder, asked.runs, asked.points, asked.more)
    print(f"{asked.runs} runs in {asked.folder}", file=sys.stderr)


if __name__ == "__main__":
    main()
