"""How models of each kind become bytes, and values again."""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, nullcontext
from importlib.abc import MetaPathFinder
from pathlib import Path
from threading import get_ident
from typing import Any

from celltrail.errors import BadValue, MissingExtra
from celltrail.formats import headers, tensors
from celltrail.formats.layers import DTYPES, Layers, of_estimator, of_module, of_tensors
from celltrail.formats.packed import Packed
from celltrail.formats.tensors import TensorFile
from celltrail.model import OWN_SCRATCH

ALLOWED = (
    "a module or state dict of PyTorch, a dict of arrays, an estimator of scikit-learn, or the path of a file "
    "(.safetensors, .skops, .onnx, .gguf) or folder"
)
RISK = (
    "a pickle is a program: whoever loads it runs what its author put in, so celltrail neither makes nor loads one "
    "unasked"
)
_TEXT = 4000
_PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".bin")


def pack(model: Any, *, allow_pickle: bool = False, metadata: Mapping[str, str] | None = None) -> Packed:
    """A model as bytes.

    Args:
        model: what is kept.
        allow_pickle: whether one that nothing else can keep may become a pickle.
        metadata: said in the header of a file of tensors that is written here.

    Raises:
        BadValue: it is of no kind that can be kept, or its file is not what its name says.
        MissingExtra: the library that keeps its kind is not installed.
    """
    torch = sys.modules.get("torch")
    if isinstance(model, str | os.PathLike):
        return _path(Path(model).expanduser())
    if torch is not None and isinstance(model, torch.nn.Module):
        return _module(model, metadata or {})
    if isinstance(model, Mapping) and model and all(hasattr(each, "dtype") for each in model.values()):
        return _state(model, metadata or {})
    if hasattr(model, "get_params") and hasattr(model, "fit"):
        return _estimator(model, allow_pickle)
    if allow_pickle:
        return _pickle(model)
    raise BadValue(
        f"a {type(model).__name__} is no model that can be kept; allowed is {ALLOWED}. {RISK}: "
        "allow_pickle=True keeps it all the same"
    )


def _module(model: Any, metadata: Mapping[str, str]) -> Packed:
    library = _library("safetensors.torch")
    with tempfile.TemporaryDirectory(prefix=OWN_SCRATCH) as folder:
        path = Path(folder) / "model.safetensors"
        library.save_model(model, str(path), metadata={"format": "pt", **metadata})
        data = path.read_bytes()
    text = f"{type(model).__module__}.{type(model).__qualname__}"
    return Packed("safetensors", {"model.safetensors": data}, of_module(model), facts={"class": text}, text=_cut(model))


def _state(model: Mapping[Any, Any], metadata: Mapping[str, str]) -> Packed:
    is_torch = all(hasattr(each, "detach") for each in model.values())
    library = _library("safetensors.torch" if is_torch else "safetensors.numpy")
    held = {str(name): each.detach().cpu().contiguous() if is_torch else each for name, each in model.items()}
    if is_torch:
        places: dict[tuple[Any, ...], str] = {}
        shared = {
            name: places.setdefault((each.data_ptr(), each.dtype, each.shape), name)
            for name, each in held.items()
            if each.numel()
        }
        metadata = {**metadata, **{name: first for name, first in shared.items() if first != name}}
        held = {name: each for name, each in held.items() if shared.get(name, name) == name}
    try:
        data = library.save(held, metadata={"format": "pt" if is_torch else "np", **metadata})
    except (RuntimeError, ValueError, KeyError) as error:
        raise BadValue(f"these tensors cannot be kept: {str(error)[:300]}") from None
    return Packed("safetensors", {"model.safetensors": data}, Layers(of_tensors(sorted(model.items()), DTYPES)))


def _estimator(model: Any, allow_pickle: bool) -> Packed:
    layers, settings, text = Layers(of_estimator(model)), _settings(model), _cut(model)
    facts = {"class": f"{type(model).__module__}.{type(model).__qualname__}"}
    try:
        library = _library("skops.io")
        data: bytes = library.dumps(model)
        untrusted = tuple(sorted(library.get_untrusted_types(data=data)))
    except MissingExtra:
        if not allow_pickle:
            raise
        return _pickle(model, layers, settings, facts)
    except Exception as error:  # noqa: BLE001  skops raises whatever the estimator's parts do
        if allow_pickle:
            return _pickle(model, layers, settings, facts)
        said = " ".join(str(error).split())[:200]
        raise BadValue(
            f"skops cannot keep this {type(model).__name__} ({said}). {RISK}: allow_pickle=True keeps it all the same"
        ) from None
    return Packed("skops", {"model.skops": data}, layers, settings, facts, text, untrusted)


