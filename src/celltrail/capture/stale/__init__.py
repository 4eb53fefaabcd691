"""Whether a run still says what its notebook says now: its cell, what it depends on, its data, its modules.

A run is fresh, stale for reasons, or it cannot be told. Comments and the way code is written do not count.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import xxhash

from celltrail.capture.analyze.keys import code_key
from celltrail.capture.redact import MARK
from celltrail.capture.session.document import Document
from celltrail.capture.transform import cleanup
from celltrail.errors import StoreError
from celltrail.model import Json
from celltrail.parsing import parse
from celltrail.query import StoredRun
from celltrail.query.standing import Reason, Staleness

# the line of a magic or a command, which Python cannot read
_MAGIC = re.compile(r"^(\s*)((?:[\w.,\s]+=\s*)?)[!%](?!=)(.*)$")
# ids that VS Code makes of a cell's place in its window, which no file has
_OF_VSCODE = re.compile("sZmlsZQ|sdnNjb2Rl")


@dataclass(frozen=True, slots=True)
class Present:
    """What things are like now, each left out where it is not known."""

    file: Callable[[Mapping[str, Json]], str] | None = None  # the state of a file, by its record
    module: Callable[[Mapping[str, Json]], str] | None = None
    environment: Callable[[StoredRun], Iterable[str]] | None = None  # differences, in words
    upstream: Callable[[StoredRun], Iterable[Reason]] | None = None


def stale(run: StoredRun, document: Document | None, now: Present) -> Staleness:
    """Whether a run still holds.

    Args:
        run: the run.
        document: its notebook as it stands; None where nobody knows.
        now: the rest of the world as it is now.
    """
    if not any(execution.needs for execution in run.record.executions):
        return Staleness("unknown")
    cell = _of_cell(run, document)
    reasons = list(cell or ())
    needs = run.needs
    if now.file is not None:
        for entry in needs.get("files") or ():
            reasons += of_file("data", entry, now.file(entry))
    if now.module is not None:
        for entry in modules_of(needs):
            reasons += of_file("module", entry, now.module(entry))
    if now.environment is not None:
        reasons += [Reason("env", text) for text in now.environment(run)]
    if now.upstream is not None:
        reasons += now.upstream(run)
    if reasons:
        return Staleness("stale", tuple(dict.fromkeys(reasons)))
    return Staleness("unknown" if cell is None else "fresh")


def modules_of(needs: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    """The records of the local modules that a run used; of a run that imported some itself, all that were there.

    >>> modules_of({"modules": [{"name": "a"}, {"name": "b"}], "already": {"modules": ["b"]}})
    [{'name': 'b'}]
    """
    used = (needs.get("already") or {}).get("modules")
    return [entry for entry in needs.get("modules") or () if used is None or entry.get("name") in used]


def _of_cell(run: StoredRun, document: Document | None) -> Sequence[Reason] | None:
    """What has become of its own cell; None where nobody can tell."""
    cell = run.cell
    if cell is None:
        return ()
    if document is None:
        return None
    if _OF_VSCODE.search(cell):
        return ()
    try:
        ran = run.code
    except StoreError:
        return ()
    source = document.sources.get(cell)
    if source is not None and not differs(ran, source):
        return ()
    if document.is_before(run.record.executions[-1].started_us):
        return None  # a cell that was typed and run, and is not saved yet
    return [
        Reason("deleted", "its cell has been deleted")
        if source is None
        else Reason("edited", "its cell has been edited")
    ]


def of_file(kind: Literal["data", "module"], entry: Mapping[str, Json], state: str) -> Iterable[Reason]:
    """What the state of a file makes of a run that read it."""
    name = str(entry.get("path", "")).rsplit("/", 1)[-1]
    if state == "changed":
        yield Reason(kind, f"{name} has changed")
    elif state == "gone":
        yield Reason(kind, f"{name} is gone")


def differs(ran: str, source: str) -> bool:
    """Whether a cell's source does something else than what ran; not where that had a secret in it, which is not kept.

    >>> differs("%%track a\\nx = 1", "%%track b -t new\\nx = 1  # one"), differs("x = 1", "x = 2")
    (False, True)
    """
    return source_key(ran) != source_key(source) and MARK not in ran


@functools.lru_cache(maxsize=4096)
def source_key(source: str) -> str:
    """The key of a cell's source, our own line left out; of one that Python cannot read, the key of its text.

    >>> source_key("%%time\\nx=1") == source_key("%%time\\nx = 1"), source_key("!ls") == source_key("!ls -l")
    (True, False)
    """
    lines = "".join(cleanup(source.splitlines(keepends=True))).strip("\n").splitlines()
    head = lines.pop(0).split() if lines and lines[0].startswith("%%") else []
    body = "\n".join(_MAGIC.sub(_spelled, line) for line in lines)
    salt = " ".join(head).encode("utf-8", "surrogatepass")
    try:
        return code_key(parse(body), salt)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        text = "\n".join(line.rstrip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
        return xxhash.xxh3_128_hexdigest(salt + b"\0" + text.encode("utf-8", "surrogatepass"))


def _spelled(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}__magic__({found[3].strip()!r})"
