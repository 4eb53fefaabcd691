"""States of the random number generators, read without touching them, so that a run can be repeated.

A state is kept as a line of JSON and the raw bytes of the generator. Never as a pickle: reading a
trail must not run code.
"""

from __future__ import annotations

import random
import sys
from array import array
from collections.abc import Callable, Mapping
from typing import Any

import orjson

States = dict[str, Any]  # library -> its state in the library's own form, a copy


def take() -> States:
    """The present state of each global generator whose library is already imported.

    >>> sorted(take())[-1]
    'random'
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


def pack(library: str, state: Any) -> bytes:
    """One state as bytes: a JSON line, then the generator's own words or bytes.

    >>> unpack(pack("random", random.getstate())) == ("random", random.getstate())
    True
    """
    header, raw = _PACK[library.split(".")[0]](state)
    return orjson.dumps({"library": library, **header}) + b"\n" + raw


def unpack(data: bytes) -> tuple[str, Any]:
    """The library and its state, in the form its own setter takes."""
    line, _, raw = data.partition(b"\n")
    header = orjson.loads(line)
    return header["library"], _UNPACK[header["library"].split(".")[0]](header, raw)


def restore(states: Mapping[str, Any]) -> None:
    """Set the generators to these states; a library that is not imported yet is imported."""
    for library, state in states.items():
        if library == "random":
            random.setstate(state)
        elif library == "numpy":
            import numpy as np

            np.random.set_state(state)
        elif library == "torch":
            import torch  # pyright: ignore[reportMissingImports]

            torch.set_rng_state(state)
        elif library.startswith("torch.cuda."):
            import torch  # pyright: ignore[reportMissingImports]

            torch.cuda.set_rng_state(state, int(library.rsplit(".", 1)[1]))


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
    inner = dict(state["state"])
    key = inner.pop("key", None)  # MT19937, the legacy generator; another one put there by hand has integers only
    header = {
        "algorithm": state["bit_generator"],
        "version": sys.modules["numpy"].__version__,
        "order": sys.byteorder,
        "state": {name: str(int(value)) for name, value in inner.items()},
        "has_gauss": int(state.get("has_gauss", 0)),
        "gauss": float(state.get("gauss", 0.0)).hex(),
    }
    return header, b"" if key is None else key.tobytes()


def _unpack_numpy(header: dict[str, Any], raw: bytes) -> Any:
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


_PACK: dict[str, Callable[[Any], tuple[dict[str, Any], bytes]]] = {
    "random": _pack_random,
    "numpy": _pack_numpy,
    "torch": _pack_torch,
}
_UNPACK: dict[str, Callable[[dict[str, Any], bytes], Any]] = {
    "random": _unpack_random,
    "numpy": _unpack_numpy,
    "torch": _unpack_torch,
}
