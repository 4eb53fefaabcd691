"""What rules cost: a call of ``log()`` with none, beside one with each kind of rule standing.

    python benchmarks/alerts.py [--calls 20000]

Processor time of the thread that logs, in turn without rules and with, in one process; what counts is the best round.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import celltrail as ct

ROUNDS = 7
RULES = {
    "no rule": (),
    "one for another run": (),
    "val/loss > 3": ("val/loss > 3",),
    "nan()": ("nan()",),
    "plateau(val/loss)": ("plateau(val/loss)",),
    "diverged(val/loss)": ("diverged(val/loss)",),
    "mean(val/loss) > 3 and not isnan(val/loss)": ("mean(val/loss) > 3 and not isnan(val/loss)",),
    "ten thresholds": tuple(f"val/loss > {at}" for at in range(3, 13)),
}


def call_us(store: ct.Store, rules: Sequence[str], calls: int) -> float:
    """One call of ten metrics, in microseconds."""
    values = {f"train/m{at}": 0.5 for at in range(9)} | {"val/loss": 1.0}
    with ct.start("logged", store=store) as run:
        for rule in rules:
            run.alert(rule)
        began = time.thread_time()
        for step in range(calls):
            run.log(values, step)
        return (time.thread_time() - began) / calls * 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    calls = parser.parse_args().calls
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        store = ct.Store(Path(folder) / ".celltrail")
        for _ in range(ROUNDS):
            for name, rules in RULES.items():
                if name == "one for another run":
                    with ct.start("other", store=store) as other:
                        other.alert("val/loss > 3")
                        took = call_us(store, rules, calls)
                else:
                    took = call_us(store, rules, calls)
                best[name] = min(took, best.get(name, took))
    bare = best["no rule"]
    for name, took in best.items():
        print(f"{name:45} {took:6.2f} µs a call  {took / bare:5.2f}x  {took - bare:+.2f} µs")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
