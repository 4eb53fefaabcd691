"""Edits: what people say about a run merges to the same in every reader."""

from __future__ import annotations

import dataclasses
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celltrail.errors import BadValue, NoRun
from celltrail.model import Param, new_id
from celltrail.store import Store
from celltrail.store.docs.edits import Edit, join, read, seen_of, standing, view
from celltrail.store.docs.folding import fold, is_dead
from recovery.logs import begin

EDITS = st.lists(
    st.builds(
        Edit,
        field=st.sampled_from(["name", "tag:a", "tag:b", "note:1"]),
        at=st.integers(0, 4),
        actor=st.sampled_from(["ann", "bob", "eve"]),
        value=st.sampled_from(["x", "y", None]),
        base=st.sampled_from(["", "d1", "d2"]),
        saw=st.none() | st.dictionaries(st.sampled_from(["ann", "bob", "eve"]), st.integers(0, 4), max_size=3),
    ),
    max_size=12,
    unique_by=lambda edit: (edit.field, edit.at, edit.actor),
)


@settings(max_examples=300, deadline=None)
@given(EDITS, st.integers(0, 2**32))
def test_joining_is_commutative_associative_and_idempotent(edits: list[Edit], seed: int) -> None:
    """In whatever order and grouping files are read, and read twice, the view is the same."""
    chosen = random.Random(seed)
    shuffled = chosen.sample(edits, len(edits))
    cut = chosen.randint(0, len(edits))
    assert join(edits) == join(shuffled) == join(join(edits), edits)
    assert join(join(shuffled[:cut]), shuffled[cut:]) == join(shuffled[cut:], join(shuffled[:cut])) == join(edits)
    assert view(edits) == view(shuffled) == view(join(edits)) == view(standing(edits))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "eve"]),
        st.sampled_from(["name", "tag:a", "note:1"]),
        st.sampled_from(["x", "y", "z", None]),
        st.sets(st.sampled_from(["ann", "bob", "eve"])),
    ),
    max_size=14,
)


def history(steps: list[tuple[str, str, str | None, set[str]]]) -> dict[str, dict[str, Edit]]:
    """The files of three people whose clocks are far apart, each of whom reads now and then what others wrote."""
    clocks = {"ann": 0, "bob": 600, "eve": -600}
    files: dict[str, dict[str, Edit]] = {name: {} for name in clocks}
    known: dict[str, dict[tuple[str, str], Edit]] = {name: {} for name in clocks}
    for now, (me, field, value, others) in enumerate(steps):
        for other in others:
            known[me] |= {(other, edit.field): edit for edit in files[other].values()}
        seen = [*known[me].values(), *files[me].values()]
        saw = seen_of(edit for edit in seen if edit.field == field and edit.actor != me)
        at = max([now + clocks[me] + 600, *(edit.at + 1 for edit in seen)])
        base = "" if not saw else str(sorted(saw.items()))
        files[me][field] = Edit(field, at, me, value, me, base, saw if field == "note:1" else None)
    return files


@settings(max_examples=1000, deadline=None)
@given(STEPS, st.permutations(["ann", "bob", "eve"]), st.integers(0, 3))
def test_files_read_in_any_order_and_folded_in_any_group_say_the_same(steps: list, order: list[str], cut: int) -> None:
    """What counts is what people saw, not who is read first; no text is lost that nobody saw who wrote another."""
    files = history(steps)
    edits = [edit for file in files.values() for edit in file.values()]
    first = [edit for name in order[:cut] for edit in files[name].values()]
    second = [edit for name in order[cut:] for edit in files[name].values()]
    found = view(edits)
    assert view(second + first) == view(standing(first) + second) == view(standing(second) + standing(first)) == found
    assert view(standing(first) + first + second) == found
    for edit in edits:
        later = [
            other for other in edits if other.field == edit.field and (other.saw or {}).get(edit.actor, -1) >= edit.at
        ]
        assert all(other.at > edit.at for other in later)
        if edit.field == "note:1" and edit.value and not later:
            assert edit.value in found["note:1"].split("\n\n")


def test_the_highest_time_and_then_the_actor_wins() -> None:
    """Different tags of two people both stay; of two names the later one counts."""
    one = [Edit("name", 5, "ann", "first"), Edit("tag:a", 1, "ann", True)]
    other = [Edit("name", 6, "bob", "second"), Edit("tag:b", 1, "bob", True), Edit("tag:a", 1, "bob", False)]
    assert view(one + other) == {"name": "second", "tag:a": False, "tag:b": True}


def test_two_changes_to_one_note_are_both_kept() -> None:
    """Made without seeing each other (the same base), the later stands first; one that saw the other replaces it."""
    first, second = Edit("note:1", 5, "ann", "mine", base="d"), Edit("note:1", 6, "bob", "other", base="d")
    assert view([first, second]) == {"note:1": "other\n\nmine"}
    assert view([first, dataclasses.replace(second, base="e")]) == {"note:1": "other"}


