"""`ModelVersion`: one version of a model, as it was kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from celltrail.formats.layers import Layer, Layers


@dataclass(frozen=True, repr=False)
class ModelVersion:
    """One version of a model; it never changes.

    Attributes:
        name: the model.
        version: its number, from 1.
        digest: of what it holds; of tensors by name, type, shape and bytes.
        format: safetensors, skops, pickle, onnx, gguf, file or folder.
        files: by name the ``blob``, ``digest`` and ``size`` of each.
        run: the id of the run that made it.
        data: digests of the data that run had named.
        params: the params of that run.
        metrics: its numbers as the model was kept.
        settings: what the model was made with.
        facts: what its file says of itself.
        layers: what it consists of.
        size: bytes of all files.
        bytes_added: how many of them the trail did not have yet.
    """

    name: str
    version: int
    digest: str
    format: str
    files: Mapping[str, Mapping[str, Any]]
    run: str
    data: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    layers: Layers = field(default_factory=Layers)
    text: str = field(default="")
    untrusted: tuple[str, ...] = field(default=())
    base_model: str | None = None
    licence: str | None = None
    size: int = 0
    bytes_added: int = 0
    created_us: int = field(default=0)
    by: str = field(default="")

    @property
    def ref(self) -> str:
        """Name and number, as in ``churn@v3``."""
        return f"{self.name}@v{self.version}"

    def __repr__(self) -> str:
        told = [self.ref, self.format, *([f"{self.layers.parameters:,} parameters"] if self.layers else [])]
        return f"<{' · '.join([*told, f'{self.size:,} bytes, {self.bytes_added:,} of them new', self.digest[:19]])}>"

    @property
    def architecture(self) -> Layers:
        """The same as ``layers``."""
        return self.layers

    @classmethod
    def of(cls, fields: Mapping[str, Any], layers: list[Any]) -> ModelVersion:
        """From its document, and what the blob of its layers holds; fields of a later format are passed over."""
        known = {name: fields[name] for name in cls.__dataclass_fields__ if name in fields and name != "layers"}
        known |= {name: tuple(known.get(name) or ()) for name in ("data", "untrusted")}
        return cls(**known, layers=Layers(map(Layer.of, layers)))
