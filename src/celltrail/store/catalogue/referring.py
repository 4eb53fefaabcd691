"""Which run is meant by a name, an id or the beginning of an id."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from celltrail.errors import NoRun, nearest

if TYPE_CHECKING:
    from celltrail.model import RunRecord
    from celltrail.store import Store
    from celltrail.store.index import Look

_ID_LENGTH = 26
_NEAR_AMONG = 2_000  # of the newest runs: comparing a slip with 100,000 names takes seconds


def record_of(ref: str, store: Store) -> RunRecord:
    """The run of this id, else the newest of this name that is not deleted, else the only one whose id begins so.

    Raises:
        NoRun: there is none, or several ids begin so; the sentence names the nearest.
    """
    if len(ref) == _ID_LENGTH:
        with suppress(NoRun):
            return store.record(ref.upper())
    found, starting, names = store.look((), lambda look: _referred(look, ref)) if store.id else ([], [], [])
    if found or len(starting) == 1:
        return store.record((found or starting)[0])
    if starting:
        some = ", ".join(starting[:3])
        raise NoRun(f"{len(starting)} runs have an id that begins with {ref!r}: {some} ...; give more characters")
    raise NoRun(f"no run {ref!r} in {store.root.name}{nearest(ref, names) or '.'} ct.runs() lists them")


def _referred(look: Look, ref: str) -> tuple[list[str], list[str], list[str]]:
    """The newest run of this name, the runs whose id begins so, and, where there are none, names to be near to."""
    ref = ref.encode("utf-8", "backslashreplace").decode()
    named = look.select("select id from hot where name = ? order by deleted, created desc, id desc limit 1", (ref,))
    begin = "select id from hot where substr(id, 1, ?) = ? order by created desc, id desc"
    starting = look.select(begin, (len(ref), ref.upper())) if ref and not named else []
    some = f"select name from hot order by created desc limit {_NEAR_AMONG}"
    names = [] if named or starting else look.select(some)
    return [run_id for (run_id,) in named], [run_id for (run_id,) in starting], [str(name) for (name,) in names]
