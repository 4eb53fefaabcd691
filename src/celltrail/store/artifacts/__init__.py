"""Artifacts: files that belong to a run, such as its checkpoints, kept by content.

``runs/<xx>/<run>/artifacts/<ulid>.json`` says what one is and names its blobs. It is written once; one that is let go
of goes, and the blobs that nothing else names with it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from celltrail.errors import BadValue, Damaged, NoRun, nearest
from celltrail.model import Json, goal_of
from celltrail.store.files import disk
from celltrail.store.files.encoding import decode, encode
from celltrail.store.files.pending import settle
from celltrail.store.files.telling import counted, sized
from celltrail.store.folders import run_folder

if TYPE_CHECKING:
    from celltrail.contract import Goal
    from celltrail.store.artifacts.keeping import Plan
    from celltrail.store.blobs import Blobs

FOLDER = "artifacts"
CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class File:
    """A file of an artifact.

    Attributes:
        path: within the artifact, "/" between folders.
        size: its size in bytes.
        digest: the digest of its content, "" if that was not kept.
    """

    path: str
    size: int
    digest: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """A file or a folder that a run kept, as it was at that moment.

    Attributes:
        id: a ULID, by which artifacts of a run are in order.
        name: the name of the file or folder.
        kind: "checkpoint", or whatever it was logged as.
        step: the step the run was at.
        t_us: the time, in microseconds since the epoch.
        by: who logged it: "api", or the library that wrote it.
        files: its files.
        metrics: the last values of the run's metrics at that moment.
        why: why its content was not kept, "" if it was.
    """

    id: str
    name: str
    kind: str
    step: int | None
    t_us: int
    by: str
    files: tuple[File, ...]
    metrics: dict[str, float] = field(default_factory=dict[str, float])
    why: str = ""
    _blobs: Blobs | None = field(default=None, repr=False, compare=False)

    @property
    def is_kept(self) -> bool:
        """Whether its content is in the trail."""
        return not self.why

    @property
    def size(self) -> int:
        """The size of all its files in bytes; what it shares with others is stored once."""
        return sum(file.size for file in self.files)

    @property
    def time(self) -> datetime:
        """When, UTC."""
        return datetime.fromtimestamp(self.t_us / 1e6, tz=UTC)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of files."""
        return [file.path for file in self.files] != [self.name]

    def restore(self, path: Path | str = ".", *, overwrite: bool = False) -> Path:
        """Write it to disk, byte for byte; each file appears only once its content is verified.

        Args:
            path: an existing folder, in which it gets its own name, or else the path of the file or folder to write.
            overwrite: whether to replace existing files.

        Returns:
            The path that was written.

        Raises:
            BadValue: its content was not kept, or the file exists.
            Damaged: the trail does not hold what was put into it.
        """
        self._check_kept()
        target = Path(path)
        if target.is_dir():
            target = target / self.name
        places = {file: target.joinpath(*_parts(file.path)) if self.is_folder else target for file in self.files}
        for place in places.values():
            if not overwrite and place.exists():
                raise BadValue(f"there is a {place.name!r} already; give another path, or overwrite=True")
        for file, place in places.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            self._content.save(file.digest, place)
        return target

    def load(self, file: str | None = None, *, allow_pickle: bool = False) -> Any:
        """Load its content: safetensors as tensors by name, PyTorch files as by ``torch.load``, NumPy arrays.

        Args:
            file: which file, if it is a folder.
            allow_pickle: whether to load pickles. A pickle runs code as it is read: only if you trust who wrote it.

        Raises:
            BadValue: it is a pickle, or of an unknown kind; `restore` writes it for its own library to read.
        """
        from celltrail.store.artifacts.loading import load

        self._check_kept()
        return load(self._chosen(file), self._content, allow_pickle)

    def told(self) -> dict[str, Json]:
        """As its document has it."""
        facts = {name: getattr(self, name) for name in ("name", "kind", "step", "t_us", "by", "metrics", "why")}
        return {**facts, "files": list(map(asdict, self.files))}

    @property
    def _content(self) -> Blobs:
        assert self._blobs is not None, "made without a trail"
        return self._blobs

    def _check_kept(self) -> None:
        if self.why:
            raise BadValue(f"the content of {self.name!r} is not in the trail: {self.why}")

    def _chosen(self, name: str | None) -> File:
        if name is None and len(self.files) == 1:
            return self.files[0]
        known = {file.path: file for file in self.files}
        if name not in known:
            tail = nearest(name or "", known) or f"; it has {', '.join(known)}"
            what = f"no file {name!r}" if name else f"{len(known)} files; name one to load, or restore(path) all"
            raise BadValue(f"{self.name!r} has {what}{tail}")
        return known[name]

    def __str__(self) -> str:
        """One line, as lists show it."""
        place = "" if self.step is None else f"step {self.step:,}, "
        told = ", ".join(f"{name} {value:.4g}" for name, value in list(self.metrics.items())[:3])
        return f"{self.name}: {place}{sized(self.size)}{told and f', {told}'}{self.why and f' (not kept: {self.why})'}"


