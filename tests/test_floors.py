"""The floors of the house: a module imports only from lower floors or inside its own folder."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "celltrail"
FLOORS = {
    "errors": 0,
    "contract": 0,
    "parsing": 0,
    "model": 1,
    "screen": 1,
    "stats": 1,
    "dataset": 2,
    "formats": 2,
    "store": 2,
    "run": 3,
    "query": 3,
    "compare": 4,
    "sweep": 4,
    "resources": 4,
    "bench": 4,
    "data": 4,
    "evaluate": 4,
    "registry": 4,
    "alerts": 4,
    "capture": 5,
    "panels": 6,
    "report": 6,
    "replay": 6,
    "magic": 7,
    "server": 7,
    "cli": 7,
    "__init__": 8,
    "plugins": 9,
    "wandb": 9,
}
OUTSIDE = {"plugins", "wandb"}  # through the door only, as anybody  # fmt: skip
BUILT = {"static", "labextension"}


def room(path: Path) -> str:
    """The room a file belongs to: its top folder or its own name."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return parts[0]


def imported_rooms(tree: ast.AST) -> set[str]:
    """Rooms named anywhere in a file: at the top, in a function, under TYPE_CHECKING."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            names.update(f"{node.module}.{alias.name}" if node.module == "celltrail" else f"{node.module}"
                         for alias in node.names)  # fmt: skip
    ours = [name.split(".") for name in names if name == "celltrail" or name.startswith("celltrail.")]
    return {parts[1] if len(parts) > 1 and parts[1] in FLOORS else "__init__" for parts in ours}


def broken(path: Path, text: str) -> list[str]:
    """What a file imports that its floor may not, as sentences."""
    here = room(path)
    faults = []
    for there in sorted(imported_rooms(ast.parse(text)) - {here}):
        if here in OUTSIDE and there != "__init__":
            faults.append(f"{path.name} ({here}) may import the door only, not {there}")
        elif FLOORS[there] >= FLOORS[here]:
            faults.append(f"{path.name} ({here}, floor {FLOORS[here]}) imports {there} (floor {FLOORS[there]})")
    return faults


def sources() -> list[Path]:
    return [path for path in SOURCE.rglob("*.py") if not BUILT & set(path.relative_to(SOURCE).parts)]


def test_every_room_has_a_floor():
    """A new room must be given its place before it is built."""
    unknown = {room(path) for path in sources()} - set(FLOORS) - {"__main__"}
    assert not unknown, f"no floor for {sorted(unknown)}; see the table in this file"


def test_imports_go_downward():
    """Lazy and type-checking imports count too: they are how every other tracker got its knot."""
    faults = [fault for path in sources() if room(path) != "__main__" for fault in broken(path, path.read_text())]
    assert not faults, "\n".join(faults)


def test_the_check_sees_what_it_must():
    """An upward, a sideways, a lazy import and a plug-in past the door are each found."""
    store, capture, plugin = SOURCE / "store/x.py", SOURCE / "capture/x.py", SOURCE / "plugins/x.py"
    assert broken(store, "from celltrail.run import Run")
    assert broken(SOURCE / "query/x.py", "def f():\n    from celltrail.run import Run")
    assert broken(capture, "from celltrail import magic")
    assert broken(plugin, "from celltrail.errors import NoRun")
    assert not broken(plugin, "import celltrail as ct")
    assert not broken(capture, "from celltrail.capture.outputs.tee import Tee\nfrom celltrail.run import start")
