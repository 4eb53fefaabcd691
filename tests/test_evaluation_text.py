"""Texts held against what was expected: the numbers are sacrebleu's, rouge-score's and jiwer's own."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import sklearn

import celltrail as ct
from celltrail.errors import BadValue
from celltrail.panels.evaluation import EvaluationPanel, bundle
from celltrail.store import Store

jiwer = pytest.importorskip("jiwer")
sacrebleu = pytest.importorskip("sacrebleu")
rouge_scorer = pytest.importorskip("rouge_score.rouge_scorer")


@pytest.fixture(scope="module")
def texts():
    """Sentences that scikit-learn tells of its data sets, and what two careless writers made of them."""
    folder = Path(sklearn.__file__).parent / "datasets" / "descr"
    words = (folder / "wine_data.rst").read_text().split() + (folder / "iris.rst").read_text().split()
    refs = [" ".join(words[at : at + 12]) for at in range(0, 360, 12)]
    rng = np.random.default_rng(0)

    def careless(text: str, share: float) -> str:
        kept = [word for word in text.split() if rng.random() > share]
        return " ".join(kept) or "nothing"

    return refs, [careless(text, 0.1) for text in refs], [careless(text, 0.4) for text in refs]


def test_the_numbers_are_those_of_the_libraries(store: Store, texts):
    """Of the whole and of each row, with signatures and intervals; better and worse are told apart row by row."""
    refs, good, bad = texts
    for name, preds in (("good", good), ("bad", bad)):
        with ct.start(name, store=store) as run:
            run.evaluate_text(preds, refs, split="test")
    found = ct.run("good", store=store).evaluation("test")
    value = found.metrics["value"]
    assert value["bleu"] == sacrebleu.corpus_bleu(good, [refs]).score
    assert value["chrf"] == sacrebleu.corpus_chrf(good, [refs]).score
    assert value["wer"] == pytest.approx(jiwer.wer(refs, good), rel=1e-12)
    assert value["cer"] == pytest.approx(jiwer.cer(refs, good), rel=1e-12)
    scorer = rouge_scorer.RougeScorer(["rouge1", "rougeL"])
    for name in ("rouge1", "rougeL"):
        rows = [scorer.score(ref, pred)[name].fmeasure for ref, pred in zip(refs, good, strict=True)]
        assert found.table[name].tolist() == rows
        assert value[name] == pytest.approx(np.mean(rows), rel=1e-12)
    assert value["exact_match"] == np.mean([ref == pred for ref, pred in zip(refs, good, strict=True)])
    assert (found.metrics["ci_low"] >= 0).all()
    assert (found.metrics["ci_high"] <= [100, 100, 1, 1, 1, np.inf, np.inf, 1]).all()
    assert (found.metrics["ci_low"] < value).all()
    assert (value < found.metrics["ci_high"]).all()
    assert found.metrics["n"].tolist() == [30] * 8
    assert found.signatures["bleu"].startswith("nrefs:1|bs:1000|")
    assert f"version:{sacrebleu.__version__}" in found.signatures["bleu"]
    assert found.signatures["wer"] == f"closest reference|jiwer:{version('jiwer')}"
    assert found.worst(3)["error"].tolist() == sorted(found.table["error"])[::-1][:3]
    metrics = ct.run("good", store=store).record.metrics
    assert [metrics[f"test/{name}"].goal for name in ("bleu", "rougeL", "exact_match", "wer")] == ["max"] * 3 + ["min"]
    rows = ct.compare("bad", "good", store=store).rows("test")
    assert rows.verdict == "better"
    assert rows.metric == "wer"
    assert len(rows.fixed) == int((~rows.df["first_correct"] & rows.df["second_correct"]).sum()) > 0
    assert f"{len(rows.fixed)} fixed" in repr(rows)


def test_several_references_and_the_panel(store: Store, texts):
    """The closest one counts; the panel has the numbers and the rows."""
    refs, good, bad = texts
    pairs = list(zip(refs, bad, strict=True))
    with ct.start("two", store=store) as run:
        run.evaluate_text(good, pairs)
    found = ct.run("two", store=store).evaluation("val")
    assert found.metrics["value"]["bleu"] == sacrebleu.corpus_bleu(good, [refs, bad]).score
    closest = [min(jiwer.wer(one, pred) for one in pair) for pred, pair in zip(good, pairs, strict=True)]
    assert found.table["wer"].tolist() == pytest.approx(closest)
    evaluations = ct.runs(store=store).evaluation("val")
    panel = EvaluationPanel(evaluations)
    (shown,) = panel.state["evaluations"]
    assert (shown["task"], shown["runs"][0]["confusion"]) == ("text", [])
    assert len(shown["runs"][0]["worst"]) == 30
    assert "bleu" in bundle(evaluations, panel)["text/html"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (([], []), "preds is empty"),
        ((["a"], ["a", "b"]), "refs has 2 rows and preds 1"),
        ((["a", 3], ["a", "b"]), "preds holds 3, which is no text"),
        ((["a", "b"], [["a"], ["b", "c"]]), "refs has 1 to 2 texts a row"),
    ],
)
def test_bad_input_is_a_sentence(store: Store, given, said):
    """Nothing is half kept."""
    with ct.start("bad", store=store) as run:
        with pytest.raises(BadValue, match=said):
            run.evaluate_text(*given)
        with pytest.raises(BadValue, match="ids has 2 values, 1 of them different"):
            run.evaluate_text(["a", "b"], ["a", "b"], ids=["x", "x"])
    assert ct.run("bad", store=store).items() == []


def test_without_the_libraries_the_extra_is_named(tmp_path):
    """The sentence has the command."""
    code = (
        "import sys; sys.modules['sacrebleu'] = None\nimport celltrail as ct\n"
        "with ct.start('a') as run: run.evaluate_text(['a'], ['a'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "pip install 'celltrail[text]'" in done.stderr.splitlines()[-1]


def test_texts_of_which_some_draws_hold_nothing_right(store):
    """With few or poor texts some of the rows drawn again score 0; the numbers are sacrebleu's all the same."""
    preds = ["a good day", "Guten Morgen", "who knows", "rain, rain, go away", "391"]
    refs = ["7 x 6", "Guten Morgen", "Jupiter", "soft rain on the roof", "391"]
    with ct.start("poor", store=store) as run:
        run.evaluate_text(preds, refs)
    metrics = ct.run("poor", store=store).evaluation("val").metrics
    assert metrics["value"]["bleu"] == sacrebleu.corpus_bleu(preds, [refs]).score
    assert 0 <= metrics["ci_low"]["bleu"] < metrics["value"]["bleu"] < metrics["ci_high"]["bleu"] <= 100
