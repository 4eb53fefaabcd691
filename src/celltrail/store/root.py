"""Where the trail is and what makes a folder a trail."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Generator
from pathlib import Path
from zlib import crc32

import orjson

from celltrail.errors import Damaged, StoreError
from celltrail.model import Json, new_id, now_us
from celltrail.store.files import disk

FORMAT = 1
FOLDER = ".celltrail"
_MENDS = {
    (errno.ENOSPC, errno.EDQUOT): "make room, or ",
    (errno.EACCES, errno.EPERM): "fix its permissions, or ",
}
_met: dict[Path, tuple[tuple[int, ...], str]] = {}  # by folder: trail.json as it stood when it was read, and its id


def locate(start: Path | None = None) -> Path:
    """The folder of the trail for code that works in ``start`` (the working folder when None).

    ``CELLTRAIL_STORE`` if set, else the nearest ``.celltrail`` upwards, else the one of the git
    repository, else ``./.celltrail``. Creates nothing.
    """
    if chosen := os.environ.get("CELLTRAIL_STORE"):
        return Path(chosen).expanduser().absolute()
    try:
        here = (Path.cwd() if start is None else Path(start)).absolute()
    except FileNotFoundError as error:
        raise StoreError("the working folder no longer exists; change to another, or set CELLTRAIL_STORE") from error
    for folder in (here, *here.parents):
        if (folder / FOLDER).is_dir():
            return folder / FOLDER
    for folder in (here, *here.parents):
        if (folder / ".git").exists():
            return folder / FOLDER
    return here / FOLDER


def project_of(name: str | None = None) -> str:
    """The project of what is recorded here: this one, else ``CELLTRAIL_PROJECT``, else "default"."""
    return name or os.environ.get("CELLTRAIL_PROJECT") or "default"


def trail_id(root: Path) -> str:
    """The id of the trail in this folder, or "" where there is none yet."""
    try:
        return _read(root)
    except FileNotFoundError:
        return ""
    except Damaged:
        time.sleep(0.05)  # without hard links the file is seen before its bytes
        return _read(root)


def establish(root: Path, *, comes_back: bool = False) -> str:
    """Make the folder a trail if it is not one yet; its id. Any number of processes may do this at once.

    A trail that was deleted under this process ``comes_back`` under its id for what a run of it still has to keep;
    a new run makes another trail.
    """
    try:
        stood, known = _met.get(root, ((), ""))
        if known and _standing(root) == stood:
            return known
        disk.sweep(root)
        if not trail_id(root):
            disk.make_folder(root, root)
            write(root, (known if comes_back else "") or new_id(), now_us())
        standing = _standing(root)  # before it is read: what is put there meanwhile is met next time
        _met[root] = standing, trail_id(root)
        return _met[root][1]
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(unwritable(root, error)) from error


def write(root: Path, trail: str, created_us: int) -> None:
    """Write ``trail.json`` unless there is one."""
    body = {"format": FORMAT, "id": trail, "created": created_us}
    disk.create_whole(root / "trail.json", orjson.dumps({**body, "check": _check(body)}) + b"\n")


def unwritable(root: Path, error: OSError) -> str:
    """The sentence about a trail that cannot be written."""
    reason = error.strerror or type(error).__name__
    mend = next((mend for codes, mend in _MENDS.items() if error.errno in codes), "")
    return f"the trail {root.name!r} cannot be written: {reason}; {mend}set CELLTRAIL_STORE to another folder"


@contextlib.contextmanager
def told(root: Path) -> Generator[None]:
    """A disk that fails inside becomes the sentence about a trail that cannot be written."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(unwritable(root, error)) from error


def _standing(root: Path) -> tuple[int, ...]:
    try:
        about = os.stat(root / "trail.json")
    except FileNotFoundError:
        return ()
    return about.st_dev, about.st_ino, about.st_mtime_ns, about.st_ctime_ns, about.st_size


def _read(root: Path) -> str:
    data = (root / "trail.json").read_bytes()
    try:
        body = orjson.loads(data)
        check = body.pop("check")
        if check == _check(body):
            if body["format"] > FORMAT:
                raise StoreError(
                    f"this trail has format {body['format']}, newer than this celltrail knows ({FORMAT}); "
                    "pip install --upgrade celltrail"
                )
            return body["id"]
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise Damaged(f"{root.name}/trail.json does not verify; restore it from a copy of the trail")


def _check(body: dict[str, Json]) -> str:
    return f"{crc32(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)):08x}"
