"""Questions answered by the index against the evaluator and the oracle: the same runs, in the same order."""

from __future__ import annotations

import dataclasses
import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import test_query_oracle as oracle
from celltrail.model import Param, RunRecord, new_id
from celltrail.query import parse
from celltrail.query import runs as ask
from celltrail.query.evaluate import Question
from celltrail.store import Store, root
from celltrail.store.docs import records
from celltrail.store.files.encoding import encode
from celltrail.store.folders import run_folder
from celltrail.store.log import Log

HUGE = [2**70, -(2**70), 2**63, 2**63 - 1, -(2**63), 2**53 + 1, 2**53, 2**31 + 1, 10**400]
values = st.one_of(oracle.values, st.sampled_from([*HUGE, 1e308, 5e-324, "9", "nan", "größe", "a\0b", {"c": 1.5}]))
runs = st.builds(
    lambda run, params: {**run, "params": run["params"] | params},
    oracle.runs(),
    st.dictionaries(st.sampled_from(sorted(oracle.PARAMS)), values, max_size=2),
)
literals = st.sampled_from([*(f"({number})" for number in HUGE[:-1]), "1e999", "0.1", "'a\\0b'", "'\\ud800'"])


def kept(folder: Path, made: list[dict]) -> tuple[Store, list[RunRecord]]:
    """A trail of these runs, written without waiting for the disk, and their records, newest first."""
    trail = root.establish(folder)
    found = []
    for number, run in enumerate(made):
        status = "interrupted" if run["status"] == "running" else run["status"]
        run |= {"status": status, "folder": None, "rating": None}  # what only people say is no part of a document
        run |= dict.fromkeys(("starred", "archived", "deleted"), False)
        record = oracle.record_of(run)
        record = dataclasses.replace(record, id=new_id(), created_us=number * 10**6, writer="w")
        place = run_folder(folder, record.id)
        (place / "m").mkdir(parents=True)
        (place / "run.json").write_bytes(encode(records.tables_of(record)))
        log = Log(place / "m", "w", {"format": 1, "trail": trail, "run": record.id, "wall_us": 0})
        for name, logged in run["series"].items():
            for step, value in logged:
                log.row((name,), step, 0, (value,))
        log.close()
        found.append(record)
    return Store(folder), found[::-1]


def same(one: list[str], other: list[str], text: str) -> None:
    assert one == other, text


@settings(max_examples=40, deadline=None)
@given(made=st.lists(runs, min_size=1, max_size=6), conditions=st.lists(oracle.conditions, min_size=8, max_size=20))
def test_the_index_the_evaluator_and_the_oracle_agree(made, conditions, tmp_path_factory):
    """Mixed kinds, NaN, infinities, huge integers, lists, odd names, points: every expression finds the same runs."""
    with tempfile.TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as folder:
        store, found = kept(Path(folder) / ".celltrail", made)
        by_id = {record.id: run for record, run in zip(found, made[::-1], strict=True)}
        goals = {"val/acc": "max", "train loss": "min"}
        for text, meaning in conditions:
            evaluated = [
                record.id
                for record in found
                if Question(parse(text), text, oracle.points_of(by_id[record.id]), goals).matches(record)
            ]
            same([run.id for run in ask(text, store=store)], evaluated, text)
            same([record.id for record in found if meaning(by_id[record.id]) == oracle.YES], evaluated, text)


comparisons = st.tuples(
    st.sampled_from(sorted(oracle.PARAMS.values())), st.sampled_from(["<", "<=", "==", "!=", ">="]), literals
).map(" ".join)
sums = st.tuples(
    st.sampled_from(sorted(oracle.PARAMS.values())), st.sampled_from("+-*/"), literals, st.sampled_from("<>"), literals
).map(" ".join)
clauses = st.one_of(comparisons, sums)


