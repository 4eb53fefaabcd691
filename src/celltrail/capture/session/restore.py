"""Past versions of cells: which there are, which are gone from the notebook, and how one comes back.

A version always comes back as something new, a cell or a notebook file; nothing is ever overwritten.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celltrail.capture import environment
from celltrail.capture.session import notebooks
from celltrail.capture.session.document import Document
from celltrail.capture.session.executions import Session
from celltrail.capture.session.past import Past
from celltrail.errors import BadValue, NoRun
from celltrail.query import StoredRun, find
from celltrail.query.executions import StoredExecution, execution, executions, is_part
from celltrail.store import Store

PARTS = "\n\n# %%\n"  # between versions that come back in one cell


@dataclass(frozen=True, slots=True)
class Version:
    """The text of a cell as it ran once."""

    id: str  # of the execution
    cell_id: str | None
    count: int | None
    started_us: int
    status: str
    code: str  # digest of the text without secrets
    read: Callable[[], str]
    run: StoredRun | None = None  # where it was asked for by its run

    @property
    def source(self) -> str:
        """The text."""
        return self.read()


def document(namespace: Mapping[str, Any]) -> Document | None:
    """The notebook of this kernel as it was saved; None where there is none to read, or its cells have no ids."""
    path = namespace.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    if not isinstance(path, str) or not path.endswith(".ipynb"):
        return None
    return Document.of_file(Path(path))


def versions(session: Session, store: Store) -> list[Version]:
    """What ran of this notebook's cells, in this session and in earlier ones, in order; nothing nested."""
    notebook = environment.notebook(session.namespace, store.root.parent)
    found: dict[str, Version] = {}
    if notebook is not None:
        stored = executions(store=store)
        found = {each.id: _stored(each) for each in stored
                 if each.record.notebook == notebook and each.record.kind == "cell" and each.record.code}  # fmt: skip
    found.update({past.id: _at_hand(past) for past in session if past.kind == "cell" and past.source is not None})
    return [found[each] for each in sorted(found)]


def deleted(found: Iterable[Version], document: Document) -> list[Version] | None:
    """The last version of each cell that the saved document lacks; None where that cannot be told.

    A cell that ran after the document was saved is not counted: it may only not have been saved yet. Where not one of
    the cells that ran is in the document, its ids are of another kind than the kernel's (VS Code's are).
    """
    last = {each.cell_id: each for each in found if each.cell_id is not None}
    if not any(cell in document.ids for cell in last):
        return None
    return [each for cell, each in last.items() if cell not in document.ids and each.started_us < document.as_of_us]


def replaced(found: Iterable[Version]) -> list[Version]:
    """Versions of cells that ran again with another text later, each once."""
    last: dict[str, Version] = {}
    seen: dict[tuple[str, str], Version] = {}
    for each in found:
        if each.cell_id is not None and each.code:
            last[each.cell_id] = seen[each.cell_id, each.code] = each
    return sorted(
        (each for (cell, code), each in seen.items() if last[cell].code != code), key=lambda each: each.started_us
    )


def version(wanted: str, session: Session, store: Store) -> Version:
    """The version that somebody means: a number in brackets, an execution, or a run.

    Args:
        wanted: ``12`` for ``In [12]`` of this session; else an execution's id or the beginning or end of it; else a
            run's name or id.
        session: whose executions are looked at first.
        store: where the others are.
    """
    number = wanted.strip("[]")
    if number.isdecimal() and len(number) < 8:
        return _numbered(int(number), session)
    here = [past for past in session if past.id == wanted.upper() or is_part(wanted, past.id)]
    if len(here) == 1:
        if here[0].is_scratch:
            raise BadValue(f"{wanted} was a %%scratch: nothing of it was kept")
        if here[0].source is not None:
            return _at_hand(here[0])
    try:
        return _stored(execution(wanted, store=store))
    except NoRun:
        pass
    try:
        run = find(wanted, store=store)
    except NoRun:
        raise NoRun(
            f"no execution or run {wanted!r}; %track deleted lists versions of cells, ct.executions() all of them"
        ) from None
    record = run.record
    count = record.executions[0].count if record.executions else None
    return Version(run.id, run.cell, count, record.started_us, run.status, record.code, lambda: run.code, run)


def notebook_of(found: Iterable[Version]) -> str:
    """A notebook of these versions, a cell each."""
    return notebooks.notebook(notebooks.code(each.source, restored_from=each.id) for each in found)


def write(path: Path, text: str) -> Path:
    """A new file; where there is one of this name, beside it. Returns where it is."""
    for number in range(1, 1000):
        place = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        try:
            with place.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        except OSError as error:
            raise BadValue(f"{path.name} cannot be written: {error.strerror}; give another place with --to") from None
        return place
    raise BadValue(f"there are a thousand files like {path.name} already; give another name with --to")


def _numbered(number: int, session: Session) -> Version:
    found = [past for past in session if past.count == number and past.kind == "cell"]
    if not found:
        raise NoRun(f"nothing ran as [{number}] since the extension was loaded; %track deleted lists more")
    if found[-1].is_scratch:
        raise BadValue(f"[{number}] was a %%scratch: nothing of it was kept")
    if found[-1].source is None:
        raise NoRun(f"the text of [{number}] is no longer in memory; give its id, {found[-1].id}")
    return _at_hand(found[-1])


def _at_hand(past: Past) -> Version:
    source = past.source or ""
    return Version(past.id, past.cell_id, past.count, past.started_us, past.status, past.code, lambda: source)


def _stored(each: StoredExecution) -> Version:
    record = each.record
    if not record.code:
        raise NoRun(f"the text of execution {record.id} was not kept")
    return Version(
        record.id, record.cell_id, record.count, record.started_us, record.status, record.code, lambda: each.source
    )
