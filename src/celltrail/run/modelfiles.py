"""The files of a model in the blobs of a trail, and back again, verified."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celltrail.errors import Damaged, NoRun, StoreError
from celltrail.formats import ModelVersion, Packed, content_of, digest_of
from celltrail.model import OWN_SCRATCH, Json
from celltrail.store import Blobs


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the files of a model; ``added`` are the bytes that the trail did not have."""

    files: dict[str, dict[str, Json]]
    digest: str
    size: int
    added: int


def keep(packed: Packed, trail: Path) -> Kept:
    """Put the files of a model into a trail; of tensors, what it has already is not written again."""
    blobs, files = _Counting(trail), dict[str, dict[str, Json]]()
    with tempfile.TemporaryDirectory(prefix=OWN_SCRATCH) as folder:
        for place, (name, held) in enumerate(packed.files.items()):
            path = held if isinstance(held, Path) else Path(folder, str(place))
            if isinstance(held, bytes):
                path.write_bytes(held)
            blob = blobs.put_file(path)
            files[name] = {"blob": blob, "digest": content_of(name, held) or blob, "size": path.stat().st_size}
    size = sum(told["size"] for told in files.values())
    return Kept(files, _whole(files), size, blobs.added)


def restored(version: ModelVersion, blobs: Blobs) -> dict[str, bytes]:
    """The files of a version, by name.

    Raises:
        Damaged: a file is missing or does not hold what was kept.
    """
    return dict(_verified(version, blobs))


def save(version: ModelVersion, folder: Path, blobs: Blobs) -> list[Path]:
    """Write the files of a version into a folder; each appears whole or not at all. Raises as `restored`."""
    found: list[Path] = []
    for name, data in _verified(version, blobs):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.part")
        try:
            beside.write_bytes(data)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        found.append(path)
    return found


class _Counting(Blobs):
    """Blobs that count the bytes they write."""

    def __init__(self, trail: Path) -> None:
        super().__init__(trail)
        self.added = 0

    def _has_made(self, path: Path) -> None:
        self.added += path.stat().st_size


def _whole(files: Mapping[str, Mapping[str, Any]]) -> str:
    """The digest of all files; one alone is the model, whatever it is called."""
    found = [(name, str(told.get("digest"))) for name, told in files.items()]
    return f"blake3:{found[0][1]}" if len(found) == 1 else digest_of(found)


def _verified(version: ModelVersion, blobs: Blobs) -> Iterator[tuple[str, bytes]]:
    if _whole(version.files) != version.digest:
        raise _tampered(version, "its list of files", "is not the one it was kept with")
    for name, told in version.files.items():
        try:
            data = blobs.get(str(told["blob"]))
            digest = content_of(name, data) or str(told["blob"])
        except (NoRun, StoreError, KeyError) as error:
            raise _tampered(version, name, "does not hold what was kept") from error
        if digest != told["digest"]:
            raise _tampered(version, name, "does not hold what was kept")
        yield name, data


def _tampered(version: ModelVersion, name: str, what: str) -> Damaged:
    return Damaged(
        f"model {version.ref}: {name} {what}, so it is not loaded; celltrail verify and celltrail doctor say more, "
        "and a copy of the trail may still have it"
    )
