"""What runs and cells use of the machine, held against what they are known to use."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import celltrail as ct
from celltrail.errors import BadValue
from celltrail.query.resources import COLUMNS, KEPT_BYTES
from celltrail.query.sheet import Sheet
from celltrail.resources.energy import Energies, Rapl
from celltrail.resources.gpu import Gpu, Gpus
from celltrail.resources.limits import Limits, limits
from celltrail.store import Store
from kernels import SETTLE, Kernel

MB = 1_000_000


@pytest.fixture(autouse=True)
def sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CELLTRAIL_SAMPLES")


def burn(seconds: float) -> float:
    """Use so much processor time of one core; how much it was."""
    begun = time.process_time()
    while time.process_time() - begun < seconds:
        sum(range(2000))
    return time.process_time() - begun


def test_a_core_that_is_burnt_is_read_as_one(store: Store) -> None:
    """M4.1: two seconds of one core read 80-120 % of them, in total, in the samples and for a child process."""
    with ct.start("burn", store=store) as run:
        begun = time.monotonic()
        used = burn(2)
        passed = time.monotonic() - begun
        run.log({"loss": 1.0})
    told = ct.run(run.id, store=store)
    totals = told.resources()
    assert 0.8 * used <= totals["sys/cpu_s"] <= 1.2 * used
    assert totals["sys/cpu_mean_percent"] == pytest.approx(100 * totals["sys/cpu_s"] / totals["sys/seconds"], rel=0.01)
    percents = store.series(run.id)["sys/cpu_percent"].value
    assert len(percents) >= 1
    assert 0.5 <= percents.mean() / (100 * used / passed) <= 1.5
    assert told.metrics["sys/cpu_percent"].unit == "%"

    with ct.start("child", store=store) as run:
        work = "import time\nwhile time.process_time() < 0.5: pass"
        subprocess.run([sys.executable, "-c", work], check=True)
    assert 0.4 <= ct.run(run.id, store=store).resources()["sys/cpu_s"] <= 1.2


def test_samples_stand_beside_what_is_logged(store: Store) -> None:
    """They count no step, and no history, table or frame is about them unless asked for."""
    with ct.start("beside", store=store) as run:
        run.log({"loss": 1.0})
        time.sleep(1.6)
        run.log({"loss": 0.5})
    told = ct.run(run.id, store=store)
    assert run.step == 1
    assert "sys/rss" in told.metrics
    assert list(told.history().columns) == ["step", "time", "loss"]
    assert len(told.history()) == 2
    frame = ct.runs(store=store).df()
    assert not [name for name in frame if name.startswith("metrics.sys/")]
    assert frame["summary.sys/cpu_s"].tolist() == [told.resources()["sys/cpu_s"]]
    assert ct.runs("summary.`sys/rss_peak` > 1e6", store=store)[0].id == run.id
    # as columns of the run table, also of one too long to be held whole
    runs = ct.runs(store=store).sort("-summary.sys/cpu_s")
    totals = runs.rows()[0]["totals"]
    assert {"sys/cpu_s", "sys/rss_peak", "energy/kwh"} <= totals.keys() <= set(COLUMNS)
    assert totals["sys/rss_peak"] == told.resources()["sys/rss_peak"]
    heads = {head["id"]: head["numeric"] for head in Sheet(runs).heads}
    assert [heads.get(f"summary.{name}") for name in ("sys/cpu_s", "sys/rss_peak", "cost/usd")] == [True, True, None]
    where, values = told.series("sys/rss", x="relative")
    assert 0.9 < where[0] < 1.7
    assert values[0] > 10 * MB
    assert "sys/rss" not in ct.runs(store=store).rows()[0]["metrics"]


def test_memory_disk_energy_and_prices(store: Store, tmp_path: Path) -> None:
    """M4.2: 200 MB kept read 190-220; M4.3: 64 MB written read at least that; M4.4: the method, kWh, CO2 by factor."""
    with ct.start("keeps", store=store) as run:
        kept = bytearray(os.urandom(MB)) * 200
    totals = ct.run(run.id, store=store).resources()
    assert 190 * MB <= totals["sys/rss_growth"] <= 220 * MB
    assert totals["sys/rss_peak"] >= 190 * MB
    assert (totals["energy/gco2e"], totals["cost/usd"]) == (None, None)
    assert "energy/gco2e" not in ct.run(run.id, store=store).summary
    assert len(kept) > KEPT_BYTES
    del kept

    with ct.start("writes", store=store) as run:
        run.prices(gco2_per_kwh=400, usd_per_hour=3600)
        (tmp_path / "large").write_bytes(bytes(64 * MB))
    totals = ct.run(run.id, store=store).resources()
    assert 64 * MB <= totals["sys/disk_write"] <= 70 * MB
    assert totals["sys/rss_growth"] < 20 * MB
    assert set(totals["energy/method"].split("+")) <= {"rapl", "tdp_estimate", "nvml_counter", "nvml_power_integral"}
    assert totals["energy/kwh"] > 0
    assert totals["energy/gco2e"] == totals["energy/kwh"] * 400
    assert totals["cost/usd"] == pytest.approx(totals["sys/seconds"], rel=1e-6)

    store.settings["prices.usd_per_kwh"] = "0.3"
    with ct.start("by the trail", store=store) as run:
        burn(0.05)
    totals = ct.run(run.id, store=store).resources()
    assert totals["cost/usd"] == pytest.approx(0.3 * totals["energy/kwh"])
    used = ct.run("writes", store=store).resources()
    with ct.start(resume="writes", store=store) as run:
        burn(0.1)
        run.summary["cost/usd"] = 7.0
    both = ct.run("writes", store=store).resources()
    assert used["sys/cpu_s"] + 0.08 <= both["sys/cpu_s"] <= used["sys/cpu_s"] + 0.5
    assert both["sys/disk_write"] >= used["sys/disk_write"]
    assert both["sys/rss_peak"] >= used["sys/rss_peak"]
    assert both["cost/usd"] == 7.0
    with pytest.raises(BadValue, match=r"usd_per_kwh=-1 is no price; it is a number from 0"):
        run.prices(usd_per_kwh=-1)
    with pytest.raises(BadValue, match="takes a number from 0, not 'dear'"):
        store.settings["prices.usd_per_kwh"] = "dear"


def test_it_can_be_switched_off_and_a_fork_measures_for_itself(store: Store) -> None:
    """A run of no points has totals all the same; no thread is made for any of it; a child has its own runs only."""
    before = threading.active_count()
    with ct.start("short", store=store) as run:
        assert "celltrail-resources" not in {thread.name for thread in threading.enumerate()}
    assert threading.active_count() <= before + 2  # the keeper, and the one that describes
    assert ct.run(run.id, store=store).resources()["sys/seconds"] > 0
    assert ct.run(run.id, store=store).metrics == {}
    with ct.start("parent", store=store) as run:
        if not (child := os.fork()):
            with ct.start("child", store=store):
                burn(0.2)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    of_child = ct.run("child", store=store)
    assert of_child.status == "finished"
    assert 0.15 <= of_child.resources()["sys/cpu_s"] <= 0.4
    store.settings["resources.measured"] = False
    with ct.start("unmeasured", store=store) as run:
        pass
    told = ct.run(run.id, store=store)
    assert (told.resources(), told.resources(by="cell").empty) == ({}, True)
    with pytest.raises(BadValue, match='by=\'week\' is neither "run" nor "cell"'):
        told.resources(by="week")


def test_cells_of_a_notebook(tmp_path: Path) -> None:
    """M4.2 by cell, a run over several cells, an interrupt, the words in the panel, and what unloading leaves."""
    store = Store(tmp_path / ".celltrail")
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(tmp_path / "c")})
    kernel.run("%load_ext celltrail")
    kernel.run("%%track keeps\nkept = bytearray(b'x') * 200_000_000")
    kernel.run("import celltrail as ct\nrun = ct.start('open')")
    kernel.run("more = bytearray(b'x') * 150_000_000")
    kernel.run("run.finish()")
    reply = kernel.run("%%track stopped\nimport time\ntime.sleep(1.5)\nraise KeyboardInterrupt")
    assert reply.status == "error"
    kernel.run(SETTLE)
    kernel.run("%unload_ext celltrail\nimport threading\nprint([t.name for t in threading.enumerate()])")
    kernel.stop()
    keeps, spans, stopped = (ct.run(name, store=store) for name in ("keeps", "open", "stopped"))
    assert not [run.record.problems for run in (keeps, spans, stopped) if run.record.problems]
    (cell,) = keeps.resources(by="cell").to_dict("records")
    assert cell["count"] == 2
    assert 190 * MB <= cell["sys/rss_growth"] <= 220 * MB
    lines = {name: value for each in sections(keeps) if each["title"] == "resources" for name, value in each["rows"]}
    assert lines["memory kept"] == "200 MB"
    assert lines["to look at"].startswith("this cell kept 200 MB of memory")
    rows = spans.resources(by="cell").to_dict("records")
    assert [row["count"] for row in rows] == [3, 4, 5]
    assert [row["sys/rss_growth"] > 140 * MB for row in rows] == [False, True, False]
    assert stopped.status == "interrupted"
    assert len(store.series(stopped.id)["sys/rss"].value) == 1
    assert stopped.resources()["sys/seconds"] >= 1.5


def sections(run: ct.Run) -> list[dict]:
    from celltrail.query.detail import detail

    return detail(run)["sections"]


def test_limits_of_control_groups(tmp_path: Path) -> None:
    """M4.1: what a container grants is its 100 %: the kernel's files of both versions, the strictest on the way up."""
    proc = tmp_path / "proc"
    second = tmp_path / "two"
    (second / "job/step").mkdir(parents=True)
    (second / "job/cpu.max").write_text("150000 100000\n")
    (second / "job/step/cpu.max").write_text("max 100000\n")
    (second / "job/step/memory.max").write_text("2000000000\n")
    proc.write_text("0::/job/step\n")
    assert limits(proc, second) == Limits(1.5, 2_000_000_000)
    first = tmp_path / "one"
    (first / "cpu,cpuacct").mkdir(parents=True)
    (first / "memory").mkdir()
    (first / "cpu,cpuacct/cpu.cfs_quota_us").write_text("50000\n")
    (first / "cpu,cpuacct/cpu.cfs_period_us").write_text("100000\n")
    (first / "memory/memory.limit_in_bytes").write_text("9223372036854771712\n")
    proc.write_text("4:cpu,cpuacct:/docker/1\n3:memory:/docker/1\n")
    assert limits(proc, first) == Limits(0.5, None)


