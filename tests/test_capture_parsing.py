"""Code is read beside a running cell, which notices nothing of it."""

from __future__ import annotations

import ast
import contextlib
import gc
import sys
import threading

import pytest

from celltrail.capture.parsing import parse

CODE = "\n".join(f"value_{n} = [each + {n} for each in range({n}) if each % 3]" for n in range(40))


@pytest.mark.parametrize("code", [CODE, f"{CODE}\nif:", "x = '\0'"], ids=["whole", "wrong at its end", "unreadable"])
@pytest.mark.parametrize("is_on", [True, False])
def test_a_cell_never_sees_its_collector_switched(code: str, is_on: bool) -> None:
    """However often another thread reads code meanwhile, also code that is wrong; on stays on and off stays off."""
    over, interval = threading.Event(), sys.getswitchinterval()

    def read() -> None:
        for _ in range(400):
            with contextlib.suppress(SyntaxError, ValueError):
                parse(code)
        over.set()

    (gc.enable if is_on else gc.disable)()
    sys.setswitchinterval(1e-6)  # as many chances to look as there can be
    reader = threading.Thread(target=read)
    try:
        reader.start()
        seen = set()
        while not over.is_set():
            seen.add(gc.isenabled())
        assert seen == {is_on}
    finally:
        reader.join()
        sys.setswitchinterval(interval)
        gc.enable()


def test_what_is_read_beside_a_cell_is_what_ast_reads() -> None:
    """The same tree, the same error."""
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(ast.dump(parse(CODE))))
    reader.start()
    reader.join()
    assert found == [ast.dump(ast.parse(CODE))]
