"""Packs: one metric of many runs is one read, always equals the runs' own files, and can be thrown away."""

from __future__ import annotations

import dataclasses
import os
import random
import time

import numpy as np
import pytest

from celltrail.errors import Damaged
from celltrail.store import Store
from celltrail.store.seal import packing, packs
from celltrail.store.seal.packs import Packs, state_of, write
from recovery.logs import begin
from recovery.seals import aged, finished_run, folder_of


def short_run(store: Store, number: int) -> str:
    writer = begin(store)
    for step in range(5 + number % 3):
        writer.row(
            ("loss",) if number % 2 else ("loss", "acc", "ü/✓"),
            step // 2,
            writer.clock(),
            (number + step / 7,) * (1 if number % 2 else 3),
        )
    writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
    aged(store, writer.id)
    return writer.id


@pytest.fixture
def runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A few short runs, in a trail where few are worth a pack."""
    monkeypatch.setattr(packing, "WORTH_RUNS", 6)
    return [short_run(store, number) for number in range(12)]


def by_themselves(store: Store, name: str, runs: list[str]) -> dict[str, list[bytes]]:
    """What the runs' own files say."""
    mappings = {run_id: store.series(run_id) for run_id in runs}
    return {
        run_id: [column.tobytes() for column in mapping[name]]
        for run_id, mapping in mappings.items()
        if name in mapping
    }


def together(store: Store, name: str, runs: list[str]) -> dict[str, list[bytes]]:
    return {run_id: [column.tobytes() for column in series] for run_id, series in store.metric(name, runs).items()}


def test_packed_runs_answer_as_their_own_files(store: Store, runs: list[str]) -> None:
    """For every metric, whatever of the runs is asked for, in the order asked."""
    expected = {name: by_themselves(store, name, runs) for name in ("loss", "acc", "ü/✓", "none")}
    done = store.compact()
    assert (len(done.sealed), done.packed) == (12, 12)
    (pack,) = Packs(store.root).all()
    assert pack.runs.keys() == set(runs)
    for name, points in expected.items():
        assert together(store, name, runs) == points
        assert list(together(Store(store.root), name, runs[::-3])) == [run for run in runs[::-3] if run in points]
    assert store.compact().packed == 0
    assert [entry.do for entry in store.audit.entries()][-1] == "compact"


def test_a_run_that_went_on_is_read_from_its_own_files(store: Store, runs: list[str]) -> None:
    """A pack is a copy of one state: a later log, a later seal, a run that is gone are never answered from it."""
    store.compact()
    places = Packs(store.root)
    assert places.places(runs).keys() == set(runs)
    folder = folder_of(store, runs[0]) / "m"
    extra = folder / "0a1b2c3d-1-m0000000-0-0000.0001.ctl"
    extra.write_bytes(b"CTL1\r\n\x1a\n")
    assert runs[0] not in places.places(runs)
    assert together(store, "loss", runs) == by_themselves(store, "loss", runs)
    extra.unlink()
    (folder_of(store, runs[1]) / "sealed.2.json").write_bytes(b"{}")
    assert runs[1] not in places.places(runs)
    for path in folder.glob("*.ctl"):
        path.unlink()
    assert runs[0] in places.places(runs)  # its logs were all in the seal
    folder_of(store, runs[2]).rename(store.root / "elsewhere")
    assert runs[2] not in places.places(runs)


def test_where_a_run_is_packed_is_remembered_as_long_as_its_folders_stand(store: Store, runs: list[str]) -> None:
    """A log that comes late, long after the pack was looked for, and a pack that goes are seen."""
    store.compact()
    for run_id in runs:
        aged(store, run_id, 3700)
    store.compact()  # removes the logs
    for run_id in runs:
        for path in (folder_of(store, run_id), folder_of(store, run_id) / "m"):
            os.utime(path, (time.time() - 90,) * 2)
    places = Packs(store.root)
    assert places.places(runs) == places.places(runs)
    (folder_of(store, runs[0]) / "m" / "0a1b2c3d-1-m0000000-0-0000.0001.ctl").write_bytes(b"CTL1\r\n\x1a\n")
    assert places.places(runs).keys() == set(runs[1:])
    for path in (store.root / "packs").iterdir():
        path.unlink()
    assert places.places(runs) == {}
    store.compact()
    assert places.places(runs).keys() >= set(runs[1:])


def test_packs_can_be_deleted_and_damaged(store: Store, runs: list[str]) -> None:
    """Whatever happens to them, the answer is the same; the next compaction makes them again."""
    store.compact()
    expected = by_themselves(store, "loss", runs)
    place = store.root / "packs"
    chosen = random.Random(4)
    for suffix in (".json", ".parquet"):
        (path,) = place.glob(f"*{suffix}")
        whole = path.read_bytes()
        for _ in range(40):
            broken = bytearray(whole)
            broken[chosen.randrange(len(broken))] ^= 1 << chosen.randrange(8)
            path.write_bytes(broken)
            assert together(Store(store.root), "loss", runs) == expected
        for cut in (0, 10, len(whole) - 1):
            path.write_bytes(whole[:cut])
            assert together(Store(store.root), "loss", runs) == expected
        assert store.compact().packed == 12
    for path in place.iterdir():
        path.unlink()
    assert together(store, "loss", runs) == expected
    assert store.compact().packed == 12
    assert together(store, "loss", runs) == expected


