"""Full text in the query language, as a table of hits, and in a terminal."""

import json

import pytest

import celltrail as ct
from celltrail.cli import main
from celltrail.errors import BadValue
from celltrail.query import parse, runs
from celltrail.query.search import search
from celltrail.run import start


@pytest.fixture
def noted(store):
    """Three runs with notes; one is archived."""
    for name, note, lr in [
        ("baseline", "cosine schedule, warmup 500 steps", 0.1),
        ("onecycle", "OneCycleLR diverges <b>late</b> &\nthen recovers", 0.01),
        ("old", "OneCycleLR too", 0.01),
    ]:
        with start(name, {"lr": lr}, notes=note, store=store) as run:
            run.log({"loss": lr})
    store.edit(run.id, "archived", True)
    return store


def names(found):
    return [run.name for run in found]


def test_search_is_a_condition_like_any_other(noted):
    """It joins with and, or, not; a run that lacks the words does not match, and its negation does."""
    assert names(runs('search("onecycle")', store=noted)) == ["onecycle"]
    assert names(runs('search("OneCycleLR", "note") and params.lr < 0.1', store=noted)) == ["onecycle"]
    assert names(runs('search("OneCycleLR", "code")', store=noted)) == []
    assert names(runs('not search("lr")', store=noted)) == []
    assert names(runs('not search("warmup")', store=noted)) == ["onecycle"]
    assert names(runs('search("warmup") or search("diverges")', store=noted)) == ["onecycle", "baseline"]
    assert names(runs('search("lr") and archived', store=noted)) == ["old"]
    assert names(runs(store=noted).sort("search('warmup')")) == ["onecycle", "baseline"]
    frame = runs(store=noted).df(["name", "search('warmup')"])
    assert frame["search('warmup')"].tolist() == [False, True]
    assert runs('search("warmup")', store=noted).hints == []
    assert parse('search("a b")').wanted == parse('search("A  b")').wanted


def test_hits_show_where_the_words_stand(noted):
    """Each hit has its run, kind and a snippet on one line with the words marked; archived runs stay away."""
    found = search("onecyclelr", store=noted)
    (hit,) = found
    assert (hit.run.name, hit.kind) == ("onecycle", "note")
    assert hit.snippet == "OneCycleLR diverges <b>late</b> & then recovers"
    assert hit.pieces[0] == ("OneCycleLR", True)
    assert names(search("one", store=noted).runs) == ["onecycle"]
    assert [hit.kind for hit in search("onecycle*", store=noted)] == ["name", "note"]
    assert len(search("lr", limit=1, store=noted)) == 1
    assert "onecycle" in repr(found)
    html = found._repr_html_()
    assert "<mark>OneCycleLR</mark> diverges &lt;b&gt;late&lt;/b&gt; &amp;" in html
    assert "<b>" not in html
    assert found.df().columns.tolist() == ["run", "name", "kind", "snippet"]
    nothing = search("adamw", store=noted)
    assert (len(nothing), repr(nothing)) == (0, "nothing found for 'adamw'")


def test_a_long_text_is_shown_around_the_word(store):
    """The snippet begins before the first word and says that the text goes on."""
    with start("long", notes="x " * 500 + "needle " + "y " * 500, store=store):
        pass
    (hit,) = search("needle", store=store)
    assert len(hit.snippet) < 140
    assert hit.snippet.startswith("…")
    assert hit.snippet.endswith("…")
    assert ("needle", True) in hit.pieces


@pytest.mark.parametrize(
    ("words", "kind", "told"), [("", None, "no word"), ("?!", None, "no word"), ("a", "cod", "code")]
)
def test_a_question_without_a_word_is_refused(store, words, kind, told):
    """The sentence says what can be searched; an unknown kind is answered with the nearest."""
    with pytest.raises(BadValue, match=told):
        search(words, kind, store=store)


def test_search_in_a_terminal(noted, capsys):
    """`celltrail search` and `celltrail ls 'search(...)'` find the same; nothing found is exit status 1."""
    folder = ["--store", str(noted.root)]
    assert main(["search", "diverges", "late", *folder]) == 0
    assert capsys.readouterr().out == "onecycle  note  OneCycleLR diverges <b>late</b> & then recovers\n"
    assert main(["search", '"warmup 500"', "--json", *folder]) == 0
    (hit,) = json.loads(capsys.readouterr().out)
    assert (hit["name"], hit["kind"]) == ("baseline", "note")
    assert main(["search", "adamw", *folder]) == 1
    assert main(["search", "!", *folder]) == 2
    assert main(["search", "a", "--kind", "cod", *folder]) == 2
    assert "did you mean 'code'" in capsys.readouterr().err
    assert main(["ls", "search('warmup')", *folder]) == 0
    assert "baseline" in capsys.readouterr().out


def test_the_door_has_search(noted, monkeypatch):
    """ct.search looks in the trail of the working folder."""
    monkeypatch.setenv("CELLTRAIL_STORE", str(noted.root))
    assert [hit.run.name for hit in ct.search("warmup")] == ["baseline"]
    monkeypatch.setenv("CELLTRAIL_STORE", str(noted.root / "nowhere"))
    assert len(ct.search("warmup")) == 0


def test_a_text_of_many_runs_is_shown_once(store):
    """The trials of a search have the code of one cell: one line, with how many there are; each is a hit."""
    for number in range(4):
        with start(f"trial {number}", notes="a cosine schedule", store=store):
            pass
    found = search("cosine", "note", store=store)
    assert len(found) == len(found.runs) == 4
    assert repr(found).count("cosine") == 1
    assert "trial 3 and 3 more" in repr(found)
    assert found._repr_html_().count("<mark>cosine</mark>") == 1


def test_an_identifier_is_found_by_a_part_of_it(store):
    """As it is written, with and without capitals' boundaries; what only looks alike is not."""
    with start("boosted", notes="HistGradientBoostingClassifier(max_iter=5)", store=store):
        pass
    for words in ("GradientBoosting", "gradient_boosting", "GradientBoost*"):
        (hit,) = search(words, "note", store=store)
        assert hit.pieces[1][1], words
    assert not len(search("GradientDescent", "note", store=store))
