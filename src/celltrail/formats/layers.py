"""What a model consists of: its tensors by name, type and shape, and what two models differ in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Layer:
    """One tensor; ``is_trained`` is false of a buffer and of a frozen parameter, ``is_parameter`` of a buffer."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    is_trained: bool = True
    is_parameter: bool = True

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)

    def told(self) -> list[Any]:
        """As JSON."""
        return [self.name, self.dtype, list(self.shape), self.is_trained, self.is_parameter]

    @classmethod
    def of(cls, told: Sequence[Any]) -> Layer:
        """From JSON."""
        name, dtype, shape, is_trained, is_parameter = told
        return cls(str(name), str(dtype), tuple(shape), bool(is_trained), bool(is_parameter))


class Layers(tuple[Layer, ...]):
    """The tensors of a model, in its own order."""

    @property
    def parameters(self) -> int:
        """How many numbers can be learned, frozen ones among them, buffers not."""
        return sum(layer.count for layer in self if layer.is_parameter)

    def df(self) -> pd.DataFrame:
        """A row for each: ``name dtype shape count trained``."""
        import pandas as pd

        rows = [(each.name, each.dtype, each.shape, each.count, each.is_trained) for each in self]
        return pd.DataFrame(rows, columns=pd.Index(["name", "dtype", "shape", "count", "trained"]))

    def __repr__(self) -> str:
        width = max((len(layer.name) for layer in self), default=0)
        lines = [f"{each.name:<{width}}  {shaped(each)}  {each.count:,}" for each in self[:40]]
        more = [f"and {len(self) - 40:,} more"] if len(self) > 40 else []
        return "\n".join([*lines, *more, f"{self.parameters:,} parameters"])


@dataclass(frozen=True, repr=False)
class LayersChanged:
    """What the second model has that the first has not; false where they are built alike. ``str()`` says it."""

    added: tuple[Layer, ...]
    removed: tuple[Layer, ...]
    changed: tuple[tuple[Layer, Layer], ...]
    parameters: tuple[int, int]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def df(self) -> pd.DataFrame:
        """A row for each tensor that is not the same: ``name before after``."""
        import pandas as pd

        rows = [(old.name, shaped(old), shaped(new)) for old, new in self.changed]
        rows += [(each.name, shaped(each), "") for each in self.removed]
        rows += [(each.name, "", shaped(each)) for each in self.added]
        return pd.DataFrame(rows, columns=pd.Index(["name", "before", "after"]))

    def __repr__(self) -> str:
        if not self:
            return "built alike"
        lines = [f"{name}: {before or 'not there'} → {after or 'gone'}" for name, before, after in
                 self.df().itertuples(index=False)]  # fmt: skip
        return "\n".join([*lines, "{:,} → {:,} parameters".format(*self.parameters)])


def changed(first: Layers, second: Layers) -> LayersChanged:
    """The second held against the first, by the names of their tensors.

    >>> one, other = Layers([Layer("fc.weight", "F32", (10, 64))]), Layers([Layer("fc.weight", "F32", (10, 32))])
    >>> changed(one, other)
    fc.weight: F32 [10, 64] → F32 [10, 32]
    640 → 320 parameters
    """
    before, after = {each.name: each for each in first}, {each.name: each for each in second}
    both = [(before[name], after[name]) for name in before if name in after]
    return LayersChanged(
        tuple(after[name] for name in after if name not in before),
        tuple(before[name] for name in before if name not in after),
        tuple((old, new) for old, new in both if (old.dtype, old.shape) != (new.dtype, new.shape)),
        (first.parameters, second.parameters),
    )


def shaped(layer: Layer) -> str:
    """Type and shape, as in ``F32 [10, 64]``."""
    return f"{layer.dtype} {list(layer.shape)}"


def of_tensors(tensors: Iterable[tuple[str, Any]], names: Mapping[str, str]) -> Iterator[Layer]:
    """Those of named tensors or arrays; ``names`` gives the types as safetensors spells them."""
    for name, tensor in tensors:
        dtype = str(tensor.dtype).removeprefix("torch.")
        yield Layer(name, names.get(dtype, dtype), tuple(tensor.shape))


def of_module(module: Any) -> Layers:
    """Parameters, then buffers, of a module of PyTorch; what is shared counts once."""
    found = [
        Layer(name, DTYPES.get(str(each.dtype)[6:], str(each.dtype)), tuple(each.shape), bool(each.requires_grad))
        for name, each in module.named_parameters()
    ]
    found += [
        Layer(name, DTYPES.get(str(each.dtype)[6:], str(each.dtype)), tuple(each.shape), False, False)
        for name, each in module.named_buffers()
    ]
    return Layers(found)


def of_estimator(estimator: Any, prefix: str = "", depth: int = 0) -> Iterator[Layer]:
    """The arrays that an estimator of scikit-learn has learned, and those of its parts; of trees the nodes."""
    import numpy as np

    parts: list[tuple[str, Any]] = []
    held: dict[str, Any] = vars(estimator)
    for name, value in held.items():
        if name in _NOT_LEARNED or not (name.endswith("_") or name == "steps"):
            continue
        if name == "tree_":
            yield Layer(f"{prefix}{name}", "nodes", (int(value.node_count),))
        elif name == "estimators_":
            parts += [(f"{name}.{number}", inner) for number, inner in enumerate(np.ravel(value).tolist())]
        elif name == "steps" and isinstance(value, list):
            parts += [(step, inner) for step, inner in value]
        elif isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
            yield Layer(f"{prefix}{name}", DTYPES.get(str(value.dtype), str(value.dtype)), value.shape)
        else:
            parts.append((name, value))
    for name, inner in parts if depth < _DEEPEST else ():
        if hasattr(inner, "get_params"):
            yield from of_estimator(inner, f"{prefix}{name}.", depth + 1)


_DEEPEST = 3
# what an estimator has seen or done, not what it learned
_NOT_LEARNED = {"classes_", "n_iter_", "feature_names_in_", "n_features_in_", "loss_curve_", "estimators_samples_"}
DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64", "bool": "BOOL",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
}  # fmt: skip
