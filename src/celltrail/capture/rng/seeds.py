"""Which generators a piece of code seeds, told from its text: whether numbers drawn later can be drawn again."""

from __future__ import annotations

import re

_WITH_SOMETHING = r"\(\s*(?!\s|None\b|\))"
_SEEDS = {
    "random": r"(?<![\w.])random\.seed|(?<![\w.])seed",
    "numpy": r"\b(?:np|numpy)\.random\.(?:seed|set_state)|(?<![\w.])RandomState\.seed",
    "torch": r"\btorch\.(?:random\.)?(?:manual_seed|set_rng_state)|(?<![\w.])manual_seed",
    "torch.cuda": r"\btorch\.(?:cuda\.)?(?:manual_seed|manual_seed_all|set_rng_state)",
    "numpy.Generator": r"\b(?:default_rng|PCG64(?:DXSM)?|MT19937|Philox|SFC64|SeedSequence)",
    "numpy.RandomState": r"\bRandomState",
    "torch.Generator": r"\.manual_seed",
    "random.Random": r"\bRandom",
}
_SEED = {library: re.compile(f"(?:{names}){_WITH_SOMETHING}") for library, names in _SEEDS.items()}
# these seed everything there is
_ALL = re.compile(
    rf"\b(?:seed_everything|set_seeds?|set_random_seed|set_all_seeds|seed_all|fix_seeds?|setup_seed){_WITH_SOMETHING}"
)
_TRACKED = re.compile(r"^\s*%%track\b.*--seed\b", re.MULTILINE)


def seeded_in(code: str) -> frozenset[str]:
    """The kinds of generators that code gives a seed.

    >>> sorted(seeded_in("np.random.seed(0)\\nrng = np.random.default_rng(seed)"))
    ['numpy', 'numpy.Generator']
    >>> seeded_in("rng = np.random.default_rng()\\nrandom.seed()")
    frozenset()
    """
    if _ALL.search(code) or _TRACKED.search(code):
        return frozenset(_SEED)
    return frozenset(library for library, pattern in _SEED.items() if pattern.search(code))


def kind(library: str) -> str:
    """The kind of a generator by its key: ``numpy.Generator:rng`` is a ``numpy.Generator``.

    >>> kind("numpy.Generator:rng"), kind("torch.cuda.0"), kind("random")
    ('numpy.Generator', 'torch.cuda', 'random')
    """
    library = library.partition(":")[0]
    return "torch.cuda" if library.startswith("torch.cuda") else library
