"""What a run used of the machine, in total and cell by cell: how it is kept, and read back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from celltrail.errors import BadValue
from celltrail.model import Json, RunRecord
from celltrail.query.items import size
from celltrail.query.plain import length, number

if TYPE_CHECKING:
    import pandas as pd

KEPT_BYTES = 100_000_000  # from here on it is worth a word that a cell kept so much memory
# what a run's summary holds, and the word for it
TOTALS = {
    "sys/seconds": "time",
    "sys/cpu_s": "processor time",
    "sys/cpu_mean_percent": "processor, 100 % is one core",
    "sys/rss_peak": "memory at most",
    "sys/rss_growth": "memory kept",
    "sys/threads_end": "threads at the end",
    "sys/disk_read": "read from files",
    "sys/disk_write": "written to files",
    "sys/net_in": "received, whole machine",
    "sys/net_out": "sent, whole machine",
    "sys/gpus": "GPUs",
    "sys/gpu_mean_percent": "GPUs busy",
    "sys/gpu_memory_peak": "GPU memory at most",
    "energy/kwh": "energy",
    "energy/method": "energy known by",
    "energy/gco2e": "emitted",
    "cost/usd": "cost",
}
# of these a table has a column each
COLUMNS = ("sys/cpu_s", "sys/rss_peak", "sys/gpu_memory_peak", "energy/kwh", "cost/usd")
_BYTES = {"rss_peak", "rss_growth", "disk_read", "disk_write", "net_in", "net_out", "gpu_memory_peak"}
METHODS = {
    "nvml_counter": "the counters of the GPUs",
    "nvml_power_integral": "the power of the GPUs over time",
    "rapl": "the counters of the processor, whoever used it",
    "tdp_estimate": "an estimate from processor time",
}


def is_resource(name: str) -> bool:
    """Whether an entry of a summary is one of these totals.

    >>> is_resource("sys/cpu_s"), is_resource("test/acc")
    (True, False)
    """
    return name in TOTALS


def totals(record: RunRecord) -> dict[str, Json]:
    """All totals of a run by name, None where one is not known; empty where nothing was measured."""
    if "sys/seconds" not in record.summary:
        return {}
    return {name: record.summary.get(name) for name in TOTALS}


def cells(record: RunRecord) -> list[dict[str, Json]]:
    """What each cell of the run used, in order."""
    known: list[dict[str, Json]] = record.environment.get("resources", {}).get("cells") or []
    first = record.executions[0].count if record.executions else None
    return [{"count": first, "cell": record.cell_id, **cell} for cell in known]


def resources(record: RunRecord, by: str) -> dict[str, Json] | pd.DataFrame:
    """The totals, or a frame of them with a row for each cell."""
    if by == "run":
        return totals(record)
    if by != "cell":
        raise BadValue(f'by={by!r} is neither "run" nor "cell"')
    import pandas as pd

    rows = [{"run": record.name, **cell} for cell in cells(record)]
    return pd.DataFrame(
        rows, columns=["run", "count", "cell", *(name for name in TOTALS if any(name in r for r in rows))]
    )


def spelled(name: str, value: Json) -> str:
    """A total for people.

    >>> spelled("sys/rss_peak", 200_000_000), spelled("cost/usd", 0.25), spelled("energy/method", "rapl")
    ('200 MB', '0.25 $', 'the counters of the processor, whoever used it')
    >>> spelled("energy/kwh", 1.2), spelled("energy/kwh", 0.0031), spelled("energy/kwh", 8e-08)
    ('1.2 kWh', '3.1 Wh', '0.288 J')
    """
    short = name.rsplit("/", 1)[-1]
    if name == "energy/method":
        return " and ".join(METHODS.get(part, part) for part in str(value).split("+"))
    if not isinstance(value, int | float):
        return str(value)
    if short in _BYTES:
        return f"-{size(-int(value))}" if value < 0 else size(int(value))
    if short in {"seconds", "cpu_s"}:
        return length(value)
    if short == "kwh" and 0 < value < 0.1:
        return f"{number(value * 1e3)} Wh" if value >= 1e-4 else f"{number(value * 3.6e6)} J"
    unit = {"kwh": " kWh", "gco2e": " g CO2e", "usd": " $"}.get(short, " %" if short.endswith("percent") else "")
    return f"{number(value)}{unit}"


def lines(record: RunRecord) -> Iterator[tuple[str, str]]:
    """The totals of a run in words, and what it is worth to look at."""
    for name, value in totals(record).items():
        if value is not None:
            yield TOTALS[name], spelled(name, value)
    if kept := kept_in_words(record):
        yield "to look at", kept
    if problem := record.environment.get("resources", {}).get("problem"):
        yield "not measured", problem


def kept_in_words(record: RunRecord) -> str:
    """Of memory that stayed: "this cell kept 200 MB", or "" where it is not much."""
    grown = record.summary.get("sys/rss_growth")
    if not isinstance(grown, int) or grown < KEPT_BYTES:
        return ""
    return f"this {'cell' if record.executions else 'run'} kept {size(grown)} of memory: {_WHY}"


_WHY = "large objects that are still named, or a cache; del what is not needed any more"
