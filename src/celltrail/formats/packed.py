"""`Packed`: a model as the bytes that are kept, and what is known of it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from celltrail.formats import tensors
from celltrail.formats.layers import Layers

_SCHEMA = "schema.json"
Held = bytes | Path


@dataclass(frozen=True)
class Packed:
    """A model as it is kept.

    Attributes:
        format: safetensors, skops, pickle, onnx, gguf, file or folder.
        files: bytes by name; one that is on the disk is read when it is kept.
        layers: what it consists of, as far as that can be told.
        settings: the parameters it was made with, and those of them that are no defaults first.
        facts: what its file says of itself.
        text: how it prints itself.
        untrusted: types that its file holds and that are loaded only because this record names them.
    """

    format: str
    files: dict[str, Held]
    layers: Layers = field(default_factory=Layers)
    settings: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    untrusted: tuple[str, ...] = ()


def digest_of(files: Iterable[tuple[str, str]]) -> str:
    """One digest for the digests of all files, by their names.

    >>> digest_of([("b", "2"), ("a", "1")]) == digest_of([("a", "1"), ("b", "2")])
    True
    """
    from blake3 import blake3

    told = "".join(f"{name}\0{digest}\n" for name, digest in sorted(files))
    return f"blake3:{blake3(told.encode('utf-8', 'surrogatepass')).hexdigest()}"


def content_of(name: str, held: bytes | Path) -> str:
    """The digest of what a file holds where that is not simply its bytes, else "".

    Of tensors by name, type, shape and bytes, whatever header they stand behind; of a .skops file without the places
    in memory that its parts are named by.
    """
    from blake3 import blake3

    if name.endswith(".safetensors"):
        found = tensors.read(held, name).each()
        told = [(tensor, f"{dtype} {list(shape)} {blake3(data).hexdigest()}") for tensor, dtype, shape, data in found]
        return digest_of(told).rpartition(":")[2]
    if not name.endswith(".skops"):
        return ""
    with zipfile.ZipFile(io.BytesIO(held) if isinstance(held, bytes) else held) as archive:
        names = [each for each in archive.namelist() if each != _SCHEMA]
        members = {each: blake3(archive.read(each)).hexdigest() for each in sorted(names)}
        schema = json.dumps(_placeless(json.loads(archive.read(_SCHEMA)), {}, members), sort_keys=True)
    return blake3(f"{schema}\0{sorted(members.values())}".encode()).hexdigest()


def _placeless(value: Any, known: dict[Any, int], members: dict[str, str]) -> Any:
    """A schema of skops whose objects are numbered as they come, and whose files are named by what they hold."""
    if isinstance(value, list):
        return [_placeless(each, known, members) for each in value]
    if not isinstance(value, dict):
        return value
    made = {name: _placeless(each, known, members) for name, each in value.items() if name not in ("__id__", "file")}
    if "__id__" in value:
        made["__id__"] = known.setdefault(value["__id__"], len(known))
    if "file" in value:
        made["file"] = members.get(str(value["file"]), value["file"])
    return made
