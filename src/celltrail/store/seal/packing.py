"""Making packs of small sealed runs, and larger packs of smaller ones."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from celltrail.errors import Damaged
from celltrail.store.blobs import Blobs
from celltrail.store.docs.carried import NOTHING
from celltrail.store.files import disk
from celltrail.store.folders import run_folder
from celltrail.store.log.series import Series, SeriesMapping
from celltrail.store.runs import RunFiles
from celltrail.store.seal import packs
from celltrail.store.seal.packs import Pack, Packs, State

WORTH_RUNS, WORTH_BYTES = 64, 64 << 20
SMALL_RUN_BYTES = 2 << 20  # of Parquet: a larger run is read fast enough by itself
_AT_ONCE_BYTES = 16 << 20
_MOST_BYTES = 512 << 20
_HALF_S = 3600.0
_SEAL = ".json"


def pack(trail: Path, blobs: Blobs, run_ids: Sequence[str]) -> list[tuple[str, int]]:
    """Pack what is worth it of these runs, merge packs of equal size, drop useless ones; (pack, runs) of those made."""
    known = Packs(trail)
    _drop_useless(trail, known)
    placed = known.places(run_ids)
    loose = [(run_id, state) for run_id in run_ids if run_id not in placed and (state := _sealed(trail, run_id))]
    sizes = {run_id: _bytes(trail, run_id) for run_id, _ in loose}
    small = [(run_id, state) for run_id, state in loose if sizes[run_id] <= SMALL_RUN_BYTES]
    made: list[Pack] = []
    if len(small) >= WORTH_RUNS or sum(sizes[run_id] for run_id, _ in small) >= WORTH_BYTES:
        made += [_packed(trail, blobs, batch) for batch in _batches(small, sizes)]
    made += _merged(trail, known)
    return [(pack.path.stem, len(pack.runs)) for pack in made if pack.document.exists()]


def _sealed(trail: Path, run_id: str) -> State:
    """The state of a run that is sealed whole; empty for others."""
    state = packs.state_of(trail, run_id)
    return state if any(name.endswith(_SEAL) for name in state) else {}


def _bytes(trail: Path, run_id: str) -> int:
    with contextlib.suppress(OSError):
        return sum(path.stat().st_size for path in (run_folder(trail, run_id) / "sealed").iterdir())
    return 0


def _batches(runs: Sequence[tuple[str, State]], sizes: dict[str, int]) -> Iterator[list[tuple[str, State]]]:
    batch: list[tuple[str, State]] = []
    size = 0
    for run in runs:
        batch.append(run)
        size += sizes[run[0]]
        if size >= _AT_ONCE_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _packed(trail: Path, blobs: Blobs, runs: Sequence[tuple[str, State]]) -> Pack:
    """One pack of these runs."""
    mappings: list[SeriesMapping] = []
    kept: list[tuple[str, State]] = []
    for run_id, state in runs:
        files = RunFiles(run_folder(trail, run_id), blobs)
        seals, unreadable = files.seals()
        covered = {log: size for seal in seals for log, size in seal.covers.items()}
        logs = {name: size for name, size in state.items() if not name.endswith(_SEAL)}
        # only what the seals tell completely: no log beyond them, no damage, no points of another run
        if (
            files.carried() != NOTHING
            or unreadable
            or not logs.items() <= covered.items()
            or any(seal.verify() for seal in seals)
        ):
            continue
        mappings.append(SeriesMapping(seals))
        kept.append((run_id, state))

    def metrics() -> Iterator[tuple[str, list[tuple[int, Series]]]]:
        for name in sorted({name for mapping in mappings for name in mapping}):
            yield name, [(number, mapping[name]) for number, mapping in enumerate(mappings) if name in mapping]

    return packs.write(trail, kept, metrics())


def _merged(trail: Path, known: Packs) -> list[Pack]:
    """Neighbours of about the same size become one, as long as there are some."""
    made: list[Pack] = []
    while pair := _neighbours(known.all()):
        made.append(_merge(trail, pair))
        for pack in pair:
            _remove(pack)
    return made


def _neighbours(found: Sequence[Pack]) -> list[Pack] | None:
    for newer, older in itertools.pairwise(found):
        small, large = sorted((newer.size, older.size))
        if large <= 2 * small and small + large <= _MOST_BYTES:
            return [older, newer]
    return None


def _merge(trail: Path, pair: Sequence[Pack]) -> Pack:
    chosen: dict[str, Pack] = {}
    for pack in pair:  # the newer one last: its copy of a run counts
        chosen |= {run_id: pack for run_id in pack.runs if pack.knows(run_id, packs.state_of(trail, run_id))}
    runs = [(run_id, pack, pack.runs[run_id]) for run_id, pack in sorted(chosen.items())]
    numbers = {(id(pack), old): number for number, (_, pack, old) in enumerate(runs)}

    def metrics() -> Iterator[tuple[str, list[tuple[int, Series]]]]:
        for name in sorted({name for pack in pair for name in pack.metrics}):
            found = {
                numbers[id(pack), old]: series
                for pack in pair
                for old, series in pack.metric(name).items()
                if (id(pack), old) in numbers
            }
            yield name, sorted(found.items())

    return packs.write(trail, [(run_id, pack.states[old]) for run_id, pack, old in runs], metrics())


def _drop_useless(trail: Path, known: Packs) -> None:
    """Remove packs that cannot be read or of which no run is as it was, and halves of packs."""
    place = trail / packs.FOLDER
    disk.sweep(place)
    usable = {pack.path.stem for pack in known.all() if _is_of_use(trail, pack)}
    whole = {path.stem for path in place.glob("*.json")}
    for path in place.glob("*"):
        is_half = path.stem not in whole
        if path.suffix not in (".json", ".parquet") or path.stem in usable:
            continue
        if is_half and time.time() - path.stat().st_mtime < _HALF_S:
            continue  # somebody may be about to write the other half
        path.unlink(missing_ok=True)


def _is_of_use(trail: Path, pack: Pack) -> bool:
    try:
        pack.verify()
    except (Damaged, OSError):
        return False
    return any(pack.knows(run_id, packs.state_of(trail, run_id)) for run_id in pack.runs)


def _remove(pack: Pack) -> None:
    pack.document.unlink(missing_ok=True)
    pack.path.unlink(missing_ok=True)
