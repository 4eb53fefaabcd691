"""Words: what of a run can be searched, and what a search asks of it.

A text is made into a line of words once, in Python; the index keeps that line and the scan without an index
reads it, so both give the same answers. A word is folded (case, accents); an identifier is found whole and
by its parts: ``trainStep`` by "trainstep", "train" and "step". Chinese, Japanese and Korean signs and
pictures are words by themselves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from celltrail.errors import CelltrailError
from celltrail.screen import folded

if TYPE_CHECKING:
    from celltrail.model import RunRecord
    from celltrail.store.blobs import Blobs

KINDS = ("name", "note", "code", "params", "error", "output")  # in the order hits are shown
MOST_BYTES = {"output": 512 << 10, "code": 256 << 10}  # of an output most may be a progress bar over and over
_MOST = 64 << 10
_LONGEST = 100  # characters of a word that count; nobody types more of a hash
_ALONE = "\u2190-\u2bff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U0001f000-\U0001faff\U00020000-\U0003134f"
_WORD = re.compile(rf"[{_ALONE}]|(?:(?![{_ALONE}])\w)+")
_ASCII_WORD = re.compile(r"[a-zA-Z0-9_]+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_FOREIGN_PART = re.compile(r"[^\W\d_]+|\d+")  # what is upper case elsewhere no class of `re` tells
_ASKED = re.compile(r'"([^"]*)"?(\*?)|(\S+)')


class Text(NamedTuple):
    """One text of a run; ``ref`` tells it from others of its kind: the digest of its blob or a number."""

    kind: str
    ref: str
    body: str


class Line(NamedTuple):
    """A text as words with a blank around each: all of them, and the parts of identifiers."""

    words: str
    parts: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand behind each other; with ``is_open`` the last one may go on.

    One that is an identifier may also be a part of a longer one: its own ``parts`` stand among the parts of that.
    """

    words: tuple[str, ...]
    is_open: bool = False
    parts: tuple[str, ...] = ()

    @property
    def needle(self) -> str:
        """What a line that has the phrase holds."""
        return self._line(self.words)

    def is_in(self, line: Line) -> bool:
        """Whether a text holds it."""
        if self.needle in line.words or self.needle in line.parts:
            return True
        return bool(self.parts) and self._line(self.parts) in line.parts

    @property
    def match(self) -> str:
        """The same for FTS5: in quotes, for bare it would read signs as its own language."""
        tail = "*" if self.is_open else ""
        whole = f'"{" ".join(self.words)}"{tail}'
        return f'({whole} OR parts : "{" ".join(self.parts)}"{tail})' if self.parts else whole

    def _line(self, words: tuple[str, ...]) -> str:
        return f" {' '.join(words)}{'' if self.is_open else ' '}"


@dataclass(frozen=True)
class Asked:
    """What is looked for: texts that hold every phrase, all of one kind where one is given."""

    phrases: tuple[Phrase, ...]
    kind: str | None = None

    def is_in(self, line: Line) -> bool:
        """Whether a text holds all of it."""
        return all(phrase.is_in(line) for phrase in self.phrases)

    @property
    def match(self) -> str:
        """The same for FTS5."""
        return " AND ".join(phrase.match for phrase in self.phrases)


def asked(text: str, kind: str | None = None) -> Asked:
    """The phrases of what somebody typed.

    Blanks separate what must all be in one text, in any order. What is written without blanks or within
    double quotes must stand there in this order: ``val-loss``, ``"learning rate"``. ``*`` at the end of a
    word leaves it open. A part of an identifier finds it: ``GradientBoosting`` is in
    ``HistGradientBoostingClassifier``. Without any word in it nothing is asked and no text matches: see
    `Asked.phrases`.

    >>> asked('os.path "Learning rate" cos*').match
    '"os path" AND "learning rate" AND "cos"*'
    >>> asked("oneCycle").match
    '("onecycle" OR parts : "one cycle")'
    """
    phrases: list[Phrase] = []
    for quoted, open_quote, bare in _ASKED.findall(text):
        is_open = bool(open_quote) or bare.endswith("*")
        found = _words(quoted or bare)
        if found:
            # only of a word by itself: in a text's line of parts the words without parts are missing
            parts = tuple(_understood(found[0])[1].split()) if len(found) == 1 else ()
            phrases.append(Phrase(tuple(map(_folded, found)), is_open, parts))
    return Asked(tuple(dict.fromkeys(phrases)), kind)


