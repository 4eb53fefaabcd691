"""Cells in the manner of public documentation, written for these tests: what a tracker must leave as it is.

Each entry of a page is a little notebook: its cells, in their order. `ours` is how one cell is marked.
"""

from __future__ import annotations

from corpus import ipython, language, libraries, system

CORPUS: dict[str, tuple[str, ...]] = {
    f"{page.__name__.rsplit('.', 1)[-1]}: {name}": (cells,) if isinstance(cells, str) else tuple(cells)
    for page in (language, ipython, system, libraries)
    for name, cells in page.CELLS.items()
}
