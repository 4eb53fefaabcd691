"""Executes a notebook in a real kernel, a line of progress for each cell: ``python execute.py NOTEBOOK FOLDER``.

The executed copy and whatever the cells write go to FOLDER. Cells tagged ``raises-exception`` may raise; any other
exception ends the execution, with what was executed so far kept, and the exit status is 1.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError


class Progress:
    """Says which cell runs, how long it took and whether it raised."""

    def __init__(self, cells: int) -> None:
        self.cells = cells
        self.began = 0.0

    def start(self, cell: Any, cell_index: int) -> None:
        """Before a code cell: its place and its first line."""
        self.began = time.monotonic()
        first = next((line for line in cell["source"].splitlines() if line.strip()), "")
        print(f"  cell {cell_index + 1:>2} of {self.cells}  {first[:64]:<64}", end=" ", flush=True)

    def end(self, cell: Any, cell_index: int, execute_reply: dict[str, Any]) -> None:
        """After it: seconds, and the exception if it raised one."""
        content = execute_reply["content"]
        raised = f"  {content['ename']}" if content["status"] == "error" else ""
        if raised and "raises-exception" in cell["metadata"].get("tags", []):
            raised += ", on purpose"
        print(f"{time.monotonic() - self.began:5.1f} s{raised}", flush=True)


def execute(source: Path, folder: Path) -> Path:
    """Execute the notebook with FOLDER as its working directory and write the executed copy there."""
    notebook = nbformat.read(source, as_version=4)
    progress = Progress(len(notebook.cells))
    client = NotebookClient(
        notebook,
        timeout=300,
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,  # a saved panel needs none, and it would triple the file
        on_cell_execute=progress.start,
        on_cell_executed=progress.end,
    )
    target = folder / source.name
    try:
        client.execute()
    finally:
        nbformat.write(notebook, target)
    return target


def main() -> int:
    """The command line; 0 when the whole notebook ran."""
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    print(f"executing {source}", flush=True)
    try:
        target = execute(source, folder)
    except CellExecutionError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(f"wrote {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
