"""Code is read beside a running cell, which notices nothing of it."""

from __future__ import annotations

import ast
import subprocess
import sys
import threading

import pytest

from celltrail.capture.analyze.parsing import parse

CODE = "\n".join(f"value_{n} = [each + {n} for each in range({n}) if each % 3]" for n in range(40))

# in a process of its own: an audit hook written in Python, which other tests install, lets threads in anywhere
WATCHED = """
import contextlib, gc, sys, threading
from celltrail.capture.analyze.parsing import parse

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
