"""Reports: what was recorded is evidence, what people said is a note, everything else is MISSING and says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import celltrail as ct
from celltrail.cli import main
from celltrail.errors import BadValue, NoRun
from celltrail.query.items import size
from celltrail.report.kinds import KINDS
from celltrail.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A trail with a classifier of digits, judged and described, and a run of which nothing is known."""
    linear_model, datasets = pytest.importorskip("sklearn.linear_model"), pytest.importorskip("sklearn.datasets")
    store = Store(tmp_path_factory.mktemp("report") / ".celltrail")
    x, y = datasets.load_digits(return_X_y=True)
    with ct.start("digits", {"C": 0.1}, store=store) as run:
        model = linear_model.LogisticRegression(C=0.1, max_iter=300).fit(x[:1200], y[:1200])
        run.log_data(x[:1200], "digits", split="train")
        run.evaluate(y[1200:], y_score=model.predict_proba(x[1200:]), split="test")
        run.note("licence: CC0\nof the pictures")
        run.note("Limitations: 8 x 8 pixels, <script>alert(1)</script> and *no* cursive")
        run.note("a note that answers nothing: or does it")
        run.comment("looks fine")
    with ct.start("bare", store=store):
        pass
    return store


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["digits", "bare"])
def test_no_field_is_empty_without_saying_so(store: Store, name: str, kind: str) -> None:
    """C15: Evidence and notes have lines and a source; what is missing has none, and tells how to supply it."""
    told = ct.report(name, kind, store=store)
    assert told.run == ct.run(name, store).id
    for field in told:
        assert (field.state == "MISSING") == (not field.lines), field
        assert field.source, field
    parsed = json.loads(told.json)
    assert parsed["missing"] == told.missing == [field.title for field in told if field.state == "MISSING"]
    assert [each["title"] for section in parsed["sections"] for each in section["fields"]] == [
        each.title for each in told
    ]


def test_what_is_known_stands_where_it_is_asked_for(store: Store) -> None:
    """Metrics with their intervals, data by digest, parameters; notes by their titles, whatever their case."""
    card, run = ct.report("digits", store=store), ct.run("digits", store)
    accuracy = next(score for score in run.evaluation("test").scores if score.name == "accuracy")
    assert card["Metrics"].lines[0].startswith(f"test/accuracy {accuracy.value:.4g} (")
    assert card["Metrics"].lines[0].endswith(", wilson), n = 597")
    assert run.data[0].digest in card["Data"].lines[0]
    assert "C = 0.1 (known by api)" in card["Parameters"].lines
    assert f"memory at most {size(run.summary['sys/rss_peak'])}" in card["Compute"].lines  # in words and units
    assert (card["Licence"].state, card["Licence"].lines) == ("note", ("CC0", "of the pictures"))
    assert card["Intended use"].source == 'run.note("Intended use: ...")'
    assert {"Groups", "What it looks at", "Executed again", "Versions"} <= set(card.missing)
    assert ct.report("bare", "audit", store=store)["Since then"].lines == ("none",)
    run.tag("good")
    audited = ct.report(run, "audit")
    assert any("added the tag 'good'" in line for line in audited["Since then"].lines)
    assert audited["Head of the record of changes"].state == "evidence"


def test_a_model_card_begins_with_what_hubs_of_models_read(store: Store) -> None:
    """Every result of the evaluation with its data, as YAML; a run that was not evaluated has no such head."""
    yaml = pytest.importorskip("yaml")
    run = ct.run("digits", store)
    card = run.report("model-card")
    head, text = card.markdown.removeprefix("---\n").split("---\n", 1)
    assert text.startswith("\n# Model card: digits\n")
    told = yaml.safe_load(head)
    assert (told["license"], told["datasets"]) == ("CC0 of the pictures", ["digits"])
    (result,) = told["model-index"][0]["results"]
    assert result["dataset"] == {"name": "test", "type": "celltrail", "split": "test"}
    assert {each["type"]: each["value"] for each in result["metrics"]} == {
        score.name: score.value for score in run.evaluation("test").scores
    }
    assert json.loads(card.json)["model-index"] == told["model-index"]
    assert ct.report("bare", store=store).markdown.startswith("# Model card: bare")
    assert run.report("audit").markdown.startswith("# Audit: digits")
    assert any(line.endswith(": looks fine") for line in run.report("nist-rmf")["Comments"].lines)


def test_what_was_recorded_is_text_and_never_markup(store: Store) -> None:
    """Neither a page nor a Markdown viewer runs or formats what a note says."""
    card = ct.report("digits", store=store)
    assert "<script>" not in card.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; and *no* cursive" in card.html
    assert "\\<script\\>" in card.markdown
    assert "\\*no\\* cursive" in card.markdown
    assert card.html in card._repr_html_()


def test_files_and_wrong_words(store: Store, tmp_path: Path) -> None:
    """The ending says the form; nothing is overwritten; a kind or run that is not there is told with the nearest."""
    card = ct.report("digits", store=store)
    assert card.write(tmp_path / "card.md").read_text(encoding="utf-8") == card.markdown
    assert json.loads(card.write(tmp_path / "card.json").read_text(encoding="utf-8"))["kind"] == "model-card"
    with pytest.raises(BadValue, match=r"card.md is there already"):
        card.write(tmp_path / "card.md")
    with pytest.raises(BadValue, match=r"ends in none of .md, .html, .json"):
        card.write(tmp_path / "card.docx")
    with pytest.raises(BadValue, match="did you mean 'model-card'"):
        ct.report("digits", "model-crad", store=store)
    with pytest.raises(NoRun, match="did you mean 'digits'"):
        ct.report("digitz", store=store)


def test_in_a_terminal(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same words; the status says whether something is missing."""
    asked = ["report", "digits", "--store", str(store.root)]
    assert main(asked) == 1
    assert "# Model card: digits" in capsys.readouterr().out
    assert main([*asked, "--kind", "audit", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["kind"] == "audit"
    assert main([*asked, "-o", str(tmp_path / "card.html")]) == 1
    assert capsys.readouterr().out.startswith("card.html: Model card: digits")
    for title in ct.report("digits", "audit", store=store).missing:
        ct.run("digits", store).note(f"{title}: told")
    assert set(ct.report("digits", "audit", store=store).missing) <= {
        "Versions", "Executed again", "Random numbers", "What its project asks",
    }  # fmt: skip
