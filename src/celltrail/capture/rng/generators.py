"""Generators of random numbers that a notebook made itself: their states, read without moving them.

Named after what they are and the variable: ``numpy.Generator:rng``. A variable is all that leads to such a
generator, so restoring one takes the namespace.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any

_OWN = {
    ("numpy.random", "Generator"): "numpy.Generator",
    ("numpy.random", "RandomState"): "numpy.RandomState",
    ("torch", "Generator"): "torch.Generator",
    ("random", "Random"): "random.Random",
}


def take(names: Iterable[str], namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The states of the generators among these variables.

    >>> list(take(["dice", "x"], {"dice": random.Random(1), "x": 3}))
    ['random.Random:dice']
    """
    found: dict[str, Any] = {}
    for name in names:
        value = namespace.get(name)
        kind = kind_of(name, value)
        state = _READ[kind](value) if kind else None
        if state is not None:
            found[f"{kind}:{name}"] = state
    return found


def restore(library: str, state: Any, namespace: MutableMapping[str, Any]) -> None:
    """Set the generator that a variable is to this state; make one where it is none of this kind.

    >>> dice = random.Random(1)
    >>> state, drawn = dice.getstate(), dice.random()
    >>> restore("random.Random:dice", state, {"dice": dice})
    >>> dice.random() == drawn
    True
    """
    kind, _, name = library.partition(":")
    value = namespace.get(name)
    if kind == "jax.key":
        namespace[name] = _jax_key(*state)
        return
    if kind_of(name, value) != kind or not _takes(kind, value, state):
        value = namespace[name] = _new(kind, state)
    _SET[kind](value, state)


def kind_of(name: str, value: object) -> str:
    """Which kind of generator a variable is, "" for anything else; classes derived from them may do as they like."""
    kind = type(value)
    for (module, qualname), told in _OWN.items():
        library = sys.modules.get(module)
        if library is not None and vars(library).get(qualname) is kind:
            return told
    return "jax.key" if _is_jax_key(name, value) else ""


def _is_jax_key(name: str, value: Any) -> bool:
    """Typed keys of JAX, and plain ones as the field names them; what is still being computed is left alone."""
    module = type(value).__module__
    if "jax" not in sys.modules or type(module) is not str or not module.startswith("jax"):
        return False
    if type(value).__name__ == "PRNGKeyArray":
        return True
    is_plain = type(value).__name__ == "ArrayImpl" and str(value.dtype) == "uint32" and value.shape == (2,)
    return is_plain and ("key" in name.lower() or "rng" in name.lower()) and value.is_ready()


def _of_generator(value: Any) -> Any:
    return value.bit_generator.state


def _of_torch(value: Any) -> Any:
    return value.get_state() if value.device.type == "cpu" else None


def _of_python(value: Any) -> Any:
    return random.Random.getstate(value)


def _of_jax(value: Any) -> Any:
    import numpy as np

    if type(value).__name__ == "PRNGKeyArray":
        jax: Any = sys.modules["jax"]
        return str(jax.random.key_impl(value)), np.asarray(jax.random.key_data(value))
    return "", np.asarray(value)


def _jax_key(implementation: str, words: Any) -> Any:
    import jax  # pyright: ignore[reportMissingImports]

    if implementation:
        return jax.random.wrap_key_data(jax.numpy.asarray(words), impl=implementation)
    return jax.numpy.asarray(words)


def _takes(kind: str, value: Any, state: Any) -> bool:
    """Whether a generator is of the algorithm that the state is of."""
    return kind != "numpy.Generator" or type(value.bit_generator).__name__ == state["bit_generator"]


def _new(kind: str, state: Any) -> Any:
    if kind == "random.Random":
        return random.Random()
    if kind == "torch.Generator":
        import torch  # pyright: ignore[reportMissingImports]

        return torch.Generator()
    import numpy as np

    bits = getattr(np.random, state["bit_generator"])()
    return np.random.RandomState(bits) if kind == "numpy.RandomState" else np.random.Generator(bits)


def _set_generator(value: Any, state: Any) -> None:
    value.bit_generator.state = state


_SET: dict[str, Callable[[Any, Any], None]] = {
    "numpy.Generator": _set_generator,
    "numpy.RandomState": lambda value, state: value.set_state(state),
    "torch.Generator": lambda value, state: value.set_state(state),
    "random.Random": lambda value, state: value.setstate(state),
}
_READ: dict[str, Callable[[Any], Any]] = {
    "numpy.Generator": _of_generator,
    "numpy.RandomState": lambda value: value.get_state(legacy=False),
    "torch.Generator": _of_torch,
    "random.Random": _of_python,
    "jax.key": _of_jax,
}
