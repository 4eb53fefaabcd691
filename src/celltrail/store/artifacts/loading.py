"""What is in a file of an artifact, by the library that wrote it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from celltrail.errors import BadValue, MissingExtra

if TYPE_CHECKING:
    from celltrail.store.artifacts import File
    from celltrail.store.blobs import Blobs

_PICKLES = (".joblib", ".pkl", ".pickle")


def load(file: File, blobs: Blobs, allow_pickle: bool) -> Any:
    """What the file holds; nothing is unpickled unless that is allowed."""
    suffix = PurePosixPath(file.path).suffix.lower()
    if suffix in _PICKLES and not allow_pickle:
        raise BadValue(
            f"{file.path!r} is a pickle, which runs code as it is read; "
            "where you trust who wrote it: load(allow_pickle=True)"
        )
    read = _READERS.get(suffix)
    if read is None:
        raise BadValue(
            f"{file.path!r} is of no kind that can be loaded here ({', '.join(_READERS)}); "
            "restore(path) writes it for its library to read"
        )
    with blobs.open(file.digest) as source:
        return read(source, file, allow_pickle)


def _safetensors(source: BinaryIO, file: File, allow_pickle: bool) -> Any:
    name = "torch" if _has("torch") else "numpy"
    return _library(f"safetensors.{name}", "reading safetensors", "models").load(source.read())


def _torch(source: BinaryIO, file: File, allow_pickle: bool) -> Any:
    torch = _library("torch", "reading checkpoints of PyTorch", "torch")
    try:
        return torch.load(source, map_location="cpu", weights_only=not allow_pickle)
    except import_module("pickle").UnpicklingError as error:
        if allow_pickle:
            raise
        raise BadValue(
            f"{file.path!r} holds more than tensors, and reading that runs code; "
            "where you trust who wrote it: load(allow_pickle=True)"
        ) from error


def _numpy(source: BinaryIO, file: File, allow_pickle: bool) -> Any:
    found = import_module("numpy").load(source, allow_pickle=allow_pickle)
    return dict(found) if hasattr(found, "files") else found


def _pickle(source: BinaryIO, file: File, allow_pickle: bool) -> Any:
    return import_module("joblib" if file.path.endswith(".joblib") or _has("joblib") else "pickle").load(source)


_READERS: dict[str, Callable[[BinaryIO, File, bool], Any]] = {
    ".safetensors": _safetensors,
    **dict.fromkeys((".pt", ".pth", ".ckpt", ".bin"), _torch),
    **dict.fromkeys((".npz", ".npy"), _numpy),
    **dict.fromkeys(_PICKLES, _pickle),
}


def _has(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


def _library(name: str, feature: str, extra: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise MissingExtra(feature, extra) from None
