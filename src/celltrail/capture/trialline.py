"""The ``%%track`` line of one trial, made from that of its sweep."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from celltrail.capture.arguments import parse

_OF_SWEEPS = ("--sweep", "--metric", "--stop")


def trial_line(line: str, name: str, group: str, seed: int | None) -> str:
    """The words of a trial, from those of its sweep.

    Args:
        line: behind ``%%track``.
        name: of the trial.
        group: of all trials.
        seed: that it begins with.

    >>> trial_line("mlp --sweep lr=1e-3,1e-2 seed=0..4 -t a", "lr=0.001 seed=0", "mlp", 0)
    "'lr=0.001 seed=0' -t a --group mlp --if-same off --seed 0"
    """
    kept: list[str] = []
    words, own = shlex.split(line), parse(line).name
    waiting = iter(words)
    is_axis = False
    for word in waiting:
        option, sign, _ = word.partition("=")
        if option in _OF_SWEEPS:
            is_axis = option == "--sweep"
            if not is_axis and not sign:
                next(waiting, None)
            continue
        is_axis = is_axis and not word.startswith("-")
        if not is_axis:
            kept.append(word)
    if own is not None:
        # the word that is the name and belongs to no option
        kept.pop(next(at for at, word in enumerate(kept) if word == own and _is_free(kept, at)))
    same = [] if "--if-same" in (word.partition("=")[0] for word in kept) else ["--if-same", "off"]
    return shlex.join([name, *kept, "--group", group, *same, *(["--seed", str(seed)] if seed is not None else [])])


def _is_free(words: Sequence[str], at: int) -> bool:
    return parse(shlex.join([*words[:at], *words[at + 1 :]])).name is None
