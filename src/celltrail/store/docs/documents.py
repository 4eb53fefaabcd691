"""Documents: small TinyDB files that a reader never sees half written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Table

from celltrail.store.files import disk
from celltrail.store.files.encoding import decode, encode
from celltrail.store.files.network import retried

if TYPE_CHECKING:
    from celltrail.store.docs.run_document import Tables


class AtomicStorage(Storage):
    """TinyDB's view of one file: each read a fresh decode, each write all or nothing.

    No decoded copy is kept, because TinyDB changes the tables it was given before it writes them: after
    a failed write the copy would disagree with the file.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self.is_synced = True  # False: whole at any time, but what was written last may go with the machine

    @retried
    def read(self) -> Tables | None:
        """The tables in the file, or None while there is no file."""
        try:
            return decode(self._path.read_bytes(), self._path.name)
        except FileNotFoundError:
            return None

    def write(self, data: Tables) -> None:
        """Replace the file by these tables."""
        disk.replace_whole(self._path, encode(data), is_synced=self.is_synced)


class TextTable(Table):
    """A table whose document ids are text, read from the file each time."""

    document_id_class = str  # pyright: ignore[reportAssignmentType]

    def __init__(self, storage: Storage, name: str, persist_empty: bool = False) -> None:
        # the query cache would answer from before another process wrote; the class attribute that is
        # meant to size it is bound as a default before a subclass can change it
        super().__init__(storage, name, cache_size=0, persist_empty=persist_empty)


class Documents(TinyDB):
    """A TinyDB whose file is always whole and whose ids are text."""

    table_class = TextTable
    default_storage_class = AtomicStorage

    @property
    def is_synced(self) -> bool:
        """Whether a write has reached the disk when it returns."""
        return cast(AtomicStorage, self.storage).is_synced

    @is_synced.setter
    def is_synced(self, value: bool) -> None:
        cast(AtomicStorage, self.storage).is_synced = value

    def change(self, table: str, put: Callable[[dict[Any, Any]], None]) -> None:
        """Change the entries of a table, id -> fields, in place and in one write; TinyDB's upsert writes twice."""
        self.table(table)._update_table(put)
