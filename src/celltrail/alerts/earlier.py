"""What rules ask beyond one run: the best of the earlier ones, and what time and energy cost."""

from __future__ import annotations

import threading
from typing import Any

from celltrail.contract import Goal
from celltrail.errors import CelltrailError
from celltrail.model import Prices, RunRecord
from celltrail.store import Store
from celltrail.store.index import Look

Found = tuple[float, str]


def best_before(store: Store, record: RunRecord, metric: str, goal: Goal) -> Found | None:
    """The best value of the finished runs of its project that began before it, and the name of the run.

    Args:
        store: the trail.
        record: the run that is held against them.
        metric: what is compared.
        goal: "min" or "max".
    """
    best = ("metric", goal, metric)
    keys = [best, *((name,) for name in ("name", "project", "status", "created", "deleted"))]

    def ask(look: Look) -> list[Any]:
        value, name, project, status, created, deleted = (look.columns[key].sql for key in keys)
        return look.select(
            f"select {value}, {name} from hot where id != ? and {project} = ? and {status} = 'finished' "
            f"and {created} < ? and not coalesce({deleted}, 0) and typeof({value}) in ('real', 'integer') "
            f"order by {value} {'asc' if goal == 'min' else 'desc'} limit 1",
            (record.id, record.project, record.created_us / 1e6),
        )

    found = store.look(keys, ask)
    return (float(found[0][0]), str(found[0][1])) if found else None


class Earlier:
    """The best of the earlier runs, looked up once for each metric on a thread of its own: a loop does not wait."""

    def __init__(self, store: Store, record: RunRecord) -> None:
        self._store, self._record = store, record
        self._found: dict[str, Found | None] = {}

    def __call__(self, metric: str, goal: Goal) -> Found | None:
        """What is known by now."""
        if metric not in self._found:
            self._found[metric] = None
            threading.Thread(target=self._look, args=(metric, goal), name="celltrail-earlier", daemon=True).start()
        return self._found[metric]

    def _look(self, metric: str, goal: Goal) -> None:
        try:
            self._found[metric] = best_before(self._store, self._record, metric, goal)
        except (CelltrailError, OSError):  # it stays unknown
            return


def prices_of(store: Store, record: RunRecord) -> Prices:
    """Those of the run, else those that the trail agreed on."""
    chosen = store.settings.all()
    known = Prices(**{name: chosen[f"prices.{name}"] for name in Prices.names()})
    return known.but(record.environment.get("prices", {}))
