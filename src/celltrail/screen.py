"""What a terminal shows of a text: what `\\r`, `\\b` and escape sequences move, overwrite and erase is done.

A progress bar prints itself a thousand times; of all that a reader wants the line that was left standing.
Followed are the controls that programs use to draw over what they printed (ECMA-48: CUU to CUP, ED, EL; DECSC and
DECRC), on a screen without a right edge. Colours stay on request, everything else that is no text goes.

Where JupyterLab differs from a terminal (a `\\b` deletes there, a cursor never goes up), this is the terminal.
Time and memory grow with the length of the text alone, whatever is in it.
Source: https://ecma-international.org/publications-and-standards/standards/ecma-48/
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_OTHER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_PAINT = re.compile(r"\x1b\[[0-9;:]*m")
_TOKEN = re.compile(
    r"\x1b\[([0-?]*+)[ -/]*+([@-~])?"  # a control sequence; one that was cut is none
    r"|\x1b\][^\x07\x1b]*+(?:\x07|\x1b\\)"  # links and titles
    r"|\x1b([78cDEM])?"
    r"|(\x08+)"
    r"|([^\x00-\x08\x0b-\x1f\x7f-\x9f]+)"
    r"|[\r\x0b\x0c]|[\x00-\x1f\x7f-\x9f]+?"
)
_HIGH = 24  # rows of the screen that a program believes in where there is none: shutil.get_terminal_size
_REACH = 1000  # rows a cursor may go up; what is above is settled
_FARTHEST = 10_000  # columns a cursor may jump to


def folded(text: str, *, colour: bool = False) -> str:
    r"""The text as it stood on the screen when all of it was printed.

    Args:
        text: what was printed.
        colour: keep colours and weights, each stretch as one SGR sequence; otherwise they go, too.

    >>> folded("10 %\r50 %\r100 %\n|\b/\b-\n")
    '100 %\n-\n'
    >>> folded("first\nsecond\x1b[A\r\x1b[Kdone\n")
    'done\nsecond'
    """
    if not colour:
        text = _PAINT.sub("", text)
    if not _CONTROL.search(text):
        return text
    screen = _Screen(len(text), colour)
    begin = 0
    while (end := text.find("\n", begin)) >= 0:
        screen.print(text[begin:end])
        screen.feed()
        begin = end + 1
    screen.print(text[begin:])
    return screen.text()


def is_folded(text: str) -> bool:
    r"""Whether a text is as it would stand on a screen.

    >>> is_folded("done\n"), is_folded("\rdone")
    (True, False)
    """
    return not _CONTROL.search(text)


class _Row:
    """A line that something was written over: four bytes for each character, and how each is painted."""

    __slots__ = ("cells", "paints")

    def __init__(self, text: str, colour: bool) -> None:
        self.cells = bytearray(_encoded(text))
        self.paints = array("I", bytes(len(self.cells))) if colour else None

    def __len__(self) -> int:
        return len(self.cells) // 4

    def put(self, column: int, text: str, paint: int) -> None:
        """Write over what stands there."""
        self.cells[4 * column : 4 * (column + len(text))] = _encoded(text)
        if self.paints is not None:
            self.paints[column : column + len(text)] = array("I", [paint]) * len(text)

    def cut(self, column: int) -> None:
        """Erase from a column on."""
        del self.cells[4 * column :]
        if self.paints is not None:
            del self.paints[column:]

    def text(self, styles: list[str]) -> str:
        """The line, each painted stretch between its sequence and a reset."""
        text = bytes(self.cells).decode("utf-32-le", "surrogatepass")
        if self.paints is None or not any(self.paints):
            return text
        found: list[str] = []
        begin = 0
        for end in range(1, len(text) + 1):
            if end == len(text) or self.paints[end] != self.paints[begin]:
                style, piece = styles[self.paints[begin]], text[begin:end]
                found.append(f"\x1b[{style}m{piece}\x1b[0m" if style else piece)
                begin = end
        return "".join(found)


class _Screen:
    """Rows, a cursor, and the colour in force. Rows far above the cursor are settled, as text."""

    def __init__(self, size: int, colour: bool) -> None:
        self._settled: list[str] = []
        self._rows: list[str | _Row] = [""]
        self._row = self._column = 0
        self._saved = (0, 0)
        self._spare = size + _FARTHEST  # blanks that a short sequence may make
        self._colour = colour
        self._style: dict[str, str] = {}
        self._styles, self._numbers = [""], {"": 0}
        self._paint = 0

    def print(self, line: str) -> None:
        """A text without line ends."""
        is_new = self._row == len(self._rows) - 1 and not self._column and not len(self._rows[-1])
        if is_new and not self._paint and not _OTHER.search(line):
            self._rows[-1] = _overwritten(line)
            return
        for token in _TOKEN.finditer(line):
            argument, final, short, back, text = token.groups()
            if text is not None:
                self._write(text)
            elif back is not None:
                self._column = max(0, self._column - len(back))
            elif final is not None:
                self._obey(argument, final)
            elif short is not None:
                self._obey_short(short)
            elif token[0] == "\r":
                self._column = 0
            elif token[0] in "\v\f":
                self._down()

    def feed(self) -> None:
        """A line end: below, and to the left."""
        self._down()
        self._column = 0

    def text(self) -> str:
        """Everything, from the first row to the last."""
        return "\n".join([*self._settled, *map(self._text_of, self._rows)])

    def _text_of(self, row: str | _Row) -> str:
        return row if isinstance(row, str) else row.text(self._styles)

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self._rows):
            self._rows.append("")
            if self._row == 2 * _REACH:
                self._settled.append("\n".join(map(self._text_of, self._rows[:_REACH])))
                del self._rows[:_REACH]
                self._row -= _REACH
                self._saved = (max(0, self._saved[0] - _REACH), self._saved[1])

    def _open(self) -> _Row:
        row = self._rows[self._row]
        if isinstance(row, str):
            row = self._rows[self._row] = _Row(row, self._colour)
        return row

    def _write(self, text: str) -> None:
        row = self._open()
        gap = self._column - len(row)
        if gap > 0:
            gap = min(gap, self._spare)
            self._spare -= gap
            row.put(len(row), " " * gap, 0)
            self._column = len(row)
        row.put(self._column, text, self._paint)
        self._column += len(text)

    def _obey(self, argument: str, final: str) -> None:
        if final == "m":
            if self._colour:
                self._repaint(argument)
        elif (command := _COMMANDS.get(final)) and not argument.startswith(("<", "=", ">", "?")):
            command(self, [_number(part) for part in argument.split(";", 2)[:2]])

    def _obey_short(self, letter: str) -> None:
        if letter == "7":
            self._saved = (self._row, self._column)
        elif letter == "8":
            self._row, self._column = min(self._saved[0], len(self._rows) - 1), self._saved[1]
        elif letter == "M":
            self._row = max(0, self._row - 1)
        elif letter == "c":
            self._clear()
        else:
            self._down()
            self._column = 0 if letter == "E" else self._column

    def _clear(self) -> None:
        self._settled.clear()
        self._rows.clear()
        self._rows.append("")
        self._row = self._column = 0

    def _move(self, rows: int, column: int | None = None) -> None:
        self._row = min(max(0, self._row + rows), len(self._rows) - 1)
        if column is not None:
            self._column = min(max(0, column), max(_FARTHEST, len(self._rows[self._row])))

    def _place(self, row: int, column: int) -> None:
        top = max(0, len(self._rows) - _HIGH)
        self._move(top + row - 1 - self._row, column - 1)

    def _erase_line(self, how: int) -> None:
        row = self._open()
        if how == 0:
            row.cut(self._column)
        elif how == 1:
            width = min(self._column + 1, len(row), self._spare)
            self._spare -= width
            row.put(0, " " * width, 0)
        elif how == 2:
            row.cut(0)

    def _erase(self, how: int) -> None:
        if how == 0:
            self._erase_line(0)
            del self._rows[self._row + 1 :]
        elif how in (2, 3):
            self._clear()

    def _repaint(self, argument: str) -> None:
        _restyle(self._style, argument)
        style = ";".join(self._style.values())
        if style not in self._numbers:
            self._numbers[style] = len(self._styles)
            self._styles.append(style)
        self._paint = self._numbers[style]


_Numbers = list[int | None]
_COMMANDS: dict[str, Callable[[_Screen, _Numbers], None]] = {
    "A": lambda screen, n: screen._move(-(n[0] or 1)),
    "B": lambda screen, n: screen._move(n[0] or 1),
    "C": lambda screen, n: screen._move(0, screen._column + (n[0] or 1)),
    "D": lambda screen, n: screen._move(0, screen._column - (n[0] or 1)),
    "E": lambda screen, n: screen._move(n[0] or 1, 0),
    "F": lambda screen, n: screen._move(-(n[0] or 1), 0),
    "G": lambda screen, n: screen._move(0, (n[0] or 1) - 1),
    "H": lambda screen, n: screen._place(n[0] or 1, (n[1] if len(n) > 1 else 1) or 1),
    "f": lambda screen, n: screen._place(n[0] or 1, (n[1] if len(n) > 1 else 1) or 1),
    "J": lambda screen, n: screen._erase(n[0] or 0),
    "K": lambda screen, n: screen._erase_line(n[0] or 0),
    "s": lambda screen, n: screen._obey_short("7"),
    "u": lambda screen, n: screen._obey_short("8"),
}


def _encoded(text: str) -> bytes:
    return text.encode("utf-32-le", "surrogatepass")


def _number(text: str) -> int | None:
    return min(int(text[:9]), 1_000_000) if text.isdecimal() else None


def _overwritten(line: str) -> str:
    """What is left of a line whose only controls are carriage returns: from the last text to the first, what shows."""
    shown, end = "", len(line)
    while end >= 0:
        begin = line.rfind("\r", 0, end) + 1
        if end - begin > len(shown):
            shown += line[begin + len(shown) : end]
        end = begin - 1
    return shown


def _restyle(style: dict[str, str], argument: str) -> None:
    """Bring the attributes in force up to date with one SGR sequence."""
    codes = iter(re.split("[;:]", argument))
    for code in codes:
        number = _number(code) or 0
        if number == 0:
            style.clear()
        elif number in _ENDS:
            for attribute in _ENDS[number]:
                style.pop(attribute, None)
        elif number in (38, 48):
            if colour := _chosen(codes):
                style["fore" if number == 38 else "back"] = f"{number};{colour}"
        elif 30 <= number <= 37 or 90 <= number <= 97:
            style["fore"] = str(number)
        elif 40 <= number <= 47 or 100 <= number <= 107:
            style["back"] = str(number)
        elif number <= 9:
            style[str(number)] = str(number)


_ENDS = {
    22: ("1", "2"),
    23: ("3",),
    24: ("4",),
    25: ("5", "6"),
    27: ("7",),
    28: ("8",),
    29: ("9",),
    39: ("fore",),
    49: ("back",),
}


def _chosen(codes: Iterable[str]) -> str:
    """The colour after 38 or 48: one of 256, or red, green and blue."""
    codes = iter(codes)
    kind = next(codes, "")
    wanted = {"5": 1, "2": 3}.get(kind, 0)
    parts = [str(min(_number(part) or 0, 255)) for _, part in zip(range(wanted), codes, strict=False)]
    return ";".join([kind, *parts]) if wanted and len(parts) == wanted else ""
