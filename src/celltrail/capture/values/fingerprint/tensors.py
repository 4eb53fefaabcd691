"""Readers of tensors and of the models made of them: PyTorch and JAX."""

from __future__ import annotations

import sys
from typing import Any

from celltrail.capture.values.fingerprint import arrays, kinds, plain
from celltrail.capture.values.fingerprint.walk import Reader, Update, Walk, text

_PARTS = ("_parameters", "_buffers")
# caches, and what trackers hang on a model
_NO_STATE = frozenset(["_compiled_call_impl", "_is_full_backward_hook", "_modules", *_PARTS])


def tensor(walk: Walk, value: Any, update: Update) -> None:
    """A tensor in memory by its elements; one on a device is never fetched from there."""
    torch: Any = sys.modules["torch"]
    walk.contains(value)
    update(text(kinds.name(type(value))))
    # a class derived from it may do anything when asked, and one not initialised has nothing to say
    if type(value) not in (torch.Tensor, torch.nn.Parameter, getattr(torch.nn, "Buffer", torch.Tensor)):
        walk.lower("opaque")
        return
    update(text(f"{value.dtype} {tuple(value.shape)} {value.requires_grad}"))
    if value.device.type == "meta":
        return
    if value.device.type != "cpu" or value.is_quantized:
        walk.lower("opaque")
        # counts the changes in place, so that within one kernel a change is seen
        update(text(f"{value.device} {'' if value.is_inference() else value._version}"))
        return
    for part in _dense(torch, value.detach()):
        arrays.elements(walk, _numpy(torch, part), update)


def _dense(torch: Any, value: Any) -> list[Any]:
    if value.layout == torch.strided:
        return [value.resolve_conj().resolve_neg()]
    if value.layout == torch.sparse_coo:
        return [value._indices(), value._values()]
    if value.layout in (torch.sparse_csr, torch.sparse_bsr):
        return [value.crow_indices(), value.col_indices(), value.values()]
    return [value.ccol_indices(), value.row_indices(), value.values()]


def _numpy(torch: Any, value: Any) -> Any:
    """The same memory as an array; types that NumPy lacks as integers of that size."""
    try:
        return value.numpy()
    except TypeError:
        return value.view({1: torch.uint8, 2: torch.int16, 4: torch.int32}[value.element_size()]).numpy()


def model(walk: Walk, value: Any, update: Update) -> None:
    """A PyTorch module with all its modules: parameters, buffers and attributes, without gradients and hooks."""
    walk.contains(value)
    seen: set[int] = set()
    waiting = [("", value)]
    while waiting:
        name, inner = waiting.pop()
        update(text(name))
        if inner is None or id(inner) in seen:
            update(b"&")
            continue
        seen.add(id(inner))
        walk.contains(inner)
        walk.costs(1)
        update(walk.token(type(inner)))
        held = dict(kinds.attributes(inner))
        for part in _PARTS:
            for key, found in held.get(part, {}).items():
                update(text(key))
                update(walk.token(found))
        for key, found in held.items():
            if key not in _NO_STATE and "_hooks" not in key:
                update(text(key))
                update(walk.token(found))
        waiting.extend((f"{name}.{key}", below) for key, below in held.get("_modules", {}).items())


def generator(walk: Walk, value: Any, update: Update) -> None:
    """A generator of PyTorch: the state of one in memory, never of one on a device."""
    walk.contains(value)
    update(text(str(value.device)))
    if value.device.type == "cpu":
        arrays.elements(walk, value.get_state().numpy(), update)
    else:
        walk.lower("opaque")


def jax_array(walk: Walk, value: Any, update: Update) -> None:
    """An array of JAX: its elements when it is computed and in memory."""
    import numpy as np

    walk.contains(value)
    update(text(f"{value.dtype} {value.shape}"))
    if all(device.platform == "cpu" for device in value.devices()) and value.is_ready():
        arrays.elements(walk, np.asarray(value), update)
    else:
        walk.lower("opaque")


def jax_key(walk: Walk, value: Any, update: Update) -> None:
    """A typed key of JAX, by the numbers in it."""
    jax: Any = sys.modules["jax"]
    update(text(str(jax.random.key_impl(value))))
    update(walk.token(jax.random.key_data(value)))


def jitted(walk: Walk, value: Any, update: Update) -> None:
    """A compiled function, by the one it was made of."""
    update(walk.token(value.__wrapped__))


LIBRARY: dict[tuple[str, str], Reader] = {
    ("torch", "Tensor"): tensor,
    ("torch", "TensorBase"): tensor,
    ("torch", "Module"): model,
    ("torch", "Generator"): generator,
    ("torch", "dtype"): plain.by(str),
    ("torch", "device"): plain.by(str),
    ("torch", "Size"): plain.sequence,
    ("jaxlib", "ArrayImpl"): jax_array,
    ("jax", "PRNGKeyArray"): jax_key,
    ("jaxlib", "PjitFunction"): jitted,
}
