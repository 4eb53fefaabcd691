"""A damaged log costs its damaged records only, says where, and invents nothing."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest

from celltrail.store import Store
from celltrail.store.log import (
    BEAT,
    BEAT_KIND,
    EVENT_KIND,
    HEADER,
    ITEM_KIND,
    ROW_KIND,
    SCHEMA_KIND,
    Log,
    frame,
    salt_of,
)
from celltrail.store.log.reader import State, read
from recovery.logs import begin, damaged, points, records, the_log, written_log

LONG = {
    "one set of names": [("loss",)],
    "two of one size": [("loss",), ("lr",)],
    "two sizes in turn": [("loss", "acc"), ("lr",)],
    "long rows": [tuple(f"metric {n}" for n in range(20))],
    "a validation each epoch": [("loss", "lr")] * 700 + [("val/loss",)],
}


@pytest.fixture(params=LONG)
def long_log(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> Path:
    """A log of 3,000 rows, enough to be read in bulk, with an item every 1,100."""
    sets = LONG[request.param]
    writer = begin(store)
    for step in range(3_000):
        names = sets[step % len(sets)]
        writer.row(names, step, writer.clock(), [step / 7 + n for n in range(len(names))])
        if step % 1_100 == 1_000:
            writer.item("text", step, "between the rows")
    writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
    source = the_log(store, writer.id)
    copy = tmp_path / source.name
    copy.write_bytes(source.read_bytes())
    return copy


@pytest.fixture
def log(store: Store, tmp_path: Path) -> Path:
    """A copy of a real log under its own name: the salt of its records is that name."""
    source = written_log(store)
    copy = tmp_path / source.name
    copy.write_bytes(source.read_bytes())
    return copy


def test_a_log_cut_at_any_byte_gives_exactly_the_whole_records_before_the_cut(log: Path) -> None:
    """Also: the cut is located as a gap, and reading on from there finds the rest."""
    data, every = log.read_bytes(), points(read(log))
    spans = records(data)
    for cut in range(len(data)):
        contents = damaged(log, data[:cut])
        whole = [end for _, end in spans if end <= cut]
        good = whole[-1] if whole else (8 if cut >= 8 else 0)
        assert points(contents) == [point for point in every if point[0] < good]
        assert [(gap.start, gap.size) for gap in contents.gaps] == ([(good, cut - good)] if good < cut else [])
        if cut >= spans[0][1] and cut % 7 == 0:
            log.write_bytes(data)
            assert points(contents) + points(read(log, contents.state)) == every


def test_a_flipped_bit_costs_one_record_and_is_found(log: Path) -> None:
    """A lost schema costs no rows, because it is repeated before the end."""
    data, every = log.read_bytes(), points(read(log))
    spans = records(data)
    chosen = random.Random(7)
    for start, end in spans:
        kind = data[start + 8]
        bits = [chosen.randrange(8 * start, 8 * end) for _ in range(12)] + [8 * (start + 8) + bit for bit in range(8)]
        for bit in bits:
            broken = bytearray(data)
            broken[bit // 8] ^= 1 << bit % 8
            contents = damaged(log, bytes(broken))
            lost = start if kind == ROW_KIND else None
            assert points(contents) == [point for point in every if point[0] != lost]
            assert [(gap.start, gap.size) for gap in contents.gaps] == [(start, end - start)]


def test_rows_read_in_bulk_are_the_rows_that_were_written(long_log: Path) -> None:
    """Whatever sets of names take turns, each point comes back once, with its step, in its order."""
    contents = read(long_log)
    steps = sorted(int(step) for rows in contents.rows for step in rows.step)
    assert steps == list(range(3_000))
    for rows in contents.rows:
        assert (rows.order[1:] > rows.order[:-1]).all()
        expected = [[step / 7 + n for n in range(len(rows.names))] for step in rows.step.tolist()]
        assert rows.values.tolist() == expected
    assert [event["name"] for event in contents.events if event["kind"] == "item"] == ["text"] * 2


def test_damage_among_rows_read_in_bulk_costs_one_record(long_log: Path) -> None:
    """A flipped bit anywhere and a cut anywhere do what they do to rows that are read one by one."""
    data, every = long_log.read_bytes(), points(read(long_log))
    spans = records(data)
    chosen = random.Random(3)
    for start, end in chosen.sample(spans, 12):
        broken = bytearray(data)
        broken[chosen.randrange(start, end)] ^= 1 << chosen.randrange(8)
        contents = damaged(long_log, bytes(broken))
        lost = start if data[start + 8] == ROW_KIND else None
        assert points(contents) == [point for point in every if point[0] != lost]
        assert [(gap.start, gap.size) for gap in contents.gaps] == [(start, end - start)]
    for cut in [chosen.randrange(100, len(data)) for _ in range(12)]:
        first = damaged(long_log, data[:cut])
        long_log.write_bytes(data)
        rest = read(long_log, first.state)
        assert points(first) + points(rest) == every
        assert rest.state == read(long_log).state


def test_zeros_noise_and_holes_lose_only_what_they_cover(log: Path) -> None:
    """Zeros are what a power cut leaves; they never read as empty records."""
    data, every = log.read_bytes(), points(read(log))
    spans = records(data)
    schemas = {start for start, _ in spans if data[start + 8] == SCHEMA_KIND}
    chosen = random.Random(11)
    for _ in range(150):
        start = chosen.randrange(8, len(data) - 50)
        stop = min(len(data), start + chosen.randrange(1, 600))
        filling = chosen.choice([bytes(stop - start), chosen.randbytes(stop - start), b""])
        broken = data[:start] + filling + data[stop:]
        contents = damaged(log, broken)
        touched = {first for first, end in spans if first < stop and end > start}
        kept = {point[1:] for point in every if point[0] not in touched}
        got = [point[1:] for point in points(contents)]
        assert len(got) == len(set(got))
        assert set(got) <= {point[1:] for point in every}
        if not schemas & touched or stop < max(schemas):
            assert kept <= set(got)  # a hole may leave the very bytes it took
        # whole records cut out leave no trace in the bytes around them
        assert contents.gaps or not filling or broken == data
    contents = damaged(log, data + bytes(4096))
    assert points(contents) == every
    assert [(gap.start, gap.size) for gap in contents.gaps] == [(len(data), 4096)]


def test_a_repeated_block_invents_no_points(log: Path) -> None:
    """A block that stands twice holds records that verify; each is taken once."""
    data, every = log.read_bytes(), points(read(log))
    chosen = random.Random(5)
    for _ in range(60):
        source, target = chosen.randrange(8, len(data) - 400), chosen.randrange(8, len(data) - 400)
        broken = data[:target] + data[source : source + 400] + data[target + 400 :]
        got = [point[1:] for point in points(damaged(log, broken))]
        assert len(got) == len(set(got))
        assert set(got) <= {point[1:] for point in every}


def test_log_bytes_inside_a_text_are_not_records(store: Store, log: Path) -> None:
    """The bytes of another log, kept inside an item, stay text when the item around them is damaged."""
    data = log.read_bytes()
    inside = frame(4, b'{"t": 1, "step": 1, "name": "x", "value": "' + data.replace(b'"', b"'") + b'"}', salt_of("me"))
    path = log.with_name("me.0001.ctl")
    contents = damaged(path, b"CTL1\r\n\x1a\n" + inside[:-1] + b"!")
    assert points(contents) == []
    assert [(gap.start, gap.size) for gap in contents.gaps] == [(8, len(inside))]


def test_a_type_byte_and_an_empty_record_are_covered(log: Path) -> None:
    """crc32 of nothing is 0, so a header of zeros would verify if length and type were not covered."""
    data = log.read_bytes()
    assert damaged(log, data + HEADER.pack(0, 0, 0) * 3).gaps
    assert damaged(log, data + HEADER.pack(0, 0, 6)).gaps


def test_rows_before_their_schema_are_read_once_its_repeat_is_found(log: Path) -> None:
    """The first schema record may be lost: ids never change in a file and are repeated."""
    data, every = log.read_bytes(), points(read(log))
    first = next((start, end) for start, end in records(data) if data[start + 8] == SCHEMA_KIND)
    contents = damaged(log, data[: first[0]] + bytes(first[1] - first[0]) + data[first[1] :])
    assert points(contents) == every
    assert len(contents.gaps) == 1


def test_a_gap_says_where_and_near_which_step(store: Store) -> None:
    """`gaps` of a finished run is the sentence a panel shows."""
    path = written_log(store)
    run_id = path.parent.parent.name
    assert store.gaps(run_id) == []
    data = bytearray(path.read_bytes())
    start, end = [span for span in records(bytes(data)) if data[span[0] + 8] == ROW_KIND][9]
    data[start + 20] ^= 1
    path.write_bytes(data)
    (gap,) = store.gaps(run_id)
    assert str(gap) == f"{end - start} bytes unreadable at {start / 1000:.4g} KB of {path.name}, about step {gap.step}"
    assert gap.step is not None


def test_an_unknown_record_is_passed_over_and_told(log: Path) -> None:
    """A newer celltrail may write more kinds of records: what is known is read, the file is called newer."""
    salt, data = salt_of(log.name.rsplit(".", 2)[0]), log.read_bytes()
    every = points(read(log))
    below = damaged(log, data + frame(90, b"?", salt))
    above = damaged(log, data + frame(200, b"?", salt))
    assert points(below) == points(above) == every
    assert (below.newer, above.newer) == (True, False)
    assert below.gaps == above.gaps == []


def test_reading_on_from_a_state_equals_reading_all(log: Path) -> None:
    """A live reader never reads a record twice nor skips one, wherever it stopped."""
    data, every = log.read_bytes(), points(read(log))
    for _, cut in records(data):
        log.write_bytes(data[:cut])
        first = read(log, State())
        log.write_bytes(data)
        assert points(first) + points(read(log, first.state)) == every


def test_every_bit_of_a_log_is_guarded(tmp_path: Path) -> None:
    """All of them, one by one: each flip is found and costs the record it is in, never another, never invents one."""
    small = Log(tmp_path, "aa-1-b-0-cc", {"format": 1})
    small.row(("x", "y"), 1, 10, (0.5, float("nan")))
    small.append(frame(EVENT_KIND, b'{"t":11,"kind":"e"}', small.salt))
    small.append(frame(ITEM_KIND, b'{"t":12,"name":"text","step":1,"value":"v"}', small.salt))
    small.row(("x", "y"), 2, 13, (1.5, 2.5))
    small.append(frame(BEAT_KIND, BEAT.pack(14), small.salt))
    small.end({"t": 15})
    small.close()
    (path,) = tmp_path.glob("*.ctl")
    data, contents = path.read_bytes(), read(path)
    every, events = points(contents), contents.events
    for start, end in [(0, 8), *records(data)]:
        kind = data[start + 8] if start else 0
        left = [point for point in every if point[0] != start]
        for bit in range(8 * start, 8 * end):
            broken = bytearray(data)
            broken[bit // 8] ^= 1 << bit % 8
            contents = damaged(path, bytes(broken))
            assert points(contents) == left
            assert [(gap.start, gap.size) for gap in contents.gaps] == [(start, end - start)]
            assert len(contents.events) == len(events) - (kind in (EVENT_KIND, ITEM_KIND))
            assert all(event in events for event in contents.events)
