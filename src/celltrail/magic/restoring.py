"""``%track deleted`` and ``%track restore``: cells and versions of cells that are gone come back as new ones."""

from __future__ import annotations

import os
import time
from pathlib import Path

from celltrail.capture.session import restore
from celltrail.capture.session.restore import Version
from celltrail.errors import BadValue
from celltrail.magic.word import Asked, Word
from celltrail.query.plain import clipped, table
from celltrail.replay.then import as_it_was
from celltrail.store import Store, locate

_MOST = 40
_HINT = "%track restore and the end of an id brings one back as a new cell; ct.executions() lists everything that ran"


def _deleted(asked: Asked) -> str:
    if asked.rest:
        raise BadValue(f"deleted takes nothing after it, not {asked.rest!r}")
    session = asked.recorder.session
    found = restore.versions(session, Store(locate()))
    document = restore.document(session.namespace)
    gone = restore.deleted(found, document) if document is not None else None
    if gone:
        return f"cells that ran and are no longer in the saved notebook:\n{_listed(gone)}\n{_HINT}"
    if gone is not None:
        return "no cell is missing: the saved notebook still has every cell that ran before it was saved"
    old = restore.replaced(found)
    why = "the notebook's cells cannot be read here"
    return (
        f"{why}; versions of cells that were replaced since:\n{_listed(old)}\n{_HINT}"
        if old
        else f"{why}, and no cell that ran has changed"
    )


def _listed(found: list[Version]) -> str:
    rows = [
        [each.id, f"[{each.count}]", time.strftime("%Y-%m-%d %H:%M", time.localtime(each.started_us / 1e6)),
         each.status, clipped(_first_line(each.source), 60)]
        for each in found[-_MOST:]
    ]  # fmt: skip
    more = [f"and {len(found) - _MOST:,} earlier ones"] if len(found) > _MOST else []
    return "\n".join([table(["execution", "in", "ran", "was", "begins"], rows, [False] * 5), *more])


def _name(each: Version) -> str:
    what = "execution" if each.run is None else "run"
    return each.id if each.count is None else f"[{each.count}] ({what} {each.id})"


def _first_line(source: str) -> str:
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("%%")), lines[0] if lines else "")


def _restore(asked: Asked) -> str:
    wanted, is_notebook, place = _read(asked.parts)
    if not wanted:
        return f"say what to restore: an execution, a run, or the number in its brackets\n{_deleted_or_replaced(asked)}"
    store, session = Store(locate()), asked.recorder.session
    found = [restore.version(each, session, store) for each in wanted]
    if is_notebook:
        new = place or Path(f"restored-{found[0].id[-6:].lower()}.ipynb")
        run = found[0].run if len(found) == 1 else None
        if run is None:
            written = restore.write(new, restore.notebook_of(found))
            return f"restored {', '.join(map(_name, found))} in {_relative(written)}"
        saved = restore.document(session.namespace)
        text = as_it_was(run, saved.order if saved is not None else {})
        return f"the notebook as it was at run {run.name!r} is in {_relative(restore.write(new, text))}"
    asked.shell.set_next_input(restore.PARTS.join(each.source for each in found), replace=False)
    return f"restored {', '.join(map(_name, found))} as a new cell below"


def _deleted_or_replaced(asked: Asked) -> str:
    return _deleted(Asked(asked.shell, asked.recorder, ""))


def _read(parts: list[str]) -> tuple[list[str], bool, Path | None]:
    """What is to come back, whether as a notebook, and where."""
    wanted: list[str] = []
    options = {"--as": "cell", "--to": ""}
    waiting = iter(parts)
    for part in waiting:
        name, sign, value = part.partition("=")
        if name in options:
            options[name] = value if sign else next(waiting, "")
        elif part.startswith("--"):
            raise BadValue(f"restore knows no option {part}; it takes --as cell, --as notebook and --to FILE.ipynb")
        else:
            wanted.append(part)
    form, to = options["--as"], options["--to"]
    if form not in ("cell", "notebook"):
        raise BadValue(f"--as takes cell or notebook, not {form!r}")
    if not to:
        return wanted, form == "notebook", None
    if not to.endswith(".ipynb"):
        raise BadValue(f"--to takes the name of a notebook, which ends in .ipynb, not {to!r}")
    place = Path(to).expanduser()
    if place.exists():
        raise BadValue(f"there is a file {place.name} already, and nothing is overwritten; give another name with --to")
    return wanted, True, place


def _relative(path: Path) -> str:
    shown = os.path.relpath(path)
    return path.name if shown.startswith("..") else shown


WORDS = (
    Word("deleted", "deleted", "list cells that ran and are gone from the notebook", _deleted),
    Word(
        "restore",
        "restore EXECUTION|RUN|[N] ... [--as cell|notebook] [--to FILE.ipynb]",
        "bring a version back as a new cell or notebook; with --as notebook, RUN is the notebook as it was then",
        _restore,
    ),
)
