"""What runs and their cells use of the machine: processor, memory, disk, network, GPU, energy.

Every run of this process has an `Account`: two readings for a short one, a sample a second for others, by the thread
that keeps runs anyway. Whoever reads a run finds it in its summary, and in `StoredRun.resources`.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from celltrail.model import Json
from celltrail.resources.account import Account
from celltrail.resources.reading import Machine
from celltrail.run import Event, Run, Started
from celltrail.run.events import Shared
from celltrail.run.keeper import keeper

_accounts: dict[str, Account] = {}
_machine: Machine | None = None
_cell: dict[str, Json] = {}  # that runs now


def measure_runs() -> Callable[[], None]:
    """From now on measure what the runs of this process use, until all who asked for it call what came back."""
    return _listening.join()


def rest(run: Run, why: str) -> None:
    """Take no more samples of this run, and say why."""
    if found := _accounts.get(run.id):
        found.rest(why)


def cell_begins(count: int, cell: str | None) -> None:
    """A cell begins: runs that are open over several cells tell them apart.

    Args:
        count: the number in its brackets.
        cell: its id.
    """
    _cell.update(count=count, cell=cell)
    for account in list(_accounts.values()):
        account.cell_begins(dict(_cell))


def cell_ends() -> None:
    """That cell is over."""
    for account in list(_accounts.values()):
        account.cell_ends()


def _hear(event: Event) -> None:
    # of what was over before it is written down the machine tells nothing
    if isinstance(event, Started) and not event.run.is_over:
        _begin(event.run)


def _begin(run: Run) -> None:
    global _machine
    if _machine is None:
        _machine = Machine()
    account = Account(run, _machine, dict(_cell))
    drop = keeper.add(account)
    _accounts[run.id] = account

    def end() -> None:
        drop()
        if _accounts.pop(run.id, None) is not None:  # else a forked child ends what it got from its parent
            account.close()

    run.before_end(end)


_listening = Shared(_hear, points=False)


def _in_child() -> None:
    """A forked child measures its own runs, and has no part in those of its parent."""
    global _machine
    _machine = None
    _accounts.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
