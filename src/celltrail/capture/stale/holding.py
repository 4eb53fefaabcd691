"""Whether a run still holds, asked of its trail: against the saved notebook, the files and packages as they are now."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from celltrail.capture import environment
from celltrail.capture.already.match import differences
from celltrail.capture.environment.here import machine
from celltrail.capture.environment.imported import is_among
from celltrail.capture.files.own import own_folder
from celltrail.capture.files.standing import State, as_left, state_of
from celltrail.capture.lineage.upstream import upstream
from celltrail.capture.session.document import Document
from celltrail.capture.stale import Present, differs, stale
from celltrail.errors import NoRun, StoreError
from celltrail.model import Json
from celltrail.query import StoredRun
from celltrail.query.files import File
from celltrail.query.standing import Staleness
from celltrail.store.blobs import Blobs
from celltrail.store.files.encoding import decode


def holds(run: StoredRun, document: Document | None = None) -> Staleness:
    """Whether a run is fresh or stale.

    Python, packages and hardware count where this process runs in the environment that the run ran in: elsewhere
    they would only tell that it is another one.

    Args:
        run: the run.
        document: its notebook as it stands; the saved one unless given.
    """
    around = str(own_folder(run, os.getcwd()))
    if document is None and run.notebook:
        document = Document.of_file(Path(around) / run.notebook)
    now = Present(
        file=lambda entry: state_of(as_left(entry), around),
        module=partial(module_state, run.store.blobs, around),
        environment=changed_here if _is_here(run) else None,
        upstream=partial(upstream, document=document) if document is not None else None,
    )
    try:
        return stale(run, document, now)
    except (StoreError, NoRun):  # what it needed cannot be read any more
        return Staleness("unknown")


def changed_here(run: StoredRun) -> Iterable[str]:
    """What of Python, the packages that the run worked with, and the hardware is another one now, in words."""
    names = _imported(run)
    return differences(run.record, machine(run.store.blobs), lambda package: names is None or is_among(package, names))


def module_state(blobs: Blobs, around: str, entry: Mapping[str, Json]) -> State:
    """What has become of a local module; comments in it do not count."""
    if entry.get("changed"):
        return "unknown"  # what ran is not what was kept
    try:
        text = File.of(entry).resolve(around).read_text(encoding="utf-8", errors="replace")
        ran = blobs.text(str(entry.get("code")))
    except FileNotFoundError:
        return "gone"
    except (OSError, StoreError):
        return "unknown"
    return "changed" if differs(ran, text) else "same"


def _is_here(run: StoredRun) -> bool:
    return run.host == platform.node() and run.environment.get("prefix") == environment.prefix()


def _imported(run: StoredRun) -> list[str] | None:
    digest = run.needs.get("imported")
    return decode(run.store.blobs.get(digest), "imported") if isinstance(digest, str) else None
