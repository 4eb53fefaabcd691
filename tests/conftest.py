"""Fixtures of every test: a trail in a temporary folder, and no run left over from the test before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import celltrail
from celltrail import resources
from celltrail.capture import script
from celltrail.run import attribution, events
from celltrail.store import Store

# tests say themselves when the logs of their runs are to be sealed
os.environ.setdefault("CELLTRAIL_KEEP_LOGS", "1")
# how many samples a run has depends on how busy the machine is; tests of samples ask for them
os.environ.setdefault("CELLTRAIL_SAMPLES", "0")


@pytest.fixture(autouse=True)
def trail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The trail this test writes to, found by everybody through the environment."""
    root = tmp_path / ".celltrail"
    monkeypatch.setenv("CELLTRAIL_STORE", str(root))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # whatever went through the door before has its runs described on a thread; this test has not asked for that yet
    events._leave(script._hear)
    script._listening = False
    shared = resources._listening
    if shared._stop is not None:
        shared._stop()
    shared._askers, shared._stop = 0, None
    celltrail.__dict__.pop("start", None)
    yield root
    for run in list(attribution.open_runs):
        run.finish("interrupted")
    attribution.set_current(None)


@pytest.fixture
def store(trail: Path) -> Store:
    """That trail, opened."""
    return Store(trail)
