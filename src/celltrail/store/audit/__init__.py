"""The record of what people and maintenance changed: who, when, what, in chains that show any later change.

Each process appends to a chain of its own, ``audit/<writer>.jsonl``, one JSON line a change; what was changed is
in ``audit/payload/<chain>.<n>.json``, of which the line holds only a salted hash. So a payload can be erased and
the chain still verifies. ``see`` holds the heads of other chains: a chain that is cut short is found by those
that saw its end.

What this cannot do: who can rewrite the folder can rewrite every chain, all payloads and all that saw them.
Only a hash kept elsewhere tells: `Audit.head` is that hash (``celltrail verify --head``), to be put into a git
commit, a signature or a time stamp, and ``celltrail verify --expect HASH`` checks it, also after many more
changes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal

import orjson

from celltrail.errors import Damaged
from celltrail.model import Json, now_us
from celltrail.store.audit import chain
from celltrail.store.audit.chain import Entry
from celltrail.store.audit.verify import Report as Report
from celltrail.store.audit.verify import coverage, verify
from celltrail.store.docs.actors import person_name
from celltrail.store.files import alive, disk, forks
from celltrail.store.files.encoding import decode, encode

Deed = Literal[
    "edit", "delete", "restore", "erase", "version", "alias", "deploy", "import", "seal", "compact", "gc", "repair",
    "anchor",
]  # fmt: skip
_SEEN_AT_ONCE = 16  # of the newest chains, which have seen the others: all of them would grow as their square
_SALT_BYTES = 16


class Audit:
    """The audit of one trail. Cheap to make; all of a process write to one chain."""

    def __init__(self, trail: Path) -> None:
        self._trail = trail
        self._folder = trail / "audit"

    def record(self, do: Deed, on: str, payload: Json = None) -> None:
        """Record one change, before it is made; when this returns it is on the disk. Raises OSError.

        Args:
            do: what is done.
            on: to what: the id of a run, a model and alias, a path in the trail, or "" for the trail.
            payload: what exactly, as JSON; can be erased later.
        """
        self.record_all([(do, on, payload)])

    def record_all(self, changes: Iterable[tuple[Deed, str, Json]]) -> None:
        """Record many changes, each ``(do, on, payload)``, in one write."""
        with _chains.lock:
            _chains.of(self._trail).append(list(changes))

    def erase(self, on: str) -> int:
        """Erase what is recorded of all changes to ``on``, leaving that they were made; how many."""
        found = [entry.event for entry in self.entries(on) if (self._payload_path(entry.event)).exists()]
        if found:
            self.record("erase", on, {"events": found})
        for event in found:
            self._payload_path(event).unlink(missing_ok=True)
        return len(found)

    def entries(self, on: str | None = None) -> list[Entry]:
        """The changes to one thing, or all, by time; whether they verify is for `verify` to say."""
        found = [entry for path in _chain_paths(self._folder) for entry in _entries(path, on)]
        return sorted(found, key=lambda entry: (entry.at, entry.chain, entry.n))

    def payload(self, entry: Entry) -> Json:
        """What was recorded with a change, or None: nothing, or it was erased."""
        try:
            return decode(self._payload_path(entry.event).read_bytes(), entry.event)["payload"]
        except (OSError, Damaged, KeyError, TypeError):
            return None

    def heads(self) -> dict[str, list[Json]]:
        """Number and hash of the last entry of the chains written last: what a sealed run keeps of the audit.

        They have seen the others, and thousands of runs are sealed beside thousands of chains.
        """
        return _heads(self._folder, list(_sizes(self._folder))[:_SEEN_AT_ONCE])

    def head(self) -> str:
        """One hash that stands for every entry there is, to be kept outside of the trail.

        Where no entry has seen all others, one is added that has.
        """
        chains = [chain.read(path) for path in _chain_paths(self._folder)]
        known = [each for each in chains if each.entries]
        if not known:
            return "0" * 64
        newest = max((each.entries[-1] for each in known), key=lambda entry: entry.at)
        covered = coverage(chains, newest)
        if all(covered.get(each.name, 0) == len(each.entries) for each in known):
            return newest.hash
        with _chains.lock:
            return _chains.of(self._trail).append([("anchor", "", None)], everything=True)

    def verify(self, expect: str | None = None) -> Report:
        """Check all chains and payloads; ``expect`` is a hash that `head` gave before."""
        return verify(self._trail, expect)

    def _payload_path(self, event: str) -> Path:
        return self._folder / "payload" / f"{event}.json"


class _Writer:
    """The chain this process appends to; its owner holds a lock."""

    def __init__(self, trail: Path) -> None:
        self._folder = trail / "audit"
        self._trail = trail
        disk.make_folder(self._folder / "payload", trail)
        self.name = alive.writer_name()
        self.path = self._folder / f"{self.name}.jsonl"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(self.path, flags, disk.file_mode(self._folder))
        disk.fsync_folder(self._folder)
        self._n = self._size = self._at = 0
        self._hash = chain.first_prev(self.name)
        self._seen: dict[str, int] = {}

    def append(self, changes: Sequence[tuple[Deed, str, Json]], everything: bool = False) -> str:
        """Write payloads, then their entries; the hash of the last one."""
        n, seal, lines = self._n, self._hash, list[bytes]()
        at, by, sizes = max(now_us(), self._at + 1), person_name(), _sizes(self._folder, self.path.name)
        see = self._look(sizes, everything)
        for do, on, payload in changes:
            n += 1
            commitment = "" if payload is None else self._put(n, payload)
            fields = {"n": n, "at": at, "by": by, "do": do, "on": on, "commitment": commitment, "prev": seal}
            line, seal = chain.sealed_line(decode(encode(fields)) | {"see": see})
            lines.append(line)
            see = {}
        self._write(b"".join(lines))
        self._n, self._hash, self._at, self._seen = n, seal, at, sizes
        return seal

    def is_usable(self) -> bool:
        """Whether the file is still there and ends where this process left it."""
        if self._fd < 0:
            return False
        about = os.fstat(self._fd)
        return about.st_nlink > 0 and about.st_size == self._size and self.path.exists()

    def close(self) -> None:
        """Let go of the file."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _put(self, n: int, payload: Json) -> str:
        """Keep a payload; its commitment."""
        canonical = orjson.dumps(orjson.loads(encode(payload)), option=orjson.OPT_SORT_KEYS)
        salt = secrets.token_hex(_SALT_BYTES).encode()
        path = self._folder / "payload" / f"{self.name}.{n}.json"
        path.unlink(missing_ok=True)  # of an attempt that failed behind it
        disk.write_new(path, b'{"salt":"%b","payload":%b}' % (salt, canonical), disk.file_mode(path.parent))
        return sha256(salt + canonical).hexdigest()

    def _write(self, data: bytes) -> None:
        """All of it on the disk, or none of it."""
        try:
            if (written := os.write(self._fd, data)) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fdatasync(self._fd)
            self._size += written
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self._size)
            # nobody can be sure of the end of this file any more: the next entry begins a chain
            self.close()
            raise

    def _look(self, sizes: dict[str, int], everything: bool) -> dict[str, list[Json]]:
        """The heads of chains that grew since this process looked last."""
        grown = [name for name, size in sizes.items() if everything or self._seen.get(name) != size]
        return _heads(self._folder, grown if everything else grown[:_SEEN_AT_ONCE])


