"""Seeds set on purpose (``seed=`` and ``--seed``). Without them celltrail only reads generator states."""

from __future__ import annotations

import random
import sys

from celltrail.errors import BadValue


def set_seed(seed: int) -> dict[str, int]:
    """Seed the global generators of random and, where already imported, NumPy and PyTorch.

    Returns:
        What was seeded: library name -> seed.

    >>> set_seed(7)["random"]
    7
    """
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise BadValue(f"seed {seed!r} is not a whole number from 0 to 4294967295, the range all libraries share")
    random.seed(seed)
    seeded = {"random": seed}
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(seed)
        seeded["numpy"] = seed
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)
        seeded["torch"] = seed
    return seeded
