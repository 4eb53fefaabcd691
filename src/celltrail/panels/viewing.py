"""Saved views in a table: the questions people named, opened, kept and taken back from its panel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from celltrail.contract import SavedView, SaveView, TableOptions
from celltrail.model import Json
from celltrail.query import RunSet, runs
from celltrail.store import Store

OPTIONS: TableOptions = {
    "sort": [],
    "filter": "",
    "selected": [],
    "columns": None,
    "differing": None,
    "pinned": [],
    "widths": {},
    "group": [],
    "folded": [],
    "baseline": None,
}
_OWN = {"selected", "columns"}  # not part of how a table looks: what is selected passes, columns stand in the view


def options_of(found: RunSet) -> TableOptions:
    """How a table of these runs begins: as the view says that they come from."""
    look = {name: value for name, value in found.look.items() if _fits(name, value)}
    return cast("TableOptions", {**OPTIONS, **look, "columns": found.columns})


def views_of(store: Store) -> list[SavedView]:
    """The views there are, by name."""
    return [{"name": view.name, "where": view.where} for view in store.views.list()]


def opened(name: str, first: RunSet) -> RunSet:
    """The runs of a view; of "" those that the cell asked for."""
    return runs(view=name, store=first.store) if name else first.refresh()


def keep(shown: RunSet, asked: SaveView) -> str:
    """Keep a view of what a panel shows; what was done, in words."""
    options = cast("dict[str, Any]", asked["options"])
    look = {name: options[name] for name in OPTIONS if name not in _OWN and options[name] != OPTIONS[name]}
    name = asked["name"].strip()
    shown.where(asked["where"]).sort(*options["sort"]).save(name, options["columns"], look)
    return f"saved the view {name}: ct.runs(view={name!r})"


def _fits(name: str, value: Json) -> bool:
    """Whether a look that somebody wrote holds what a panel can read."""
    match name:
        case "sort" | "pinned" | "group" | "folded":
            return isinstance(value, list) and all(isinstance(each, str) for each in value)
        case "filter":
            return isinstance(value, str)
        case "baseline":
            return value is None or isinstance(value, str)
        case "differing":
            return value is None or isinstance(value, bool)
        case "widths":
            return isinstance(value, Mapping) and all(isinstance(width, int | float) for width in value.values())
        case _:
            return False