@settings(max_examples=40, deadline=None)
@given(
    made=st.lists(runs, min_size=2, max_size=6),
    asked=st.lists(st.one_of(clauses, clauses.map("not {}".format)), min_size=10, max_size=20),
)
def test_numbers_at_the_edges_compare_as_in_python(made, asked, tmp_path_factory):
    """Integers around 2**31, 2**53 and 2**63, text that has no UTF-8, infinity: SQL never rounds an answer."""
    with tempfile.TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as folder:
        store, found = kept(Path(folder) / ".celltrail", made)
        for text in asked:
            evaluated = [record.id for record in found if Question(parse(text), text).matches(record)]
            same([run.id for run in ask(text, store=store)], evaluated, text)


keys = st.one_of(
    st.sampled_from([*oracle.PARAMS.values(), "name", "created", "duration", "group", "tags", "last('val/acc')"]),
    st.sampled_from(["best('val/acc')", "params.a + params.b.c", "params.a > 1", "params.a % 2", "0 - params.a"]),
)


def test_an_order_by_a_condition_over_huge_integers_is_that_of_python(store: Store) -> None:
    """SQLite knows no integer beyond 64 bits: such a run is neither above nor below, but Python can tell."""
    runs = [{"a": 2**70}, {}, {"a": -(2**70)}, {"a": 3}]
    for number, params in enumerate(runs):
        record = RunRecord(new_id(), f"run {number}", "finished", "p", number, 0, 1, 0.0)
        begun = store.begin(dataclasses.replace(record, params={name: Param(name, v) for name, v in params.items()}))
        begun.close(dataclasses.replace(store.record(record.id), status="finished"))
    names = [run.name for run in ask(store=store).sort("params.a > 1")]
    assert names == ["run 2", "run 3", "run 0", "run 1"]


def order_of(value):
    """Numbers, then text, then the rest."""
    if isinstance(value, int | float):
        return 0, value
    return (1, value) if isinstance(value, str) else (2, repr(value))


@settings(max_examples=40, deadline=None)
@given(
    made=st.lists(runs, min_size=2, max_size=8),
    chosen=st.lists(st.tuples(keys, st.booleans()), min_size=1, max_size=3),
    part=st.tuples(st.integers(-3, 9), st.one_of(st.none(), st.integers(-3, 9))),
    where=st.sampled_from(["", "has(params.a)", "params.a != 1", "matches(name, 'e')"]),
)
def test_orders_and_cuts_are_those_of_plain_python(made, chosen, part, where, tmp_path_factory):
    """Missing and NaN last in both directions, ties newest first, several keys, any slice, a filter behind a cut."""
    with tempfile.TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as folder:
        store, found = kept(Path(folder) / ".celltrail", made)
        goals = {"val/acc": "max", "train loss": "min"}
        expected = [record for record in found if not where or Question(parse(where), where).matches(record)]
        for text, falling in reversed(chosen):
            question = Question(parse(text), text, goals=goals)
            told = [(question.value(record), record) for record in expected]
            present = [pair for pair in told if pair[0] is not None and pair[0] == pair[0]]
            present.sort(key=lambda pair: order_of(pair[0]), reverse=falling)
            expected = [record for _, record in present] + [
                record for value, record in told if value is None or value != value
            ]
        asked = ask(where, store=store).sort(*(("-" if falling else "") + text for text, falling in chosen))
        same([run.id for run in asked], [record.id for record in expected], f"{where} {chosen}")
        cut = slice(*part)
        fresh = asked.refresh()[cut]
        same([run.id for run in fresh], [record.id for record in expected[cut]], f"{where} {chosen} {part}")
        behind = [record.id for record in expected[cut] if Question(parse("params.a > 0"), "").matches(record)]
        same([run.id for run in fresh.where("params.a > 0")], behind, f"{where} {chosen} {part}")
        first = sorted(expected[cut], key=lambda record: record.name)
        same([run.id for run in fresh.sort("name")], [record.id for record in first], f"{where} {chosen} {part}")


def trail_of(store: Store, *params: dict) -> list[str]:
    """Runs with these params, named by their number."""
    from recovery.logs import begin

    for number, each in enumerate(params):
        made = {name: Param(name, value) for name, value in each.items()}
        writer = begin(store, name=f"run {number}", params=made)
        writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
    return [f"run {number}" for number in range(len(params))]


