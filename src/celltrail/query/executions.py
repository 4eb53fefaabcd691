"""What ran in the kernels of a trail: every execution of the sessions that have a run in it, also cells of no run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from celltrail.errors import BadValue, NoRun, nearest
from celltrail.model import RUN_ID
from celltrail.query.opening import open_store
from celltrail.store import Store
from celltrail.store.files.pending import settle
from celltrail.store.kernels import KernelExecution, folders, session

_LEAST = 4  # characters of an id that are worth looking for


class StoredExecution:
    """One execution of one cell as the trail has it, tracked or not."""

    def __init__(self, record: KernelExecution, store: Store) -> None:
        self.record = record
        self.store = store

    @property
    def id(self) -> str:
        """Its ULID."""
        return self.record.id

    @property
    def cell(self) -> str | None:
        """The id of its cell, None in a console."""
        return self.record.cell_id

    @property
    def status(self) -> str:
        """running, ok, error, interrupted, killed or skipped."""
        return self.record.status

    @property
    def run(self) -> str | None:
        """The id of the run it was, None of a cell that was not tracked."""
        return self.record.run

    @property
    def source(self) -> str:
        """The text of the cell, without secrets; "" where it was not kept."""
        return self.store.blobs.text(self.record.code) if self.record.code else ""

    def __repr__(self) -> str:
        first = next((line for line in self.source.splitlines() if line.strip()), "")
        return f"<execution {self.id} [{self.record.count}] {self.status}: {first[:60]}>"


def executions(
    cell: str | None = None, *, session: str | None = None, store: Store | Path | str | None = None
) -> list[StoredExecution]:
    """Every execution of every kernel session that has a run in the trail, in the order they began.

    Cells that were not tracked are among them, in light form: their code, without their outputs.

    Args:
        cell: only executions of the cell with this id.
        session: only those of the kernel session with this id.
        store: another trail; that of the working folder unless given.

    >>> import celltrail as ct
    >>> ct.executions()  # a script has none
    []
    """
    opened = open_store(store)
    found = [each for each in _newest_first(opened, session) if cell is None or each.cell == cell]
    return sorted(found, key=lambda each: each.id)


def execution(wanted: str, *, store: Store | Path | str | None = None) -> StoredExecution:
    """One execution by its id, or by how that begins or ends, in capitals or not.

    Raises:
        NoRun: there is none.
        BadValue: there are several.
    """
    opened = open_store(store)
    found: list[StoredExecution] = []
    for each in _newest_first(opened):
        if each.id == wanted.upper():
            return each
        if is_part(wanted, each.id):
            found.append(each)
    if not found:
        tail = nearest(wanted, [each.id for each in executions(store=opened)])
        raise NoRun(f"no execution {wanted!r} in {opened.root.name}{tail}; ct.executions() lists them")
    if len(found) > 1:
        raise BadValue(f"{wanted!r} is part of the ids of {len(found)} executions: {_some(found)}; give more of it")
    return found[0]


def is_part(wanted: str, execution: str) -> bool:
    """Whether an id begins or ends like this.

    >>> is_part("9d0e", "01HZX3V9YQ2T5W8A4B6C7D9D0E"), is_part("1h", "01HZX3V9YQ2T5W8A4B6C7D9D0E")
    (True, False)
    """
    upper = wanted.upper()
    return len(upper) >= _LEAST and (execution.startswith(upper) or execution.endswith(upper))


def _some(found: list[StoredExecution]) -> str:
    return ", ".join(each.id for each in found[:3]) + (" ..." if len(found) > 3 else "")


def _newest_first(store: Store, wanted: str | None = None) -> Iterator[StoredExecution]:
    settle()
    if wanted is not None and not RUN_ID.fullmatch(wanted):
        raise BadValue(f"{wanted!r} is no id of a session, which has 26 characters")
    for folder in folders(store.root):
        if wanted in (None, folder.name):
            for record in reversed(session(folder).executions):
                yield StoredExecution(record, store)
