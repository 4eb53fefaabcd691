"""Fingerprints: what a value was at one moment, in 16 bytes, without touching it.

xxh3 of everything a value consists of; of very large arrays, of ten windows (`walk`). Equal values give equal
digests in every process. No code of the value's author runs: no property, no ``__eq__``, no ``__len__``, and
nothing that loads itself when asked is woken (`kinds`). What cannot be seen that way makes a print ``opaque``.
"""

from __future__ import annotations

import xxhash

from celltrail.capture.values.fingerprint import kinds
from celltrail.capture.values.fingerprint.plain import SCALARS
from celltrail.capture.values.fingerprint.readers import reader
from celltrail.capture.values.fingerprint.walk import Budget, Print, Quality, Spent, Walk, text

__all__ = ["Budget", "Print", "Quality", "fingerprint"]


_reader = kinds.PerKind(reader)


def fingerprint(value: object, budget: Budget | None = None) -> Print:
    """The print of a value; never raises, never changes it, never runs its code.

    Args:
        value: anything.
        budget: shared by all values of one cell; when it is used up, a print says the type only and is opaque.

    >>> fingerprint([1, 2.0, "three"]) == fingerprint([1, 2.0, "three"]) != fingerprint([1, 2, "three"])
    True
    >>> fingerprint(iter([])).quality
    'opaque'
    """
    budget = budget or Budget()
    walk = Walk(budget, SCALARS, _reader)
    budget.begin()
    try:
        budget.check()
        token = walk.token(value)
        return Print(xxhash.xxh3_128_hexdigest(token), walk.quality, frozenset(walk.inside))
    except Spent:
        # how far it came depends on the machine, so what was seen so far must not count
        return Print(xxhash.xxh3_128_hexdigest(b"?" + text(kinds.name(type(value)))), "opaque")
    finally:
        budget.pause()