class _Chains:
    """The chains of this process, one for each trail it changes."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._open: dict[Path, _Writer] = {}
        forks.in_child(self._become_child)

    def of(self, trail: Path) -> _Writer:
        """The chain to append to."""
        known = self._open.get(trail)
        if known is None or not known.is_usable():
            if known is not None:
                known.close()
            known = self._open[trail] = _Writer(trail)
        return known

    def _become_child(self) -> None:
        self.lock = threading.Lock()
        for writer in self._open.values():
            writer.close()
        self._open.clear()


_chains = _Chains()


def _sizes(folder: Path, but: str = "") -> dict[str, int]:
    """The files of the chains with their size, those written last first."""
    try:
        with os.scandir(folder) as found:
            stats = [(entry.name, entry.stat()) for entry in found if entry.name.endswith(".jsonl")]
    except FileNotFoundError:
        return {}
    stats.sort(key=lambda pair: pair[1].st_mtime_ns, reverse=True)
    return {name: about.st_size for name, about in stats if name != but}


def _heads(folder: Path, names: Iterable[str]) -> dict[str, list[Json]]:
    heads: dict[str, list[Json]] = {}
    for name in names:
        with contextlib.suppress(OSError):
            if head := chain.last_sealed(folder / name):
                heads[name.removesuffix(".jsonl")] = list(head)
    return heads


def _chain_paths(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def _entries(path: Path, on: str | None) -> Iterator[Entry]:
    name = path.name.removesuffix(".jsonl")
    with contextlib.suppress(OSError):
        data = path.read_bytes()
        # most chains say nothing of one run: they are not worth decoding
        needle = b"" if on is None else b'"on":%b,' % orjson.dumps(decode(encode(on)))
        for line in data.split(b"\n") if needle in data else ():
            if needle in line:
                with contextlib.suppress(ValueError):
                    yield chain.entry_of(name, line)
