"""``trail.json``: whether the folder still says which trail it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from celltrail.errors import Damaged
from celltrail.model import new_id, now_us
from celltrail.store import root
from celltrail.store.blobs import references
from celltrail.store.doctor.finding import Finding, Patient
from celltrail.store.log import reader

_ENOUGH_LOGS = 200


def check(patient: Patient) -> Iterator[Finding]:
    """Raises `StoreError` for a trail newer than this celltrail: nothing in it is to be touched."""
    try:
        if root.trail_id(patient.root):
            return
        what = "is missing"
    except Damaged:
        what = "does not verify"
    yield Finding(
        "trail",
        "trail.json",
        what,
        "nothing can be recorded, and copies of this trail do not know each other",
        "celltrail doctor --repair writes it again with the id that the logs name",
        mend=lambda: _rewrite(patient),
    )


def _rewrite(patient: Patient) -> str:
    known = _ids(patient)
    trail, created = (known.most_common(1)[0][0], _earliest(patient)) if known else (new_id(), now_us())
    if (patient.root / "trail.json").exists():
        patient.discard(patient.root / "trail.json", "did not verify")
    root.write(patient.root, trail, created)
    return f"written again: trail {trail}" + ("" if known else ", a new id, for no log names one")


def _heads(patient: Patient) -> Iterator[dict[str, object]]:
    count = 0
    for folder in references.run_folders(patient.root):
        for path in sorted((folder / "m").glob("*.ctl")):
            if head := reader.read_head(path):
                yield head
                count += 1
        if count >= _ENOUGH_LOGS:
            return


def _ids(patient: Patient) -> Counter[str]:
    return Counter(trail for head in _heads(patient) if isinstance(trail := head.get("trail"), str) and trail)


def _earliest(patient: Patient) -> int:
    return min((at for head in _heads(patient) if isinstance(at := head.get("wall_us"), int)), default=now_us())
