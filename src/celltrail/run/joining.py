"""Which run the environment names for this process: how ranks and workers find the run they belong to.

``CELLTRAIL_RUN_ID`` names it: the id of a run, or any text that all processes of one job share. ``run.environment()``
gives the variables to hand to a worker. Without it, what a launcher tells each of its ranks: torchrun and Slurm. The
rank is in the first variable of `celltrail.store.log.ranks.RANKS` that is set. A process takes the run so named once,
with its first ``ct.start()``; what it starts later are runs of their own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from celltrail.model import RUN_ID
from celltrail.store.files import alive
from celltrail.store.log.ranks import rank_here

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_taken: set[str] = set()  # runs this process writes already

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_taken.clear)


def named() -> tuple[str, int] | None:
    """The id of the run that the environment names, and this process's rank in it; None without one."""
    text = os.environ.get("CELLTRAIL_RUN_ID", "").strip() or _job(os.environ)
    if not text or id_of(text) in _taken:
        return None
    return id_of(text), rank_here()


def _job(environment: Mapping[str, str]) -> str:
    """What a launcher gives all ranks of one job and no other job, "" where there is no such thing.

    >>> _job({"SLURM_JOB_ID": "17", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4"})
    'slurm 17.0 attempt 0'
    >>> _job({"SLURM_JOB_ID": "17"})
    ''
    """
    told = environment.get
    if "TORCHELASTIC_RUN_ID" in environment:
        job = f"torchrun {told('TORCHELASTIC_RUN_ID')} {told('MASTER_ADDR')}:{told('MASTER_PORT')}"
        if told("WORLD_SIZE") == told("LOCAL_WORLD_SIZE"):
            launcher = alive.process(os.getppid())  # a port and a name, such as "none", are used again by the next job
            job += f" {launcher.pid} {launcher.start} {launcher.boot}"
        elif told("TORCHELASTIC_RUN_ID") in ("", "none"):
            return ""  # on several machines nothing tells this job from the one before
        return f"{job} attempt {told('TORCHELASTIC_RESTART_COUNT', '0')}"
    if told("SLURM_STEP_NUM_TASKS", "1") != "1" and {"SLURM_JOB_ID", "SLURM_STEP_ID"} <= environment.keys():
        return f"slurm {told('SLURM_JOB_ID')}.{told('SLURM_STEP_ID')} attempt {told('SLURM_RESTART_COUNT', '0')}"
    return ""


def take(run_id: str) -> None:
    """This process writes this run from now on; processes that it begins as a rank of a job find it by its id."""
    _taken.add(run_id)
    job = "" if os.environ.get("CELLTRAIL_RUN_ID") else _job(os.environ)
    if job and id_of(job) == run_id:
        os.environ["CELLTRAIL_RUN_ID"] = run_id


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