def line_of(text: str) -> Line:
    """A text as its words, and the parts of those that have some.

    >>> line_of("lr = OneCycleLR(trainStep)")
    Line(words=' lr onecyclelr trainstep ', parts=' one cycle lr train step ')
    """
    words: list[str] = []
    parts: list[str] = []
    for word in _words(text):
        folded, pieces = _understood(word)
        words.append(folded)
        if pieces:
            parts.append(pieces)
    return Line(f" {' '.join(words)} ", f" {' '.join(parts)} ")


def texts_of(record: RunRecord, blobs: Blobs) -> Iterator[Text]:
    """Every text of a run; one whose blob is lost or damaged is passed over."""
    yield Text("name", "", record.name)
    for number, note in enumerate(record.notes):
        yield Text("note", str(number), note[:_MOST])
    for comment in record.comments:
        yield Text("note", comment.id, comment.text[:_MOST])
    codes = [record.code, *(execution.code for execution in record.executions)]
    for digest in dict.fromkeys(code for code in codes if code):
        yield from _of_blob("code", digest, blobs)
    if record.params:
        lines = (f"{name} = {_shown(param.value)}" for name, param in record.params.items())
        yield Text("params", "", "\n".join(lines)[:_MOST])
    if record.error is not None:
        yield Text("error", "", str(record.error)[:_MOST])
        if record.error.traceback:
            yield from _of_blob("error", record.error.traceback, blobs)
    outputs = (output for execution in record.executions for output in execution.outputs if output.kind != "error")
    for digest in dict.fromkeys(digest for output in outputs if (digest := output.data.get("text/plain"))):
        yield from _of_blob("output", digest, blobs)


def text_of(record: RunRecord, kind: str, ref: str, blobs: Blobs) -> str:
    """The text of a hit, "" where it is gone meanwhile."""
    return next((text.body for text in texts_of(record, blobs) if (text.kind, text.ref) == (kind, ref)), "")


def places(text: str, wanted: Asked) -> list[tuple[int, int]]:
    """Where in a text the words that were asked for stand, in order; also as parts of identifiers."""
    whole = [(match.start(), match.end(), _folded(match[0])) for match in _matches(text)]
    pieces = [
        (match.start() + part.start(), match.start() + part.end(), _folded(part[0]))
        for match in _matches(text)
        if len(parts := list(_part_of(match[0]).finditer(match[0]))) > 1
        for part in parts
    ]
    lines = [
        (phrase, words, line)
        for phrase in wanted.phrases
        for words, line in ((phrase.words, whole), (phrase.words, pieces), (phrase.parts, pieces))
        if words
    ]
    return sorted({place for phrase, words, line in lines for place in _found(words, phrase.is_open, line)})


def _found(words: tuple[str, ...], is_open: bool, line: list[tuple[int, int, str]]) -> Iterator[tuple[int, int]]:
    size = len(words)
    for at in range(len(line) - size + 1):
        there = [word for _, _, word in line[at : at + size]]
        if is_open and there[-1].startswith(words[-1]):
            there[-1] = words[-1]
        if tuple(there) == words:
            yield line[at][0], line[at + size - 1][1]


def _of_blob(kind: str, digest: str, blobs: Blobs) -> Iterator[Text]:
    try:
        with blobs.open(digest) as file:
            data = file.read(MOST_BYTES.get(kind, _MOST))
    except (CelltrailError, OSError):
        return
    text = data.decode("utf-8", "replace")
    yield Text(kind, digest, text if kind == "code" else folded(text)[:_MOST])


def _shown(value: object) -> str:
    return value if isinstance(value, str) else repr(value)


def _matches(text: str) -> Iterator[re.Match[str]]:
    return (_ASCII_WORD if text.isascii() else _WORD).finditer(text)


def _words(text: str) -> list[str]:
    return (_ASCII_WORD if text.isascii() else _WORD).findall(text)


@lru_cache(maxsize=1 << 15)
def _understood(word: str) -> tuple[str, str]:
    """A word folded, and its parts where it has several; programs say the same words over and over."""
    parts = _part_of(word).findall(word)
    return _folded(word), " ".join(map(_folded, parts)) if len(parts) > 1 else ""


def _part_of(word: str) -> re.Pattern[str]:
    return _PART if word.isascii() else _FOREIGN_PART


def _folded(word: str) -> str:
    """Lower case, without accents, in ASCII: whatever SQLite takes for a letter, it then sees the same words."""
    if word.isascii():
        return word[:_LONGEST].lower()
    plain = unicodedata.normalize("NFKD", word.casefold()[:_LONGEST])
    return "".join(
        char if char.isascii() and (char.isalnum() or char == "_") else f"_{ord(char):x}_"
        for char in plain
        if not unicodedata.combining(char)
    )
