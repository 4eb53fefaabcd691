"""The text of an expression before it is parsed: backquoted names, brackets, and places in it.

Every change keeps the number of characters, so that a place in the parsed text is a place in the text
the user wrote.
"""

from __future__ import annotations

import ast
import re

from celltrail.errors import QueryError
from celltrail.parsing import parse_expression
from celltrail.query.words import seconds_of

MAX_LENGTH = 4_000
MAX_DEPTH = 50

_QUOTE = re.compile(r"'''|\"\"\"|'|\"")
_SPAN = re.compile(r"\b\d+(\.\d+)?[a-z]+\b")
_FOREIGN = {
    "&&": "write and",
    "||": "write or",
    "<>": "write !=",
    "!": "write not, or != for different",
    "#": "there are no comments here",
    ";": "one expression at a time",
    "\\": "a backslash belongs inside quotes",
}


class Source:
    """An expression, made ready for `ast.parse`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.quoted: dict[tuple[int, int], str] = {}  # place of a backquoted name -> the name
        self._shift = len(text) - len(text.lstrip())  # the parser takes leading blanks for indentation
        if len(text) > MAX_LENGTH:
            self.text = f"{text[:60]} ..."
            raise self.error(0, 60, f"the expression has {len(text):,} characters, {MAX_LENGTH:,} are allowed")
        if "\0" in text:
            raise self.error(text.index("\0"), text.index("\0") + 1, "a NUL character cannot be read")
        self.plain = self._without_backquotes()
        self._lead = self.plain[self._shift :]
        encoded = self._lead.encode("utf-8", "surrogatepass")
        self._bytes = None if len(encoded) == len(self._lead) else encoded

    def error(self, start: int, end: int, message: str, hint: str = "") -> QueryError:
        """A `QueryError` about these characters."""
        return QueryError(self.text, start, end, message, hint)

    def parse(self) -> ast.expr:
        """The expression by Python's grammar."""
        if not self._lead:
            raise self.error(0, 0, "the expression is empty")
        try:
            return parse_expression(self._lead)
        except SyntaxError as problem:
            raise self._syntax_error(problem) from None
        except (MemoryError, RecursionError, ValueError):
            raise self.error(0, len(self.text), "the expression is nested too deeply or holds odd characters") from None

    def place(self, node: ast.expr) -> tuple[int, int]:
        """Where the node stands, in characters of the text."""
        return self.offset(node.col_offset), self.offset(node.end_col_offset or node.col_offset)

    def offset(self, column: int) -> int:
        """The character of a column; `ast` counts UTF-8 bytes."""
        if self._bytes is not None:
            column = len(self._bytes[:column].decode("utf-8", "surrogatepass"))
        return column + self._shift

    def _syntax_error(self, problem: SyntaxError) -> QueryError:
        offset = problem.offset or len(self._lead) + 1  # 0 is what the parser says of the end of the text
        start = min(max(offset - 1 + self._shift, 0), len(self.text))
        end = max((problem.end_offset or 0) - 1 + self._shift, start + 1)
        lone = re.compile(r"(?<![=!<>])=(?!=)").search(self.plain, max(0, start - 1))
        if lone and lone.start() <= end:
            return self.error(lone.start(), lone.end(), "'=' does not compare", "write == to compare")
        span = next((each for each in _SPAN.finditer(self.plain) if each.start() <= end and start <= each.end()), None)
        if span and seconds_of(span[0]) is not None:
            return self.error(*span.span(), f"{span[0]} needs quotes", f'a duration is written "{span[0]}"')
        word = re.compile(r"\b(AND|OR|NOT|IN|IS)\b").search(self.plain)
        if word:
            return self.error(*word.span(), f"{word[0]} is not known here", f"write {word[0].lower()}")
        if "was never closed" in problem.msg:
            return self.error(start, start + 1, f"{self.text[start]!r} is opened here and never closed")
        if start >= len(self.text.rstrip()):
            return self.error(len(self.text), len(self.text), "the expression ends too early")
        return self.error(start, min(end, len(self.text)), "this cannot be read as an expression")

    def _without_backquotes(self) -> str:
        pieces: list[str] = []
        place, depth = 0, 0
        text = self.text
        while place < len(text):
            char = text[place]
            if char in "'\"":
                end = self._string_end(place)
                pieces.append(text[place:end])
                place = end
                continue
            if char == "`":
                end = self._name_end(place)
                pieces.append("_" * (end - place))
                place = end
                continue
            depth += (char in "([{") - (char in ")]}")
            if depth > MAX_DEPTH:
                raise self.error(place, place + 1, f"brackets are nested deeper than {MAX_DEPTH}")
            self._refuse_foreign(place)
            # a long expression may be written over several lines
            pieces.append(" " if char in "\r\n\t\f" else char)
            place += 1
        return "".join(pieces)

    def _refuse_foreign(self, place: int) -> None:
        for sign, hint in _FOREIGN.items():
            if self.text.startswith(sign, place) and not self.text.startswith("!=", place):
                raise self.error(place, place + len(sign), f"{sign!r} is not known here", hint)
        if not self.text[place].isprintable() and not self.text[place].isspace():
            raise self.error(place, place + 1, f"the character {self.text[place]!r} belongs inside quotes")

    def _string_end(self, start: int) -> int:
        match = _QUOTE.match(self.text, start)
        quote = match[0] if match else self.text[start]
        if self.text.startswith(quote[0] * 2, start) and len(quote) == 1:
            return start + 2
        place = start + len(quote)
        while place < len(self.text):
            if self.text[place] == "\\":
                place += 2
            elif self.text.startswith(quote, place):
                return place + len(quote)
            else:
                place += 1
        raise self.error(start, len(self.text), "a quote is opened here and never closed")

    def _name_end(self, start: int) -> int:
        end = self.text.find("`", start + 1)
        if end < 0:
            raise self.error(start, len(self.text), "a backquote is opened here and never closed")
        if end == start + 1:
            raise self.error(start, end + 1, "there is no name between the backquotes")
        before, after = self.text[start - 1 : start], self.text[end + 1 : end + 2]
        if before.isalnum() or before in {"_", "`"} or after.isalnum() or after in {"_", "`"}:
            raise self.error(start, end + 1, "a backquoted name stands alone", "example: `val/acc` > 0.9")
        self.quoted[start, end + 1] = self.text[start + 1 : end]
        return end + 1
