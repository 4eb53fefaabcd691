"""Folding: a text becomes what a terminal would have left standing of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from celltrail.screen import folded, is_folded

LAB = Path(__file__).parent.parent / "js/node_modules/@jupyterlab/outputarea/lib/model.js"


def typed(text: str) -> str:
    """A terminal as simple as can be: a list of lists of characters, one instruction after the other."""
    rows: list[list[str]] = [[]]
    row = column = 0
    for found in re.finditer(r"\x1b\[(\d*)([A-Z])|(.)", text, re.DOTALL):
        count, final, char = int(found[1] or 0), found[2], found[3]
        times = count or 1
        if char == "\n":
            row, column = row + 1, 0
            rows.extend([] for _ in range(row + 1 - len(rows)))
        elif char == "\r":
            column = 0
        elif char == "\b":
            column = max(0, column - 1)
        elif char is not None:
            rows[row].extend(" " * (column + 1 - len(rows[row])))
            rows[row][column] = char
            column += 1
        elif final in "AB":
            row = min(max(0, row + (times if final == "B" else -times)), len(rows) - 1)
        elif final in "CD":
            column = max(0, column + (times if final == "C" else -times))
        elif final == "G":
            column = times - 1
        elif final == "K" and count in (0, 2):
            del rows[row][column if count == 0 else 0 :]
        elif final == "K":
            rows[row][: column + 1] = " " * min(column + 1, len(rows[row]))
        elif final == "J":
            del rows[row][column:], rows[row + 1 :]
    return "\n".join("".join(row) for row in rows)


PIECES = [
    "a",
    "bc",
    "█",
    "\U0001d518",
    "\n",
    "\r",
    "\r\n",
    "\b",
    *(f"\x1b[{n}{c}" for n in ("", 1, 3) for c in "ABCDG"),
]
PIECES += ["\x1b[K", "\x1b[1K", "\x1b[2K", "\x1b[J"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
@settings(max_examples=600)
@example("one\ntwo\x1b[A\x1b[5Cx\n\x1b[1Ky")
def test_it_is_what_a_simple_terminal_shows(text: str) -> None:
    """Whatever moves, overwrites and erases, in whatever order; with colours kept the same."""
    assert folded(text) == folded(text, colour=True) == typed(text)
    assert is_folded(folded(text))


@given(
    st.lists(st.sampled_from(["a", "bcd", "█", "\n", "\r", "\x1b[1m", "\x1b[31;44m", "\x1b[0m", "\x1b[39m"])).map(
        "".join
    )
)
@settings(max_examples=300)
def test_colours_are_all_that_colour_adds(text: str) -> None:
    """Without its colours the coloured text is the plain one, it folds to itself, and every stretch is closed."""
    coloured = folded(text, colour=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == folded(text)
    assert folded(coloured, colour=True) == coloured
    assert all(line.count("\x1b[0m") * 2 == line.count("\x1b[") for line in coloured.split("\n"))


@given(st.text())
@settings(max_examples=300)
def test_any_text_is_understood(text: str) -> None:
    """Nothing raises, no control character is left, and a text without any stays as it is."""
    assert is_folded(folded(text))
    assert not re.search(r"[\x00-\x08\x0b-\x1a\x1c-\x1f]", folded(text, colour=True))
    if is_folded(text):
        assert folded(text) == text


@pytest.mark.skipif(not LAB.exists() or shutil.which("node") is None, reason="JupyterLab's own code is not here")
def test_carriage_returns_are_what_jupyterlab_shows(tmp_path: Path) -> None:
    """The oracle is JupyterLab's own function, for what it knows: line ends and carriage returns, and spinners."""
    code = LAB.read_text(encoding="utf-8")
    functions = code[code.index("function indexOfAny") : code.index("Private.processText = processText")]
    pieces = ["", "a", "bcd", "loss 0.5", "\n", "\r", "\r\n", "█"]
    texts = ["".join(pieces[(number // 8**place) % 8] for place in range(5)) for number in range(0, 8**5, 7)]
    texts += ["|\b/\b-\b\\", "50%\b\b\b60%", "a\n\b\bb"]
    script = tmp_path / "shown.cjs"
    script.write_text(
        f"{functions}\nconst texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));\n"
        "console.log(JSON.stringify(texts.map(text => processText(0, text).text)));",
        encoding="utf-8",
    )
    given = json.dumps(texts).encode()
    shown = json.loads(subprocess.run(["node", script], input=given, capture_output=True, check=True).stdout)
    assert [folded(text) for text in texts] == shown


BAR = "outer:   0%|     | 0/2\n\rinner:  50%\rinner: 100%\n\x1b[A\x1b[A\router: 100%|█████| 2/2\n\n"
RICH = "\x1b[?25lloading \x1b[32m━━━\x1b[0m  10%\r\x1b[2Kloading \x1b[32m━━━\x1b[0m 100%\n\x1b[?25h"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (BAR, "outer: 100%|█████| 2/2\ninner: 100%\n"),
        (RICH, "loading ━━━ 100%\n"),
        ("1/9 \x1b[1m━\x1b[0m\b\b\b\b\b\r9/9 ━━━━\n", "9/9 ━━━━\n"),
        ("\x1b]8;;https://a.b\x1b\\link\x1b]8;;\x1b\\ and \x1b]0;title\x07text", "link and text"),
        ("old\nlines\n\x1b[H\x1b[2Jnew", "new"),
        ("old\nlines\n\x1b[3;J\x1bcnew", "new"),
        ("a\x1b7bc\x1b8X", "aXc"),
        ("a\x1b[sbc\x1b[uX", "aXc"),
        ("cut \x1b[38;5", "cut "),
        ("cut \x1b", "cut "),
        ("bell\x07 null\x00 tab\t.", "bell null tab\t."),
        ("a\x0bb", "a\n b"),
        ("one\ntwo\nthree\x1b[FTWO\x1b[EThree", "one\nTWO\nThree"),
    ],
)
def test_what_programs_print(text: str, shown: str) -> None:
    """Nested bars, bars of rich and keras, links, titles, screens that are cleared, sequences that were cut."""
    assert folded(text) == shown


def test_colours_in_short() -> None:
    """However a colour came about, a stretch has one sequence with what is in force."""
    assert folded("\x1b[1m\x1b[31mred\x1b[22m thin\x1b[m", colour=True) == "\x1b[1;31mred\x1b[0m\x1b[31m thin\x1b[0m"
    assert folded("\x1b[38;2;1;2;300mx", colour=True) == "\x1b[38;2;1;2;255mx\x1b[0m"
    assert folded("\x1b[38;5mx\x1b[38my", colour=True) == "xy"


HOSTILE = [
    "\ra",
    "a\b",
    "\x1b[A\x1b[9999Cx\n",
    "\x1b[1Kx",
    "\n\r",
    "\x1b]8;",
    "\x1b[",
    "\x1b[1;38;2;1;2;3mx",
    "\r",
    "\x1b7\n\x1b8",
]


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("colour", [False, True])
def test_time_and_size_grow_with_the_length_alone(unit: str, colour: bool) -> None:
    """Twice of it takes about twice as long, behind a line of any length, and jumps make no text out of nothing."""

    def taken(times: int) -> float:
        text = "y" * 50 * times + "\r\b" + unit * times
        begun = time.process_time()
        size = len(folded(text, colour=colour))
        assert size <= 4 * len(text) + 20_000
        return time.process_time() - begun

    taken(100)
    small, large = taken(5_000), taken(40_000)
    assert large < 0.2 + 8 * 4 * small
