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
from celltrail.store.edits import Edit, join, read, view
from recovery.logs import begin

EDITS = st.lists(
    st.builds(
        Edit,
        field=st.sampled_from(["name", "tag:a", "tag:b", "note:1"]),
        at=st.integers(0, 4),
        actor=st.sampled_from(["ann", "bob", "eve"]),
        value=st.sampled_from(["x", "y", None]),
        base=st.sampled_from(["", "d1", "d2"]),
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
    assert view(edits) == view(shuffled) == view(join(edits))


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
        ("tag:x", "yes", "takes bool"),
        ("name", 3, "takes str"),
        ("name", " x ", "no spaces around"),
        ("tag:a\nb", True, "control characters"),
        ("tag:$a", True, "must not start with"),
        ("rating", True, "takes int or float"),
        ("name", "x" * 257, "1 to 256"),
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
    from celltrail.store.docs import Documents, TextTable

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
