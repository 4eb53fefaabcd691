"""What it costs to know data by what it holds, beside the ways of pandas in the same run.

    python benchmarks/data.py                measure
    python benchmarks/data.py --write        the same, kept in results/data.json and put into README.md
    python benchmarks/data.py --render FILE  measure nothing: the table of kept results

Processor time of the process, all threads together; the two ways of a row are taken in turn and the least of the
rounds counts. What each gives is compared: a leak that one of them does not find ends the benchmark.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measuring import machine
from tables import markdown, times, write_between

import celltrail as ct

RESULTS = Path(__file__).parent / "results" / "data.json"
README = Path(__file__).parent.parent / "README.md"
OPENING, CLOSING = "<!-- benchmark:data -->", "<!-- /benchmark:data -->"
ROUNDS = 5
LEAKS = 100
SPARSE_BYTES, SPARSE_MS = 10 << 30, 50.0
ROWS = {
    "digest": "digest of 1,000,000 x 9 rows, beside `pandas.util.hash_pandas_object`",
    "leaks": "rows of 500,000 x 6 that 500,000 others have too, beside `DataFrame.merge`",
    "duplicated": "the same beside `concat(...).duplicated()`",
}


def frame(rows: int) -> pd.DataFrame:
    """Numbers of several kinds, a category and flags, as data of tables has them."""
    rng = np.random.default_rng(0)
    numbers = {f"x{place}": rng.normal(size=rows) for place in range(5)}
    rest = {"age": rng.integers(0, 100, rows), "id": rng.integers(0, 10**9, rows),
            "colour": rng.choice(["red", "green", "blue"], rows), "is_new": rng.random(rows) < 0.5}  # fmt: skip
    return pd.DataFrame(numbers | rest)


def least_s(*ways: Callable[[], Any]) -> list[float]:
    """The least processor time of each way, taken in turn."""
    found = [float("inf")] * len(ways)
    for _ in range(ROUNDS):
        for place, way in enumerate(ways):
            began = time.process_time()
            way()
            found[place] = min(found[place], time.process_time() - began)
    return found


def measure(folder: Path) -> dict[str, Any]:
    """All rows of the table, in seconds."""
    whole = frame(1_000_000)
    digest = least_s(lambda: ct.data.digest(whole), lambda: pd.util.hash_pandas_object(whole))
    names = [*whole.columns[:5], "age"]
    train = whole.loc[:499_999, names]
    test = pd.concat([train.sample(LEAKS, random_state=1), whole.loc[500_000 + LEAKS :, names]], ignore_index=True)

    def ours() -> None:
        assert len(ct.data.check_splits(train=train, test=test).duplicates) == LEAKS

    def merged() -> None:
        assert len(test.merge(train.drop_duplicates(), on=names)) == LEAKS

    def duplicated() -> None:
        assert pd.concat([train, test]).duplicated().sum() == LEAKS

    leaks = least_s(ours, merged, duplicated)
    return {"digest": digest, "leaks": leaks[:2], "duplicated": [leaks[0], leaks[2]], "again_ms": again_ms(folder)}


def again_ms(folder: Path) -> float:
    """A file of 10 GB that is logged a second time: milliseconds on the clock, the least of the rounds."""
    path, found = folder / "sparse.bin", list[float]()
    path.touch()
    os.truncate(path, SPARSE_BYTES)
    os.utime(path, (time.time() - 60,) * 2)
    with ct.start("sparse", store=ct.Store(folder / ".celltrail")) as run:
        run.log_data(path)
        for turn in range(ROUNDS):
            began = time.perf_counter()
            run.log_data(path, f"again {turn}")
            found.append((time.perf_counter() - began) * 1e3)
    return min(found)


def page(made: dict[str, Any]) -> str:
    """The table as Markdown."""
    lines = [
        [words, f"{ours * 1e3:.0f} ms", f"{theirs * 1e3:.0f} ms", times(ours / theirs)]
        for row, words in ROWS.items()
        for ours, theirs in [made[row]]
    ]
    limit = f"to reach: {SPARSE_MS:.0f} ms"
    lines.append(["a file of 10 GB logged again, on the clock", f"{made['again_ms']:.1f} ms", "-", limit])
    where = made["machine"]
    place = f"{where['cores']} shared cores, {where['system']}, Python {where['python']}, {where['date']}"
    told = f"{place}; processor time, the least of {ROUNDS} rounds."
    return f"{markdown(['', 'celltrail', 'pandas', 'ratio'], lines)}\n\n{told}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--render", type=Path)
    asked = parser.parse_args()
    if asked.render:
        print(page(json.loads(asked.render.read_text())))
        return 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        made = measure(Path(folder)) | {"machine": machine()}
        time.sleep(1)  # what describes the run is written behind its end
    print(page(made))
    if asked.write:
        RESULTS.write_text(json.dumps(made, indent=1) + "\n")
        write_between(README, OPENING, CLOSING, page(made))
    slower = [row for row in ("leaks", "duplicated") if made[row][0] >= made[row][1]]
    return bool(slower) or made["again_ms"] >= SPARSE_MS


if __name__ == "__main__":
    sys.exit(main())
