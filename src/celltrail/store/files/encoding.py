"""JSON in which NaN, infinity, big integers and odd strings survive."""

from __future__ import annotations

import math

import orjson

from celltrail.errors import Damaged
from celltrail.model import Json

_HOLDERS = (dict, list)
_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def encode(value: Json) -> bytes:
    """These values as JSON bytes; what has no JSON at all is kept as its text.

    >>> decode(encode({"loss": float("inf"), "seed": 2**70})) == {"loss": float("inf"), "seed": 2**70}
    True
    """
    if _is_plain(value):
        try:
            return orjson.dumps(value)
        except TypeError:  # a big integer, a lone surrogate, a key that is no string
            pass
    return orjson.dumps(_plain(value))


def decode(data: bytes | memoryview, source: str = "document") -> Json:
    """What `encode` was given; `Damaged` when the bytes are not JSON."""
    data = bytes(data)
    try:
        value = orjson.loads(data)
        return unmarked(value) if b'{"$' in data else value
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{source} is not readable: {error}; restore it from a copy of the trail") from error


_WORDS = frozenset([str, int, bool, type(None)])


def _is_plain(value: Json) -> bool:
    """Whether orjson writes it as it is, or says that it cannot: most of what there is, and not worth a copy."""
    kind = type(value)
    if kind is dict:
        if len(value) == 1 and str(next(iter(value))).startswith("$"):
            return False
        parts = value.values()
    elif kind is list or kind is tuple:
        parts = value
    else:
        return kind in _WORDS or (kind is float and math.isfinite(value))
    for part in parts:
        of = type(part)
        if of not in _WORDS and not (math.isfinite(part) if of is float else _is_plain(part)):
            return False
    return True


def _plain(value: Json) -> Json:
    kind = type(value)
    if kind is str:
        # a lone surrogate (a file name that is not UTF-8) has no JSON
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if value is None or kind is bool:
        return value
    if kind is float:
        return value if math.isfinite(value) else {"$f": str(value)}
    if kind is int:
        return value if -(2**63) <= value < 2**64 else {"$i": str(value)}
    if isinstance(value, dict):
        pairs: dict[str, Json] = {}
        for name, item in value.items():
            key = name if type(name) is str and name.isascii() else _plain(str(name))
            # most of what there is: not worth a call
            is_plain = item is None or item is True or item is False or (type(item) is str and item.isascii())
            pairs[key] = item if is_plain else _plain(item)
        # a user's own dict that looks like a mark gets one more $
        return {f"${next(iter(pairs))}": next(iter(pairs.values()))} if _marked(pairs) else pairs
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    for base in (bool, int, float, str):
        if isinstance(value, base):
            return _plain(base(value))
    return _plain(str(value))


def unmarked(value: Json) -> Json:
    """Plain JSON values as the values they stand for."""
    # most of what there is holds no more: not worth a call
    if isinstance(value, list):
        return [unmarked(item) if isinstance(item, _HOLDERS) else item for item in value]
    if not isinstance(value, dict):
        return value
    if _marked(value):
        ((mark, text),) = value.items()
        if mark == "$f":
            return _NON_FINITE[text]
        if mark == "$i":
            return int(text)
        return {mark[1:]: unmarked(text)}
    return {name: unmarked(item) if isinstance(item, _HOLDERS) else item for name, item in value.items()}


def _marked(value: dict[str, Json]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith("$")
