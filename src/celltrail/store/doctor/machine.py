"""Where the trail lies: network, clock, room on the disk, whether it can be written."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator

from celltrail.store.doctor.finding import Finding, Patient
from celltrail.store.files import disk
from celltrail.store.files.network import is_network
from celltrail.store.files.telling import sized

LEAST_FREE = 200 << 20
_CLOCK_S = 5.0


def check(patient: Patient) -> Iterator[Finding]:
    """What the machine has to do with it."""
    root = patient.root
    if is_network(root):
        yield Finding(
            "network",
            "",
            "the trail is on a network file system",
            "what other hosts record is seen when they next flush, within seconds",
            "nothing: it is made for that",
            level="note",
        )
    if not os.access(root, os.W_OK):
        yield Finding(
            "read-only",
            "",
            "the trail cannot be written by you",
            "nothing can be recorded or repaired",
            "mend its permissions, or set CELLTRAIL_STORE to a trail of your own",
            level="note",
        )
        return
    ahead = disk.now_at(root) - time.time()
    if abs(ahead) > _CLOCK_S:
        yield Finding(
            "clock",
            "",
            f"the clock of the disk is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's",
            "runs of several hosts are sorted by clocks that do not agree",
            "let both machines set their clocks by the network (NTP)",
            level="note",
        )
    free = shutil.disk_usage(root).free
    if free < LEAST_FREE:
        yield Finding(
            "full",
            "",
            f"the disk has {sized(free)} left",
            "recording goes on in memory and loses points when that is full too",
            "celltrail gc frees room in the trail",
        )
