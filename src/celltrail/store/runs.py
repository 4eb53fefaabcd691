"""One run as its files tell it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celltrail.model import Json, RunRecord
from celltrail.store import reader, records
from celltrail.store.encoding import decode
from celltrail.store.reader import Contents, Gap
from celltrail.store.series import SeriesMapping


class RunFiles:
    """The folder of one run, for reading."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def record(self) -> RunRecord:
        """The run as it is now."""
        return records.record_of(self._tables())

    def series(self) -> SeriesMapping:
        """Its points."""
        return SeriesMapping([[block for part in parts for block in part.rows] for parts in self._logs().values()])

    def events(self) -> list[dict[str, Json]]:
        """Its events and items, by time."""
        found = [event for parts in self._logs().values() for part in parts for event in part.events]
        return sorted(found, key=lambda event: event.get("t", 0))

    def gaps(self) -> list[Gap]:
        """What cannot be read."""
        return [gap for parts in self._logs().values() for part in parts for gap in part.gaps]

    def _tables(self) -> Any:
        return decode((self._folder / "run.json").read_bytes(), "run.json")

    def _logs(self) -> dict[str, list[Contents]]:
        logs: dict[str, list[Contents]] = {}
        base = 0
        for path in sorted((self._folder / "m").glob("*.ctl")):
            writer = path.name.rsplit(".", 2)[0]
            contents = reader.read(path)
            base = 0 if writer not in logs else base + (1 << 40)
            for rows in contents.rows:
                rows.order += base
            logs.setdefault(writer, []).append(contents)
        return logs
