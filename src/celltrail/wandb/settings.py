"""``config`` and ``summary``: values that are reached as items and as attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any


class Settings(MutableMapping[str, Any]):
    """Named values, each change recorded.

    Args:
        values: where they are recorded, such as the params of a run; nowhere else without.
        given: values to begin with, as in ``wandb.Settings(silent=True)``, which means nothing here.

    >>> config = Settings({})
    >>> config.update({"lr": 0.1}, allow_val_change=True)
    >>> config.depth = 3
    >>> config.lr, config["depth"], dict(config)
    (0.1, 3, {'lr': 0.1, 'depth': 3})
    """

    def __init__(self, values: MutableMapping[str, Any] | None = None, **given: Any) -> None:
        object.__setattr__(self, "_values", given if values is None else values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        del self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        values = self.__dict__["_values"]
        if name in values:
            return values[name]
        raise AttributeError(f"there is no {name!r} here; there is {', '.join(values) or 'nothing yet'}")

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def update(self, given: Any = (), allow_val_change: bool | None = None, **more: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Set several; a value may always change."""
        values = given if isinstance(given, Mapping) or not hasattr(given, "__dict__") else vars(given)
        for name, value in {**dict(values), **more}.items():
            self[name] = value

    def setdefaults(self, given: Mapping[str, Any]) -> None:
        """Set those that are not there yet."""
        for name, value in given.items():
            self.setdefault(name, value)

    def as_dict(self) -> dict[str, Any]:
        """All of them."""
        return dict(self)
