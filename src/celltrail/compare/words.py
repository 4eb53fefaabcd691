"""What a run ran in, in words: the names that a query and a frame have for it are said to a reader like this."""

from __future__ import annotations

_WORDS = {
    "os": "operating system",
    "prefix": "environment",
    "torch_threads": "threads of PyTorch",
    "cuda": "CUDA",
    "hardware.cpu": "processor",
    "hardware.memory_gb": "memory, GB",
    "hardware.gpu": "GPU",
    "hardware.gpus": "GPUs",
    "hardware.driver": "driver of the GPU",
    "git.dirty": "uncommitted changes",
    "git.diff": "digest of uncommitted changes",
    "state.clean": "clean state at its start",
    "state.flags": "why not clean",
    "state.slice": "cells it depends on",
    "state.lower_bound": "perhaps on more cells",
    "state.continues": "goes on with objects of run",
    "state.uses": "uses objects of run",
    "already.run": "ran before as run",
    "already.kind": "how alike that was",
    "already.is_exact": "whether that is certain",
    "already.differs": "what of that differs",
}
_FAMILIES = {"hardware": "", "git": "", "packages": "package ", "seeds": "seed of ", "state": "state: "}


def said(name: str) -> str:
    """A name of the environment for a reader.

    >>> [said(name) for name in ("python", "packages.numpy", "state.lower_bound", "git.commit", "autolog.sklearn")]
    ['python', 'package numpy', 'perhaps on more cells', 'commit', 'autolog: sklearn']
    """
    if name in _WORDS:
        return _WORDS[name]
    family, _, rest = name.partition(".")
    if not rest:
        return name
    return f"{_FAMILIES.get(family, f'{family}: ')}{rest if family == 'packages' else rest.replace('_', ' ')}"
