"""States of the random number generators, read without touching them, so that a run can be repeated.

A state is kept as a line of JSON and the raw bytes of the generator. Never as a pickle: reading a
trail must not run code.
"""

from __future__ import annotations

import random
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any

import orjson

from celltrail.capture.rng import generators

States = dict[str, Any]  # library -> its state in the library's own form, a copy
_MOST_PACKED = 16
_packed: dict[int, tuple[Any, bytes]] = {}  # by the address of a state: itself, so that it keeps that, and packed


def take() -> States:
    """The present state of each global generator whose library is already imported.

    >>> "random" in take()
    True
    """
    states: States = {"random": random.getstate()}
    if numpy := sys.modules.get("numpy.random"):
        states["numpy"] = numpy.get_state(legacy=False)
    torch: Any = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        states["torch"] = torch.get_rng_state()
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            for device, state in enumerate(torch.cuda.get_rng_state_all()):
                states[f"torch.cuda.{device}"] = state
    return states


def take_named(names: Iterable[str], namespace: Mapping[str, Any]) -> States:
    """The present state of each generator that one of these variables is, such as ``numpy.Generator:rng``."""
    return generators.take(names, namespace)


def pack(library: str, state: Any) -> bytes:
    """One state as bytes: a JSON line, then the generator's own words or bytes.

    >>> unpack(pack("random", random.getstate())) == ("random", random.getstate())
    True
    """
    known = _packed.get(id(state))
    if known is not None and known[0] is state:  # its run, its session and the comparison with its end pack it
        return known[1]
    header, raw = _PACK[_kind(library)](state)
    packed = orjson.dumps({"library": library, **header}) + b"\n" + raw
    if len(_packed) >= _MOST_PACKED:
        _packed.clear()
    _packed[id(state)] = state, packed
    return packed


def unpack(data: bytes) -> tuple[str, Any]:
    """The library and its state, in the form its own setter takes."""
    line, _, raw = data.partition(b"\n")
    header = orjson.loads(line)
    return header["library"], _UNPACK[_kind(header["library"])](header, raw)


def restore(states: Mapping[str, Any], namespace: MutableMapping[str, Any] | None = None) -> None:
    """Set the generators to these states; a library that is not imported yet is imported.

    Args:
        states: by library, or by kind and variable.
        namespace: where the variables are; one that is no such generator is bound to a new one. Without it,
            only the generators of the libraries are set.
    """
    for library, state in states.items():
        if ":" in library:
            if namespace is not None:
                generators.restore(library, state, namespace)
        elif library == "random":
            random.setstate(state)
        elif library == "numpy":
            import numpy as np

            numpy: Any = np.random
            if type(numpy.get_bit_generator()).__name__ != state["bit_generator"]:
                numpy.set_bit_generator(getattr(numpy, state["bit_generator"])())
            numpy.set_state(state)
        elif library == "torch":
            import torch  # pyright: ignore[reportMissingImports]

            torch.set_rng_state(state)
        elif library.startswith("torch.cuda."):
            import torch  # pyright: ignore[reportMissingImports]

            torch.cuda.set_rng_state(state, int(library.rsplit(".", 1)[1]))


def _kind(library: str) -> str:
    """Which of the forms below a state has."""
    kind = library.partition(":")[0]
    return kind if kind == "jax.key" else kind.split(".")[0]


def _pack_random(state: Any) -> tuple[dict[str, Any], bytes]:
    version, words, gauss = state
    header = {
        "algorithm": "MT19937",
        "version": version,
        "order": sys.byteorder,
        "position": words[-1],
        "gauss": None if gauss is None else gauss.hex(),
    }
    return header, array("I", words[:-1]).tobytes()


def _unpack_random(header: dict[str, Any], raw: bytes) -> Any:
    gauss = header["gauss"]
    return header["version"], (*_words(header, raw), header["position"]), gauss and float.fromhex(gauss)


def _pack_numpy(state: Any) -> tuple[dict[str, Any], bytes]:
    """Whatever a bit generator tells, of any algorithm: its integers in the header, its arrays behind it."""
    import numpy as np

    texts: dict[str, Any] = {}
    arrays: list[tuple[str, str, int]] = []
    raw = b""
    for path, value in _leaves(state):
        if isinstance(value, np.ndarray):
            arrays.append((path, value.dtype.str, value.size))
            raw += value.tobytes()
        elif path != "bit_generator":
            texts[path] = {"hex": value.hex()} if isinstance(value, float) else str(int(value))
    header = {"algorithm": state["bit_generator"], "version": np.__version__, "state": texts, "arrays": arrays}
    return header, raw


def _leaves(state: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in state.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}/")
        else:
            yield f"{above}{name}", value


def _unpack_numpy(header: dict[str, Any], raw: bytes) -> Any:
    import numpy as np

    if "arrays" not in header:
        return _unpack_numpy_first(header, raw)
    state: dict[str, Any] = {"bit_generator": header["algorithm"]}
    for path, told in header["state"].items():
        _place(state, path, float.fromhex(told["hex"]) if isinstance(told, dict) else int(told))
    start = 0
    for path, dtype, size in header["arrays"]:
        array = np.frombuffer(raw, dtype, size, start)
        start += array.nbytes
        _place(state, path, array.astype(array.dtype.newbyteorder("=")))
    return state


def _place(state: dict[str, Any], path: str, value: Any) -> None:
    *above, last = path.split("/")
    for name in above:
        state = state.setdefault(name, {})
    state[last] = value


def _unpack_numpy_first(header: dict[str, Any], raw: bytes) -> Any:
    """As the first trails have it."""
    import numpy as np

    state: dict[str, Any] = {name: int(value) for name, value in header["state"].items()}
    if raw:
        state["key"] = np.array(_words(header, raw), dtype=np.uint32)
    return {
        "bit_generator": header["algorithm"],
        "state": state,
        "has_gauss": header["has_gauss"],
        "gauss": float.fromhex(header["gauss"]),
    }


def _words(header: dict[str, Any], raw: bytes) -> array[int]:
    words = array("I", raw)
    if header["order"] != sys.byteorder:
        words.byteswap()
    return words


def _pack_torch(state: Any) -> tuple[dict[str, Any], bytes]:
    return {"algorithm": "torch", "version": str(sys.modules["torch"].__version__)}, state.numpy().tobytes()


def _unpack_torch(header: dict[str, Any], raw: bytes) -> Any:
    import torch  # pyright: ignore[reportMissingImports]

    return torch.tensor(list(raw), dtype=torch.uint8)


def _pack_jax(state: Any) -> tuple[dict[str, Any], bytes]:
    implementation, words = state
    header = {"algorithm": implementation, "version": str(sys.modules["jax"].__version__), "dtype": words.dtype.str}
    return {**header, "shape": list(words.shape)}, words.tobytes()


def _unpack_jax(header: dict[str, Any], raw: bytes) -> Any:
    import numpy as np

    return header["algorithm"], np.frombuffer(raw, header["dtype"]).reshape(header["shape"])


_PACK: dict[str, Callable[[Any], tuple[dict[str, Any], bytes]]] = {
    "random": _pack_random,
    "numpy": _pack_numpy,
    "torch": _pack_torch,
    "jax.key": _pack_jax,
}
_UNPACK: dict[str, Callable[[dict[str, Any], bytes], Any]] = {
    "random": _unpack_random,
    "numpy": _unpack_numpy,
    "torch": _unpack_torch,
    "jax.key": _unpack_jax,
}
