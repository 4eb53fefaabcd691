"""A slice as text: a notebook that starts with where it comes from, or a script."""

from __future__ import annotations

import re
from collections.abc import Sequence

from celltrail.capture.session.notebooks import code, notebook, words
from celltrail.capture.transform import read

Part = tuple[str, str, int | None]  # code, why it is here, the number in its brackets

_LOAD = "%load_ext celltrail"
_IMPORT = re.compile(r"^\s*(?:import|from) .*\bcelltrail\b", re.MULTILINE)
_TOLD = ("name", "tags", "resume", "fork", "seed")  # of a tracked cell, that a run is begun with as well


def notebook_of(title: str, parts: Sequence[Part]) -> str:
    """A notebook: a cell of words, one that loads the extension for ``%%track``, then a code cell for each part.

    >>> import json
    >>> told = json.loads(notebook_of("a run", [("x = 1", "for x (bound)", 3), ("%%track\\nx", "the run itself", 4)]))
    >>> [cell["source"] for cell in told["cells"][1:]]
    [['%load_ext celltrail'], ['x = 1'], ['%%track\\n', 'x']]
    """
    cells = [code(source, ran_as=count, reason=reason) for source, reason, count in parts]
    is_loaded = any(_LOAD in source for source, _, _ in parts)
    load = [] if is_loaded or not any(read(source) for source, _, _ in parts) else [code(_LOAD, reason="for %%track")]
    return notebook([words(_told(title)), *load, *cells])


def script_of(title: str, parts: Sequence[Part]) -> str:
    """A script in parts that editors know as cells; magics are calls of the shell, so it runs under IPython.

    Where the code itself speaks to celltrail, as by ``ct.log``, a tracked cell is a run of the script too.

    >>> print(script_of("a run", [("%%track base\\nx = 1", "the run itself", 3)]))
    # a run
    <BLANKLINE>
    # %% [3] the run itself
    # %%track base
    x = 1
    <BLANKLINE>
    """
    from IPython.core.inputtransformer2 import TransformerManager

    from celltrail.capture.transform import cleanup

    manager, speaks = TransformerManager(), any(_IMPORT.search(source) for source, _, _ in parts)
    texts = ["".join(f"# {line}\n" for line in title.splitlines())]
    for source, reason, count in parts:
        number = "" if count is None else f" [{count}]"
        plain = manager.transform_cell("".join(cleanup(source.splitlines(keepends=True))))
        texts.append(f"# %%{number} {reason}\n{_tracked(source, plain.rstrip()) if speaks else plain.rstrip()}\n")
    return "\n".join(texts)


def _tracked(source: str, plain: str) -> str:
    """The code of a tracked cell between the beginning and the end of a run; that of another as it is."""
    mark = read(source)
    if mark is None:
        return plain
    given = {name: value for name in _TOLD if (value := getattr(mark.arguments, name)) not in (None, ())}
    told = ", ".join(f"{name}={value!r}" for name, value in given.items())
    return f"import celltrail\n\n_tracked = celltrail.start({told})\n{plain}\n_tracked.finish()"


def _told(title: str) -> str:
    first, *rest = title.splitlines()
    return "\n".join([f"# {first}", "", *(f"- {line}" for line in rest)])
