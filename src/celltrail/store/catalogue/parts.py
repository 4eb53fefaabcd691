"""Documents cut in three, so that a question over many runs reads and parses no more of each than it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from celltrail.errors import Damaged
from celltrail.store.catalogue.facts import Document, Key
from celltrail.store.files.encoding import unmarked


class Parts(NamedTuple):
    """A document as the index keeps it: the tables ``params`` and ``metrics`` apart from the others."""

    rest: bytes
    params: bytes
    metrics: bytes

    @property
    def whole(self) -> bytes:
        """The document; its tables may stand in another order."""
        return b'%b,"params":%b,"metrics":%b}' % (self.rest[:-1], self.params, self.metrics)


PARTS = Parts._fields
_OF = {"params": ("params",), "metric": ("metrics",), "splits": ("metrics",), "seeded": ("rest", "params")}


def cut(document: bytes) -> Parts:
    """A document in parts.

    >>> cut(b'{"run":{"01":{}},"params":{"lr":{"value":1}}}')
    Parts(rest=b'{"run":{"01":{}}}', params=b'{"lr":{"value":1}}', metrics=b'{}')
    """
    tables = orjson.loads(document)
    params, metrics = tables.pop("params", {}), tables.pop("metrics", {})
    return Parts(orjson.dumps(tables), orjson.dumps(params), orjson.dumps(metrics))


def needed(keys: Iterable[Key]) -> set[str]:
    """The parts that tell these facts of runs of which nobody said anything."""
    return {part for key in keys for part in _OF.get(key[0], ("rest",))}


def opened(names: Iterable[str], bodies: Iterable[bytes], said: Mapping[str, Any]) -> Document:
    """What the parts of these names tell: no record is made of it. Raises `Damaged`."""
    tables: dict[str, Any] = {}
    try:
        for part, body in zip(names, bodies, strict=True):
            found = orjson.loads(body)
            if b'{"$' in body:
                found = unmarked(found)
            if part == "rest":
                tables |= found
            else:
                tables[part] = found
        return Document(tables, said)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise Damaged("a document in the index does not verify") from error
