"""What wandb's callbacks for XGBoost and LightGBM share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import celltrail as ct
import celltrail.wandb as wandb


def begun(name: str) -> Any:
    """The run that ``wandb.init()`` began, which the one who asks needs."""
    if wandb.run is None:
        raise ct.CelltrailError(f"call wandb.init() before {name}: there is no run to log to")
    return wandb.run


def keep_model(run: Any, name: str, text: str, alias: str = "") -> None:
    """The model as the library writes it, kept with the run under a name."""
    artifact = wandb.Artifact(name, "model")
    with artifact.new_file(name) as file:
        file.write(text)
    run.log_artifact(artifact, aliases=[alias] if alias else ())


def show_importance(run: Any, importance: Mapping[str, Any]) -> None:
    """How much each feature counts, as bars; as a table where there is no Altair to draw them."""
    rows = [[name, float(value)] for name, value in importance.items()]
    table = wandb.Table(["Feature", "Importance"], rows)
    try:
        shown: Any = wandb.plot.bar(table, "Feature", "Importance", title="Feature Importance")
    except ImportError:
        shown = table
    run.log({"Feature Importance": shown}, max(0, run.step - 1))  # where the training ended