def test_neighbours_of_equal_size_become_one(store: Store, runs: list[str]) -> None:
    """So the number of packs grows with the logarithm of the number of runs; runs that are gone are left out."""
    store.compact()
    more = [short_run(store, number) for number in range(12, 24)]
    folder_of(store, runs[3]).rename(store.root / "elsewhere")
    store.compact()
    (pack,) = Packs(store.root).all()
    assert pack.runs.keys() == {*runs, *more} - {runs[3]}
    runs.remove(runs[3])
    assert sorted(path.suffix for path in (store.root / "packs").iterdir()) == [".json", ".parquet"]
    for name in ("loss", "acc"):
        assert together(store, name, runs + more) == by_themselves(store, name, runs + more)


def test_a_row_group_holds_one_long_metric_only(store: Store) -> None:
    """So that a reader of one reads no other; short ones share one."""
    import pyarrow.parquet as pq

    ids = [finished_run(store, rows=rows) for rows in (9000, 300)]
    for run_id in ids:
        aged(store, run_id)
        assert store.seal(run_id)
    states = [(run_id, state_of(store.root, run_id)) for run_id in ids]
    mappings = [store.series(run_id) for run_id in ids]
    names = sorted({name for mapping in mappings for name in mapping})
    pack = write(store.root, states, ((name, [(n, m[name]) for n, m in enumerate(mappings)]) for name in names))
    groups = pq.ParquetFile(pack.path)
    held = [set(groups.read_row_group(group)["metric"].to_pylist()) for group in range(groups.num_row_groups)]
    assert held == [{"lr"}, {"train/loss"}, {"val/loss"}]
    assert together(store, "lr", ids) == by_themselves(store, "lr", ids)


def test_a_metric_in_several_row_groups_is_read_once_until_the_file_changes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was proven and decoded is given again; a file that was touched since is proven anew; little is kept."""
    monkeypatch.setattr(packs, "GROUP_ROWS", 4096)
    ids = [finished_run(store, rows=rows) for rows in (9000, 300)]
    for run_id in ids:
        aged(store, run_id)
        assert store.seal(run_id)
    series = [store.series(run_id)["lr"] for run_id in ids]
    states = [(run_id, state_of(store.root, run_id)) for run_id in ids]
    pack = write(store.root, states, [("lr", list(enumerate(series)))])
    assert len(pack.groups) == 3
    os.utime(pack.path, (time.time() - 90,) * 2)
    first, again = pack.metric("lr"), pack.metric("lr")
    assert [[column.tolist() for column in first[n]] for n in (0, 1)] == [[c.tolist() for c in each] for each in series]
    assert np.shares_memory(first[0].value, again[0].value)
    whole = pack.path.read_bytes()
    _, start, size, _ = pack.groups[1]
    pack.path.write_bytes(whole[: start + size // 2] + b"\0" * 9 + whole[start + size // 2 + 9 :])
    os.utime(pack.path, (time.time() - 60,) * 2)
    with pytest.raises(Damaged):
        pack.metric("lr")
    pack.path.write_bytes(whole)
    known = Packs(store.root)
    assert known.metric("lr", ids).answered == set(ids)
    assert known.all()[0].kept_bytes == 28 * 9300
    monkeypatch.setattr(packs, "_KEPT_BYTES", 28 * 9300 - 1)
    assert known.metric("lr", ids).answered == set(ids)
    assert known.all()[0].kept_bytes == 0


def test_the_frame_of_a_metric_over_many_runs_is_the_same_from_a_pack(store: Store, runs: list[str]) -> None:
    """`runs().metric(...)` reads packs; thinning and the axis of time come out alike."""
    import celltrail as ct

    asked = [(None, "step"), (4, "step"), (None, "time"), (None, "relative")]
    before = [ct.runs(store=store).metric("loss", points=points, x=x) for points, x in asked]
    store.compact()
    for run_id in runs:
        for path in (folder_of(store, run_id) / "sealed").iterdir():
            path.write_bytes(b"")
        for path in (folder_of(store, run_id) / "m").glob("*.ctl"):
            path.unlink()
    after = [ct.runs(store=store).metric("loss", points=points, x=x) for points, x in asked]
    for one, other in zip(before, after, strict=True):
        assert one.equals(other)


def test_which_packed_runs_have_a_metric_is_told_by_the_packs(store: Store, runs: list[str]) -> None:
    """No column of the index is filled for it, which takes longer than the points do; runs in no pack need one."""
    import celltrail as ct

    def have() -> list[str]:
        return [str(run) for run in ct.runs(store=store).metric("acc").run.unique()]

    def columns() -> list[str]:
        return store.look((), lambda look: [key for (key,) in look.select("select key from field") if "acc" in key])

    store.compact()
    assert (sorted(have()), columns()) == (runs[::2], [])
    runs += [short_run(store, number) for number in (12, 13)]
    assert (sorted(have()), columns()) == (runs[::2], ['["metric", "count", "acc"]'])