def names(found):
    return [run.name for run in found]


def test_text_is_not_above_numbers(store):
    """SQLite orders all text above all numbers; here they do not compare."""
    trail_of(store, {"lr": "auto"}, {"lr": 0.5}, {"lr": 0.01})
    assert names(ask("params.lr > 0.1", store=store)) == ["run 1"]
    assert names(ask("params.lr < 'b'", store=store)) == ["run 0"]
    assert names(ask("not params.lr > 0.1", store=store)) == ["run 2"]


def test_names_are_never_part_of_a_statement(store):
    """Quotes, brackets and statements in the name of a param are only a name."""
    hostile = ['"', "'; drop table run; --", "a.b", "%", "`x`", "c1", "]", "$.x", "\N{SNOWMAN}"]
    trail_of(store, {name: number for number, name in enumerate(hostile)})
    for number, name in enumerate(hostile):
        assert len(ask(f"params[{name!r}] == {number}", store=store)) == 1
        assert len(ask(f"params[{name!r}] == {name!r}", store=store)) == 0
    assert len(ask("'; drop table run; --' in name or name == '\"'", store=store)) == 0


def test_what_changes_after_a_field_became_a_column_is_seen(store):
    """A column holds new runs, edits and new kinds of values from the moment they are there."""
    trail_of(store, {"lr": 1}, {"lr": 2})
    assert names(ask("params.lr > 1", store=store)) == ["run 1"]
    trail_of(store, {"lr": 3}, {"lr": [1, 2]}, {"lr": 2**80}, {"lr": math.nan}, {"lr": "x"})
    store.edit(ask(store=store)[-1].id, "param:lr", 7)
    assert sorted(names(ask("params.lr > 1", store=store))) == ["run 0", "run 0", "run 1", "run 2"]
    assert names(ask("isnan(params.lr)", store=store)) == ["run 3"]
    assert names(ask("1 in params.lr", store=store)) == ["run 1"]
    assert names(ask("params.lr == 'x'", store=store)) == ["run 4"]


def test_hidden_runs_stay_hidden_unless_named(store):
    """Archived and deleted runs come only to a question that names these words, also behind a cut."""
    trail_of(store, {}, {}, {})
    ids = {run.name: run.id for run in ask(store=store)}
    store.edit(ids["run 0"], "archived", True)
    store.edit(ids["run 1"], "deleted", True)
    assert names(ask(store=store)) == ["run 2"]
    assert names(ask("archived", store=store)) == ["run 0"]
    assert names(ask("archived or not archived", store=store)) == ["run 2", "run 0"]
    assert names(ask("deleted is not None and archived is not None", store=store)) == ["run 2", "run 1", "run 0"]
    assert names(ask(store=store)[:3].where("archived is not None")) == ["run 2", "run 0"]


def test_a_large_set_is_not_read_to_be_counted(store, monkeypatch):
    """len(), a slice and one run read no more records than they show."""
    from celltrail.store.index import look

    read: list[str] = []
    real = look.record_of
    monkeypatch.setattr(look, "record_of", lambda document, more: read.append("") or real(document, more))
    trail_of(store, *({"n": number} for number in range(30)))
    found = ask("params.n >= 0", store=store).sort("-params.n")
    read.clear()
    assert len(found) == 30
    assert read == []
    assert names(found[:3]) == ["run 29", "run 28", "run 27"]
    assert len(read) <= 3


@pytest.mark.parametrize("depth", [1, 40])
def test_deep_and_wide_expressions_are_answered(store, depth):
    """As deep and as long as the language allows, SQL takes it."""
    trail_of(store, {"a": 1})
    assert len(ask("not " * (depth - depth % 2) + "params.a == 1", store=store)) == 1
    wide = " or ".join(["params.a == 2"] * 200 + ["params.a == 1"])
    assert len(ask(wide, store=store)) == 1
    assert len(ask(f"params.a in [{', '.join(str(n) for n in range(500))}]", store=store)) == 1
