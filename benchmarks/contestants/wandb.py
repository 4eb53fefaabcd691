"""wandb without an account: offline mode, its own service process writes the file.

It has no way to read an offline run back (``wandb.Api()`` asks a server), so what arrived is counted in its
file, with its own message definitions: frames of 32 KiB blocks as LevelDB's log has them.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contestants import Finish, Log, Points

BLOCK, HEAD = 32768, 7


def load() -> None:
    import wandb  # noqa: F401


def begin(folder: Path, name: str = "bench", params: dict[str, Any] | None = None) -> tuple[Log, Finish]:
    import wandb

    folder.mkdir(parents=True, exist_ok=True)
    settings = wandb.Settings(silent=True)
    run = wandb.init(
        mode="offline",
        dir=str(folder),
        project="bench",
        name=name,
        config=params,
        settings=settings,
        reinit="create_new",
    )
    return lambda values, step: run.log(values, step=step), run.finish


def points(folder: Path) -> list[Points]:
    return [_series(path) for path in sorted(folder.glob("wandb/*run-*/run-*.wandb"))]


def _series(path: Path) -> Points:
    from wandb.proto.wandb_internal_pb2 import Record

    found: Points = {}
    for data in _records(path.read_bytes()):
        record = Record.FromString(data)
        if record.WhichOneof("record_type") != "history":
            continue
        row = {_key(item): json.loads(item.value_json) for item in record.history.item}
        step = row.get("_step", record.history.step.num)
        for name in row.keys() - {"_step", "_timestamp", "_runtime"}:
            found.setdefault(name, []).append((step, row[name]))
    return found


def _key(item: Any) -> str:
    return ".".join(item.nested_key) if item.nested_key else item.key


def _records(data: bytes) -> Iterator[bytes]:
    """Whole records; stops where the file is torn."""
    at, pieces = HEAD, []
    while True:
        left = BLOCK - at % BLOCK
        if left < HEAD:
            at += left
            continue
        if at + HEAD > len(data):
            return
        _, length, kind = struct.unpack_from("<IHB", data, at)
        piece = data[at + HEAD : at + HEAD + length]
        if len(piece) < length or not 1 <= kind <= 4:
            return
        at += HEAD + length
        pieces.append(piece)
        if kind in (1, 4):  # whole, or the last part of one
            yield b"".join(pieces)
            pieces = []
