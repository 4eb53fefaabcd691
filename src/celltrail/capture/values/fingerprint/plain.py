"""Readers of Python's own values: numbers, texts, containers, dates, ranges, references to functions."""

from __future__ import annotations

import _random
import datetime
import decimal
import functools
import itertools
import marshal
import random
import re
import struct
import types
import uuid
import weakref
from array import array
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any

from celltrail.capture.redact import is_secret_name
from celltrail.capture.values.fingerprint import kinds
from celltrail.capture.values.fingerprint.walk import FULL_BYTES, MOST_PARTS, Reader, Update, Walk, text

_WINDOWS = 10
_MOST_SCALARS = 50_000  # of one list of numbers or texts, read whole


def _integer(value: int) -> bytes:
    size = value.bit_length() // 8 + 1
    return b"i" + struct.pack("<Q", size) + value.to_bytes(size, "little", signed=True)


SCALARS: dict[int, Callable[[Any], bytes]] = {
    id(type(None)): lambda value: b"n",
    id(type(...)): lambda value: b"e",
    id(type(NotImplemented)): lambda value: b"m",
    id(bool): lambda value: b"t" if value else b"f",
    id(int): _integer,
    # bit for bit: -0.0 divides differently, and NaN equals itself here
    id(float): lambda value: b"d" + struct.pack("<d", value),
    id(complex): lambda value: b"c" + struct.pack("<dd", value.real, value.imag),
}
_MARSHALLED = SCALARS.keys() - {id(type(...)), id(type(NotImplemented))} | {id(str), id(bytes)}


# texts and bytes


def string(walk: Walk, value: str, update: Update) -> None:
    """A text; of a very long one, ten windows."""
    length = str.__len__(value)
    update(b"s%d:" % length)
    if type(value) is not str:
        _derived(walk, value, update, str)
    for start, stop in windows(length, walk.allow(length)):
        update(str.encode(str.__getitem__(value, slice(start, stop)), "utf-8", "surrogatepass"))


def binary(walk: Walk, value: Any, update: Update) -> None:
    """Bytes of any kind; of very many, ten windows."""
    with memoryview(value) as view:
        update(b"%s %d %s:" % (kinds.qualname(type(value)).encode(), view.nbytes, view.format.encode()))
        if not view.c_contiguous:
            if view.nbytes <= FULL_BYTES:
                update(view.tobytes())
            else:
                walk.lower("opaque")
            return
        flat = view.cast("B") if view.nbytes else b""
        for start, stop in windows(view.nbytes, walk.allow(view.nbytes)):
            update(flat[start:stop])


