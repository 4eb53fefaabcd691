"""Two copies of one file become one: the rules of merging, each the same whichever copy comes first.

Of a log the longer counts, of a document the one of the higher ``rev``, of edits the later of each field.
Two copies that cannot both be right are both kept, the second beside the first under ``<name>~<digest>``,
where readers pass it over.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from celltrail.errors import Damaged, StoreError
from celltrail.store.files import disk
from celltrail.store.files.encoding import decode, encode
from celltrail.store.files.written import is_written
from celltrail.store.log import reader
from celltrail.store.seal import sealed

Outcome = Literal["same", "new", "changed", "both"]
Join = Callable[[Path, Path], Outcome]
MOST_IN_DOCUMENT = 64 << 20
_BLOCK = 1 << 20


def join_log(source: Path, target: Path) -> Outcome:
    """The longer of two copies of a log; both where neither begins with the other."""
    # a log that is being written here is never behind a copy of it: what that has more is no record then
    if outcome := _longer(source, target, lambda ours: reader.read(source).state.offset > ours):
        return outcome
    # one of them is damaged: the one of which more can be read is the log
    if max([target, source], key=_readable) is source and not is_written(target):
        _beside(target, target)
        return _both(source, target)
    return _beside(source, target)


def join_document(source: Path, target: Path) -> Outcome:
    """The document of the higher ``rev``; of equal ones that differ, the same one in both orders."""
    theirs = decode(read_small(source), source.name)
    if list(theirs["run"]) != [source.parent.name]:
        raise ValueError(f"{source.name} is of another run than its folder")
    number = _rev(theirs)
    if not target.exists():
        return _copied(source, target)
    data = target.read_bytes()
    try:
        mine = decode(data, target.name)
        if (_rev(mine), encode(mine)) >= (number, encode(theirs)):
            return "same"
    except (Damaged, KeyError, TypeError, ValueError, AttributeError):
        pass
    return _replaced(source, target)


def join_entries(source: Path, target: Path) -> Outcome:
    """Tables of entries that each have a time ``at``: of each entry the later."""
    theirs: Any = decode(read_small(source), source.name)
    if not target.exists():
        return _copied(source, target)
    try:
        mine: Any = decode(target.read_bytes(), target.name)
    except Damaged:
        return _replaced(source, target)
    joined = {table: dict(entries) for table, entries in mine.items()}
    for table, entries in theirs.items():
        known = joined.setdefault(table, {})
        for name, fields in entries.items():
            if name not in known or _later(fields, known[name]):
                known[name] = fields
    if joined == mine:
        return "same"
    disk.replace_whole(target, encode(joined))
    return "changed"


def join_lines(source: Path, target: Path) -> Outcome:
    """The longer of two files of lines; both where neither begins with the other."""
    return _longer(source, target) or _beside(source, target)


def join_seal(source: Path, target: Path) -> Outcome:
    """The seal that covers more of the logs; of two that cover the same, the same one in both orders."""
    theirs = read_small(source)
    covered = _covered(theirs, source.name)
    if not target.exists():
        return _copied(source, target)
    mine = target.read_bytes()
    if mine == theirs:
        return "same"
    try:
        is_mine_better = (_covered(mine, target.name), mine) >= (covered, theirs)
    except (Damaged, KeyError, TypeError, ValueError):
        is_mine_better = False
    if is_mine_better:
        return _beside(source, target)
    _beside(target, target)
    return _both(source, target)


def join_immutable(source: Path, target: Path) -> Outcome:
    """A file that never changes: the one that is there stays, another one of its name is kept beside it."""
    if not target.exists():
        return _copied(source, target)
    common, ours, theirs = _in_common(target, source)
    return "same" if common == ours == theirs else _beside(source, target)


def read_small(path: Path) -> bytes:
    """The bytes of a document; `StoreError` for one that no celltrail wrote so large."""
    with open_regular(path) as file:
        data = file.read(MOST_IN_DOCUMENT + 1)
    if len(data) > MOST_IN_DOCUMENT:
        raise StoreError(f"{path.name} is larger than {MOST_IN_DOCUMENT >> 20} MB: that is no document of a trail")
    return data


def open_regular(path: Path) -> Any:
    """Open a plain file for reading; `StoreError` for a link, a device or a pipe, also if it became one just now."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if path.is_symlink():
            raise StoreError(f"{path.name} is a link, which may lead anywhere; a trail has none") from None
        raise error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise StoreError(f"{path.name} is not a plain file; a trail has no others")
    return os.fdopen(fd, "rb")


