"""``celltrail doctor x.ipynb``: the panels saved in notebook files, with no Jupyter at hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from celltrail.cli import terminal
from celltrail.errors import BadValue
from celltrail.store import Store, places
from celltrail.store import root as trail
from celltrail.store.files import disk
from celltrail.store.files.telling import counted

if TYPE_CHECKING:
    from celltrail.panels.notebooks import Finding


def run(files: Sequence[Path], store: Path | None, *, is_repair: bool, as_json: bool) -> int:
    """Print what was found in each file; 1 when anything is or was wrong."""
    found = {path: _examined(path, store, is_repair=is_repair) for path in files}
    if as_json:
        terminal.print_json(
            [
                {"notebook": str(path), "cell": each.cell, "kind": each.kind, "title": each.title,
                 "verdict": each.verdict, "said": each.said, "repairable": each.mends is not None}
                for path, findings in found.items() for each in findings
            ]
        )  # fmt: skip
    else:
        print("\n".join(_told(path, findings, is_repair=is_repair) for path, findings in found.items()))
    return int(any(each.is_wrong for findings in found.values() for each in findings))


def _examined(path: Path, named: Path | None, *, is_repair: bool) -> list[Finding]:
    from celltrail.panels.notebooks import examine  # no other command loads panels

    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or "it is no JSON"
        raise BadValue(f"{path.name} cannot be read as a notebook: {why}") from None
    found = list(examine(content, _reach(path, named)))
    mended = [(finding, output) for finding, output in found if is_repair and finding.mends is not None]
    for finding, output in mended:
        output["data"] = finding.mends
    if mended:  # as Jupyter writes it
        disk.replace_whole(
            path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode(), path.stat().st_mode & 0o777
        )
    return [finding for finding, _ in found]


def _reach(path: Path, named: Path | None) -> Callable[[str], Store | None]:
    """The trails that a notebook's panels may be of: one that is named, those above the file, and this user's."""

    @cache
    def known() -> dict[str, Path]:
        folders = [named] if named is not None else [above / trail.FOLDER for above in path.resolve().parents]
        near = [(trail.trail_id(folder), folder) for folder in folders]
        return {**dict(places.noted()), **{found: folder for found, folder in reversed(near) if found}}

    return lambda trail_id: Store(known()[trail_id]) if trail_id in known() else None


def _told(path: Path, findings: Sequence[Finding], *, is_repair: bool) -> str:
    wrong = [each for each in findings if each.is_wrong]
    lines = [f"{path.name}: cell {each.cell}, {_name(each)}: {each.said}{_remedy(each, is_repair)}" for each in wrong]
    held = counted(len(findings), "saved panel")
    if wrong:
        return "\n".join([*lines, terminal.status(f"✗ {path.name}: {len(wrong):,} of {held} wrong", "failed")])
    return terminal.status(f"✓ {path.name}: {held}, nothing is wrong", "finished")


def _name(finding: Finding) -> str:
    return " ".join(filter(None, (finding.kind, finding.title)))


def _remedy(finding: Finding, is_repair: bool) -> str:
    if finding.mends is None:
        return ""
    return "; repaired" if is_repair else "; --repair makes it good"
