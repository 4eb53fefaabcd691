"""Numbers as they are told to people, and sizes as people write them."""

from __future__ import annotations

import re

from celltrail.errors import BadValue

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?\s*", re.IGNORECASE)
_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40}


def counted(count: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "run"), counted(2000, "run")
    ('1 run', '2,000 runs')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def sized(count: float) -> str:
    """A number of bytes in the unit that fits.

    >>> sized(999), sized(1500), sized(2.5e9)
    ('999 bytes', '1.5 KB', '2.5 GB')
    """
    for unit in ("bytes", "KB", "MB"):
        if count < 1000:
            return f"{count:.4g} {unit}"
        count /= 1000
    return f"{count:.4g} GB"


def bytes_in(size: str | float) -> int:
    """A size as a number of bytes.

    >>> bytes_in("2GB"), bytes_in("1.5 MiB"), bytes_in(1000)
    (2000000000, 1572864, 1000)
    """
    if isinstance(size, str):
        match = _SIZE.fullmatch(size)
        if not match:
            raise BadValue(f"{size!r} is no size: write 2GB, 500 MB, 1.5GiB or a number of bytes")
        return int(float(match[1]) * _UNITS[match[2].lower()])
    if not size >= 0:
        raise BadValue(f"{size!r} is no size: it must be 0 or more bytes")
    return int(size)