def _longer(source: Path, target: Path, is_more: Callable[[int], bool] = bool) -> Outcome | None:
    """The longer of two files of which one begins with the other; None where neither does.

    ``is_more`` says whether what stands in the source behind so many bytes is worth having.
    """
    if not target.exists():
        return _copied(source, target)
    common, ours, theirs = _in_common(target, source)
    if common == theirs or (common == ours and not is_more(ours)):
        return "same"
    return _replaced(source, target) if common == ours else None


def _copied(source: Path, target: Path) -> Outcome:
    _write(source, target)
    return "new"


def _replaced(source: Path, target: Path) -> Outcome:
    _write(source, target)
    return "changed"


def _both(source: Path, target: Path) -> Outcome:
    _write(source, target)
    return "both"


def _beside(source: Path, target: Path) -> Outcome:
    """Keep a copy beside another one of its name."""
    beside = target.with_name(f"{target.name}~{_digest(source)[:12]}")
    if beside.exists():
        return "same"
    _write(source, beside)
    return "both"


def _write(source: Path, target: Path) -> None:
    temp = disk.temp_name(target)
    mode = 0o600 | (target.parent.stat().st_mode & 0o060)
    try:
        fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(fd, "wb") as copy, open_regular(source) as file:
            os.fchmod(fd, mode)
            while block := file.read(_BLOCK):
                copy.write(block)
            copy.flush()
            # when a log was last written tells whether its writer lives
            with contextlib.suppress(OSError):
                about = os.fstat(file.fileno())
                os.utime(temp, ns=(about.st_atime_ns, about.st_mtime_ns))
            os.fsync(fd)
        os.replace(temp, target)
    finally:
        temp.unlink(missing_ok=True)
    disk.fsync_folder(target.parent)


def _in_common(first: Path, second: Path) -> tuple[int, int, int]:
    """How many bytes two files have in common at their start, to a block, and their sizes."""
    common = 0
    with open_regular(first) as one, open_regular(second) as other:
        sizes = os.fstat(one.fileno()).st_size, os.fstat(other.fileno()).st_size
        while True:
            a, b = one.read(_BLOCK), other.read(_BLOCK)
            if a != b or not a:
                shorter = min(len(a), len(b))
                return common + (shorter if a[:shorter] == b[:shorter] else 0), *sizes
            common += len(a)


def _readable(path: Path) -> tuple[int, int, str]:
    """How much of a log can be read: less damage, then more bytes; at last something that does not depend on order."""
    contents = reader.read(path)
    return -sum(gap.size for gap in contents.gaps), path.stat().st_size, _digest(path)


def _covered(data: bytes, name: str) -> int:
    """How many bytes of logs a seal stands for."""
    return sum(source["size"] for source in sealed.of_bytes(data, name)["sources"].values())


def _rev(tables: Any) -> int:
    (run,) = tables["run"].values()
    return int(run.get("rev", 0))


def _later(fields: Any, known: Any) -> bool:
    if not isinstance(fields, dict) or not isinstance(known, dict):
        return encode(fields) > encode(known)
    return (fields.get("at", 0), encode(fields)) > (known.get("at", 0), encode(known))


def _digest(path: Path) -> str:
    from blake3 import blake3

    whole = blake3()
    with open_regular(path) as file:
        while block := file.read(_BLOCK):
            whole.update(block)
    return whole.hexdigest()
