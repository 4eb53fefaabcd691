"""Full text: the index says what a scan of every text says, whatever is written and whatever is asked."""

import dataclasses

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from celltrail.model import Execution, Failure, Output, Param, RunRecord, new_id, now_us
from celltrail.store import Store
from celltrail.store.index import text
from celltrail.store.index.fulltext import KINDS, asked, line_of, places


def add(store: Store, name: str = "run", **facts: object) -> str:
    """A finished run with these facts."""
    now = now_us()
    record = RunRecord(new_id(), name, "running", "p", now, now, **facts)
    store.begin(record).close(dataclasses.replace(record, status="finished", ended_us=now))
    return record.id


def with_code(store: Store, code: str, *outputs: str, **facts: object) -> str:
    """A run whose cell has this code and shows this."""
    shown = tuple(
        Output(number, "stdout", len(each), data={"text/plain": store.blobs.put(each)})
        for number, each in enumerate(outputs)
    )
    digest = store.blobs.put(code)
    execution = Execution(new_id(), 1, "cell", "ok", 0, 1, digest, None, shown)
    return add(store, code=digest, executions=(execution,), **facts)


def found(store: Store, words: str, kind: str | None = None) -> list[tuple[str, str]]:
    """Runs and kinds, as the index tells; a scan tells the same."""
    wanted = asked(words, kind)
    hits = store.searcher.hits(wanted, 1_000, patience=60).hits
    scanned = set(store.searcher._scanned(wanted))
    assert set(hits) == scanned
    assert store.searcher.runs(wanted)[0] == {hit.run for hit in scanned}
    assert [KINDS.index(hit.kind) for hit in hits] == sorted(KINDS.index(hit.kind) for hit in hits)
    return [(hit.run, hit.kind) for hit in hits]


def test_every_kind_of_text(store):
    """Code, outputs, names, notes, params and errors are found, names first; one kind can be asked for."""
    code = with_code(store, "schedule = OneCycleLR(optimizer, max_lr=0.1)", "epoch 1 \x1b[31mloss\x1b[0m 0.5")
    named = add(store, "onecyclelr baseline")
    trace = store.blobs.put("Traceback ...\nline 3, in fit_step")
    failed = add(store, error=Failure("RuntimeError", "CUDA out of memory", trace))
    noted = add(store, params={"lr": Param("lr", 0.1), "optimizer": Param("optimizer", "AdamW")})
    store.edit(noted, "note:1", "onecyclelr did not help")
    assert found(store, "OneCycleLR") == [(named, "name"), (noted, "note"), (code, "code")]
    assert found(store, "OneCycleLR", "code") == [(code, "code")]
    assert found(store, "loss 0.5") == [(code, "output")]
    assert found(store, "adamw") == [(noted, "params")]
    assert found(store, "lr=0.1") == [(noted, "params")]
    assert found(store, "memory CUDA") == [(failed, "error")]
    assert found(store, "line 3") == [(failed, "error")]


@pytest.mark.parametrize(
    ("words", "matches"),
    [
        ("val-loss", True),
        ("os.path", True),
        ('"path join"', True),
        ('"join path"', False),
        ("join path", True),
        ("trainStep", True),
        ("train step", True),
        ("train_step", True),
        ("trainst*", True),
        ("ainStep", False),
        ("VAL", True),
        ("groesse", False),
        ("GRÖSSE", True),
        ("größe", True),
        ("学习", True),
        ("习率", True),
        ("率学", False),
        ("🎉", True),
        ("🎊", False),
        ('it"s', True),
        ("NEAR", False),
        ("words:path", False),
        ("* OR", False),
        ("cafe", True),
        ("x" * 5_000, False),
        ("y" * 5_000, True),
        ("y" * 90, False),
    ],
)
def test_words_as_people_write_them(store, words, matches):
    """No sign is a language of its own; case and accents do not count; names are found by their parts."""
    note = f"log({{'val-loss': 1}}); os.path.join; trainStep(); train_step; größe Café 学习率 🎉 it's {'y' * 5000}"
    run_id = add(store)
    store.edit(run_id, "note:1", note)
    add(store, "another")
    assert [each for each, _ in found(store, words)] == ([run_id] if matches else [])
    assert bool(places(note, asked(words))) == matches


