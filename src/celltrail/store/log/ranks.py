"""The writers of one run: the process that owns it, its ranks and workers, and forked children.

Only the owner writes ``run.json`` and decides how the run ended. Every other process tells who it is in the
head of its own log, and that it is done in the last record of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from celltrail.model import Json
from celltrail.store.files import alive, disk
from celltrail.store.files.alive import Process

# who says which rank a process is, in the order asked: ours, torchrun and most launchers, Slurm, Open MPI, MPICH
RANKS = ("CELLTRAIL_RANK", "RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK")


def rank_here(environment: Mapping[str, str] = os.environ) -> int:
    """The rank of this process by the first variable of `RANKS` that holds a whole number; 0 without one.

    >>> rank_here({"RANK": "3", "SLURM_PROCID": "5"}), rank_here({})
    (3, 0)
    """
    found = (environment.get(name, "") for name in RANKS)
    return next((int(text) for text in found if text.isdecimal()), 0)


def order_of(writer: str) -> tuple[int, int, str]:
    """Where a writer stands among those of its run: by rank, then by when it began.

    >>> sorted(["ff-9-a1-10-00", "aa-9-a1-2-00", "bb-9-a0-2-00"], key=order_of)
    ['bb-9-a0-2-00', 'aa-9-a1-2-00', 'ff-9-a1-10-00']
    """
    try:
        start = int(writer.rsplit("-", 3)[-3], 36)
    except (ValueError, IndexError):
        start = 0
    return rank_of(writer), start, writer


def rank_of(writer: str) -> int:
    """The rank that is part of a writer's name.

    >>> rank_of("0a1b2c3d-4711-mf3k2p1q-3-9e0f")
    3
    """
    rank = writer.rsplit("-", 2)[-2] if writer.count("-") > 1 else ""
    return int(rank) if rank.isdecimal() else 0


@dataclass(frozen=True, slots=True)
class Writer:
    """One process that writes a log of the run, as far as that log tells."""

    name: str
    rank: int
    process: Process | None
    is_fork: bool  # of another writer: may leave without a word
    has_ended: bool
    seen_s: float  # when its log last changed, by the file system's clock
    step: int | None = None  # the last one it logged

    def is_alive(self, folder: Path) -> bool:
        """Whether it may still write: it runs, or on another machine it was heard of within a minute."""
        if self.has_ended:
            return False
        known = alive.is_alive(self.process) if self.process else None
        return self.seen_s > disk.now_at(folder) - alive.SILENT_S if known is None else known


def writer_of(name: str, head: Mapping[str, Json] | None, has_ended: bool, seen_s: float, step: int | None) -> Writer:
    """The writer of a log with this head."""
    head = head or {}
    process = None
    if {"pid", "start", "boot", "host"} <= head.keys():
        process = Process(head["pid"], head["start"], head["boot"], head["host"])
    return Writer(name, rank_of(name), process, bool(head.get("forked")), has_ended, seen_s, step)


def lost(writer: Writer) -> str:
    """The sentence about a rank that died while the run went on."""
    where = f" (pid {writer.process.pid} on {writer.process.host})" if writer.process else ""
    step = "before its first step" if writer.step is None else f"after step {writer.step:,}"
    return f"rank {writer.rank}{where} died {step}; what it logged until then is here"
