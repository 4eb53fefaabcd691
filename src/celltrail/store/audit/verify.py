"""Checks the audit of a trail: every line, every link between chains, every payload."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import orjson

from celltrail.model import Json
from celltrail.store.audit.chain import Chain, Entry, Fault, read

_Seen = tuple[str, str, int, str]  # who saw: which chain, how many entries, the hash of the last
_PAYLOAD = re.compile(rb'\{"salt":"([0-9a-f]{32})","payload":(.*)\}', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Report:
    """What `verify` found. ``faults`` names the first broken entry of each chain, the oldest places first."""

    chains: dict[str, int]  # name -> entries that verify
    faults: tuple[Fault, ...]
    torn: tuple[Fault, ...] = ()  # ends of lines that a kill left; the change they were about was not made
    erased: int = 0  # payloads erased on purpose
    expected: bool | None = None  # whether the hash asked for stands in the record; None when none was

    @property
    def is_whole(self) -> bool:
        """Whether nothing was changed since it was recorded, as far as the trail alone can tell."""
        return not self.faults and self.expected is not False

    @property
    def entries(self) -> int:
        """How many entries verify."""
        return sum(self.chains.values())

    def __str__(self) -> str:
        processes = (
            f"{len(self.chains):,} process{'' if len(self.chains) == 1 else 'es'}"  # each has a chain of its own
        )
        lines = [f"{_counted(self.entries, 'change')}, recorded by {processes}"]
        lines += [f"{_place(fault)} {fault.text}" for fault in (*self.faults, *self.torn)]
        return "\n".join(lines)


def verify(trail: Path, expect: str | None = None) -> Report:
    """Check the chains of this trail against themselves, each other, the seals of runs, and their payloads."""
    folder = trail / "audit"
    chains = [read(path) for path in sorted(folder.glob("*.jsonl"))]
    faults = [chain.fault for chain in chains if chain.fault]
    faults += _cuts(chains, [*_seen_by_chains(chains), *_seen_by_seals(trail)])
    payload_faults, erased = _check_payloads(chains, folder / "payload")
    expected = None
    if expect is not None:
        hashes = (entry.hash for chain in chains for entry in chain.entries)
        expected = expect == "0" * 64 or any(expect == known for known in hashes)
    return Report(
        {chain.name: len(chain.entries) for chain in chains},
        tuple(sorted(faults + payload_faults, key=lambda fault: (fault.chain, fault.n))),
        tuple(chain.torn for chain in chains if chain.torn),
        erased,
        expected,
    )


def coverage(chains: Iterable[Chain], entry: Entry) -> dict[str, int]:
    """How many entries of each chain this one stands for: its own before it, what they saw, and what those saw."""
    known = {chain.name: chain for chain in chains}
    covered: dict[str, int] = {}
    waiting = [(entry.chain, entry.n)]
    while waiting:
        name, n = waiting.pop()
        before = covered.get(name, 0)
        if name not in known or n <= before:
            continue
        covered[name] = n
        for each in known[name].entries[before:n]:
            waiting += [(other, seen[0]) for other, seen in each.see.items()]
    return covered


def _cuts(chains: Sequence[Chain], witnesses: Iterable[_Seen]) -> list[Fault]:
    """Chains that were seen longer, or otherwise, than they are now."""
    known = {chain.name: chain for chain in chains}
    found: dict[str, Fault] = {}
    for witness, name, n, seal in witnesses:
        there = known.get(name)
        has = len(there.entries) if there else 0
        first = min(n, has + 1)
        if there and (there.fault or (0 < n <= has and there.entries[n - 1].hash == seal)):
            continue  # named already, or as it was seen
        if name in found and found[name].n <= first:
            continue
        if there is None:
            text = f"is gone with its whole chain: {witness} saw {_counted(n, 'entry')} of it"
        elif n > has:
            text = f"is cut off: {witness} saw {_counted(n, 'entry')} of this chain, {has} of them are left"
        else:
            text = f"was replaced: {witness} saw another one in its place"
        found[name] = Fault(name, first, "cut", text)
    return list(found.values())


def _seen_by_chains(chains: Iterable[Chain]) -> Iterator[_Seen]:
    for entry in (entry for chain in chains for entry in chain.entries):
        for name, (n, seal) in entry.see.items():
            yield f"entry {entry.n} of {entry.chain}", name, n, seal


def _seen_by_seals(trail: Path) -> Iterator[_Seen]:
    """What the seals of runs say; one that cannot be read says nothing, `Store.gaps` and the doctor name it."""
    for path in trail.glob("runs/??/*/sealed*.json"):
        try:
            heads = orjson.loads(path.read_bytes())["audit"]
            seen = [
                (f"the seal of run {path.parent.name}", str(name), int(n), str(h)) for name, (n, h) in heads.items()
            ]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        yield from seen


def _check_payloads(chains: Sequence[Chain], folder: Path) -> tuple[list[Fault], int]:
    """What is wrong with payloads, the first of each chain, and how many were erased on purpose."""
    lost: dict[str, Entry] = {}
    faults: list[Fault] = []
    erased: set[str] = set()
    for entry in (entry for chain in chains for entry in chain.entries):
        if not entry.commitment:
            continue
        try:
            data = (folder / f"{entry.event}.json").read_bytes()
        except OSError:
            lost[entry.event] = entry
            continue
        payload = _opened(data, entry.commitment)
        if payload is None:
            text = "has another payload than was recorded: what it says of the change was forged or damaged"
            faults.append(Fault(entry.chain, entry.n, "payload", text))
        elif entry.do == "erase":
            erased.update(payload[0].get("events", ()))
    text = "has lost its payload, and no erase is recorded that took it"
    gone = [Fault(entry.chain, entry.n, "payload", text) for event, entry in lost.items() if event not in erased]
    first: dict[str, Fault] = {}
    for fault in sorted(faults + gone, key=lambda fault: fault.n):
        first.setdefault(fault.chain, fault)
    return list(first.values()), len(erased & lost.keys())


def _opened(data: bytes, commitment: str) -> tuple[Json] | None:
    """The payload in these bytes, in a tuple, or None when it is not what was committed to."""
    found = _PAYLOAD.fullmatch(data)
    if not found or sha256(found[1] + found[2]).hexdigest() != commitment:
        return None
    return (orjson.loads(found[2]),)


def _place(fault: Fault) -> str:
    return f"{fault.chain}, entry {fault.n}:" if fault.n else f"{fault.chain}:"


def _counted(count: int, noun: str) -> str:
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else many}"
