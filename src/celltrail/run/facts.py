"""What a run offers as ``run.params``, ``run.summary`` and ``run.tags``: containers that record each change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSet
from typing import Any

from celltrail.errors import BadValue
from celltrail.model import Json, Param
from celltrail.run.values import check_name, kind_of

TEXT = 200  # characters kept of the repr of a value that JSON has no form for


def plain(value: Any) -> Json:
    """The value as JSON can hold it: scalars and containers of them; anything else as its repr, cut.

    >>> plain({"layers": (64, 10), "act": print})
    {'layers': [64, 10], 'act': '<built-in function print>'}
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return plain(value.item())
    return repr(value)[:TEXT]


def as_params(params: Mapping[str, Any]) -> dict[str, Param]:
    """Plain values as `Param` records given by the user."""
    if not isinstance(params, Mapping):
        raise BadValue(
            f"params was given {kind_of(params)}; params are name -> value, as in ct.start('demo', {{'lr': 0.1}}), and "
            "of an object with fields vars(object) makes them"
        )
    return {check_name(name, "param"): Param(name, plain(value)) for name, value in params.items()}


def as_tags(tags: str | Iterable[str]) -> tuple[str, ...]:
    """Tags as a record has them, each once; one alone needs no list.

    >>> as_tags("mlp"), as_tags(["sweep", "mlp", "sweep"])
    (('mlp',), ('sweep', 'mlp'))
    >>> as_tags(5)
    Traceback (most recent call last):
    celltrail.errors.BadValue: tags was given an int 5; tags are texts, as in tags=["mlp", "long"]
    """
    if not isinstance(tags, Iterable):
        raise BadValue(f'tags was given {kind_of(tags)}; tags are texts, as in tags=["mlp", "long"]')
    return tuple(dict.fromkeys(check_name(tag, "tag") for tag in ((tags,) if isinstance(tags, str) else tags)))


class Facts(MutableMapping[str, Json]):
    """Named values of a run: set them, read them; what was recorded is never removed.

    Args:
        what: what one of them is called in a sentence.
        read: gives all of them.
        write: records one.
    """

    def __init__(self, what: str, read: Callable[[], Mapping[str, Json]], write: Callable[[str, Json], None]) -> None:
        self._what, self._read, self._write = what, read, write

    def __getitem__(self, name: str) -> Json:
        return self._read()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._write(check_name(name, self._what), plain(value))

    def __delitem__(self, name: str) -> None:
        raise BadValue(f"{self._what} {name!r} stays: what was recorded is not removed; set it to None instead")

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return repr(dict(self))


class Tags(MutableSet[str]):
    """The tags of a run, in the order they were added.

    Args:
        read: gives all of them.
        write: adds one (True) or takes it away (False).
    """

    def __init__(self, read: Callable[[], tuple[str, ...]], write: Callable[[str, bool], None]) -> None:
        self._read, self._write = read, write

    def add(self, value: str) -> None:
        """Add one tag."""
        tag = check_name(value, "tag")
        if tag not in self:
            self._write(tag, True)

    def discard(self, value: str) -> None:
        """Take one tag away."""
        if value in self:
            self._write(value, False)

    def __contains__(self, value: object) -> bool:
        return value in self._read()

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return repr(set(self))