class Artifacts(Sequence[Artifact]):
    """The artifacts of a run, oldest first: ``[0]`` by number, ``[-3:]`` a slice, ``["name"]`` the newest of a name."""

    def __init__(self, found: Iterable[Artifact], goals: Mapping[str, Goal], keeper: _Keeper | None = None) -> None:
        self._all, self._goals, self._keeper = list(found), goals, keeper

    @overload
    def __getitem__(self, index: int | str) -> Artifact: ...
    @overload
    def __getitem__(self, index: slice) -> Artifacts: ...

    def __getitem__(self, index: int | str | slice) -> Artifact | Artifacts:
        if isinstance(index, slice):
            return Artifacts(self._all[index], self._goals, self._keeper)
        if isinstance(index, int):
            return self._all[index]
        found = [each for each in self._all if each.name == index]
        if not found:
            names = dict.fromkeys(each.name for each in self._all)
            raise NoRun(f"no {index!r} among {counted(len(self), 'file')} of the run{nearest(index, names)}")
        return found[-1]

    def __len__(self) -> int:
        return len(self._all)

    def best(self, by: str) -> Artifact:
        """The kept one at which a metric was best.

        Raises:
            BadValue: none has this metric.
        """
        from celltrail.store.artifacts.keeping import ranked

        found = ranked([each for each in self._all if each.is_kept], by, self.goal(by))
        if not found:
            known = dict.fromkeys(name for each in self._all for name in each.metrics)
            raise BadValue(f"none of {counted(len(self), 'checkpoint')} was kept with a {by!r}{nearest(by, known)}")
        return found[0]

    def goal(self, metric: str) -> Goal:
        """The direction in which a metric is better."""
        return self._goals.get(metric) or goal_of(metric)

    def keep(
        self,
        best: int | None = None,
        by: str | None = None,
        last: int | None = None,
        budget: str | float | None = None,
        *,
        dry_run: bool = False,
    ) -> Plan:
        """Keep the best and the newest ones and remove the others, within a budget.

        What goes is in the trash until that is emptied; its content goes with the next ``celltrail gc``.

        Args:
            best: keep so many of the best by the metric ``by``.
            by: the metric.
            last: keep so many of the newest.
            budget: how much room those that stay may take, as in "2GB"; the oldest go first, the best last.
            dry_run: only say what would go.

        Returns:
            What goes and how much that frees; ``print`` says it in words.
        """
        from celltrail.store.artifacts.keeping import Keep, plan

        assert self._keeper is not None, "artifacts of a run that is in the trail"
        made = plan(self._all, Keep.of(best, by, last, budget), self.goal, self._keeper.blobs)
        return made if dry_run else self._keeper.let_go(made)

    def __repr__(self) -> str:
        return "\n".join(map(str, self._all)) or "no files were kept"


@dataclass(frozen=True, slots=True)
class _Keeper:
    """Lets go of artifacts of one run."""

    trail: Path
    run: str
    blobs: Blobs

    def let_go(self, made: Plan) -> Plan:
        from celltrail.store.upkeep.trash import Trash

        trash = Trash(self.trail)
        for each in made.go:
            trash.put(_path(self.trail, self.run, each.id), f"let go of by hand: {each.name}")
        return made.done()


def write(trail: Path, run: str, artifact: Artifact) -> None:
    """Say in the trail that a run has this artifact; its blobs are there."""
    path = _path(trail, run, artifact.id)
    disk.make_folder(path.parent, trail)
    disk.create_whole(path, encode(artifact.told()))


def forget(trail: Path, run: str, artifact: Artifact) -> None:
    """Say it no longer."""
    _path(trail, run, artifact.id).unlink(missing_ok=True)


def artifacts_of(trail: Path, run: str, blobs: Blobs, goals: Mapping[str, Goal], kind: str | None = None) -> Artifacts:
    """Those of a run, or those of one kind; one whose document does not read is passed over."""
    settle("files")
    found: list[Artifact] = []
    for path in sorted((run_folder(trail, run) / FOLDER).glob("*.json")):
        try:
            told = decode(path.read_bytes(), path.name)
            files = tuple(File(**each) for each in told.pop("files"))
            each = Artifact(**told, id=path.stem, files=files, _blobs=blobs)
        except (FileNotFoundError, Damaged, TypeError, KeyError, AttributeError):
            continue
        if kind in (None, each.kind):
            found.append(each)
    return Artifacts(found, goals, _Keeper(trail, run, blobs))


def free_bytes(trail: Path) -> int:
    """The room that is left on the trail's disk, without what should stay free of any disk."""
    disk_ = shutil.disk_usage(trail)
    return disk_.free - min(disk_.total // 20, 10 << 30)


def _path(trail: Path, run: str, artifact: str) -> Path:
    return run_folder(trail, run) / FOLDER / f"{artifact}.json"


def _parts(path: str) -> list[str]:
    """The parts of a path inside an artifact, which never leads out of it."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise Damaged(f"an artifact has a file {path!r}, which is no path inside it")
    return parts
