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


def frame(folder: Path) -> Any:
    import pandas as pd

    (run,) = _client(folder).search_runs(["0"])
    columns = {name: pd.Series(dict(points)) for name, points in _series(run).items()}
    return pd.DataFrame(columns)


def fill(folder: Path, runs: list[Any]) -> None:
    """In batches of the 1,000 points it allows in one call."""
    from mlflow.entities import Metric, Param

    folder.mkdir(parents=True, exist_ok=True)
    client = _client(folder)
    for run in runs:
        run_id = client.create_run("0", run_name=run.name).info.run_id
        params = [Param(name, str(value)) for name, value in run.params.items()]
        points = [Metric(name, value, 0, step) for step, values in run.rows() for name, value in values.items()]
        for start in range(0, len(points), 1000):
            client.log_batch(run_id, points[start : start + 1000], params if start == 0 else [])
        client.set_terminated(run_id)


def top(folder: Path) -> list[str]:
    """Its metrics are the last ones and its params are text: the number is compared here, page by page."""
    client = _client(folder)
    asked = "attributes.status = 'FINISHED' and metrics.`val/loss` < 0.5 and params.kind = 'mlp'"
    order = ["metrics.`val/acc` DESC"]
    found: list[str] = []
    token = None
    while len(found) < 50:
        page = client.search_runs(["0"], asked, max_results=200, order_by=order, page_token=token)
        found += [run.info.run_name for run in page if float(run.data.params["lr"]) < 0.01]
        token = page.token
        if not token:
            break
    return found[:50]


def one_metric(folder: Path, metric: str) -> int:
    client = _client(folder)
    runs = client.search_runs(["0"], max_results=10_000)
    return sum(len(client.get_metric_history(run.info.run_id, metric)) for run in runs)
