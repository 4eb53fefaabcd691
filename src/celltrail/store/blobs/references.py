"""Which blobs are referred to, and by what.

A digest is 64 characters that hardly stand anywhere by chance, so every file is searched for such words as it
is: records of a later format, damaged logs and tables nobody knows yet keep their blobs too. Only what is
compressed has to be read through the store.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from celltrail.errors import StoreError
from celltrail.store.blobs import Blobs
from celltrail.store.files.encoding import encode
from celltrail.store.runs import RunFiles

# everything that may refer to a blob; the trash does not: what is restored from it is looked at then
HOLDERS = ("runs", "kernels", "actors", "registry", "catalogue")
_DIGEST = re.compile(rb"[0-9a-f]{64}")
_LISTING_BYTES = 4 << 20
_BLOCK = 4 << 20


def in_run(folder: Path, blobs: Blobs) -> set[str]:
    """The digests that the files of one run name."""
    found = in_files(path for path in _files(folder) if not path.name.startswith("sealed"))
    try:
        seals = list(folder.glob("sealed*.json*"))
    except FileNotFoundError:  # the run went away since it was listed
        return found
    for path in seals:
        found |= _in_seal(path)
    if (folder / "sealed").is_dir():
        try:
            events = RunFiles(folder, blobs).events()
        except (StoreError, FileNotFoundError):
            return found
        for event in events:
            found.update(_words(encode(event)))
    return found


def in_trail(trail: Path, blobs: Blobs) -> dict[str, set[str]]:
    """Every digest that is named, and by which runs or files."""
    found: dict[str, set[str]] = {}
    for folder in run_folders(trail):
        for digest in in_run(folder, blobs):
            found.setdefault(digest, set()).add(folder.name)
    for holder in HOLDERS[1:]:
        for path in _files(trail / holder):
            for digest in in_files([path]):
                found.setdefault(digest, set()).add(path.relative_to(trail).as_posix())
    return found


def closed(digests: Iterable[str], blobs: Blobs) -> set[str]:
    """These digests, the pieces they consist of, and those that listings among them name."""
    known: set[str] = set()
    waiting = list(digests)
    while waiting:
        digest = waiting.pop()
        if digest in known or digest not in blobs:
            continue
        known.add(digest)
        try:
            if blobs.is_in_pieces(digest):
                known.update(blobs.manifest(digest).blobs)  # bytes of a file: nothing to follow
            elif 64 < blobs.size(digest) <= _LISTING_BYTES:
                waiting += _named_in(blobs, digest)
        except StoreError:
            continue
    return known


def in_files(paths: Iterable[Path]) -> set[str]:
    """The digests that stand in these files."""
    found: set[str] = set()
    for path in paths:
        try:
            with path.open("rb") as file:
                rest = b""
                while block := file.read(_BLOCK):
                    found.update(_words(rest + block))
                    rest = block[-63:]
        except FileNotFoundError:
            continue
    return found


def run_folders(trail: Path) -> Iterator[Path]:
    """The folder of every run, also where it is in a wrong place."""
    for group in _subfolders(trail / "runs"):
        yield from _subfolders(group)


def _in_seal(path: Path) -> set[str]:
    """The digests in the record that a seal keeps; its others are hashes of logs and of the audit."""
    try:
        return _words(encode(orjson.loads(path.read_bytes())["record"]))
    except FileNotFoundError:
        return set()
    except (ValueError, KeyError, TypeError):
        return in_files([path])


def _named_in(blobs: Blobs, digest: str) -> set[str]:
    data = blobs.get(digest)
    return _words(data) if data[:1] in (b"{", b"[") else set()


def _words(data: bytes) -> set[str]:
    return {word.decode() for word in _DIGEST.findall(data)}


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            if not name.endswith(".parquet") and path.is_file() and not path.is_symlink():
                yield path


def _subfolders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return []
