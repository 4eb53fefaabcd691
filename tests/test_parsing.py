"""Code is read beside a running cell, which notices nothing of it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import celltrail
from celltrail.parsing import parse, parse_expression

CODE = "\n".join(f"value_{n} = [each + {n} for each in range({n}) if each % 3]" for n in range(40))

# in a process of its own: an audit hook written in Python, which other tests install, lets threads in anywhere
WATCHED = """
import contextlib, gc, sys, threading
from celltrail.parsing import parse

code, is_on = sys.stdin.read(), sys.argv[1] == "on"
over, looks = threading.Event(), []

def read():
    times = 0
    while times < 400 or len(looks) < 1000:  # what cannot be read is given up before anybody looked
        times += 1
        with contextlib.suppress(SyntaxError, ValueError):
            parse(code)
    over.set()

(gc.enable if is_on else gc.disable)()
sys.setswitchinterval(1e-6)  # as many chances to look as there can be
threading.Thread(target=read).start()
while not over.is_set():
    looks.append(gc.isenabled())
print(set(looks))
"""


@pytest.mark.parametrize("code", [CODE, f"{CODE}\nif:", "x = '\0'"], ids=["whole", "wrong at its end", "unreadable"])
@pytest.mark.parametrize("state", ["on", "off"])
def test_a_cell_never_sees_its_collector_switched(code: str, state: str) -> None:
    """However often another thread reads code meanwhile, also code that is wrong; on stays on and off stays off."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, state], input=code, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == str({state == "on"})


def test_what_is_read_beside_a_cell_is_what_ast_reads() -> None:
    """The same tree, the same error."""
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(ast.dump(parse(CODE))))
    reader.start()
    reader.join()
    assert found == [ast.dump(ast.parse(CODE))]


def test_an_expression_is_read_beside_a_cell_as_by_ast() -> None:
    """What the recorder asks the trail on a thread of its own; a fault has its place."""
    found: list[object] = []

    def read() -> None:
        found.append(ast.dump(parse_expression("best('val/acc') > 0.9")))
        with pytest.raises(SyntaxError) as fault:
            parse_expression("loss <")
        found.append((fault.value.lineno, fault.value.offset, fault.value.msg))

    reader = threading.Thread(target=read)
    reader.start()
    reader.join()
    with pytest.raises(SyntaxError) as fault:
        ast.parse("loss <", mode="eval")
    expected = ast.dump(ast.parse("best('val/acc') > 0.9", mode="eval").body)
    assert found == [expected, (fault.value.lineno, fault.value.offset, fault.value.msg)]


def test_nothing_else_converts_code() -> None:
    """Whatever thread it may come to run on."""
    source = Path(celltrail.__file__).parent
    calls = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r"\bast\.parse\(|PyCF_ONLY_AST", line.partition("#")[0])
        and not line.lstrip().startswith((">>>", "..."))
    }
    assert calls == {"parsing.py"}
