"""Threads that let others go first."""

from __future__ import annotations

import os
import sys
import threading


def lower_priority() -> None:
    """Let the user's own threads go first; on Linux a thread has a priority of its own."""
    if sys.platform == "linux":
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        except OSError:  # not allowed: then as quick as everybody
            return
