"""What the parts of a run ask of the run they are parts of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from celltrail.model import Json, RunRecord
from celltrail.store import RunWriter, Store
from celltrail.store.files.disk import Unsynced

if TYPE_CHECKING:
    from celltrail.run.media import Content
    from celltrail.run.recording import Run


class Part:
    """Verbs of `recording.Run` that have a file of their own; `Run` answers what stands here, a part alone does not."""

    writer: RunWriter
    is_over: bool  # before it is written down
    _unsynced: Unsynced

    @property
    def id(self) -> str:
        """The run's ULID."""
        raise NotImplementedError

    @property
    def store(self) -> Store:
        """The trail that is written to."""
        raise NotImplementedError

    @property
    def is_running(self) -> bool:
        """Whether `finish` has not been called yet."""
        raise NotImplementedError

    @property
    def described(self) -> RunRecord:
        """The run as it was told last, without its metrics."""
        raise NotImplementedError

    def record(self) -> RunRecord:
        """The run as it is now."""
        raise NotImplementedError

    def define_metric(self, name: str, *, goal: Any = None) -> None:
        """Say how a metric is to be read."""
        raise NotImplementedError

    def log_results(self, values: Mapping[str, float]) -> None:
        """Record numbers that stand for the whole run."""
        raise NotImplementedError

    def say_data(self, key: str, told: dict[str, Json]) -> None:
        """Add or replace what the run says of one version of data."""
        raise NotImplementedError

    def say_model(self, key: str, told: dict[str, Json]) -> None:
        """Add or replace what the run says of a model."""
        raise NotImplementedError

    def owe(self) -> Callable[[], None]:
        """Say that facts are still being gathered for this run."""
        raise NotImplementedError

    def stumble(self, error: Exception) -> None:
        """A fault of celltrail's own."""
        raise NotImplementedError

    def _flush(self, *, waits: bool = True) -> None:
        raise NotImplementedError

    def _refuse(self) -> None:
        raise NotImplementedError

    def _begin_below(self, record: RunRecord) -> Run:
        raise NotImplementedError

    def _keep(self, key: str, value: Any, step: int | None, read: Callable[[str, Any], Content]) -> None:
        raise NotImplementedError
