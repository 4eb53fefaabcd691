"""`run.log_data`: which data a run used, by what it holds."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, StoreError
from celltrail.model import Json
from celltrail.run.part import Part
from celltrail.run.values import check_name
from celltrail.store.files.encoding import encode

if TYPE_CHECKING:
    from celltrail.dataset import DataVersion, Table

_AT_ONCE = 1_000_000  # cells of a sample that are profiled before `log_data` returns


class LogsData(Part):
    """What a run can be told of its data. `query.StoredRun.data` reads it back."""

    def log_data(
        self, data: Any, name: str | None = None, split: str | None = None, *, parents: Iterable[DataVersion | str] = ()
    ) -> DataVersion:
        """Record which data the run uses: its digest, columns and a profile are kept, never the data itself.

        Args:
            data: a frame of pandas or Polars, a table of Arrow, an array, a tensor, a list of dicts, a dict of
                columns, a Dataset of Hugging Face or a TensorDataset of PyTorch; the path of a file or folder; or a
                reference such as ``hf://datasets/name@revision`` or ``lakefs://repo/branch/path``.
            name: what it is called; needed unless it is a path, whose file name is the default.
            split: such as "train".
            parents: what it was made from: earlier versions or their digests.

        Returns:
            The version. Its ``.digest`` is the same for the same rows in CSV, Parquet, Arrow or pandas, in chunks or
            not, as ``int8`` or as whole floats. The order of rows and of columns matters.

        Raises:
            BadValue: it holds no rows, there is no such file, or a name is missing.
            CelltrailError: the run has already finished.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     one = run.log_data({"x": [1, 2, 3], "y": ["a", "b", "b"]}, "toy", split="train")
        ...     other = run.log_data([{"x": 1.0, "y": "a"}, {"x": 2, "y": "b"}, {"x": 3, "y": "b"}], "again")
        >>> one.digest == other.digest, one.rows
        (True, 3)
        """
        from celltrail.run import sources

        if not self.is_running:
            self._refuse()
        split = None if split is None else check_name(split, "split")
        is_somewhere = isinstance(data, str | os.PathLike)
        found, table = sources.somewhere(data, self.store.root.parent) if is_somewhere else sources.held(data)
        name = name or found.name
        if not name:
            raise BadValue("data that is no file has no name of its own; give it one: run.log_data(df, 'churn')")
        made_of = tuple(each if isinstance(each, str) else str(each.digest) for each in parents)
        found = replace(found, name=check_name(name, "data"), split=split, parents=made_of)
        told = facts_of(found) | {"detail": self._keep_facts({"columns": [each.told() for each in found.columns]})}
        self.say_data(found.key, told)
        if table is not None:
            found = self._profiled(found, table, told)
            sources.remember(found, data)
        elif found.kind == "table":  # as it was when the file was read
            self.say_data(found.key, {**told, "profile": self._keep_facts(found.profile)})
        return found

    def _profiled(self, found: DataVersion, table: Table, told: dict[str, Json]) -> DataVersion:
        """The version with its profile, which a thread makes where that takes longer."""
        from celltrail.dataset import profile_of, sample_of

        sample, later = sample_of(table), _Later()

        def profile() -> None:
            try:
                later.value = profile_of(sample)
                self.say_data(found.key, {**told, "profile": self._keep_facts(later.value)})
            except Exception as error:  # noqa: BLE001  the run goes on without this profile
                self.stumble(error)
            finally:
                later.ready.set()

        if sample.rows * len(sample.columns) <= _AT_ONCE:
            profile()
        else:
            settle = self.owe()
            thread = threading.Thread(target=lambda: (profile(), settle()), name="celltrail-profile", daemon=True)
            thread.start()
        return replace(found, _profile=later.get)

    def _keep_facts(self, facts: dict[str, Json]) -> str:
        try:
            return self.store.blobs.put(encode(facts))
        except StoreError as error:
            self.stumble(error)
            return ""


class _Later:
    """A profile that is being made."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.value: dict[str, Any] = {}

    def get(self) -> dict[str, Any]:
        """The profile, once it is there."""
        self.ready.wait()
        return self.value


def facts_of(found: DataVersion) -> dict[str, Json]:
    """What the run's own document says of a version."""
    return {
        "name": found.name,
        "split": found.split,
        "digest": found.digest,
        "kind": found.kind,
        "rows": found.rows,
        "columns": len(found.columns),
        "size": found.size,
        "source": dict(found.source),
        "parents": list(found.parents),
        "is_partial": found.is_partial,
    }
