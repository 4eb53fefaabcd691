"""Which run the environment names for this process: how ranks and workers find the run they belong to.

``CELLTRAIL_RUN_ID`` names it: the id of a run, or any text that all processes of one job share, such as a
launcher's job id. ``run.environment()`` gives the variables to hand to a worker. The rank is in the first
variable of `celltrail.store.log.ranks.RANKS` that is set. A process takes the run so named once, with its first
``ct.start()``; what it starts later are runs of their own.
"""

from __future__ import annotations

import os

from celltrail.model import RUN_ID
from celltrail.store.log.ranks import rank_here

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_taken: set[str] = set()  # runs this process writes already

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_taken.clear)


def named() -> tuple[str, int] | None:
    """The id of the run that the environment names, and this process's rank in it; None without one."""
    text = os.environ.get("CELLTRAIL_RUN_ID", "").strip()
    if not text or id_of(text) in _taken:
        return None
    return id_of(text), rank_here()


def take(run_id: str) -> None:
    """This process writes this run from now on."""
    _taken.add(run_id)


def id_of(text: str) -> str:
    """The text itself where it is a run's id; else the id that stands for it, the same in every process.

    >>> id_of("01HZX3V9YQ2T5W8A4B6C7D9E0F"), len(id_of("slurm-4711"))
    ('01HZX3V9YQ2T5W8A4B6C7D9E0F', 26)
    """
    if RUN_ID.fullmatch(text):
        return text
    from blake3 import blake3

    number = int.from_bytes(blake3(text.encode()).digest(length=16), "big")
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -5, -5))
