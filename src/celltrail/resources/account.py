"""What one run uses: a reading at its start and its end, one a second in between, and one at the edges of cells."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any, NamedTuple

from celltrail.model import MACHINE, Json, Prices
from celltrail.resources.energy import Energy
from celltrail.resources.reading import Machine, Reading
from celltrail.run import Run
from celltrail.store import Store
from celltrail.store.docs.actors import AsTheyAre

EVERY_S = 1.0
SHARE = 0.01  # of one core, at most
_MOST_CELLS = 200
_HIGHEST = {"sys/rss_peak", "sys/gpu_memory_peak"}
_ADDED = {
    "sys/seconds", "sys/cpu_s", "sys/disk_read", "sys/disk_write", "sys/net_in", "sys/net_out", "energy/kwh",
}  # fmt: skip
# of series, by the last part of their names; as in UCUM
UNITS = {
    "cpu_percent": "%", "cpu_limit_percent": "%", "rss": "By", "rss_limit_percent": "%", "threads": "1",
    "disk_read_per_s": "By/s", "disk_write_per_s": "By/s", "net_in_per_s": "By/s", "net_out_per_s": "By/s",
    "watts": "W", "percent": "%", "memory": "By", "celsius": "Cel",
}  # fmt: skip

_settings = AsTheyAre(lambda store: store.settings.all())


class _Stretch(NamedTuple):
    """A cell from its begin on."""

    label: dict[str, Json]
    begin: Reading


class Account:
    """Measures for one run; `keep` is called by the keeper's thread a few times a second.

    Args:
        run: whose use it is.
        machine: reads.
        cell: what the cell that began it is known by: ``count``, the number in its brackets, and ``cell``, its id.
    """

    def __init__(self, run: Run, machine: Machine, cell: dict[str, Json]) -> None:
        self.run, self._machine = run, machine
        self._begin = self._last = machine.begin()
        self._peak_rss, self._gpu_peak, self._gpu_percent = self._begin.used.rss, 0, list[float]()
        self._due_s = self._begin.at_s + EVERY_S
        self._stretch: _Stretch | None = _Stretch(cell, self._begin)
        self._peak_before = self._begin.used.rss
        self._spent_s = 0.0
        record = run.record()  # of a run that is resumed, with what it had used by then
        self._earlier = record.summary
        self._cells: list[dict[str, Json]] = [*record.environment.get("resources", {}).get("cells", ())]
        self._is_resting, self._why = os.environ.get("CELLTRAIL_SAMPLES") == "0", ""
        self._is_declared = False

    @cached_property
    def _chosen(self) -> dict[str, Json]:
        """What the trail says of measuring; it is not waited for where a run begins."""
        return _settings.of(self.store) or self.store.settings.all()

    @property
    def store(self) -> Store:
        """The trail of the run."""
        return self.run.store

    def keep(self, now_s: float) -> None:
        """Take a sample, when one is due."""
        if now_s < self._due_s or self._is_resting:
            return
        if not self._chosen["resources.measured"]:
            self._is_resting = True
            return
        began = time.thread_time()
        self._sample()
        self._spent_s += time.thread_time() - began
        # on a slow machine, or with hundreds of children, a sample comes less often
        self._due_s = now_s + max(EVERY_S, self._spent_s / SHARE - (now_s - self._begin.at_s))

    def stumble(self, error: Exception) -> None:
        """That failed: the run goes on without samples."""
        self._is_resting = True
        self.run.stumble(error)

    def rest(self, why: str) -> None:
        """Take no more samples; the totals are told all the same."""
        self._is_resting, self._why = True, why

    def cell_begins(self, label: dict[str, Json]) -> None:
        """What comes now is of a new cell."""
        self._peak_before = 0
        self._stretch = _Stretch(label, self._read(thorough=False))

    def cell_ends(self) -> None:
        """What came since the cell began, or since the run did, is of this cell."""
        stretch, self._stretch = self._stretch, None
        if stretch is not None and len(self._cells) < _MOST_CELLS:
            self._add_cell(stretch, self._read(thorough=False))

    def close(self) -> None:
        """The run is about to end: what it used, all in all and cell by cell, becomes part of it."""
        is_long = time.monotonic() - self._begin.at_s >= EVERY_S
        end = self._read(thorough=is_long)
        # with hundreds of short cells in a row adding up and writing down would be felt
        self.run.afterwards(partial(self._conclude, end))

    def _conclude(self, end: Reading) -> None:
        if not self._chosen["resources.measured"]:  # asked here: the end of a run does not wait for the settings
            return
        if self._stretch is not None:
            self._add_cell(self._stretch, end)
        totals = _totals(self._between(self._begin, end, self._peak_rss), self._facts(end))
        facts: dict[str, Json] = {"cells": self._cells, "cores": self._machine.limits.cores or self._machine.cores}
        facts |= {"memory_limit": self._machine.limits.memory, "sampler_s": round(self._spent_s, 6)}
        if problem := self._why or self._machine.gpu_problem:
            facts["problem"] = problem
        self._tell(totals, facts)

    def _tell(self, totals: dict[str, Json], facts: dict[str, Json]) -> None:
        if not self.run.writer.owns:  # a rank or worker says it in its own log
            self.run.writer.event("resources", rank=self.run.writer.rank, totals=totals)
            return
        record = self.run.record()
        totals = _with_earlier(totals, self._earlier)
        known = Prices(**{name: self._chosen[f"prices.{name}"] for name in Prices.names()})
        prices = known.but(record.environment.get("prices", {}))
        priced = prices.of(totals.get("energy/kwh"), totals["sys/seconds"])
        told = {name: value for name, value in (totals | priced).items() if value is not None}
        own = {name: value for name, value in record.summary.items() if self._earlier.get(name) != value}
        self.run.learn(
            summary={**record.summary, **told, **own}, environment={"resources": facts, "prices": prices.told()}
        )

    def _read(self, thorough: bool) -> Reading:
        reading = self._last = self._machine.read(thorough)
        highest = max(reading.used.rss, reading.peak if reading.peak > self._begin.peak else 0)
        self._peak_rss, self._peak_before = max(self._peak_rss, highest), max(self._peak_before, reading.used.rss)
        self._gpu_peak = max(self._gpu_peak, sum(gpu.memory or 0 for gpu in reading.gpus))
        percents = [gpu.percent for gpu in reading.gpus if gpu.percent is not None]
        self._gpu_percent += [sum(percents) / len(percents)] if percents else []
        return reading

    def _sample(self) -> None:
        before = self._last
        values = self._values(before, self._read(thorough=True))
        if not self._is_declared:
            self._is_declared = True
            for name in values:
                self.run.define_metric(name, goal="none", unit=UNITS.get(name.rsplit("/", 1)[-1], "1"))
        self.run.log_beside(values)

    def _values(self, before: Reading, now: Reading) -> dict[str, float]:
        seconds = max(now.at_s - before.at_s, 1e-3)
        used = now.used.plus(before.used, -1)
        values: dict[str, float] = {"cpu_percent": 100 * used.cpu_s / seconds, "rss": now.used.rss}
        cores, memory = self._machine.limits
        if cores:
            values["cpu_limit_percent"] = values["cpu_percent"] / cores
        if memory:
            values["rss_limit_percent"] = 100 * now.used.rss / memory
        values["threads"] = now.used.threads
        values["disk_read_per_s"], values["disk_write_per_s"] = used.disk_read / seconds, used.disk_write / seconds
        values["net_in_per_s"] = (now.net_in - before.net_in) / seconds
        values["net_out_per_s"] = (now.net_out - before.net_out) / seconds
        values["watts"] = self._energy(before, now).joules / seconds
        for at, gpu in enumerate(now.gpus):
            told = {"percent": gpu.percent, "memory": gpu.memory, "watts": gpu.watts, "celsius": gpu.celsius}
            values |= {f"gpu{at}/{name}": value for name, value in told.items() if value is not None}
        return {f"{MACHINE}{name}": float(value) for name, value in values.items()}

    def _add_cell(self, stretch: _Stretch, end: Reading) -> None:
        label, begin = stretch
        grown = end.peak if end.peak > begin.peak else 0
        peak = max(self._peak_before, begin.used.rss, end.used.rss, grown)
        self._cells.append({**label, **_totals(self._between(begin, end, peak), {})})

    def _between(self, begin: Reading, end: Reading, peak: int) -> dict[str, Any]:
        used, energy = end.used.plus(begin.used, -1), self._energy(begin, end)
        return {
            "seconds": end.at_s - begin.at_s,
            "cpu_s": used.cpu_s,
            "rss_begin": begin.used.rss,
            "rss_end": end.used.rss,
            "rss_peak": peak,
            "threads": end.used.threads,
            "disk_read": used.disk_read,
            "disk_write": used.disk_write,
            "net_in": end.net_in - begin.net_in,
            "net_out": end.net_out - begin.net_out,
            "kwh": energy.joules / 3.6e6,
            "method": energy.method,
        }

    def _energy(self, begin: Reading, end: Reading) -> Energy:
        cpu_s = end.used.cpu_s - begin.used.cpu_s
        return end.energy.since(begin.energy, cpu_s, self._chosen["energy.core_watts"])

    def _facts(self, end: Reading) -> dict[str, Any]:
        if not end.gpus:
            return {}
        percent = sum(self._gpu_percent) / len(self._gpu_percent) if self._gpu_percent else None
        return {"gpus": len(end.gpus), "gpu_percent": percent, "gpu_memory_peak": self._gpu_peak}


def _totals(between: Mapping[str, Any], gpus: Mapping[str, Any]) -> dict[str, Json]:
    """Two readings as the totals of a run or cell; what is not known is not there.

    Args:
        between: what lies between the readings.
        gpus: what is known of GPUs beside it.
    """
    seconds = max(between["seconds"], 1e-6)
    return {
        "sys/seconds": round(seconds, 6),
        "sys/cpu_s": round(between["cpu_s"], 3),
        "sys/cpu_mean_percent": round(100 * between["cpu_s"] / seconds, 1),
        "sys/rss_peak": between["rss_peak"],
        "sys/rss_growth": between["rss_end"] - between["rss_begin"],
        "sys/threads_end": between["threads"],
        **{f"sys/{name}": between[name] for name in ("disk_read", "disk_write", "net_in", "net_out")},
        **{f"sys/{name}": value for name, value in gpus.items() if value is not None},
        "energy/kwh": between["kwh"],
        "energy/method": between["method"],
    }


def _with_earlier(totals: dict[str, Json], earlier: Mapping[str, Json]) -> dict[str, Json]:
    """The totals of a run that was resumed: those of all its processes together.

    >>> now, then = {"sys/seconds": 1.0, "sys/cpu_s": 1.0, "sys/rss_peak": 7}, {"sys/seconds": 3.0, "sys/rss_peak": 9}
    >>> _with_earlier(now, then)
    {'sys/seconds': 4.0, 'sys/cpu_s': 1.0, 'sys/rss_peak': 9, 'sys/cpu_mean_percent': 25.0}
    """
    known = {name: earlier[name] for name in totals if isinstance(earlier.get(name), int | float)}
    if not known:
        return totals
    together = {name: max(totals[name], known[name]) for name in _HIGHEST & known.keys()}
    together |= {name: totals[name] + known[name] for name in _ADDED & known.keys()}
    together = {**totals, **together}
    return {**together, "sys/cpu_mean_percent": round(100 * together["sys/cpu_s"] / together["sys/seconds"], 1)}
