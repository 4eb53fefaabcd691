"""`DataVersion`: one state of some data, as a run used it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from celltrail.dataset.digest import ColumnDigest, Digest

Kind = Literal["table", "file", "folder", "reference"]


@dataclass(frozen=True, repr=False)
class DataVersion:
    """One version of some data, as a run used it.

    Attributes:
        name: its name.
        split: such as "train"; None for the whole.
        digest: ``cdg1:...`` of rows, whatever file they are in; ``blake3:...`` of a file that holds no rows we can
            read, ``blake3-sampled:...`` of a huge one, ``blake3-tree:...`` of a folder; None of a mere reference.
        kind: table, file, folder or reference.
        rows: how many, of a table.
        columns: names, types and digests of the columns.
        size: of its file or files, in bytes.
        source: where it is from: ``path``, ``file`` (the digest of the file itself), ``reference`` (such as the md5
            that DVC has of it, or ``hf://datasets/name@revision``), ``fingerprint`` of Hugging Face.
        parents: digests of the data it was made from.
        how: ``log`` where it was named by `Run.log_data`, ``read`` where a cell was seen to read it.
    """

    name: str
    split: str | None
    digest: str | None
    kind: Kind
    rows: int | None = None
    columns: tuple[ColumnDigest, ...] = ()
    size: int | None = None
    source: Mapping[str, Any] = field(default_factory=dict)
    parents: tuple[str, ...] = ()
    how: Literal["log", "read"] = "log"
    is_partial: bool = False
    _profile: Callable[[], dict[str, Any]] = field(default=dict, compare=False)

    def __repr__(self) -> str:
        shape = [f"{self.rows:,} rows"] if self.rows is not None else []
        shape += [f"{len(self.columns)} columns"] if self.columns else []
        digest = "{0}:{2:.12}".format(*self.digest.partition(":")) if self.digest else "no digest"
        return f"<{' · '.join([self.key, *shape, digest])}>"

    @property
    def key(self) -> str:
        """Name and split: how the run calls it."""
        return self.name if self.split is None else f"{self.name}/{self.split}"

    @property
    def schema(self) -> dict[str, str]:
        """Column to type, as the library spells it that held it."""
        return {column.name: column.dtype for column in self.columns}

    @property
    def profile(self) -> dict[str, dict[str, Any]]:
        """What each column holds: missing values, quartiles, frequent values; beyond 100,000 rows, from a sample."""
        return self._profile()

    @property
    def as_digest(self) -> Digest:
        """The digest with those of its columns."""
        return Digest((self.digest or "").rpartition(":")[2], self.rows or 0, self.columns, self.is_partial)
