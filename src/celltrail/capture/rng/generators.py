"""Generators of random numbers that a notebook made itself: their states, read without moving them.

Named after what they are and the variable that leads to them: ``numpy.Generator:rng``; one that an object of a
variable holds, by the way to it: ``numpy.Generator:sampler.rng``, ``torch.Generator:parts['train'][0]``. So restoring
one takes the namespace.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from itertools import islice
from types import ModuleType, SimpleNamespace
from typing import Any

from celltrail.capture.values.fingerprint import kinds

_DEEPEST, _MOST = 2, 200  # steps from a variable, and objects looked at for one
_MOST_ITEMS, _MOST_HELD = 20, 50  # of a list, and of one object
_PLAIN = frozenset([bool, int, float, complex, str, bytes, type(None)])
# objects of libraries are large, and hold theirs under few names: a DataLoader, an environment, an estimator
_WHERE_LIBRARIES_HOLD = frozenset("generator rng _rng random_state random_state_ np_random _np_random".split())  # noqa: SIM905
_STEP = re.compile(r"\.(?P<attribute>\w+)|\[(?P<index>\d+)\]|\['(?P<key>[^']*)'\]")
_OWN = {
    ("numpy.random", "Generator"): "numpy.Generator",
    ("numpy.random", "RandomState"): "numpy.RandomState",
    ("torch", "Generator"): "torch.Generator",
    ("random", "Random"): "random.Random",
}


def take(names: Iterable[str], namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The states of the generators that these variables are or hold; a name may be the way to one, as in a result.

    >>> list(take(["dice", "x"], {"dice": random.Random(1), "x": {"own": random.Random(2)}}))
    ['random.Random:dice', "random.Random:x['own']"]
    """
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for name in names:
        for path, value, kind in _within(name, _at(name, namespace)):
            state = _READ[kind](value) if id(value) not in seen else None
            if state is not None:
                found[f"{kind}:{path}"] = state
                seen.add(id(value))  # two ways to one generator are one
    return found


def _within(name: str, value: object) -> Iterator[tuple[str, Any, str]]:
    """The generators that a value is or holds: the way to each, itself, and its kind; no code of the user's is run."""
    waiting = [(name, value, 0)]
    for path, inner, depth in waiting:  # grows meanwhile
        kind = kind_of(path, inner)
        if kind and not (depth and kind == "jax.key"):  # a key is bound anew, and not changed where it is held
            yield path, inner, kind
        elif depth < _DEEPEST and len(waiting) < _MOST:
            held = ((step, part) for step, part in _parts(inner) if type(part) not in _PLAIN)
            waiting += [(path + step, part, depth + 1) for step, part in islice(held, _MOST_HELD)]


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    if kind is dict:
        pairs = list(islice(value.items(), _MOST))
        yield from ((f"['{key}']", part) for key, part in pairs if type(key) is str and "'" not in key)
    elif kind in (list, tuple):
        yield from ((f"[{index}]", part) for index, part in enumerate(value[:_MOST_ITEMS]))
    elif not issubclass(kind, type | ModuleType):
        own = kinds.library(kinds.module(kind)) is None or kind is SimpleNamespace
        for name, part in kinds.attributes(value):
            if (own or name in _WHERE_LIBRARIES_HOLD) and name.isidentifier():
                yield f".{name}", part


def _at(path: str, namespace: Mapping[str, Any]) -> Any:
    """What is at the end of a way; None where it does not lead anywhere."""
    steps = list(_STEP.finditer(path))
    value = namespace.get(path[: steps[0].start()] if steps else path)
    for step in steps:
        wanted = step[0]
        value = next((part for each, part in _parts(value) if each == wanted), None)
    return value


def restore(library: str, state: Any, namespace: MutableMapping[str, Any]) -> None:
    """Set the generator that a variable is to this state; make one where it is none of this kind.

    One that an object holds is left alone where it is not there any more, or is another.

    >>> dice = random.Random(1)
    >>> state, drawn = dice.getstate(), dice.random()
    >>> restore("random.Random:dice", state, {"dice": dice})
    >>> dice.random() == drawn
    True
    """
    kind, _, name = library.partition(":")
    value = _at(name, namespace)
    if not name.isidentifier():
        if kind_of(name, value) == kind and _takes(kind, value, state):
            _SET[kind](value, state)
        return
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