def test_edits_show_in_the_record_and_can_be_taken_back(store: Store) -> None:
    """The document is not touched: another process owns it."""
    writer = begin(store, tags=("base",), notes=("first",), params={"lr": Param("lr", 0.1, "assign", 2)})
    document = store.root / "runs" / writer.id[-2:] / writer.id / "run.json"
    before = document.read_bytes()
    note = f"note:{new_id()}"
    for field, value in (
        ("name", "better"), ("group", "g"), ("tag:new", True), ("tag:base", False), (note, "second"),
        ("param:lr", 0.2), ("archived", True),
    ):  # fmt: skip
        store.edit(writer.id, field, value)
    for reader in (store, Store(store.root)):
        record = reader.record(writer.id)
        assert (record.name, record.group, record.tags, record.notes) == ("better", "g", ("new",), ("first", "second"))
        assert record.params["lr"] == Param("lr", 0.2, "declared")
        assert reader.edits(writer.id)["archived"] is True
        assert reader.records() == [record]
    store.edit(writer.id, "name", None)
    store.edit(writer.id, note, None)
    assert (store.record(writer.id).name, store.record(writer.id).notes) == ("run", ("first",))
    assert document.read_bytes() == before


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("nmae", "x", "did you mean 'name'"),
        ("tag:", True, "no field"),
        ("tag:x", "yes", "takes True, False"),
        ("name", 3, "is text, not 3"),
        ("name", " x ", "no spaces around"),
        ("tag:a\nb", True, "control characters"),
        ("tag:$a", True, "must not start with"),
        ("rating", True, "takes a finite number"),
        ("name", "x" * 257, "has 257 characters; 1 to 256"),
        ("name", "half \udc80", "control characters"),
        ("rating", float("nan"), "finite number, or None to take it back, not nan"),
        ("folder", "a//b", "an empty part"),
        ("note:1", "x" * 1_000_000, "1,000,000 characters is too long"),
        ("note:1", 3, "takes text"),
        ("mark:1", {"text": "x", "step": "y"}, "takes text, metric and step"),
        ("param:lr", object(), "takes a number, text"),
        ("archived", 1, "takes True, False"),
    ],
)
def test_a_wrong_edit_is_refused_with_what_is_allowed(store: Store, field: str, value: object, said: str) -> None:
    """Nothing is written for it."""
    writer = begin(store)
    with pytest.raises(BadValue, match=said):
        store.edit(writer.id, field, value)
    assert store.edits(writer.id) == {}


def test_editing_a_run_that_is_not_there_names_the_nearest(store: Store) -> None:
    """NoRun, as everywhere."""
    writer = begin(store)
    with pytest.raises(NoRun, match=f"did you mean '{writer.id}'"):
        store.edit(writer.id[:-1] + ("0" if writer.id[-1] != "0" else "1"), "name", "x")


EDIT = """
import sys
from celltrail.store import Store
store = Store(sys.argv[1])
for number in range(20):
    store.edit(sys.argv[2], f"tag:{sys.argv[3]}-{number}", True)
    store.edit(sys.argv[2], "name", f"{sys.argv[3]}-{number}")
"""


def test_four_processes_edit_one_run_at_once(store: Store) -> None:
    """Each in a file of its own: no tag is lost, and all readers agree on the name."""
    writer = begin(store)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    processes = [
        subprocess.Popen([sys.executable, "-c", EDIT, str(store.root), writer.id, str(actor)], env=environment)
        for actor in range(4)
    ]
    assert [process.wait() for process in processes] == [0] * 4
    record = store.record(writer.id)
    assert sorted(record.tags) == sorted(f"{actor}-{number}" for actor in range(4) for number in range(20))
    assert record.name.endswith("-19")
    assert Store(store.root).record(writer.id) == record


def test_an_edit_that_saw_another_wins_from_a_slow_clock(store: Store) -> None:
    """The clock is hybrid: never less than anything seen."""
    writer = begin(store)
    folder = store.root / "runs" / writer.id[-2:] / writer.id / "edits"
    store.edit(writer.id, "name", "mine")
    from celltrail.store.docs.documents import Documents, TextTable

    tomorrow = read(folder)[0].at + (86_400_000 << 16)
    fields = {"field": "name", "value": "from tomorrow", "at": tomorrow, "by": "x", "base": ""}
    with Documents(folder / "other-actor.json") as documents:
        from tinydb.table import Document

        table = documents.table("set")
        assert isinstance(table, TextTable)
        table.insert(Document(fields, doc_id="name"))  # pyright: ignore[reportArgumentType]
    assert store.record(writer.id).name == "from tomorrow"
    store.edit(writer.id, "name", "after it")
    assert store.record(writer.id).name == "after it"


PERSON = """
import os, sys, time
os.environ["LOGNAME"] = sys.argv[2]
real, offset = time.time_ns, int(sys.argv[3]) * 1_000_000_000
time.time_ns = lambda: real() + offset
from celltrail.store import Store
store = Store(sys.argv[1])
for line in sys.stdin:
    run, field, value = line.rstrip("\\n").split("|")
    store.edit(run, field, {"True": True, "None": None}.get(value, value))
    print("done", flush=True)
"""


