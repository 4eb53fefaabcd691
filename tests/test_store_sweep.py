"""What an index notices only by looking, and what it lets go of with time."""

from __future__ import annotations

import dataclasses
import time

import pytest

from celltrail.store import Store
from celltrail.store.catalogue import listing
from celltrail.store.index import columns
from recovery.logs import begin


def over(store: Store, count: int) -> list[str]:
    """So many runs that are over, long enough ago that no change of theirs could be missed."""
    ids = []
    for number in range(count):
        writer = begin(store, name=f"run {number}")
        writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
        ids.append(writer.id)
    return ids


def changed_by_hand(store: Store, run_id: str) -> None:
    """Another name in the document, as by an editor: nothing in the trail announces it."""
    path = store.root / "runs" / run_id[-2:] / run_id / "run.json"
    path.write_bytes(path.read_bytes().replace(b'"name":"run', b'"name":"RUN'))


def names(store: Store) -> list[str]:
    return sorted(record.name for record in store.records())


def test_a_sweep_finds_what_nobody_announced(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents changed by hand are found by `Store.sweep`, also where nothing is looked at in passing."""
    monkeypatch.setattr(listing, "_IN_PASSING", 0)
    monkeypatch.setattr(listing, "_SWEEP_AT_ONCE", 3)  # several steps
    ids = over(store, 8)
    swept = Store(store.root)
    assert names(swept) == [f"run {number}" for number in range(8)]
    for run_id in ids[2:7:2]:
        changed_by_hand(store, run_id)
    assert names(swept) == [f"run {number}" for number in range(8)]
    swept.sweep()
    assert names(swept) == ["RUN 2", "RUN 4", "RUN 6", "run 0", "run 1", "run 3", "run 5", "run 7"]


def test_a_large_trail_is_swept_once_a_day_beside_the_questions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first question of a day starts it; one that was swept today is left alone, by other processes too."""
    monkeypatch.setattr(listing, "_IN_PASSING", 0)
    monkeypatch.setattr(listing, "_SWEEP_AT_ONCE", 3)
    ids = over(store, 7)
    first = Store(store.root)
    first.records()
    assert first._listing()._sweeper is None  # a new index has looked at every run
    changed_by_hand(store, ids[5])
    today = Store(store.root)
    today.records()
    assert today._listing()._sweeper is None
    assert "RUN 5" not in names(today)
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + 90_000)
    tomorrow = Store(store.root)
    tomorrow.records()
    waited_for(tomorrow)
    assert "RUN 5" in names(tomorrow)
    later = Store(store.root)
    later.records()
    assert later._listing()._sweeper is None


def test_a_sweep_goes_on_where_another_process_left_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process swept before it ended is not looked at again that day; the next one does the rest."""
    monkeypatch.setattr(listing, "_IN_PASSING", 0)
    monkeypatch.setattr(listing, "_SWEEP_AT_ONCE", 3)
    ids = over(store, 8)
    Store(store.root).records()
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + 90_000)
    ended = Store(store.root)._listing()
    assert ended._index.work(ended._sweep_on)  # one step of three, then its process is gone
    looked_at = ended._index.work(lambda session: [run_id for _, run_id, _ in listing._after(session, 0, 3)])
    for run_id in ids:
        changed_by_hand(store, run_id)
    later = Store(store.root)
    later.records()
    waited_for(later)
    found = {record.id for record in later.records() if record.name.startswith("RUN")}
    assert found == set(ids) - set(looked_at)


def waited_for(store: Store) -> None:
    sweeper = store._listing()._sweeper
    assert sweeper is not None
    sweeper.join(30)
    assert not sweeper.is_alive()


def test_a_column_nobody_asked_for_in_a_month_goes_and_comes_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for again within the month it stays; afterwards it is dropped, and filled anew when it is needed."""
    over(store, 4)
    used, unused = ("summary", "used"), ("host",)

    def there(asked: tuple[str, ...]) -> set[tuple[str, ...]]:
        store.look([asked], lambda look: None)
        return {column.key for column in store.look([], lambda look: columns.present(look._db))}

    clock, late = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: clock() + late[0] * 86_400)
    store.look([used, unused], lambda look: None)
    for days in (10.0, 20.0, 29.0):
        late[0] = days
        assert unused in there(used)
    late[0] = 31.0
    assert unused not in there(used)
    assert used in there(used)
    hosts = store.look([unused], lambda look: look.select(f"select {look.columns[unused].sql} from hot"))
    assert [host for (host,) in hosts] == [record.host for record in store.records()]


def test_fixed_columns_never_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long nobody asked: every question is sorted by one of them."""
    over(store, 2)
    store.records()
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + 400 * 86_400)
    assert len(store.look([("status",)], lambda look: look.select("select id, status from hot order by created"))) == 2
