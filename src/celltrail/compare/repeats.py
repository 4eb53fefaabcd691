"""The repeats of a run: other runs of the same thing, alike in everything but their seeds."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from celltrail.compare.parts import files_of
from celltrail.errors import NoRun, StoreError
from celltrail.model import Json, RunRecord, is_seed
from celltrail.query import StoredRun

if TYPE_CHECKING:
    from celltrail.store.index import Look

MOST = 100  # repeats of one run
_AMONG = 5_000  # of the newest finished runs
_SEEDED = re.compile(r"((?:seed|random_state|default_rng)s?\w*\s*[=(:,\s]\s*)\d+", re.IGNORECASE)
_COUNTED = re.compile(r"\d+")


def repeats(runs: Sequence[StoredRun]) -> list[list[RunRecord]]:
    """For each of these runs those that repeat it, itself first; of runs that repeat each other no more than itself.

    A repeat has finished, has the same params but for seeds, the same code but for the numbers of seeds, the same
    name but for its numbers, and read the same files. Of two with the same seed the newer one counts.
    """
    found = [_repeats(run) for run in runs]
    ids = [{record.id for record in records} for records in found]
    alike = [any(mine & other for at, other in enumerate(ids) if at != place) for place, mine in enumerate(ids)]
    return [records[:1] if double else records for records, double in zip(found, alike, strict=True)]


def _repeats(run: StoredRun) -> list[RunRecord]:
    record = run.record
    found = [record]
    seeds = {_seeds(record)}
    files = files_of(run)
    codes = {record.code: _plain(run)}
    for other in _candidates(run):
        one = StoredRun(other, run.store)
        if other.id == record.id or not _alike(other, record) or (_seeds(other) and _seeds(other) in seeds):
            continue
        if other.code not in codes:
            codes[other.code] = _plain(one)
        if codes[other.code] == codes[record.code] and files_of(one) == files:
            seeds.add(_seeds(other))
            found.append(other)
            if len(found) == MOST:
                break
    return found if record.status == "finished" else found[:1]


def _candidates(run: StoredRun) -> list[RunRecord]:
    """Finished runs of the project with the same params but for seeds, newest first."""
    record = run.record
    settings = _settings(record)
    keys = [("params", name) for name in settings]
    columns = [("project",), ("status",)]

    def ask(look: Look) -> list[RunRecord]:
        project, status = (look.columns[column].sql for column in columns)
        query = f"select id from hot where {project} = ? and {status} = 'finished' order by created desc limit {_AMONG}"
        ids = [run_id for (run_id,) in look.select(query, (record.project,))]
        facts = look.facts(ids, keys) if keys else {run_id: [] for run_id in ids}
        wanted = list(map(_text, settings.values()))
        near = [run_id for run_id in ids if run_id in facts and list(map(_text, facts[run_id])) == wanted]
        records = look.records(near[: 10 * MOST])
        return [records[run_id] for run_id in near if run_id in records]

    return run.store.look(columns, ask)


def _alike(one: RunRecord, other: RunRecord) -> bool:
    return (
        _settings(one).keys() == _settings(other).keys()
        and one.group == other.group
        and not one.deleted
        and _COUNTED.sub("#", one.name) == _COUNTED.sub("#", other.name)
    )


def _settings(record: RunRecord) -> dict[str, Json]:
    return {name: param.value for name, param in record.params.items() if not is_seed(name)}


def _seeds(record: RunRecord) -> str:
    """The values of its seeds; "" without any."""
    found = {name: param.value for name, param in record.params.items() if is_seed(name)}
    return _text(found) if found else ""


def _plain(run: StoredRun) -> str:
    """The code without the numbers of its seeds."""
    try:
        return _SEEDED.sub(r"\1#", run.code)
    except (StoreError, NoRun):
        return f"not readable: {run.id}"


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True, default=str)
