"""Settings of a trail: what all who use it agree on.

To add one, give it a line in `KNOWN` (name, what it is without a choice, what it takes, what it means) beside the
code that asks for it, ``store.settings["the.name"]``. A plug-in declares its own by `declare`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from celltrail.errors import BadValue, nearest
from celltrail.model import Json
from celltrail.store.docs.choices import Choices
from celltrail.store.files.telling import bytes_in

KEEP_DAYS = 30  # things in the trash

Take = Callable[[Json], Json | None]


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing to agree on."""

    default: Json
    take: Take  # the value as it is kept, or None when it is not allowed
    allowed: str  # what is, in words
    meaning: str


def flag(value: Json) -> bool | None:
    """True or False, also as a terminal has it: on, off, yes, no.

    >>> flag("on"), flag(False), flag("perhaps")
    (True, False, None)
    """
    words = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
    return value if isinstance(value, bool) else words.get(value.lower()) if isinstance(value, str) else None


def whole(value: Json) -> int | None:
    """A whole number from 0, also as text.

    >>> whole(30), whole("7"), whole(-1), whole(0.5)
    (30, 7, None, None)
    """
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    return value if type(value) is int and 0 <= value < 2**63 else None


def price(value: Json) -> float | None:
    """A number from 0, also as text.

    >>> price("0.3"), price(2), price(-1), price("dear")
    (0.3, 2.0, None, None)
    """
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else -1.0
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def size(value: Json) -> int | None:
    """A number of bytes, also as people write it.

    >>> size("2GB"), size(1000), size("much")
    (2000000000, 1000, None)
    """
    try:
        return bytes_in(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except BadValue:
        return None


_PRICE = "a number from 0"

KNOWN: dict[str, Setting] = {
    "archived.shown": Setting(False, flag, "True or False", "archived runs are listed like others"),
    "trash.days": Setting(KEEP_DAYS, whole, "a whole number of days", "how long gc leaves things in the trash"),
    "sessions.kept": Setting(True, flag, "True or False", "cells that are not runs are kept too, without outputs"),
    "logs.sealed": Setting(True, flag, "True or False", "logs of finished runs become Parquet by themselves"),
    "resources.measured": Setting(True, flag, "True or False", "what runs use of the machine is measured"),
    "checkpoints.kept": Setting(True, flag, "True or False", "checkpoints that libraries write are kept by content"),
    "checkpoints.budget": Setting(
        1_000_000_000,
        size,
        "a size such as 5GB",
        "how much room the checkpoints of one run may take, unless the run says otherwise",
    ),
    "energy.core_watts": Setting(10.0, price, _PRICE, "the power that a busy core is assumed to use without a counter"),
    "prices.usd_per_hour": Setting(None, price, _PRICE, "what an hour of the machine costs"),
    "prices.usd_per_kwh": Setting(None, price, _PRICE, "what a kWh costs"),
    "prices.gco2_per_kwh": Setting(None, price, _PRICE, "grams of CO2 equivalent that a kWh emits"),
}


def declare(name: str, setting: Setting) -> None:
    """Make a further setting known, for code outside of the store."""
    KNOWN[name] = setting


class Settings(MutableMapping[str, Json]):
    """The settings of one trail by name: all known ones, chosen or not. Deleting one returns to its default."""

    def __init__(self, trail: Path) -> None:
        self._choices = Choices(trail, "settings")

    def __getitem__(self, name: str) -> Json:
        return self._value(self._known(name), self._choices.values().get(name))

    def all(self) -> dict[str, Json]:
        """Every setting by name, with one look at the trail."""
        chosen = self._choices.values()
        return {name: self._value(setting, chosen.get(name)) for name, setting in KNOWN.items()}

    @staticmethod
    def _value(setting: Setting, chosen: Json) -> Json:
        # what a later celltrail allows is no choice for this one
        taken = None if chosen is None else setting.take(chosen)
        return setting.default if taken is None else taken

    def __setitem__(self, name: str, value: Json) -> None:
        setting = self._known(name)
        taken = setting.take(value)
        if taken is None:
            raise BadValue(f"the setting {name} takes {setting.allowed}, not {value!r}; it means: {setting.meaning}")
        self._choices.put(name, taken)

    def __delitem__(self, name: str) -> None:
        self._known(name)
        self._choices.put(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(KNOWN))

    def __len__(self) -> int:
        return len(KNOWN)

    def __contains__(self, name: object) -> bool:
        return name in KNOWN

    def __repr__(self) -> str:
        return "\n".join(f"{name} = {self[name]!r}  # {KNOWN[name].meaning}" for name in self)

    def _known(self, name: str) -> Setting:
        if name not in KNOWN:
            raise BadValue(
                f"no setting {name!r}{nearest(str(name), KNOWN) or ';'} settings are {', '.join(sorted(KNOWN))}"
            )
        return KNOWN[name]