class Driver:
    """The functions of ``pynvml`` that are asked, with values as a driver told them; it has no energy counter."""

    NVML_TEMPERATURE_GPU = 0

    class NVMLError(Exception):
        """As pynvml's."""

    def __init__(self, counts_energy: bool) -> None:
        self._counts_energy = counts_energy
        self.millijoules = 0

    def nvmlInit(self) -> None: ...  # noqa: N802

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        if index > 1:
            raise self.NVMLError("Invalid Argument")
        return index

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(gpu=97 - handle, memory=41)

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(total=85899345920, free=51539607552, used=34359738368)

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:  # noqa: N802
        return 350_000

    def nvmlDeviceGetTemperature(self, handle: int, kind: int) -> int:  # noqa: N802
        return 61

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:  # noqa: N802
        if not self._counts_energy:
            raise self.NVMLError("Not Supported")
        self.millijoules += 1000
        return self.millijoules


def test_what_a_driver_tells_is_read_in_base_units() -> None:
    """M4.1, M4.4: percent, bytes, watts, degrees, joules; what it does not support is None, never 0."""
    found = Gpus(Driver(counts_energy=False), {}).read()
    assert found == [Gpu(97.0, 34359738368, 350.0, 61, None), Gpu(96.0, 34359738368, 350.0, 61, None)]
    assert len(Gpus(Driver(False), {"CUDA_VISIBLE_DEVICES": "1"}).read()) == 1
    assert len(Gpus(Driver(False), {"CUDA_VISIBLE_DEVICES": "0,7,1"}).read()) == 1
    assert Gpus(Driver(False), {"CUDA_VISIBLE_DEVICES": ""}).read() == []