def _pickle(
    model: Any,
    layers: Layers | None = None,
    settings: dict[str, Any] | None = None,
    facts: dict[str, Any] | None = None,
) -> Packed:
    try:
        data = pickle.dumps(model, protocol=5)
    except Exception as error:  # noqa: BLE001  whatever the object's own code raises
        raise BadValue(f"this {type(model).__name__} cannot be pickled either: {str(error)[:200]}") from None
    named = facts or {"class": f"{type(model).__module__}.{type(model).__qualname__}"}
    return Packed("pickle", {"model.pkl": data}, layers or Layers(), settings or {}, named, _cut(model))


def _path(path: Path) -> Packed:
    if path.is_dir():
        inner = sorted(each for each in path.rglob("*") if each.is_file())
        if not inner:
            raise BadValue(f"the folder {path.name!r} is empty")
        found = {each.relative_to(path).as_posix(): _file(each) for each in inner}
        layers = [layer for packed in found.values() for layer in packed.layers]
        files = {name: held for name, packed in found.items() for held in packed.files.values()}
        return Packed("folder", files, Layers(layers), facts={"files": len(files)})
    if not path.is_file():
        raise BadValue(f"there is no file or folder {path.name!r} to keep")
    return _file(path)


def _file(path: Path) -> Packed:
    match path.suffix.lower():
        case ".safetensors":
            file = tensors.read(path, path.name)
            return Packed("safetensors", {path.name: path}, file.layers, facts={"metadata": file.metadata})
        case ".onnx":
            layers, told = headers.onnx(path)
            return Packed("onnx", {path.name: path}, layers, facts=told)
        case ".gguf":
            layers, told = headers.gguf(path)
            return Packed("gguf", {path.name: path}, layers, facts=told)
        case ".skops":
            library = _library("skops.io")
            untrusted = tuple(sorted(library.get_untrusted_types(data=path.read_bytes())))
            return Packed("skops", {path.name: path}, untrusted=untrusted)
        case suffix if suffix in _PICKLES:
            return Packed("pickle", {path.name: path})
        case _:
            return Packed("file", {path.name: path})


def unpack(format_: str, files: Mapping[str, bytes], untrusted: tuple[str, ...], allow_pickle: bool, into: Any) -> Any:
    """The model again; its bytes have been verified.

    Raises:
        BadValue: it is of a kind that is no value of Python, or a pickle that nobody allowed.
        MissingExtra: the library that reads its kind is not installed.
    """
    readers: dict[str, Callable[[bytes], Any]] = {
        "safetensors": lambda data: _tensors(tensors.read(data), data, into),
        "skops": lambda data: _library("skops.io").loads(data, trusted=list(untrusted)),
    }
    if allow_pickle:
        readers["pickle"] = pickle.loads
    elif format_ == "pickle":
        raise BadValue(f"this model is a pickle. {RISK}; load(allow_pickle=True) does, of one whose author you trust")
    if format_ not in readers or len(files) != 1:
        raise BadValue(f"a model kept as {format_} is files, no value of Python: .save('folder') writes them")
    (data,) = files.values()
    return readers[format_](data)


def _tensors(file: TensorFile, data: bytes, into: Any) -> Any:
    is_torch = into is not None or file.metadata.get("format") == "pt"
    found: dict[str, Any] = _library("safetensors.torch" if is_torch else "safetensors.numpy").load(data)
    found |= {name: found[first] for name, first in tensors.tied(file.metadata, set(found)).items()}
    if into is None:
        return found
    try:
        into.load_state_dict(found)
    except RuntimeError as error:
        said = " ".join(str(error).split())[:400]
        raise BadValue(f"these tensors do not fit into this {type(into).__name__}: {said}") from None
    return into


def _settings(model: Any) -> dict[str, Any]:
    """What it was made with: those that are no defaults first."""
    known = model.get_params(deep=False)
    try:
        plain = type(model)().get_params(deep=False)
    except Exception:  # noqa: BLE001  a class that asks for arguments has no defaults
        plain = {}
    differs = [name for name in known if name not in plain or repr(plain[name]) != repr(known[name])]
    return {name: repr(known[name])[:200] for name in [*differs, *(each for each in known if each not in differs)]}


def _cut(model: Any) -> str:
    try:
        return repr(model)[:_TEXT]
    except Exception:  # noqa: BLE001  how it prints itself is a nicety
        return ""


@contextmanager
def _hidden(package: str) -> Generator[None]:
    """Keep this thread from importing a package, unless it is there already."""
    if package in sys.modules:
        yield
        return
    finder = _Nothing(package, get_ident())
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Nothing(MetaPathFinder):
    """Says that a package is not installed, to one thread."""

    def __init__(self, package: str, thread: int) -> None:
        self.package, self.thread = package, thread

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        """Nothing, or an ImportError for that package."""
        if fullname == self.package and get_ident() == self.thread:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def _library(name: str) -> Any:
    from importlib import import_module

    try:
        # skops imports whatever scikit-learn has a module for, PyTorch among it: seconds, and a generator more
        with _hidden("torch") if name.startswith("skops") else nullcontext():
            return import_module(name)
    except ImportError:
        raise MissingExtra(f"keeping or loading a model by {name.partition('.')[0]}", "models") from None
