"""The audit: any change of what was recorded is found, and the first broken place is named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celltrail.cli import main
from celltrail.errors import StoreError
from celltrail.store import Store
from celltrail.store import audit as audit_room
from celltrail.store.audit import Audit, chain
from counting import calls
from recovery.logs import begin


def new_writer() -> None:
    """What another process would be: a chain of its own."""
    audit_room._chains._become_child()


@pytest.fixture
def trail(tmp_path: Path, trail: Path) -> Path:
    return Store(trail).root


def filled(root: Path) -> Audit:
    """Three chains, two of them interleaved, with payloads of every kind."""
    audit = Audit(root)
    audit.record("edit", "run-1", {"field": "name", "value": "\u00fc\udc80\n", "base": ""})
    audit.record("edit", "run-1", {"field": "rating", "value": float("nan")})
    new_writer()
    audit.record("alias", "churn/champion", {"version": 3})
    audit.record_all([("edit", f"run-{n}", {"n": n}) for n in range(5)])
    new_writer()
    audit.record("gc", "")
    audit.record("edit", "run-1", {"field": "name", "value": "x"})
    return audit


def chains(root: Path) -> list[Path]:
    """Oldest first."""
    return sorted(
        (root / "audit").glob("*.jsonl"), key=lambda path: json.loads(path.read_bytes().split(b"\n")[0])["at"]
    )


def test_a_record_that_nobody_touched_is_whole(trail: Path) -> None:
    """Entries keep their order in a chain, and each says who did what to which thing."""
    audit = filled(trail)
    report = audit.verify()
    assert report.is_whole
    assert not report.torn
    assert sorted(report.chains.values()) == [2, 2, 6]
    first, second, last = audit.entries("run-1")[0], audit.entries("run-1")[1], audit.entries("run-1")[-1]
    assert (first.n, second.n, first.do) == (1, 2, "edit")
    assert audit.payload(first) == {"field": "name", "value": "\u00fc\\udc80\n", "base": ""}
    assert audit.payload(last) == {"field": "name", "value": "x"}
    assert audit.payload(audit.entries("")[0]) is None


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_single_change_of_any_byte_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Replaced, removed or added: never is the report clean, and the place named is at or before the change."""
    root = _template(tmp_path_factory)
    place = data.draw(st.sampled_from(chains(root)))
    before = place.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != before[at]))
    change = data.draw(st.sampled_from(["replace", "remove", "add"]))
    after = {
        "replace": before[:at] + bytes([byte]) + before[at + 1 :],
        "remove": before[:at] + before[at + 1 :],
        "add": before[:at] + bytes([byte]) + before[at:],
    }[change]
    try:
        place.write_bytes(after)
        report = Audit(root).verify()
    finally:
        place.write_bytes(before)
    if after == before:
        return
    found = [fault for fault in (*report.faults, *report.torn) if fault.chain == place.stem]
    assert found
    line = before[:at].count(b"\n") + 1
    assert min(fault.n for fault in found) == line or (change != "replace" and before[at - 1 : at] == b"\n")
    if change == "replace" and (at < len(before) - 1 or byte):
        assert not report.is_whole


_made: list[Path] = []


def _template(factory: pytest.TempPathFactory) -> Path:
    if not _made:
        _made.append(factory.mktemp("audited"))
        filled(_made[0])
    return _made[0]


def test_every_byte_of_a_payload_is_under_the_hash(trail: Path) -> None:
    """A forged payload is named by its entry."""
    audit = filled(trail)
    path = trail / "audit" / "payload" / f"{audit.entries('churn/champion')[0].event}.json"
    before = path.read_bytes()
    for at in range(len(before)):
        path.write_bytes(before[:at] + bytes([before[at] ^ 1]) + before[at + 1 :])
        (fault,) = audit.verify().faults
        assert (fault.n, fault.kind) == (1, "payload")
    path.unlink()
    (fault,) = audit.verify().faults
    assert "lost its payload" in fault.text


def test_lines_taken_out_swapped_or_made_up_are_found(trail: Path) -> None:
    """The first entry that does not follow is named, also where each line alone still verifies."""
    audit = filled(trail)
    _, path, _ = chains(trail)
    before = path.read_bytes()
    lines = before.splitlines(keepends=True)
    forged = dict(json.loads(lines[2]), by="somebody else")
    for changed, n in (
        (lines[:2] + lines[3:], 3),
        ([lines[0], lines[2], lines[1], *lines[3:]], 2),
        ([*lines[:3], lines[2], *lines[3:]], 4),
        (lines[1:], 1),
        ([*lines[:2], json.dumps(forged).encode() + b"\n", *lines[3:]], 3),
        ([*lines[:2], b"\n", *lines[2:]], 3),
        ([*lines[:2], b"[" * 100_000 + b"\n", *lines[2:]], 3),
        ([*lines[:2], b'{"n": "x"}\n'], 3),
        ([*lines[:2], chain.sealed_line(json.loads(lines[2]) | {"see": {"x": 3}})[0], *lines[3:]], 3),
    ):
        path.write_bytes(b"".join(changed))
        fault = audit.verify().faults[0]
        assert (fault.chain, fault.n) == (path.stem, n)
    path.write_bytes(before)
    assert audit.verify().is_whole
    path.rename(path.with_name("another.jsonl"))
    assert "beginning of this chain" in str(audit.verify())


