"""The panels that are saved in a notebook file: which still have their runs, and making good what was left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from celltrail.contract import MIME
from celltrail.errors import NoRun, StoreError
from celltrail.model import RUN_ID
from celltrail.panels.healing import healed, is_left_behind
from celltrail.query import find
from celltrail.store.files.telling import counted

if TYPE_CHECKING:
    from celltrail.store import Store

WIDGET = "application/vnd.jupyter.widget-view+json"
_KEPT = ": it shows what the file kept"
Verdict = Literal["whole", "goes on", "left behind", "no trail", "no run", "damaged"]


class Finding(NamedTuple):
    """One saved panel, and how it stands."""

    cell: int  # the number of its cell in the file, from 1
    kind: str
    title: str
    verdict: Verdict
    said: str  # what it means, in words
    mends: dict[str, Any] | None  # the output's data as it should be; None where nothing can be done, or needs to be

    @property
    def is_wrong(self) -> bool:
        """Whether it shows something else than its trail knows, or an error when it is reopened."""
        return self.verdict not in ("whole", "goes on") or self.mends is not None


def outputs(content: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """The outputs that are ours in a notebook of whatever shape, each with the number of its cell from 1."""
    for number, cell in enumerate(_dicts(content, "cells"), 1):
        for output in _dicts(cell, "outputs"):
            data = output.get("data")
            if isinstance(data, dict) and MIME in data:
                yield number, output


def examine(content: Any, store_of: Callable[[str], Store | None]) -> Iterator[tuple[Finding, dict[str, Any]]]:
    """Each saved panel of a notebook as it stands, with its output.

    Args:
        content: of the notebook file.
        store_of: the trail of an id, where it is in reach.
    """
    for number, output in outputs(content):
        yield _examined(number, output["data"], store_of), output


def _examined(number: int, data: dict[str, Any], store_of: Callable[[str], Store | None]) -> Finding:
    payload = data[MIME]
    if not isinstance(payload, dict) or not isinstance(payload.get("trail"), str) or "" in _ids(payload):
        return Finding(number, "panel", "", "damaged", "nobody can read it: run the cell again", None)
    bare = {form: value for form, value in data.items() if form != WIDGET}
    lighter = bare if WIDGET in data else None  # reopened, the widget would be an error in its place
    kind, title = str(payload.get("kind", "panel")), str(payload.get("title", ""))
    store = store_of(payload["trail"])
    if store is None:
        return Finding(number, kind, title, "no trail", f"its trail is not in reach{_KEPT}", lighter)
    missing = [run_id for run_id in _ids(payload) if not _is_there(run_id, store)]
    if missing:
        said = f"{counted(len(missing), 'run')} of it not in the trail any more, {missing[0]} for one{_KEPT}"
        return Finding(number, kind, title, "no run", said, lighter)
    if is_left_behind(payload):
        bundle = healed(payload, store)
        if bundle is not None and is_left_behind(bundle[MIME]):
            return Finding(number, kind, title, "goes on", "its run goes on", lighter)
        return Finding(number, kind, title, "left behind", "it says that its run goes on, which is over", bundle)
    said = "it shows an error where it is reopened" if lighter else "all of its runs are in the trail"
    return Finding(number, kind, title, "whole", said, lighter)


def _ids(payload: dict[str, Any]) -> list[str]:
    """The runs that a payload is of; "" for what cannot be read."""
    told = payload.get("runs") or payload.get("rows") or []
    if not isinstance(told, list):
        return [""]
    ids = [state.get("run", state.get("id", "")) if isinstance(state, dict) else "" for state in told]
    comparison = payload.get("comparison")
    if isinstance(comparison, dict):
        ids += [str(row.get("id", "")) for row in _dicts(comparison, "runs")]
    return [run_id if isinstance(run_id, str) and RUN_ID.fullmatch(run_id) else "" for run_id in ids]


def _is_there(run_id: str, store: Store) -> bool:
    try:
        return find(run_id, store).id == run_id
    except (NoRun, StoreError):
        return False


def _dicts(holder: Any, name: str) -> list[dict[str, Any]]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
