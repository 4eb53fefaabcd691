"""What measuring the machine costs: the samples as a share of one core, and a run's beginning and end.

    python benchmarks/resources.py [--seconds 20]

A run waits while it is sampled; the cost is processor time of the sampling thread, with no child process and with
eight. Then short runs, in turn measured and not, by the processor time of the process; what counts is the median.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import celltrail as ct

FLOOR = 0.01  # of one core
ROUNDS = 40


def share(seconds: float, children: int, store: ct.Store) -> tuple[float, int]:
    """The share of a core that goes into samples, and how many there were."""
    wait = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    family = [subprocess.Popen(wait, stdin=subprocess.PIPE) for _ in range(children)]
    with ct.start("sampled", store=store) as run:
        time.sleep(seconds)
    for child in family:
        child.communicate()
    told = ct.run(run.id, store=store)
    spent = told.record.environment["resources"]["sampler_s"]
    return spent / told.resources()["sys/seconds"], told.metrics["sys/rss"].count


def short_ms(store: ct.Store, is_measured: bool) -> float:
    store.settings["resources.measured"] = is_measured
    began = time.process_time()
    with ct.start("short", store=store) as run:
        run.log({"loss": 1.0})
    return (time.process_time() - began) * 1e3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    seconds = parser.parse_args().seconds
    worst = 0.0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        store = ct.Store(Path(folder) / ".celltrail")
        for children in (0, 8):
            part, samples = share(seconds, children, store)
            worst = max(worst, part)
            print(f"{children} children: {samples} samples, {part:.3%} of a core (floor {FLOOR:.0%})")
        pairs = [(short_ms(store, True), short_ms(store, False)) for _ in range(ROUNDS)]
    on, off = (statistics.median(each) for each in zip(*pairs, strict=True))
    print(f"a run of one log call: {on:.2f} ms measured, {off:.2f} ms not")
    return worst > FLOOR


if __name__ == "__main__":
    sys.exit(main())
