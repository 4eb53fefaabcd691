"""Patterns of `matches` that cannot hold up a question for ever.

Python's ``re`` goes back and tries again: ``(a+)+b`` takes twice as long for each further "a", and cannot
be stopped. So a part that repeats may not hold a repetition or an unclear choice of its own, at most four
parts repeat, and the more of them there are, the shorter the beginning of a text that is searched: 20,000
characters for one, 1,000 for two, 256 for three, 128 for four; ``^`` in front counts as one less. The worst
pattern on the worst text then takes about two seconds.
Source: R. Cox, "Regular Expression Matching Can Be Simple And Fast", 2007.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from typing import NamedTuple

# characters of a text that are searched, by how often every one of them may be tried again
LONGEST = (10_000_000, 10_000_000, 20_000, 1_000, 256, 128)
MOST_OPEN = 4

_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_REPEAT = re.compile(r"(?:[*+?]|\{(\d*)(,?)(\d*)\})[?+]?")


class Pattern(NamedTuple):
    """A pattern that is safe to search for in so many characters."""

    regex: re.Pattern[str]
    longest: int

    def is_in(self, text: str) -> bool:
        """Whether it occurs in the beginning of the text."""
        return self.regex.search(text, 0, self.longest) is not None


class PatternProblem(Exception):
    """Why a pattern is not taken, and what to write instead."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(slots=True)
class _Group:
    start: int
    varies: bool = False  # holds a repetition or an optional part
    firsts: list[str] = field(default_factory=lambda: [""])  # how each of its choices begins


def compile_pattern(text: str) -> Pattern:
    """The pattern; raises `PatternProblem`.

    >>> compile_pattern(r"^resnet-?[0-9]+$").is_in("resnet50")
    True
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # about [[, which means what it always meant
            regex = re.compile(text)
    except (re.error, RecursionError, OverflowError) as problem:
        raise PatternProblem(f"the pattern cannot be read: {problem}") from None
    repetitions = _count_open(text)
    if repetitions > MOST_OPEN:
        raise PatternProblem(
            f"the pattern repeats {repetitions} parts, {MOST_OPEN} are allowed",
            "join conditions with and: matches(name, ...) and matches(name, ...)",
        )
    return Pattern(regex, LONGEST[repetitions + (not text.startswith(("^", r"\A")))])


def _count_open(text: str) -> int:
    """How many parts repeat without a small limit; the pattern is known to be valid."""
    groups = [_Group(0)]
    closed: _Group | None = None  # the group that ends right before
    start, place, count = 0, 0, 0
    while place < len(text):
        repeat = _REPEAT.match(text, place)
        if repeat and place and _is_repeat(repeat):
            most = _most(repeat)
            if most > 1 and closed and (closed.varies or not _differ(closed.firsts)):
                shown = text[closed.start : repeat.end()]
                raise PatternProblem(
                    f"{shown} repeats a part that can be read in several ways, which may take for ever",
                    r"write it with one repetition, such as [\w.]+ for (\w+\.?)+",
                )
            groups[-1].varies |= not repeat[0].startswith("{") or bool(repeat[2])
            count += most > 20
            place, closed = repeat.end(), None
            continue
        start, atom = place, _ATOM.match(text, place)
        closed = None
        place = atom.end() if atom else place + 1
        sign = text[start:place]
        if sign == "(":
            place = _after_opening(text, place)
            groups.append(_Group(start))
        elif sign == ")" and len(groups) > 1:
            closed = groups.pop()
            groups[-1].varies |= closed.varies or len(closed.firsts) > 1
        elif sign == "|":
            groups[-1].firsts.append("")
        elif not groups[-1].firsts[-1]:
            groups[-1].firsts[-1] = sign
    return count


def _after_opening(text: str, place: int) -> int:
    """Behind ``(?:``, ``(?P<name>``, ``(?=`` and the like."""
    opening = re.compile(r"\?(?:P?<\w+>|P=\w+|[:=!>]|<[=!]|[aiLmsux-]*:?)").match(text, place)
    return opening.end() if opening else place


def _is_repeat(repeat: re.Match[str]) -> bool:
    """``{`` without a number in it is just a sign."""
    return not repeat[0].startswith("{") or bool(repeat[1] or repeat[3])


def _most(repeat: re.Match[str]) -> float:
    if repeat[0][0] == "?":
        return 1
    if repeat[0][0] in "*+":
        return float("inf")
    return float(repeat[3] or ("inf" if repeat[2] else repeat[1]))


def _differ(firsts: list[str]) -> bool:
    """Whether the first sign tells which choice is meant."""
    return len(firsts) == 1 or (all(sign.isalnum() for sign in firsts) and len(set(firsts)) == len(firsts))
