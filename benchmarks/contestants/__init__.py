"""Who takes part, and what each of them promises of a call that has returned.

A module of this folder does the work of every row through the public interface of one tracker. It is loaded
in that tracker's own environment, so it imports its tracker inside functions and nothing else that is not in
the standard library. What it defines:

    load()                                   import the tracker, nothing more
    begin(folder, name, params)              a new run in this folder -> its log(values, step) and finish()
    points(folder)                           every run of the folder as {metric: [(step, value), ...]}, read back
    frame(folder)                            the one run of the folder as a table, a row per call
    thin(folder, metric, points)             a long series made short -> steps, values
    fill(folder, runs)                       these runs, as `invented.runs` makes them
    top(folder)                              names of the 50 best of the runs that match `invented.MATCH`
    one_metric(folder, metric)               one metric of all runs -> how many points were read

celltrail's has more: seal(folder), and change(folder) and other(folder) for what is asked again.

What a tracker does not have is missing in its module and named in `Contestant.lacks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Log = Callable[[dict[str, float], int], None]
Finish = Callable[[], None]
Points = dict[str, list[tuple[int, float]]]


@dataclass(frozen=True)
class Contestant:
    """A tracker, or a baseline, in an environment of its own."""

    name: str
    label: str
    where: str  # the points of a call that has returned
    how: str  # how it was set up, where a choice was made
    packages: tuple[str, ...] = ()  # empty: runs in celltrail's own environment
    version_of: str = ""
    env: Mapping[str, str] = field(default_factory=dict)  # {folder} stands for the folder of the measurement
    lacks: Mapping[str, str] = field(default_factory=dict)  # function -> why there is none
    share: float = 1.0  # of the calls that the others make, where it would take too long
    rows: tuple[str, ...] = ()  # a baseline of these rows alone


CONTESTANTS = {
    contestant.name: contestant
    for contestant in (
        Contestant(
            "jsonl",
            "JSON lines",
            "written to the system",
            "json.dumps, write, flush; read with json.loads into pandas",
            lacks={"top": "-"},
        ),
        Contestant(
            "sqlite", "JSON in SQLite", "committed to SQLite", "a document per run, json_extract", rows=("runs",)
        ),
        Contestant("celltrail", "celltrail", "written to the system", "as it comes"),
        Contestant(
            "trackio",
            "Trackio",
            "in a queue of the process",
            "embed=False",
            ("trackio", "pandas"),
            "trackio",
            {"TRACKIO_DIR": "{folder}"},
        ),
        Contestant(
            "tensorboard",
            "TensorBoard",
            "in a queue of the process",
            "written by tensorboardX (no torch), read by tensorboard's EventAccumulator; 32-bit values",
            ("tensorboard", "tensorboardX", "pandas"),
            "tensorboard",
        ),
        Contestant(
            "wandb",
            "wandb",
            "on its way to a service process",
            'mode="offline"',
            ("wandb", "pandas"),
            "wandb",
            lacks=dict.fromkeys(("frame", "thin", "top", "one_metric"), "reads no offline run"),
            share=0.5,
        ),
        Contestant(
            "aim",
            "Aim",
            "handed to RocksDB",
            "no system tracking, no capture of the terminal",
            ("aim", "pandas"),
            "aim",
            share=0.25,
        ),
        Contestant(
            "mlflow",
            "MLflow",
            "committed to SQLite",
            "a SQLite database",
            ("mlflow",),
            "mlflow",
            {"MLFLOW_DISABLE_TELEMETRY": "true"},
            lacks={"thin": "no such thing"},
            share=0.05,
        ),
    )
}
