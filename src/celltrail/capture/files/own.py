"""The folder that the paths of a run are relative to, found again from its record."""

from __future__ import annotations

import os
from pathlib import Path

from celltrail.capture.files.places import is_within, project
from celltrail.query.stored import StoredRun


def own_folder(run: StoredRun, working: Path | str) -> Path:
    """The folder that the paths of a run are relative to, from wherever one asks.

    That is the folder around the trail where the notebook, a file that the run read or one of its modules is found
    there; else the one that a run recorded here would have.

    Args:
        run: the run.
        working: the working folder of who asks.
    """
    around = run.store.root.parent
    if not is_within(os.path.realpath(working), os.path.realpath(around)):
        needs = run.needs
        kept = [*needs.get("files", ()), *needs.get("modules", ())]
        paths = [each["path"] for each in kept if each.get("base") == "project" and each.get("path")]
        if any((around / path).is_file() for path in [*paths, *filter(None, [run.notebook])]):
            return around
    return Path(project(run.store.root, str(working)))
