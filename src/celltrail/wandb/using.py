"""``use_artifact``: what an earlier run logged as an `Artifact`, found by its name and written to disk again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import celltrail as ct
from celltrail.wandb.media import Table
from celltrail.wandb.missing import absent, public

MANIFEST = ".artifact"  # behind the name of an artifact: the text of the run that says what it consists of


@dataclass(frozen=True)
class Used:
    """One version of an artifact.

    Attributes:
        name: with its version, ``model:v2``.
        type: what it is.
        version: ``v0`` is the first that was logged.
        description: plain text.
        metadata: as it was given.
        aliases: its other names, ``latest`` among them where it is the newest.
    """

    name: str
    type: str
    version: str
    description: str | None
    metadata: dict[str, Any]
    aliases: list[str]
    _files: Mapping[str, Any] = field(repr=False)
    _run: Any = field(repr=False)

    def download(self, root: str | Path | None = None, **_: Any) -> str:
        """Write its files below this folder, ``artifacts/NAME`` without one, and give the folder."""
        folder = Path(root) if root is not None else Path("artifacts", self.name)
        folder.mkdir(parents=True, exist_ok=True)
        for name, kept in self._files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            kept.restore(folder / name, overwrite=True)
        return str(folder)

    def file(self, root: str | Path | None = None) -> str:
        """Write its one file, and give its path."""
        if len(self._files) != 1 or next(iter(self._files.values())).is_folder:
            raise ct.BadValue(f"{self.name} has {', '.join(self._files)}; download() writes all of them")
        return str(Path(self.download(root), next(iter(self._files))))

    def get(self, name: str) -> Any:
        """A table that was added to it by `Artifact.add`; what else was added is an item of the run that logged it."""
        key = f"{self.name.partition(':')[0]}/{name}"
        found = self._run.items(key, kind="table")
        if not found:
            there = ", ".join(each.name for each in self._run.items(kind="table")) or "none"
            raise ct.BadValue(f"{self.name} has no table {name!r}; tables of its run: {there}")
        return Table(dataframe=found[-1].value)

    def get_entry(self, name: str) -> Entry:
        """One of its files."""
        if name not in self._files:
            raise ct.BadValue(f"{self.name} has no file {name!r}; it has {', '.join(self._files)}")
        return Entry(name, self._files[name])

    get_path = get_entry

    def files(self, **_: Any) -> list[Entry]:
        """Its files."""
        return [Entry(name, kept) for name, kept in self._files.items()]

    def __getattr__(self, name: str) -> Any:
        raise absent("an artifact in use", name, [*self.__dataclass_fields__, *public(Used)])

    def logged_by(self) -> Any:
        """The run that logged it."""
        return self._run


@dataclass(frozen=True)
class Entry:
    """One file of an artifact."""

    name: str
    _kept: Any = field(repr=False)

    def download(self, root: str | Path | None = None, **_: Any) -> str:
        """Write it below this folder, the one it is in without one, and give its path."""
        place = Path(root or ".", self.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        self._kept.restore(place, overwrite=True)
        return str(place)


def use(ref: str, type: str | None, store: ct.Store) -> Used:
    """The artifact that ``name``, ``name:latest``, ``name:v3`` or ``name:alias`` speaks of, in any run of the trail."""
    name, _, which = ref.rpartition("/")[2].partition(":")
    found = list(_versions(name, store))
    chosen = next((each for each in reversed(found) if not which or which in (each.version, *each.aliases)), None)
    if chosen is None:
        there = ", ".join(sorted({each for one in found for each in (one.version, *one.aliases)}))
        told = f"it has {there}" if found else "no run of this trail logged one of this name"
        raise ct.BadValue(f"there is no artifact {ref!r}: {told}")
    if type is not None and type != chosen.type:
        raise ct.BadValue(f"{chosen.name} is a {chosen.type}, and no {type}")
    return chosen


def _versions(name: str, store: ct.Store) -> Iterator[Used]:
    told = [
        (item.time, run, item.bytes.decode())
        for run in ct.runs(store=store)
        if any(kept.name in (name, f"{name}{MANIFEST}") or kept.name.startswith(f"{name}/") for kept in run.artifacts)
        for item in run.items(f"{name}{MANIFEST}", kind="text")
    ]
    told.sort(key=lambda each: each[0])
    turns: dict[str, int] = {}
    for number, (_, run, text) in enumerate(told):
        about, turn = json.loads(text), turns.get(run.id, 0)
        turns[run.id] = turn + 1
        kept = {file: _turn([each for each in run.artifacts if each.name == key], turn) for file, key in about["files"]}
        aliases = [*about["aliases"], *(["latest"] if number == len(told) - 1 else [])]
        yield Used(
            f"{name}:v{number}", about["type"], f"v{number}", about["description"], about["metadata"], aliases,
            {file: one for file, one in kept.items() if one is not None}, run,
        )  # fmt: skip


def _turn(kept: list[Any], turn: int) -> Any:
    """That of the so-manieth log call of its run; the same content is kept once."""
    return kept[min(turn, len(kept) - 1)] if kept else None
