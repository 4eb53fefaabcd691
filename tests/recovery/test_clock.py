"""A clock that is set while a run logs moves nothing that was or will be recorded."""

from __future__ import annotations

import dataclasses
import time

import pytest

from celltrail.store import Store
from recovery.logs import begin

HOUR_NS = 3_600_000_000_000


def test_the_clock_is_set_back_an_hour_and_forward_a_day(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times never go back in a file, points keep their order, and each jump is told once as it is noticed."""
    real, shift = time.time_ns, [0]
    monkeypatch.setattr(time, "time_ns", lambda: real() + shift[0])
    began = real() // 1000
    writer = begin(store)
    for part, set_to in enumerate((0, -HOUR_NS, 24 * HOUR_NS)):
        shift[0] = set_to
        for step in range(100 * part, 100 * part + 100):
            writer.row(("loss",), step, writer.clock(), (step / 7,))
        writer.sync()
        writer.sync()
    writer.close(dataclasses.replace(store.record(writer.id), status="finished", ended_us=writer.clock()))
    loss = store.series(writer.id)["loss"]
    assert loss.step.tolist() == list(range(300))
    assert loss.value.tolist() == [step / 7 for step in range(300)]
    assert (loss.t_us[1:] >= loss.t_us[:-1]).all()
    assert began <= int(loss.t_us[0]) <= int(loss.t_us[-1]) <= real() // 1000 + 1000
    events = store.events(writer.id)
    times = [event["t"] for event in events]
    assert times == sorted(times)
    drifts = [event["drift_us"] for event in events if event["kind"] == "clock"]
    assert [round(drift / 1e6) for drift in drifts] == [-3600, 86_400]
    record = store.record(writer.id)
    assert record.ended_us is not None
    assert record.ended_us >= record.started_us
