"""The notebook as it stands: which cells it has, in which order, and what is in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_MOST_BYTES = 64 << 20
_HASH = 16


@dataclass(slots=True)
class Document:
    """The code cells of a notebook, in their order."""

    hashes: dict[str, str] = field(default_factory=dict)  # cell id -> hash of its source
    as_of_us: float = 0.0  # what ran later may be newer than this
    sources: dict[str, str] = field(default_factory=dict)  # the same with the source; empty where only hashes are known
    ids: frozenset[str] = frozenset()  # of all cells, text among them

    @property
    def order(self) -> dict[str, int]:
        """The place of each code cell."""
        return {cell: at for at, cell in enumerate(self.hashes)}

    def is_before(self, began_us: int) -> bool:
        """Whether it was written before something ran, and so cannot tell what was edited or deleted since."""
        return self.as_of_us < began_us

    @classmethod
    def of_front_end(cls, meta: object, now_us: int) -> Document | None:
        """What the front end sent with a cell: ``{"celltrail": {"cells": [[cell id, source hash], ...]}}``.

        A hash is the first 16 hexadecimal digits of the SHA-256 of the source.
        """
        sent = meta.get("celltrail") if isinstance(meta, Mapping) else None
        cells = sent.get("cells") if isinstance(sent, Mapping) else None
        if not isinstance(cells, list):
            return None
        pairs = [each for each in cells if isinstance(each, list | tuple) and len(each) == 2]
        known = {str(cell): str(text) for cell, text in pairs if isinstance(cell, str)}
        return cls(known, now_us, ids=frozenset(known))

    @classmethod
    def of_file(cls, path: Path) -> Document | None:
        """The notebook as it was saved; None where it cannot be read or its cells have no ids (before nbformat 4.5)."""
        try:
            facts = path.stat()
            if facts.st_size > _MOST_BYTES:
                return None
            cells = json.loads(path.read_bytes())["cells"]
            code = [cell for cell in cells if cell.get("cell_type") == "code"]
            sources = {str(cell["id"]): _text(cell.get("source", "")) for cell in code}
            ids = frozenset(cell["id"] for cell in cells if isinstance(cell.get("id"), str))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        if not sources:
            return None
        hashes = {cell: source_hash(source) for cell, source in sources.items()}
        return cls(hashes, facts.st_mtime_ns / 1000, sources, ids)


def source_hash(source: str) -> str:
    """The hash that tells whether a cell was edited.

    >>> source_hash("x = 1\\n") == source_hash("x = 1")
    True
    """
    return hashlib.sha256(source.rstrip().encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]


def _text(source: Any) -> str:
    return source if isinstance(source, str) else "".join(source)
