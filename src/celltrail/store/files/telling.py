"""Numbers as they are told to people."""

from __future__ import annotations


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
