"""The store beside JSON lines and other trackers, each doing the same work through its own interface.

    python benchmarks/store.py --quick                        celltrail and the baselines: a few minutes
    python benchmarks/store.py --install wandb trackio        give peers environments (build/peers), measure all
    python benchmarks/store.py --rows append kill --save      only these rows; kept in benchmarks/results
    python benchmarks/store.py --render benchmarks/results/store.json [--write]   the README's table of kept results

Machines are shared and busy, so read ratios: rounds of all contestants are taken in turn, figures are medians
over the rounds, and every contestant's points are read back and compared.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import results
from contestants import CONTESTANTS
from measuring import measure
from place import install, python_of

RESULTS = Path(__file__).parent / "results" / "store.json"
README = Path(__file__).parent.parent / "README.md"


def main() -> int:
    asked = _words()
    if asked.render:
        kept = results.load(asked.render)
        if asked.write:
            results.write_block(README, kept)
        else:
            print(results.page(kept) if asked.full else results.compact(kept))
        return 0
    failures = {}
    for name in asked.install:
        print(f"installing {name} ...", file=sys.stderr, flush=True)
        if why := install(CONTESTANTS[name]):
            failures[name] = why
    names = asked.only or [name for name in CONTESTANTS if python_of(CONTESTANTS[name])]
    made = measure(
        [CONTESTANTS[name] for name in names], asked.rows or list(results.ROWS), asked.quick, failures, asked.rounds
    )
    print(results.page(made))
    if asked.save or asked.write:
        made = results.save(RESULTS, made)
    if asked.write:
        results.write_block(README, made)
    return 0


def _words() -> argparse.Namespace:
    peers = [name for name, contestant in CONTESTANTS.items() if contestant.packages]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", nargs="+", choices=peers, default=[], metavar="PEER")
    parser.add_argument("--rows", nargs="+", choices=list(results.ROWS), metavar="ROW", help=", ".join(results.ROWS))
    parser.add_argument("--only", nargs="+", choices=list(CONTESTANTS), metavar="NAME", help=", ".join(CONTESTANTS))
    parser.add_argument("--rounds", type=int, help="fewer or more of them than each row takes by itself")
    parser.add_argument("--quick", action="store_true", help="one round, smaller numbers")
    parser.add_argument("--save", action="store_true", help="put these rows into the committed results")
    parser.add_argument("--write", action="store_true", help="the same, and the compact table into README.md")
    parser.add_argument(
        "--render", type=Path, metavar="FILE", help="measure nothing: the compact table of kept results"
    )
    parser.add_argument("--full", action="store_true", help="with --render: every table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
