"""One chain of the audit as it stands in its file: a JSON line per change, each sealed to the one before.

``hash = sha256(prev || line without hash)``; ``prev`` of the first line is the hash of the chain's own name, so
that a chain under another name does not verify. Every byte of a line is under a hash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

import orjson

from celltrail.model import Json

_SEAL = re.compile(rb',"hash":"([0-9a-f]{64})"\}')
_FIELDS = ("n", "at", "by", "do", "on", "commitment", "prev", "see", "hash")
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One recorded change."""

    chain: str
    n: int
    at: int  # microseconds since the epoch
    by: str
    do: str
    on: str
    commitment: str  # of the payload, "" when there was none
    prev: str
    see: dict[str, list[Json]]  # heads of other chains: name -> [n, hash]
    hash: str

    @property
    def event(self) -> str:
        """The name of its payload."""
        return f"{self.chain}.{self.n}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a chain, and at which entry."""

    chain: str
    n: int
    kind: Literal["changed", "unreadable", "cut", "payload", "torn"]
    text: str


@dataclass(frozen=True, slots=True)
class Chain:
    """What a file holds: the entries that verify, and what comes after them if anything does."""

    name: str
    entries: list[Entry]
    fault: Fault | None = None
    torn: Fault | None = None

    @property
    def head(self) -> str:
        """The hash of the last entry that verifies."""
        return self.entries[-1].hash if self.entries else first_prev(self.name)


def first_prev(name: str) -> str:
    """What the first entry of a chain is sealed to."""
    return sha256(f"celltrail audit 1 {name}".encode()).hexdigest()


def sealed_line(fields: Mapping[str, Json]) -> tuple[bytes, str]:
    """The line of an entry, and its hash."""
    body = orjson.dumps(fields)
    seal = sha256(fields["prev"].encode() + body).hexdigest()
    return b'%b,"hash":"%b"}\n' % (body[:-1], seal.encode()), seal


def read(path: Path) -> Chain:
    """The chain in a file, up to the first entry that does not verify."""
    name = path.name.removesuffix(".jsonl")
    entries: list[Entry] = []
    try:
        *lines, tail = path.read_bytes().split(b"\n")
    except OSError as error:
        return Chain(name, entries, Fault(name, 0, "unreadable", f"cannot be read: {error.strerror}"))
    prev = first_prev(name)
    for n, line in enumerate(lines, 1):
        found = _entry(name, n, prev, line)
        if isinstance(found, Fault):
            return Chain(name, entries, found)
        entries.append(found)
        prev = found.hash
    fault, torn = _read_tail(name, tail, entries, prev)
    return Chain(name, entries, fault, torn)


def last_sealed(path: Path) -> tuple[int, str] | None:
    """Number and hash of the last whole line of a file, as it says itself; None while it has none."""
    size = _BLOCK
    with path.open("rb") as file:
        end = file.seek(0, 2)
        while True:
            start = max(0, end - size)
            file.seek(start)
            lines = file.read(end - start).split(b"\n")[:-1]
            whole = lines if start == 0 else lines[1:]
            if whole or start == 0:
                break
            size *= 4
    try:
        body = orjson.loads(whole[-1])
        return int(body["n"]), str(body["hash"])
    except (IndexError, ValueError, KeyError, TypeError):
        return None


def entry_of(chain: str, line: bytes) -> Entry:
    """The entry in a line, unverified; raises ValueError when there is none."""
    body = orjson.loads(line)
    try:
        entry = Entry(chain, **{name: body[name] for name in _FIELDS})
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an entry: {error}") from error
    texts = (entry.by, entry.do, entry.on, entry.commitment, entry.prev, entry.hash)
    if not (type(entry.n) is type(entry.at) is int and all(isinstance(text, str) for text in texts)):
        raise ValueError("not an entry")
    if not (isinstance(entry.see, dict) and all(map(_is_head, entry.see.values()))):
        raise ValueError("not an entry")
    return entry


def _is_head(seen: Json) -> bool:
    return isinstance(seen, list) and len(seen) == 2 and type(seen[0]) is int and isinstance(seen[1], str)


def _entry(chain: str, n: int, prev: str, line: bytes) -> Entry | Fault:
    """The entry of this line, or what is wrong with it."""
    seal = _SEAL.search(line)
    try:
        entry = entry_of(chain, line)
    except ValueError:
        return Fault(chain, n, "unreadable", "is no entry of a chain: bytes of it were changed")
    body = line[: seal.start()] + b"}" if seal and seal.end() == len(line) else b""
    if sha256(entry.prev.encode() + body).hexdigest() != entry.hash or not body:
        return Fault(chain, n, "changed", "was changed: its hash does not fit its text")
    if entry.prev != prev or entry.n != n:
        before = f"entry {n - 1}" if n > 1 else "the beginning of this chain"
        return Fault(chain, n, "changed", f"does not follow {before}: something was removed, added or replaced there")
    return entry


def _read_tail(name: str, tail: bytes, entries: list[Entry], prev: str) -> tuple[Fault | None, Fault | None]:
    """What stands behind the last newline: a fault, or the torn end that a kill or a full disk leaves."""
    if not tail:
        return None, None
    n = len(entries) + 1
    text = tail.rstrip(b"\0")  # a power cut may leave a file longer than what was written
    seal = _SEAL.search(text)
    if seal and seal.end() == len(text):
        found = _entry(name, n, prev, text)
        if isinstance(found, Fault):
            return found, None
        entries.append(found)
        return None, Fault(name, n, "torn", "is whole but for the end of its line")
    begin = b'{"n":%d,"at":' % n
    if seal or text[: len(begin)] != begin[: len(text)]:
        return Fault(name, n, "changed", "is no entry of a chain: bytes of it were changed"), None
    return None, Fault(name, n, "torn", "is torn, as a kill, a full disk or a power cut leaves it")
