"""Models as bytes: how each kind is kept, what its file says of itself, and how it becomes a value again.

Nothing here knows a run or a trail.
"""

from celltrail.formats.layers import Layer, Layers, LayersChanged, changed
from celltrail.formats.packed import Packed, content_of, digest_of
from celltrail.formats.packing import pack, unpack
from celltrail.formats.tensors import TensorFile
from celltrail.formats.version import ModelVersion

__all__ = [
    "Layer",
    "Layers",
    "LayersChanged",
    "ModelVersion",
    "Packed",
    "TensorFile",
    "changed",
    "content_of",
    "digest_of",
    "pack",
    "unpack",
]