@pytest.mark.parametrize("words", ["", "   ", '""', "*", "!?", "- :", "\0"])
def test_without_a_word_nothing_is_asked(store, words):
    """Signs alone are no words: nothing matches, and nothing breaks."""
    add(store)
    assert asked(words).phrases == ()
    assert found(store, words) == []


letters = st.text(alphabet="abAB_1 é学🎉.-\"'*", max_size=8)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(letters, letters), min_size=1, max_size=3), st.lists(letters, min_size=1, max_size=4))
@example([("aB_1", 'a"b')], ['"a b"*', "B*"])
def test_the_index_says_what_a_scan_says(store, texts, asked_for):
    """Over any texts and any questions; `found` compares."""
    for note, output in texts:
        run_id = with_code(store, note, output)
        store.edit(run_id, "note:1", note)
    for words in asked_for:
        for kind in (None, "code", "output"):
            found(store, words, kind)


def test_what_is_no_longer_said_is_no_longer_found(store):
    """A changed note, a renamed and a removed run leave no old words behind."""
    run_id = add(store, "first name")
    store.edit(run_id, "note:1", "overfitting badly")
    assert found(store, "overfitting") == [(run_id, "note")]
    store.edit(run_id, "note:1", "fine after all")
    store.edit(run_id, "name", "second name")
    assert found(store, "overfitting") == []
    assert found(store, "first") == []
    assert found(store, "second") == [(run_id, "name")]
    other = add(store, "second one")
    assert len(found(store, "second")) == 2
    folder = store.root / "runs" / other[-2:] / other
    folder.rename(folder.with_name("gone"))
    store.sweep()
    assert found(store, "second") == [(run_id, "name")]


def test_a_search_tells_how_far_it_saw(store):
    """One search reads only for a moment, the newest runs first; the rest is read meanwhile and found later."""
    ids = [with_code(store, f"train(model_{number})") for number in range(200)]
    searcher = store.searcher
    hits, covered = searcher.hits(asked("train"), 1_000, patience=0)
    assert 0 < covered.runs < covered.total == 200
    assert {hit.run for hit in hits} == set(ids[-covered.runs :])
    searcher._thread.join(60)
    hits, covered = searcher.hits(asked("train"), 1_000, patience=0)
    assert covered == (200, 200)
    assert {hit.run for hit in hits} == set(ids)


def test_without_fts5_every_text_is_read(store, monkeypatch):
    """Where SQLite lacks full text the answers are the same."""
    run_id = with_code(store, "optimizer = AdamW()", name="a")
    expected = found(store, "adamw")
    assert expected == [(run_id, "code")]
    monkeypatch.setattr(text, "_TABLES", ("create virtual table ft2 using fts5x (a)",))
    monkeypatch.setattr(text, "_LAST", "never there")
    again = Store(store.root)
    hits, covered = again.searcher.hits(asked("adamw"), 10)
    assert [(hit.run, hit.kind) for hit in hits] == expected
    assert covered == (1, 1)
    assert again.searcher.runs(asked("adamw"))[0] == {run_id}


def test_the_index_comes_back_after_it_was_emptied(store):
    """Words go with the index and come back with the next search."""
    run_id = with_code(store, "optimizer = AdamW()")
    assert found(store, "adamw")
    store._listing().forget()
    assert found(store, "adamw") == [(run_id, "code")]


def test_lost_and_damaged_blobs_are_passed_over(store):
    """The other texts of the run are found all the same."""
    run_id = add(store, "survivor", code="0" * 64)
    assert found(store, "survivor") == [(run_id, "name")]


def test_places_of_words_in_a_text():
    """Where to mark: whole words, parts of identifiers, and phrases from their first to their last word."""
    note = "call trainStep then val-loss"
    marked = [note[start:end] for start, end in places(note, asked("step val-loss cal*"))]
    assert marked == ["call", "Step", "val-loss"]
    assert line_of(note).parts == " train step "
