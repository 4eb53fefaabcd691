"""The head of a model card as hubs of models read it: ``model-index`` with the results of each evaluation.

https://huggingface.co/docs/hub/model-cards#evaluation-results
"""

from __future__ import annotations

import math
from typing import Any

from celltrail.model import Json
from celltrail.query import StoredRun
from celltrail.query.evaluation import evaluation_of, splits_of
from celltrail.report.evidence import said


def model_index(run: StoredRun) -> dict[str, Json]:
    """What is known of it for that head; what nobody recorded is left out, and nothing is guessed."""
    licence = said("Licence", run)
    results = [found for split in splits_of(run) if (found := _result(run, split))["metrics"]]
    told: dict[str, Json] = {
        "license": next((each.licence for each in run.models if each.licence), " ".join(licence.lines) or None),
        "tags": list(run.tags),
        "datasets": list(dict.fromkeys(each.name for each in run.data if each.how != "read")),
        "model-index": [{"name": run.models[0].name if run.models else run.name, "results": results}],
    }
    return {name: value for name, value in told.items() if value} if results else {}


def _result(run: StoredRun, split: str) -> dict[str, Any]:
    found = evaluation_of(run, split)
    data = next((each for each in run.data if each.split == split), None)
    dataset: dict[str, Json] = {"name": split if data is None else data.name, "type": "celltrail", "split": split}
    if data is not None and data.digest:
        dataset["revision"] = data.digest
    metrics = [
        {"type": score.name, "name": f"{split}/{score.name}", "value": score.value}
        for score in found.scores
        if math.isfinite(score.value)
    ]
    return {"task": {"type": found.task}, "dataset": dataset, "metrics": metrics}