def test_a_cut_tail_and_a_lost_chain_are_seen_by_the_others(trail: Path) -> None:
    """Heads stand in other chains: the witness is named. The end of the newest chain nobody has seen yet."""
    audit = filled(trail)
    first, second, last = chains(trail)
    lines = second.read_bytes().splitlines(keepends=True)
    second.write_bytes(b"".join(lines[:4]))
    (fault,) = audit.verify().faults
    assert (fault.chain, fault.n, fault.kind) == (second.stem, 5, "cut")
    assert f"entry 1 of {last.stem} saw 6 entries" in fault.text
    second.write_bytes(b"".join(lines))
    first.unlink()
    (fault,) = audit.verify().faults
    assert (fault.chain, fault.n) == (first.stem, 1)
    assert "is gone" in fault.text


def test_the_seal_of_a_run_is_a_witness(store: Store) -> None:
    """What a run was sealed with stands in its seal: a chain cut back behind that is found."""
    writer = begin(store)
    for number in range(3):
        store.edit(writer.id, "rating", number)
    (path,) = chains(store.root)
    (store.root / "runs" / writer.id[-2:] / writer.id / "sealed.json").write_text(
        json.dumps({"audit": store.audit.heads()})
    )
    store.edit(writer.id, "rating", 9)
    assert store.audit.verify().is_whole
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1]))
    (fault,) = store.audit.verify().faults
    assert (fault.chain, fault.n) == (path.stem, 2)
    assert f"the seal of run {writer.id} saw 3 entries of this chain, 1 of them are left" in fault.text
    for hostile in ("", "[]", '{"audit": 3}', '{"audit": {"x": [1]}}', '{"audit": {"x": [{}, 2]}}'):
        (store.root / "runs" / writer.id[-2:] / writer.id / "sealed.2.json").write_text(hostile)
        assert len(store.audit.verify().faults) == 1


def test_thousands_of_chains_are_witnessed_by_few(trail: Path) -> None:
    """An entry names the newest chains only: they have seen the others, and an anchor covers all."""
    for number in range(40):
        new_writer()
        Audit(trail).record("edit", f"run-{number}", {"n": number})
    audit = Audit(trail)
    assert max(len(entry.see) for entry in audit.entries()) == 16
    assert len(audit.heads()) == 16
    anchor = audit.head()
    assert audit.head() == anchor
    oldest = chains(trail)[0]
    oldest.unlink()
    assert [fault.chain for fault in audit.verify(anchor).faults] == [oldest.stem]


def test_an_anchor_kept_elsewhere_shows_a_record_that_was_rewritten_as_a_whole(trail: Path) -> None:
    """What the folder alone cannot show. The anchor stays good when more is recorded."""
    audit = filled(trail)
    anchor = audit.head()
    assert audit.head() == anchor
    new_writer()
    audit.record("edit", "run-2", {"field": "name", "value": "later"})
    assert audit.verify(anchor).is_whole
    assert audit.verify("0" * 64).is_whole
    shutil.rmtree(trail / "audit")
    filled(trail)
    assert audit.verify().is_whole
    report = audit.verify(anchor)
    assert report.expected is False
    assert not report.is_whole


def test_an_erased_payload_leaves_the_chain_whole(trail: Path) -> None:
    """The content is gone from the whole folder, that there was a change is not."""
    audit = filled(trail)
    audit.record("edit", "run-9", {"field": "note:1", "value": "a secret"})
    assert audit.erase("run-9") == 1
    report = audit.verify()
    assert report.is_whole
    assert report.erased == 1
    assert not any(b"secret" in path.read_bytes() for path in trail.rglob("*") if path.is_file())
    assert [entry.do for entry in audit.entries("run-9")] == ["edit", "erase"]
    assert audit.erase("nothing of this name") == 0


def test_a_torn_line_is_told_apart_and_the_next_entry_begins_a_chain(trail: Path) -> None:
    """A kill or a full disk cuts a line at any byte: never taken for tampering, never written behind."""
    audit = filled(trail)
    path = chains(trail)[-1]
    before = path.read_bytes()
    start = before[:-1].rindex(b"\n") + 1
    for end in range(start + 1, len(before)):
        path.write_bytes(before[:end])
        report = audit.verify()
        assert report.is_whole
        assert [(torn.chain, torn.n) for torn in report.torn] == [(path.stem, 2)]
    path.write_bytes(before[: start + 30] + bytes(40))  # what a power cut leaves
    assert [torn.n for torn in audit.verify().torn] == [2]
    audit.record("edit", "run-1", {"field": "name", "value": "after"})
    assert path.read_bytes() == before[: start + 30] + bytes(40)
    assert len(chains(trail)) == 4
    assert audit.verify().is_whole


