"""Readers of arrays: NumPy's own, those inside of frames and tensors, sparse ones."""

from __future__ import annotations

from typing import Any

from celltrail.capture.values.fingerprint import kinds, plain
from celltrail.capture.values.fingerprint.walk import FULL_BYTES, Reader, Update, Walk, text


def array(walk: Walk, value: Any, update: Update) -> None:
    """A NumPy array, also of a class derived from it."""
    import numpy as np

    walk.contains(value)
    if type(value) is not np.ndarray:
        update(text(kinds.name(type(value))))
        if (mask := dict(kinds.attributes(value)).get("_mask")) is not None:
            update(walk.token(mask))
        value = np.ndarray.view(value, np.ndarray)
    elements(walk, value, update)


def elements(walk: Walk, value: Any, update: Update, whole: int = FULL_BYTES) -> None:
    """The elements of an array in the order of its indices, whatever its order in memory.

    Args:
        walk: looks at it.
        value: a plain array.
        update: takes the bytes.
        whole: how large it may be to be read whole.
    """
    dtype = value.dtype
    update(text(f"{dtype.str} {dtype.name}" if dtype.kind == "V" else dtype.str))
    update(repr(value.shape).encode())
    if dtype.names is not None:  # field by field: between fields there may be bytes that mean nothing
        for name in dtype.names:
            update(text(name))
            elements(walk, value[name], update, whole // len(dtype.names))
        return
    if dtype.hasobject or dtype.kind == "T":
        size = value.size
        most = 10_000 if dtype.kind == "O" else 1000
        if size > 10 * most:
            walk.lower("sampled")
        for start, stop in plain.windows(size, size if size <= 10 * most else most):
            plain.items(walk, value.flat[start:stop].tolist(), update)
        return
    allowed = walk.allow(value.nbytes, whole)
    for start, stop in plain.windows(value.size, value.size if allowed == value.nbytes else allowed // dtype.itemsize):
        update(_bytes(value, start, stop))


def _bytes(value: Any, start: int, stop: int) -> Any:
    import numpy as np

    if value.flags.c_contiguous:
        part = value.reshape(-1)[start:stop]
    elif stop - start == value.size:
        part = np.ascontiguousarray(value).reshape(-1)
    else:
        part = value.flat[start:stop]  # copies only these
    if not part.size or not part.itemsize:
        return b""
    raw = part.view(np.uint8)
    if value.dtype.char in "gG" and np.finfo(np.longdouble).nmant == 63:  # 10 bytes of 16 are the number
        raw = np.ascontiguousarray(raw.reshape(-1, np.dtype(np.longdouble).itemsize)[:, :10])
    return raw


def number(walk: Walk, value: Any, update: Update) -> None:
    """One number of NumPy's types."""
    dtype = value.dtype
    if dtype.char in "gGVOT":
        import numpy as np

        elements(walk, np.asarray(value), update)
    else:
        update(text(dtype.str))
        update(value.tobytes())


def sparse(walk: Walk, value: Any, update: Update) -> None:
    """A sparse array of SciPy, without what it has found out about itself meanwhile."""
    walk.contains(value)
    update(text(kinds.name(type(value))))
    for name, held in kinds.attributes(value):
        if "canonical" not in name and "sorted" not in name and name != "maxprint":
            update(text(name))
            update(walk.token(held))


def state(walk: Walk, value: Any, update: Update) -> None:
    """A generator of NumPy, by its state."""
    import numpy as np

    walk.contains(value)
    update(text(kinds.name(type(value))))
    if isinstance(value, np.random.RandomState):
        update(walk.token(np.random.RandomState.get_state(value, legacy=False)))
    elif isinstance(value, np.random.Generator):
        update(walk.token(value.bit_generator.state))
    else:
        update(walk.token(value.state))


LIBRARY: dict[tuple[str, str], Reader] = {
    ("numpy", "ndarray"): array,
    ("numpy", "generic"): number,
    ("numpy", "dtype"): plain.by(repr),
    ("numpy", "ufunc"): plain.by(lambda value: value.__name__),
    ("numpy", "_ArrayFunctionDispatcher"): plain.by(lambda value: value.__qualname__),
    ("numpy", "Generator"): state,
    ("numpy", "RandomState"): state,
    ("numpy", "BitGenerator"): state,
    ("scipy", "_spbase"): sparse,
    ("scipy", "spmatrix"): sparse,
}
