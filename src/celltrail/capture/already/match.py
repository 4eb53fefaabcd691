"""Whether an execution about to begin is an earlier one again: pure functions of what is known of both.

Both have the same recipe, that is the same code over the same inputs. What is left is chance, the files the
earlier one opened, and where it ran. A false match is worse than a missed one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from celltrail.model import Json, RunRecord

Kind = Literal["duplicate", "repeat", "environment"]
_ORDER: dict[Kind, int] = {"duplicate": 0, "repeat": 1, "environment": 2}
# of the facts of an environment, those a result may depend on; job numbers and paths say nothing
_COUNTS = (
    "python",
    "implementation",
    "machine",
    "CUDA_VISIBLE_DEVICES",
    "CUBLAS_WORKSPACE_CONFIG",
    "JAX_PLATFORMS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "XLA_FLAGS",
)
_DEVICES = ("cpu", "gpu", "gpus")
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the trail tells of a run that had the same recipe."""

    record: RunRecord
    needs: Mapping[str, Json]

    @property
    def counts(self) -> bool:
        """Whether it ran to its end, itself, and nobody put it away."""
        record = self.record
        ran = bool(record.executions) and record.executions[-1].status == "ok"
        return record.status == "finished" and ran and not record.deleted and not record.archived

    @property
    def states(self) -> Mapping[str, str]:
        """The states of the generators at its start, as digests."""
        return self.record.environment.get("rng", {})

    def moved(self) -> set[str] | None:
        """The libraries whose generators it moved; None where nobody knows."""
        end = self.needs.get("rng_end")
        if not isinstance(end, Mapping):
            return None
        return {library for library, state in end.items() if state not in ("same", self.states.get(library))}


@dataclass(frozen=True, slots=True)
class Machine:
    """Where something runs."""

    software: Callable[[], Mapping[str, Json]]
    hardware: Callable[[], Mapping[str, Json]]
    packages: Callable[[str], Mapping[str, str]]  # of a listing by its digest


@dataclass(frozen=True, slots=True)
class Now:
    """What is known before the body runs; what takes time is asked for only where it matters."""

    chance: tuple[str, ...]  # sources that no state of a generator tells of
    seeded: frozenset[str]  # libraries that the code itself seeds before it uses them
    is_exact: bool  # every input was looked at as a whole
    states: Callable[[], Mapping[str, str]]
    machine: Machine
    files: Callable[[Iterable[Mapping[str, Json]]], bool | None]  # are as they were; None where that takes too long


@dataclass(frozen=True, slots=True)
class Match:
    """An earlier run and in which sense the present execution is the same."""

    kind: Kind
    earlier: RunRecord
    is_exact: bool = True
    differs: tuple[str, ...] = field(default=())  # in words: what of the environment, or which chance


def match(earlier: Earlier, now: Now) -> Match | None:
    """In which sense this is the earlier run again, or None."""
    if not earlier.counts:
        return None
    files = _files(earlier, now)
    if files is False:
        return None
    chance = now.chance or _chance(earlier, now)
    is_exact = now.is_exact and files is True
    if others := differences(earlier.record, now.machine):
        return None if chance else Match("environment", earlier.record, is_exact, others)
    return Match("repeat" if chance else "duplicate", earlier.record, is_exact, tuple(chance))


def _files(earlier: Earlier, now: Now) -> bool | None:
    opened = earlier.needs.get("files")
    if opened is None:
        return False  # nobody knows what it opened
    # what earlier cells read is in the values that they left, and those are the same
    own = [entry for entry in opened if entry.get("by") != "slice"]
    return None if earlier.needs.get("files_beyond") and now.files(own) else now.files(own)


def best(matches: Iterable[Match]) -> Match | None:
    """The one that says most, the newest of several; they come newest first."""
    return min(matches, key=lambda found: (_ORDER[found.kind], not found.is_exact), default=None)


def _chance(earlier: Earlier, now: Now) -> tuple[str, ...]:
    """The libraries whose generators the earlier run moved from another state than the present one."""
    moved = earlier.moved()
    if moved is not None and not moved - now.seeded:
        return ()
    states = now.states()
    watched = (set(earlier.states) if moved is None else moved) - now.seeded
    # a generator that was not there at the start was seeded by chance when its library was imported
    return tuple(
        f"another state of {library}"
        for library in sorted(watched)
        if library not in earlier.states or states.get(library) != earlier.states[library]
    )


def differences(earlier: RunRecord, now: Machine, counts: Callable[[str], bool] | None = None) -> tuple[str, ...]:
    """What differs of Python, packages and machine, in words.

    Args:
        earlier: a run.
        now: where it is compared with.
        counts: whether a package that the run had is looked at; without it all are, also those that are new.
    """
    then, present = earlier.environment.get("env", {}), now.software()
    found = [_told(name, then.get(name), present.get(name)) for name in _COUNTS if then.get(name) != present.get(name)]
    if str(then.get("os", "")).split(" ")[0] != str(present.get("os", "")).split(" ")[0]:
        found.append(_told("os", then.get("os"), present.get("os")))
    if then.get("packages") != present.get("packages"):
        found += _packages(now.packages(str(then.get("packages"))), now.packages(str(present.get("packages"))), counts)
    devices, here = earlier.environment.get("hardware", {}), now.hardware()
    found += [
        _told(name, devices.get(name), here.get(name)) for name in _DEVICES if devices.get(name) != here.get(name)
    ]
    rest = len(found) - _MOST_NAMED
    return (*found[:_MOST_NAMED], f"{rest} more") if rest > 0 else tuple(found)


def _packages(then: Mapping[str, str], now: Mapping[str, str], counts: Callable[[str], bool] | None) -> list[str]:
    if counts is not None:
        return packages_changed(
            {each: then[each] for each in then if then[each] != now.get(each) and counts(each)}, now
        )
    return packages_changed(dict.fromkeys(now) | dict(then), now) or ["another list of packages"]


def packages_changed(then: Mapping[str, str | None], now: Mapping[str, str]) -> list[str]:
    """What has become of these packages, in words.

    >>> packages_changed({"numpy": "2.0", "rich": "14.0"}, {"numpy": "2.1", "rich": "14.0", "new": "1"})
    ['numpy 2.0, now 2.1']
    """
    return [_told(name, then[name], now.get(name)) for name in sorted(then) if then[name] != now.get(name)]


def _told(name: str, then: Json, now: Json) -> str:
    """A difference in words.

    >>> _told("numpy", "1.26.4", "2.0.0"), _told("gpu", None, "H100"), _told("rich", "14.0", None)
    ('numpy 1.26.4, now 2.0.0', 'gpu H100 is new', 'rich 14.0, now none')
    """
    if then is None:
        return f"{name} {now} is new"
    return f"{name} {then}, now {'none' if now is None else now}"