def test_the_ladder_of_energy(tmp_path: Path) -> None:
    """M4.4: counters of the GPU before its power over time, those of the processor before an estimate, by name."""
    nothing = Rapl(tmp_path / "none")
    none = Energies(nothing).read([], 0.0)
    assert none.since(none, cpu_s=360.0, core_watts=10.0) == (3600.0, "tdp_estimate")
    counted = Energies(nothing)
    gpus = Gpus(Driver(counts_energy=True), {"CUDA_VISIBLE_DEVICES": "0"})
    begin = counted.read(gpus.read(), 0.0)
    assert counted.read(gpus.read(), 1.0).since(begin, 3.0, 10.0) == (31.0, "nvml_counter+tdp_estimate")
    summed = Energies(nothing)
    for second in range(5):
        energy = summed.read([Gpu(watts=100.0 + second)], float(second))
    assert energy == (408.0, "nvml_power_integral")
    assert summed.read([Gpu(watts=1000.0)], 500.0).joules == 408.0  # nobody knows what was in between
    package = tmp_path / "powercap/intel-rapl:0"
    package.mkdir(parents=True)
    (tmp_path / "powercap/intel-rapl:0:0").mkdir()
    (package / "max_energy_range_uj").write_text("262143328850\n")
    (package / "energy_uj").write_text("262143000000\n")
    rapl = Rapl(tmp_path / "powercap")
    (package / "energy_uj").write_text("671150\n")  # it began anew
    assert Energies(rapl).read([], 0.0).since(none, 99.0, 10.0) == (1.0, "rapl")