def windows(length: int, most: int) -> list[tuple[int, int]]:
    """All of so many places, or ten equal windows of them that add up to ``most``, first and last included.

    >>> windows(8, 10), windows(1000, 20)[::9]
    ([(0, 8)], [(0, 2), (998, 1000)])
    """
    if length <= most:
        return [(0, length)]
    size = max(1, most // _WINDOWS)
    starts = (number * (length - size) // (_WINDOWS - 1) for number in range(_WINDOWS))
    return [(start, start + size) for start in starts]


# containers


def items(walk: Walk, values: Sequence[Any], update: Update) -> None:
    """The values of a list: in one go when they are numbers and texts, else one by one."""
    length = len(values)
    update(b"[%d:" % length)
    if _are_scalars(values):
        walk.costs(length // 50)
        # version 2 neither shares equal objects nor tells interned texts apart, so equal lists give equal bytes
        update(marshal.dumps(list(values), 2))
        return
    for value in values:
        update(walk.token(value))


def _are_scalars(values: Sequence[Any]) -> bool:
    return _MARSHALLED.issuperset(map(id, map(type, values)))


def sequence(walk: Walk, value: Any, update: Update) -> None:
    """A list or tuple, also of a class derived from them; of a long one, ten windows."""
    of = list if issubclass(type(value), list) else tuple
    _derived(walk, value, update, of)
    walk.contains(value, 100)
    length = of.__len__(value)
    most = _MOST_SCALARS if _are_scalars(of.__getitem__(value, slice(0, _WINDOWS))) else MOST_PARTS
    if length > most:
        walk.lower("sampled")
        update(b"~%d:" % length)
        most = most // 5
    for start, stop in windows(length, most):
        items(walk, of.__getitem__(value, slice(start, stop)), update)


def mapping(walk: Walk, value: Any, update: Update) -> None:
    """A dict in its order, which a program sees; of a large one, the first and the last."""
    _derived(walk, value, update, dict)
    walk.contains(value, 100)
    length = dict.__len__(value)
    update(b"{%d:" % length)
    if length <= _MOST_SCALARS:
        keys, values = list(dict.keys(value)), list(dict.values(value))
        if length <= MOST_PARTS or (_are_scalars(keys) and _are_scalars(values)):
            items(walk, keys, update)
            items(walk, [_unless_secret(*pair) for pair in zip(keys, values, strict=True)], update)
            return
    walk.lower("sampled")
    for pairs in (dict.items(value), reversed(dict.items(value))):
        items(walk, list(itertools.chain.from_iterable(itertools.islice(pairs, MOST_PARTS // 10))), update)


def _unless_secret(key: object, value: object) -> object:
    return ... if type(key) is str and len(key) < 100 and is_secret_name(key) else value


def unordered(walk: Walk, value: Any, update: Update) -> None:
    """A set, whose order differs from process to process: sorted by what its elements give."""
    of = set if issubclass(type(value), set) else frozenset
    _derived(walk, value, update, of)
    walk.contains(value, 100)
    length = of.__len__(value)
    update(b"(%d:" % length)
    if length > _MOST_SCALARS:
        walk.lower("opaque")
        return
    elements = list(of.__iter__(value))
    if _are_scalars(elements):
        walk.costs(length // 20)
        for element in sorted(marshal.dumps(element, 2) for element in elements):
            update(element)
    elif length > MOST_PARTS:
        walk.lower("opaque")
    else:
        for token in sorted(walk.token(element) for element in elements):
            update(token)


def double_ended(walk: Walk, value: deque[Any], update: Update) -> None:
    """A deque, with the most it holds."""
    update(walk.token(deque.maxlen.__get__(value)))  # pyright: ignore[reportAttributeAccessIssue]
    sequence(walk, list(itertools.islice(deque.__iter__(value), _MOST_SCALARS)), update)
    if deque.__len__(value) > _MOST_SCALARS:
        walk.lower("sampled")


def with_default(walk: Walk, value: defaultdict[Any, Any], update: Update) -> None:
    """A dict, and what makes its missing values."""
    update(walk.token(defaultdict.default_factory.__get__(value)))  # pyright: ignore[reportAttributeAccessIssue]
    mapping(walk, value, update)


def view_of_mapping(walk: Walk, value: Any, update: Update) -> None:
    """A mapping proxy of a dict; of another mapping nothing is known."""
    found = value | {} if type(value) is types.MappingProxyType else None
    if type(found) is dict:
        mapping(walk, found, update)
    else:
        walk.lower("opaque")


def _derived(walk: Walk, value: Any, update: Update, of: type) -> None:
    """For a class derived from a container: which, and the attributes its objects have besides."""
    if type(value) is of:
        update(of.__name__.encode())
        return
    update(walk.token(type(value)))
    attributes(walk, value, update)


def attributes(walk: Walk, value: Any, update: Update) -> None:
    """What an object holds besides; of a secret only that it is set, since a print must not confirm a guess."""
    for name, held in kinds.attributes(value):
        update(text(name))
        update(b"set" if is_secret_name(name) else walk.token(held))


# what Python brings along


def derived_scalar(of: type, token: Callable[[Any], bytes]) -> Reader:
    """Reader of classes derived from int, float or complex: an enum's member, a library's number."""

    def read(walk: Walk, value: Any, update: Update) -> None:
        _derived(walk, value, update, of)
        update(token(value))

    return read


def moment(walk: Walk, value: datetime.datetime, update: Update) -> None:
    """A datetime."""
    update(datetime.datetime.isoformat(value.replace(tzinfo=None)).encode() + b"T%d" % value.fold)
    update(walk.token(value.tzinfo))


def time_of_day(walk: Walk, value: datetime.time, update: Update) -> None:
    """A time."""
    update(datetime.time.isoformat(value.replace(tzinfo=None)).encode() + b"T%d" % value.fold)
    update(walk.token(value.tzinfo))


def part(walk: Walk, value: Any, update: Update) -> None:
    """A functools.partial."""
    for slot in ("func", "args", "keywords"):
        update(walk.token(functools.partial.__dict__[slot].__get__(value)))


def method(walk: Walk, value: types.MethodType, update: Update) -> None:
    """A function with the object it belongs to."""
    update(walk.token(value.__func__))
    update(walk.token(value.__self__))


def builtin(walk: Walk, value: types.BuiltinFunctionType, update: Update) -> None:
    """A function written in C, with the object it belongs to unless that is a module."""
    update(text(value.__qualname__))
    update(text(value.__module__ or ""))
    if value.__self__ is not None and not isinstance(value.__self__, types.ModuleType):
        update(walk.token(value.__self__))


def generator(walk: Walk, value: random.Random, update: Update) -> None:
    """A generator of random numbers, by its state."""
    if issubclass(type(value), random.SystemRandom):
        walk.lower("opaque")
        return
    # the method of C: one of a class derived from it may do anything
    update(walk.token(_random.Random.getstate(value)))
    update(walk.token(dict(kinds.attributes(value)).get("gauss_next")))


def error(walk: Walk, value: BaseException, update: Update) -> None:
    """An exception, with what it was raised with."""
    update(walk.token(type(value)))
    update(walk.token(BaseException.args.__get__(value)))  # pyright: ignore[reportAttributeAccessIssue]


def by(describe: Callable[[Any], str]) -> Reader:
    """Reader of values that one text describes whole."""

    def read(walk: Walk, value: Any, update: Update) -> None:
        update(text(kinds.name(type(value))))
        update(text(describe(value)))

    return read


def nothing(walk: Walk, value: Any, update: Update) -> None:
    """Locks and the like, which are not part of what a value is."""
    update(text(kinds.name(type(value))))


_SLOTS = (
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.MethodDescriptorType,
    types.MethodWrapperType,
    types.WrapperDescriptorType,
)
EXACT: dict[type, Reader] = {
    datetime.datetime: moment,
    datetime.date: by(datetime.date.isoformat),
    datetime.time: time_of_day,
    datetime.timedelta: by(repr),
    datetime.timezone: by(repr),
    decimal.Decimal: by(repr),
    uuid.UUID: by(str),
    range: by(repr),
    re.Pattern: lambda walk, value, update: update(walk.token((value.pattern, value.flags))),
    slice: lambda walk, value, update: update(walk.token((value.start, value.stop, value.step))),
    memoryview: binary,
    array: binary,
    functools.partial: part,
    types.MethodType: method,
    types.BuiltinFunctionType: builtin,
    types.MappingProxyType: view_of_mapping,
    types.CellType: lambda walk, value, update: update(walk.token(value.cell_contents)),
    weakref.ref: nothing,
    **dict.fromkeys(_SLOTS, by(lambda value: value.__qualname__)),
}
DERIVED: dict[type, Reader] = {
    defaultdict: with_default,
    deque: double_ended,
    list: sequence,
    tuple: sequence,
    dict: mapping,
    set: unordered,
    frozenset: unordered,
    str: string,
    bytes: binary,
    bytearray: binary,
    bool: derived_scalar(bool, SCALARS[id(bool)]),
    int: derived_scalar(int, _integer),
    float: derived_scalar(float, SCALARS[id(float)]),
    complex: derived_scalar(complex, SCALARS[id(complex)]),
    random.Random: generator,
    BaseException: error,
}