class Person:
    """Somebody else's process, with a clock of its own."""

    def __init__(self, store: Store, name: str, offset_s: int) -> None:
        program = [sys.executable, "-c", PERSON, str(store.root), name, str(offset_s)]
        self.process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def says(self, run: str, field: str, value: object) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{run}|{field}|{value}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def leaves(self) -> None:
        self.process.communicate()
        assert self.process.returncode == 0


def test_two_people_whose_clocks_are_ten_minutes_apart(store: Store) -> None:
    """Same field, different tags, same note: who saw the other wins, whoever's clock is ahead; all readers agree."""
    run = begin(store, notes=("from the run",)).id
    ann, bob = Person(store, "ann", 600), Person(store, "bob", -600)
    ann.says(run, "name", "by ann")
    bob.says(run, "name", "by bob")  # bob saw ann's
    ann.says(run, "tag:a", True)
    bob.says(run, "tag:b", True)
    ann.says(run, "note:0", "changed by ann")
    bob.says(run, "note:0", "changed by bob")
    record = store.record(run)
    assert (record.name, record.tags, record.notes) == ("by bob", ("a", "b"), ("changed by bob",))
    ann.says(run, "name", "by ann again")
    assert store.record(run).name == "by ann again"
    folder = store.root / "runs" / run[-2:] / run / "edits"
    edits = read(folder)
    assert {edit.by for edit in edits} == {"ann", "bob"}
    assert view(edits) == view(reversed(edits)) == view(edits + edits)
    ann.leaves()
    bob.leaves()
    before, record = view(edits), store.record(run)
    assert all(is_dead(path) for path in folder.glob("*.json"))
    assert fold(folder) == 2
    assert view(read(folder)) == before
    assert fold(folder) == 0
    assert [path for path in folder.iterdir() if path.suffix != ".json"] == []
    assert dataclasses.replace(Store(store.root).record(run), rev=0) == dataclasses.replace(record, rev=0)
    store.edit(run, "name", "mine")
    assert store.record(run).name == "mine"


FOLD = """
import sys
from pathlib import Path
from celltrail.store.docs.folding import fold
for _ in range(20):
    fold(Path(sys.argv[1]))
"""


def test_folding_by_several_while_others_edit_loses_nothing(store: Store) -> None:
    """Three fold, two edit, one reads: a reader never misses what was there before."""
    run = begin(store).id
    folder = store.root / "runs" / run[-2:] / run / "edits"
    for number in range(4):
        person = Person(store, f"p{number}", 0)
        person.says(run, f"tag:old-{number}", True)
        person.leaves()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    programs = [[FOLD, str(folder)]] * 3 + [[EDIT, str(store.root), run, str(n)] for n in range(2)]
    processes = [subprocess.Popen([sys.executable, "-c", *words], env=environment) for words in programs]
    while any(process.poll() is None for process in processes):
        assert {f"tag:old-{number}" for number in range(4)} <= view(read(folder)).keys()
    assert [process.returncode for process in processes] == [0] * 5
    assert len(store.record(run).tags) == 4 + 40
    fold(folder)
    assert len(Store(store.root).record(run).tags) == 4 + 40
    assert len(list(folder.glob("*.json"))) == 1


def test_one_document_is_never_seen_half(store: Store) -> None:
    """One process hammers, another reads the real file all the time: each reading is one of the states written."""
    run = begin(store).id
    store.edit(run, "tag:0-0", True)
    folder = store.root / "runs" / run[-2:] / run / "edits"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    process = subprocess.Popen([sys.executable, "-c", EDIT, str(store.root), run, "0"], env=environment)
    most = 0
    while process.poll() is None:
        found = view(read(folder))
        tags = sorted(int(field.rpartition("-")[2]) for field in found if field.startswith("tag:"))
        assert tags == list(range(len(tags)))
        assert len(tags) >= most
        most = len(tags)
    assert process.returncode == 0
    assert most > 1


def test_files_with_anything_in_them_leave_the_run_readable(store: Store) -> None:
    """What nobody can say is left out; the rest counts."""
    run = begin(store).id
    store.edit(run, "tag:good", True)
    folder = store.root / "runs" / run[-2:] / run / "edits"
    bad = [
        b"", b"{", b"[]", b"3", b'{"set": 3}', b'{"set": {"name": 3}}', b'{"folded": {"x": {}}}', b"\xff\xfe" * 10,
        b'{"set": {"name": {"field": "name", "value": ["x"], "at": 9, "by": 1}}}',
        b'{"set": {"name": {"field": "name", "value": "x", "at": "9"}}}',
        b'{"set": {"rating": {"field": "rating", "value": {"$f": "nan"}, "at": 9}}}',
        b'{"set": {"x": {"field": "rm -rf", "value": true, "at": 9}}}',
        b'{"set": {"note:1": {"field": "note:1", "value": "x", "at": 9, "saw": [1]}}}',
    ]  # fmt: skip
    for number, data in enumerate(bad):
        (folder / f"hostile-{number}.json").write_bytes(data)
    (folder / "folder.json").mkdir()
    assert store.record(run).tags == ("good",)
    store.edit(run, "name", "still editable")
    assert Store(store.root).record(run).name == "still editable"
