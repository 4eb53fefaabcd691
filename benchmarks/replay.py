"""What a replay costs beside its parts: the start of a kernel, and the time of the cells themselves.

Both are measured in the same rounds as the replays, one after the other, so that a busy machine hits them alike.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

import celltrail as ct
from celltrail.replay.kernel import fresh
from celltrail.store import Store
from kernels import Kernel

CELLS = (
    "import numpy as np",
    "rng_ = 1  # nothing that the run needs",
    "X = np.random.normal(size=(2000, 100))\ny = X @ np.random.normal(size=100)",
    "%%track descent\nw = np.zeros(100)\nfor step in range({steps}):\n    error = X @ w - y\n"
    "    w -= 1e-3 * X.T @ error / len(X)\n    loss = float(error @ error)",
)


def recorded(folder: Path, store: Store, steps: int) -> None:
    """A session of four cells, one of them a run."""
    kernel = Kernel(folder, {"CELLTRAIL_STORE": str(store.root)})
    try:
        for cell in ("%load_ext celltrail", *CELLS, "%unload_ext celltrail"):
            kernel.run(cell.replace("{steps}", str(steps)), timeout=300)
    finally:
        kernel.stop()


def started(folder: Path, store: Store) -> float:
    """Seconds that a kernel takes to come up with celltrail, and to go again."""
    began = time.monotonic()
    with fresh(folder, {"CELLTRAIL_STORE": str(store.root.parent / "empty" / ".celltrail")}) as kernel:
        kernel.run("%load_ext celltrail", silent=True)
    return time.monotonic() - began


def main() -> None:
    """Print the seconds of each part and what a replay costs as a multiple of their sum."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--steps", type=int, default=4000, help="of the loop in the run")
    asked.add_argument("--rounds", type=int, default=5)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        store = Store(folder / ".celltrail")
        os.environ["CELLTRAIL_STORE"] = str(store.root)
        recorded(folder, store, given.steps)
        then = ct.run("descent", store)
        ratios: list[float] = []
        for _ in range(given.rounds):
            start = started(folder, store)
            told = ct.replay(then, store=store)
            if told.verdict != "reproduced":
                sys.exit(str(told))
            ratios.append(told.seconds / (start + told.cells_s))
            print(f"kernel {start:.2f} s + cells {told.cells_s:.2f} s, replay {told.seconds:.2f} s: x{ratios[-1]:.2f}")
    print(f"a replay costs x{statistics.median(ratios):.2f} of a kernel's start and the cells' own time (median)")


if __name__ == "__main__":
    main()
