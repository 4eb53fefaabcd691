"""Whether a run still holds, asked of its trail: against the saved notebook and the files as they are now."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from celltrail.capture.already.match import differences
from celltrail.capture.environment.here import machine
from celltrail.capture.files.places import project
from celltrail.capture.files.standing import State, as_left, state_of
from celltrail.capture.lineage.upstream import upstream
from celltrail.capture.session.document import Document
from celltrail.capture.stale import Present, Staleness, differs, stale
from celltrail.errors import StoreError
from celltrail.model import Json
from celltrail.query import StoredRun
from celltrail.query.files import File
from celltrail.store.blobs import Blobs


def holds(run: StoredRun, document: Document | None = None, *, here: bool = False) -> Staleness:
    """Whether a run is fresh or stale.

    Args:
        run: the run.
        document: its notebook as it stands; the saved one unless given.
        here: whether Python, packages and hardware of this process are those that count.
    """
    around = project(run.store.root, os.getcwd())
    if document is None and run.notebook:
        document = Document.of_file(Path(around) / run.notebook)
    now = Present(
        file=lambda entry: state_of(as_left(entry), around),
        module=partial(_module, run.store.blobs, around),
        environment=(lambda run: differences(run.record, machine(run.store.blobs))) if here else None,
        upstream=partial(upstream, document=document) if document is not None else None,
    )
    return stale(run, document, now)


def _module(blobs: Blobs, around: str, entry: Mapping[str, Json]) -> State:
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
