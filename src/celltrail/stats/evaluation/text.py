"""How close texts are to what was expected: metrics by sacrebleu, rouge-score and jiwer, each with its signature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, MissingExtra
from celltrail.stats.evaluation.evaluation import Score
from celltrail.stats.evaluation.metrics import wilson
from celltrail.stats.interval import mean_interval

if TYPE_CHECKING:
    import pandas as pd

ROUGES = ("rouge1", "rouge2", "rougeL")
_DRAWS = 1000


@dataclass(frozen=True)
class Judged:
    """Texts held against their references.

    Attributes:
        scores: the metrics with their intervals.
        signatures: how each was computed, by its name.
        table: a row each: ``id truth output``, the metrics of the row, ``error`` (its word error rate), ``correct``.
    """

    scores: list[Score]
    signatures: dict[str, str]
    table: pd.DataFrame


def judged(preds: Sequence[str], refs: Sequence[str | Sequence[str]], ids: Any = None) -> Judged:
    """The metrics of these texts; the numbers are the libraries' own.

    Args:
        preds: what was written.
        refs: what was expected: a text for each, or several that are as good; as many for each row.
        ids: what each row is called, each once; their places when left out.

    Raises:
        BadValue: lengths differ, or something is no text.
        MissingExtra: one of the libraries is not installed.
    """
    try:
        import jiwer
        import sacrebleu
        from rouge_score import rouge_scorer
    except ImportError:
        raise MissingExtra("run.evaluate_text", "text") from None
    import pandas as pd

    written, expected = _read(preds, refs)
    names = list(range(len(written))) if ids is None else list(ids)
    if len(names) != len(written) or len(set(names)) < len(names):
        raise BadValue(f"ids has {len(names)} values, {len(set(names))} of them different, for {len(written)} rows")
    streams = [list(column) for column in zip(*expected, strict=True)]
    scores: list[Score] = []
    signatures: dict[str, str] = {}
    columns: dict[str, list[float]] = {}
    n = len(written)
    for name, metric in (("bleu", sacrebleu.BLEU()), ("chrf", sacrebleu.CHRF())):
        found: Any = _drawn(metric).corpus_score(written, streams, n_bootstrap=_DRAWS) if n > 1 else None
        value = float(metric.corpus_score(written, streams).score)
        half = math.nan if found is None else float(found._ci)
        middle = value if found is None else float(found._mean)  # of the rows drawn again
        scores.append(Score(name, value, *_within(middle, half, 100.0), "bootstrap", n))
        signatures[name] = str(metric.get_signature())
        single: Any = sacrebleu.BLEU(effective_order=True) if name == "bleu" else metric
        columns[name] = [float(single.sentence_score(w, r).score) for w, r in zip(written, expected, strict=True)]
    scorer: Any = rouge_scorer.RougeScorer(list(ROUGES))
    told = [scorer.score_multi(list(r), w) for w, r in zip(written, expected, strict=True)]
    for name in ROUGES:
        columns[name] = [float(each[name].fmeasure) for each in told]
        scores.append(_mean(name, columns[name]))
        signatures[name] = f"fmeasure|stem:no|rouge-score:{version('rouge-score')}"
    for name, process, length in (("wer", jiwer.process_words, _words), ("cer", jiwer.process_characters, len)):
        errors, sizes = _edits(written, expected, process, length)
        columns[name] = [e / s if s else float(e > 0) for e, s in zip(errors, sizes, strict=True)]
        scores.append(_ratio(name, errors, sizes))
        signatures[name] = f"closest reference|jiwer:{version('jiwer')}"
    hits = [any(w == r for r in row) for w, row in zip(written, expected, strict=True)]
    scores.append(Score("exact_match", sum(hits) / n, *wilson(sum(hits), n), "wilson", n))
    signatures["exact_match"] = "case:kept|space:stripped"
    truth = [row[0] if len(row) == 1 else " | ".join(row) for row in expected]
    table = pd.DataFrame({"id": names, "truth": truth, "output": written, **columns})
    return Judged(scores, signatures, table.assign(error=table["wer"], correct=hits))


def _drawn(metric: Any) -> Any:
    """The metric with each of its scores a plain number.

    Of rows drawn again sacrebleu makes NumPy's 32-bit numbers, but 0.0 where nothing of them is right, and
    `statistics.mean`, by which it goes on, refuses the two together.
    """
    compute = metric._compute_score_from_stats

    def plain(stats: Any) -> Any:
        found = compute(stats)
        found.score = float(found.score)
        return found

    metric._compute_score_from_stats = plain
    return metric


def _read(preds: Any, refs: Any) -> tuple[list[str], list[tuple[str, ...]]]:
    written = list(preds)
    if not written:
        raise BadValue("preds is empty: there is nothing to evaluate")
    rows = [(row,) if isinstance(row, str) else tuple(row) for row in refs]
    if len(rows) != len(written):
        raise BadValue(f"refs has {len(rows)} rows and preds {len(written)}: they belong together row by row")
    for name, texts in (("preds", written), ("refs", [text for row in rows for text in row])):
        odd = next((text for text in texts if not isinstance(text, str)), None)
        if odd is not None:
            raise BadValue(f"{name} holds {odd!r}, which is no text; give a list of texts")
    counts = {len(row) for row in rows}
    if len(counts) > 1 or 0 in counts:
        raise BadValue(f"refs has {min(counts)} to {max(counts)} texts a row; give as many for each")
    return [text.strip() for text in written], [tuple(text.strip() for text in row) for row in rows]


def _words(text: str) -> int:
    return len(text.split())


def _edits(written: Any, expected: Any, process: Any, length: Any) -> tuple[list[int], list[int]]:
    """How many words or characters are wrong in each row, and how many there should be, by its closest reference."""
    errors: list[int] = []
    sizes: list[int] = []
    for text, row in zip(written, expected, strict=True):
        least = min(_against(text, reference, process, length) for reference in row)
        errors.append(least[1])
        sizes.append(least[2])
    return errors, sizes


def _against(text: str, reference: str, process: Any, length: Any) -> tuple[float, int, int]:
    size = length(reference)
    if not size:  # jiwer takes no empty reference
        return float(length(text) > 0), length(text), 0
    found = process(reference, text)
    wrong = found.substitutions + found.deletions + found.insertions
    return wrong / size, wrong, size


def _mean(name: str, values: Sequence[float]) -> Score:
    mean, half = mean_interval(values)
    half = math.nan if half is None else half
    return Score(name, sum(values) / len(values), *_within(mean, half, 1.0), "t", len(values))


def _within(middle: float, half: float, most: float) -> tuple[float, float]:
    """An interval, cut where no value can be."""
    return (half, half) if math.isnan(half) else (max(0.0, middle - half), min(most, middle + half))


def _ratio(name: str, errors: Sequence[int], sizes: Sequence[int]) -> Score:
    """All errors over all words; its interval by drawing rows again."""
    import numpy as np

    wrong, whole, n = np.asarray(errors, float), np.asarray(sizes, float), len(errors)
    value = float(wrong.sum() / max(whole.sum(), 1))
    if n < 2:
        return Score(name, value, math.nan, math.nan, "bootstrap", n)
    rows = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), _DRAWS).astype(float)
    low, high = np.quantile(rows @ wrong / np.maximum(rows @ whole, 1), (0.025, 0.975))
    return Score(name, value, float(low), float(high), "bootstrap", n)