def test_a_trail_moved_away_and_made_anew_gets_a_new_chain(trail: Path) -> None:
    """The file this process had open is no longer the one of that name."""
    audit = filled(trail)
    trail.rename(trail.with_name("moved"))
    audit.record("edit", "run-1", {"field": "name", "value": "x"})
    assert len(chains(trail)) == 1
    assert audit.verify().is_whole
    assert Audit(trail.with_name("moved")).verify().is_whole


RECORD = """
import os, sys
from pathlib import Path
from celltrail.store.audit import Audit
audit = Audit(Path(sys.argv[1]))
for number in range(25):
    audit.record("edit", f"run-{number % 3}", {"who": sys.argv[2], "number": number})
    if number == 10 and os.fork() == 0:
        for more in range(5):
            audit.record("edit", "forked", {"number": more})
        os._exit(0)
os.wait()
"""


def test_four_processes_and_their_forks_record_at_once(trail: Path) -> None:
    """Each in a chain of its own; together they are whole, and each has seen others."""
    audit = Audit(trail)
    processes = [subprocess.Popen([sys.executable, "-c", RECORD, str(trail), str(n)]) for n in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    report = audit.verify()
    assert report.is_whole, str(report)
    assert not report.torn
    assert sorted(report.chains.values()) == [5] * 4 + [25] * 4
    payloads = [audit.payload(entry) for entry in audit.entries("run-0")]
    assert sorted((p["who"], p["number"]) for p in payloads) == [(str(w), n) for w in range(4) for n in range(0, 25, 3)]
    assert any(entry.see for entry in audit.entries())


KILLED = """
import sys
from pathlib import Path
from celltrail.store.audit import Audit
audit, number = Audit(Path(sys.argv[1])), 0
while True:
    audit.record("edit", "run", {"number": number, "text": "x" * 1000})
    number += 1
    print(number, flush=True)
"""


def test_what_was_recorded_survives_kill_9(trail: Path) -> None:
    """Every call that returned is in the chain, and the record is whole."""
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(trail)], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        for _ in range(10):
            process.stdout.readline()
        time.sleep(0.02)
        process.kill()
        returned = 10 + len(process.stdout.readlines())
        process.wait()
        report = Audit(trail).verify()
        assert report.is_whole, str(report)
        newest = max(chains(trail), key=lambda path: path.stat().st_mtime_ns)
        assert report.chains[newest.stem] >= returned
        process.stdout.close()


def test_every_edit_is_recorded_and_recording_is_not(store: Store) -> None:
    """What the run's own code says while it runs is the recording itself."""
    writer = begin(store)
    store.edit(writer.id, "note:1", "said while it ran", by_run=True)
    assert store.audit.entries(writer.id) == []
    store.edit(writer.id, "name", "better")
    store.edit(writer.id, "deleted", True)
    store.edit(writer.id, "deleted", None)
    entries = store.audit.entries(writer.id)
    assert [entry.do for entry in entries] == ["edit", "delete", "restore"]
    assert store.audit.payload(entries[0]) == {"field": "name", "value": "better", "base": ""}


def test_no_edit_without_its_record(store: Store) -> None:
    """A disk that cannot keep the record keeps the edit from being made; the sentence says why."""
    writer = begin(store)
    (store.root / "audit").write_bytes(b"in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        store.edit(writer.id, "name", "better")
    assert store.edits(writer.id) == {}


def test_an_edit_waits_for_the_disk_a_few_times(store: Store) -> None:
    """The audit of an edit adds its payload and its line to what the edit's own document costs."""
    writer = begin(store)
    store.edit(writer.id, "name", "0")
    with calls("fsync", "fdatasync") as audited:
        store.edit(writer.id, "name", "1")
    with calls("fsync", "fdatasync") as plain:
        store.edit(writer.id, "name", "2", by_run=True)
    assert audited["fsync"] <= plain["fsync"] + 1
    assert audited["fdatasync"] == plain["fdatasync"] + 1


def test_verify_in_a_terminal(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """0 whole, 1 broken with the place in plain words, 2 no trail to ask."""
    assert main(["verify"]) == 2
    assert "no trail" in capsys.readouterr().err
    writer = begin(store)
    assert main(["verify", "--head"]) == 0
    assert capsys.readouterr().out == "0" * 64 + "\n"
    for name in ("one", "two", "three"):
        store.edit(writer.id, "name", name)
    assert main(["verify"]) == 0
    assert "3 changes, recorded by 1 process\n" in (out := capsys.readouterr().out)
    assert "the record is whole" in out
    assert main(["verify", "--head"]) == 0
    anchor = capsys.readouterr().out.strip()
    assert main(["verify", "--expect", anchor]) == 0
    assert main(["verify", "--expect", "f" * 64]) == 1
    assert "does not stand in the record" in capsys.readouterr().out
    (path,) = chains(store.root)
    path.write_bytes(path.read_bytes().replace(b'"n":2', b'"n":7'))
    assert main(["verify"]) == 1
    assert f"{path.stem}, entry 2: was changed" in capsys.readouterr().out
    assert main(["verify", "--json", "--store", str(store.root)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["whole"] is False
    assert told["faults"][0]["n"] == 2
    assert os.path.basename(told["faults"][0]["chain"]) == path.stem
