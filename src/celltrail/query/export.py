"""The way out: everything of some runs in formats that any program reads."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from celltrail.errors import BadValue
from celltrail.model import Json
from celltrail.query.stored import StoredRun
from celltrail.store.files import disk

if TYPE_CHECKING:
    import pyarrow as pa

Format = Literal["jsonl", "csv", "parquet"]
COLUMNS = ("run", "name", "metric", "step", "t_us", "value")
_AT_ONCE = 100_000


def lines(run: StoredRun) -> Iterator[str]:
    """A run as lines of JSON: itself, its parameters, every edit, event and point.

    Each line has ``kind`` (run, param, edit, event or point) and the id of the run. What JSON has no number for
    is a word: "nan", "inf", "-inf". Times are microseconds since the epoch.
    """
    facts = {name: getattr(run.record, name) for name in _fields_of(run.record) if name != "params"}
    for name in ("metrics", "executions", "error"):
        facts[name] = _as_json(facts[name])
    yield _line({"kind": "run", **facts})
    for param in run.record.params.values():
        yield _line({"kind": "param", "run": run.id, **dataclasses.asdict(param)})
    for field, value in run.store.edits(run.id).items():
        yield _line({"kind": "edit", "run": run.id, "field": field, "value": value})
    for event in run.store.events(run.id):
        yield _line({"kind": "event", "run": run.id, "event": event})
    for metric, series in run.store.series(run.id).items():
        for start in range(0, len(series.step), _AT_ONCE):
            stretch = slice(start, start + _AT_ONCE)
            columns = (series.step[stretch].tolist(), series.t_us[stretch].tolist(), series.value[stretch].tolist())
            for step, t_us, value in zip(*columns, strict=True):
                point = {"kind": "point", "run": run.id, "metric": metric, "step": step, "t_us": t_us, "value": value}
                yield _line(point)


def write_jsonl(runs: Iterable[StoredRun], file: IO[str]) -> None:
    """Every run as `lines`."""
    for run in runs:
        file.writelines(lines(run))


def write_csv(runs: Iterable[StoredRun], file: IO[str]) -> None:
    """Every point of every run as a row of `COLUMNS`; non-finite values are nan, inf and -inf."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for run in runs:
        for metric, series in run.store.series(run.id).items():
            columns = (series.step.tolist(), series.t_us.tolist(), series.value.tolist())
            writer.writerows((run.id, run.name, metric, *row) for row in zip(*columns, strict=True))


def write_parquet(runs: Iterable[StoredRun], path: Path) -> None:
    """Every point of every run as a row of `COLUMNS`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    word = pa.dictionary(pa.int32(), pa.string())
    types = (word, word, word, pa.int64(), pa.int64(), pa.float64())
    schema = pa.schema(list(zip(COLUMNS, types, strict=True)))
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for run in runs:
            tables = [_table(run, metric, schema) for metric in run.store.series(run.id)]
            if tables:
                writer.write_table(pa.concat_tables(tables).unify_dictionaries())


def write(runs: Sequence[StoredRun], path: Path, kind: Format) -> None:
    """Write runs to a file, which is there whole or not at all."""
    if path.is_dir():
        raise BadValue(f"{path.name!r} is a folder: name the file to write")
    temp = disk.temp_name(path)
    try:
        if kind == "parquet":
            write_parquet(runs, temp)
        else:
            write_text: Callable[[Iterable[StoredRun], IO[str]], None] = write_jsonl if kind == "jsonl" else write_csv
            with open(temp, "x", encoding="utf-8", errors="backslashreplace", newline="") as file:
                write_text(runs, file)
        os.replace(temp, path)
    except OSError as error:
        raise BadValue(f"{path.name!r} cannot be written: {error.strerror or error}") from error
    finally:
        temp.unlink(missing_ok=True)


def _table(run: StoredRun, metric: str, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    series = run.store.series(run.id)[metric]
    zeros = pa.array([0] * len(series.step), pa.int32())
    words = [pa.DictionaryArray.from_arrays(zeros, pa.array([text])) for text in (run.id, run.name, metric)]
    return pa.table([*words, pa.array(series.step), pa.array(series.t_us), pa.array(series.value)], schema=schema)


def _fields_of(record: object) -> list[str]:
    return [field.name for field in dataclasses.fields(record)]  # pyright: ignore[reportArgumentType]


def _as_json(value: object) -> Json:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, dict):
        return {name: _as_json(item) for name, item in value.items()}
    return [_as_json(item) for item in value] if isinstance(value, list | tuple) else value


def _line(fields: dict[str, Json]) -> str:
    try:
        return json.dumps(fields, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError:
        return json.dumps(_worded(fields), ensure_ascii=False, allow_nan=False) + "\n"


def _worded(value: Json) -> Json:
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {name: _worded(item) for name, item in value.items()}
    return [_worded(item) for item in value] if isinstance(value, list | tuple) else value
