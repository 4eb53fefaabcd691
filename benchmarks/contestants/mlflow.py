"""MLflow over a SQLite file, each call committed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from contestants import Finish, Log, Points


def load() -> None:
    import mlflow  # noqa: F401


def begin(folder: Path, name: str = "bench", params: dict[str, Any] | None = None) -> tuple[Log, Finish]:
    import mlflow

    folder.mkdir(parents=True, exist_ok=True)
    _address(folder)
    mlflow.start_run(run_name=name)
    if params:
        mlflow.log_params(params)
    return lambda values, step: mlflow.log_metrics(values, step=step), mlflow.end_run


def points(folder: Path) -> list[Points]:
    return [_series(run) for run in _client(folder).search_runs(["0"])]


def _address(folder: Path) -> str:
    import mlflow

    address = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(address)
    return address


def _client(folder: Path) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(_address(folder))


def _series(run: Any) -> Points:
    from mlflow import MlflowClient

    client = MlflowClient()
    return {
        name: [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, name)]
        for name in run.data.metrics
    }
