"""The files that a run read and wrote, as it kept them: names, sizes and digests, never contents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from celltrail.model import Json

_UNKNOWN = {"gone": "was gone before it was hashed", "unreadable": "cannot be read", "failed": "could not be hashed"}
_TOLD = {"off": "not hashed", "secret": "not hashed: its name says that it holds secrets", "pending": "not hashed yet"}


@dataclass(frozen=True, slots=True)
class File:
    """One file: ``mode`` is read, write or both; ``how`` says whether the digest is of all of it.

    >>> File.of({"path": "/srv/in/a.csv", "base": "abs", "mode": "read", "size": 3, "hash": "", "how": "off"}).path
    'a.csv'
    """

    path: str  # relative to the project; "~/..." in the home folder; elsewhere the name alone
    mode: str
    size: int | None
    hash: str
    how: str  # full or sampled; where there is no digest, why
    base: str = field(repr=False, default="project")
    kept: str = field(repr=False, default="")  # the path as it is kept, which may be absolute
    changed_us: int | None = field(repr=False, default=None)  # when it was last changed, as it was hashed
    before: str = field(repr=False, default="")  # of a file that was read and then written: what was read
    by: str = field(repr=False, default="")  # open: it was opened; name: code or a value names it; slice: earlier code

    @classmethod
    def of(cls, record: Mapping[str, Json]) -> File:
        """The file of one record; a record of a later version may hold more."""
        kept, base = str(record.get("path", "")), str(record.get("base", "project"))
        changed = record.get("mtime_ns")
        return cls(
            path=shown(kept, base),
            mode=str(record.get("mode", "read")),
            size=record.get("size"),
            hash=str(record.get("hash", "")),
            how="late" if record.get("late") else str(record.get("how", "")),
            base=base,
            kept=kept,
            changed_us=changed // 1000 if isinstance(changed, int) else None,
            before=str(record.get("before", "")),
            by=str(record.get("by", "")),
        )

    @property
    def about(self) -> str:
        """What is to be said about the digest, "" where it is that of the whole file."""
        if self.how == "late":
            return "changed after it was opened"
        if self.how == "sampled":
            return "hashed in 16 samples"
        return _UNKNOWN.get(self.how) or _TOLD.get(self.how, "")

    def resolve(self, project: Path | str = ".") -> Path:
        """Where it is on this machine.

        Args:
            project: the folder of the project here.
        """
        if self.base == "home":
            return Path.home() / self.kept
        return Path(self.kept) if self.base == "abs" else Path(project) / self.kept


def shown(path: str, base: str) -> str:
    """A path as it may be shown: never an absolute one.

    >>> shown("data/a.csv", "home"), shown("/mnt/x/a.csv", "abs")
    ('~/data/a.csv', 'a.csv')
    """
    if base == "home":
        return f"~/{path}"
    return PurePosixPath(path.replace("\\", "/")).name if base == "abs" else path
