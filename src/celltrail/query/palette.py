"""The colours of pictures and charts, one for each run, legible on white and on black."""

from __future__ import annotations

from collections.abc import Sequence

# Okabe and Ito's colours for colour-blind readers (jfly.uni-koeln.de/color), the light ones darkened to 3:1 on white
# and the dark ones lightened to 3:1 on black; the order is that of js/src/ui/theme.ts
PALETTE = ("#1a7fbf", "#d55e00", "#009e73", "#b8679b", "#b07d00", "#3f97c9", "#8a7f00", "#7f7f7f")
DISTINCT = 5  # of them, from the first, no two resemble each other


def run_colours(runs: Sequence[str]) -> dict[str, int]:
    """The palette index of each run, the same as in the live panel (``runColours`` in js/src/ui/theme.ts).

    It comes from the run's id (FNV-1a), so that a run keeps its colour from picture to picture while free.
    """
    colours: dict[str, int] = {}
    taken: set[int] = set()
    for run in dict.fromkeys(runs):
        if len(taken) == len(PALETTE):
            taken.clear()
        total = 2166136261
        for char in run:
            total = (total ^ ord(char)) * 16777619 & 0xFFFFFFFF
        index = total % DISTINCT
        while index in taken:
            # the hues that resemble another come when the distinct ones are used up
            index = (index + 1) % (DISTINCT if len(taken) < DISTINCT else len(PALETTE))
        taken.add(index)
        colours[run] = index
    return colours
