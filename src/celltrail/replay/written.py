"""A slice as text: a notebook that starts with where it comes from, or a script."""

from __future__ import annotations

from collections.abc import Iterable

from celltrail.capture.session.notebooks import code, notebook, words

Part = tuple[str, str, int | None]  # code, why it is here, the number in its brackets


def notebook_of(title: str, parts: Iterable[Part]) -> str:
    """A notebook: a cell of words, then a code cell for each part.

    >>> import json
    >>> json.loads(notebook_of("a run", [("x = 1", "for x (bound)", 3)]))["cells"][1]["source"]
    ['x = 1']
    """
    cells = [code(source, ran_as=count, reason=reason) for source, reason, count in parts]
    return notebook([words(_told(title)), *cells])


def script_of(title: str, parts: Iterable[Part]) -> str:
    """A script in parts that editors know as cells; magics are calls of the shell, so it runs under IPython.

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

    manager = TransformerManager()
    texts = ["".join(f"# {line}\n" for line in title.splitlines())]
    for source, reason, count in parts:
        number = "" if count is None else f" [{count}]"
        plain = manager.transform_cell("".join(cleanup(source.splitlines(keepends=True))))
        texts.append(f"# %%{number} {reason}\n{plain.rstrip()}\n")
    return "\n".join(texts)


def _told(title: str) -> str:
    first, *rest = title.splitlines()
    return "\n".join([f"# {first}", "", *(f"- {line}" for line in rest)])
