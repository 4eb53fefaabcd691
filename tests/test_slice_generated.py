"""Slices of long, messy sessions: generated notebooks of which each slice runs, gives the same and holds no junk."""

from __future__ import annotations

import random
from typing import Any

import pytest

import celltrail as ct
from celltrail.replay import Slice
from celltrail.replay.written import script_of
from celltrail.store import Store
from kernels import Kernel

SEEDS = range(4)


class Written:
    """One notebook as somebody might have worked on it, its names apart from those of all others."""

    def __init__(self, seed: int) -> None:
        self.seed, self._chance = seed, random.Random(seed)
        self._made: list[str] = []
        self.cells = [self._cell() for _ in range(36)]
        self.cells.append(
            f"%%track notebook-{seed} --no-chart\nout_{seed} = []\nfor i in range(4):\n"
            f"    loss = {self._value()} * (i + 1) + {self._value()}\n    out_{seed}.append(loss)"
        )

    def _own(self, name: str) -> str:
        return f"{name}_{self.seed}"

    def _value(self) -> str:
        """Something that was made before, or a number."""
        return self._chance.choice(self._made) if self._made and self._chance.random() < 0.8 else str(self._number())

    def _number(self) -> int:
        return self._chance.randint(1, 9)

    def _cell(self) -> str:
        return self._chance.choice(
            [
                self._new,
                self._new,
                self._again,
                self._changed,
                self._function,
                self._container,
                self._junk,
                self._failed,
            ]
        )()

    def _new(self) -> str:
        name = self._own(self._chance.choice("abcde"))
        code = f"{name} = {self._value()} + {self._number()}"
        self._made.append(name)
        return code

    def _again(self) -> str:
        """A cell that was edited and run once more: what it made before does not count."""
        if not self._made:
            return self._new()
        name = self._chance.choice(self._made)
        return f"{name} = {self._number()}  # again"

    def _changed(self) -> str:
        if not self._made:
            return self._new()
        name = self._chance.choice(self._made)
        return f"if {self._number()} > 3:\n    {name} += {self._number()}" if self.seed % 2 else f"{name} *= 2"

    def _function(self) -> str:
        name = self._own(self._chance.choice("fg"))
        code = f"def {name}(x):\n    return x + {self._value()}"
        self._made.append(f"{name}({self._number()})")
        return code

    def _container(self) -> str:
        name = self._own("box")
        code = f"{name} = [{self._value()}]\n{name}.append({self._number()})"
        self._made.append(f"sum({name})")
        return code

    def _junk(self) -> str:
        value = self._value()
        return self._chance.choice(
            [
                f"print({value})",
                f"junk_{self.seed} = [{value}] * 3",
                f"len(str({value}))",
                f"for junk_{self.seed} in range(3): pass",
                "import math",
                f"sorted([{value}, {self._number()}])",
                "",
            ]
        )

    def _failed(self) -> str:
        return self._chance.choice(
            ["1 / 0", "undefined_name", "raise ValueError('by hand')", f"print({self._value()})\n[][1]", "def broken(:"]
        )


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """All notebooks in one kernel, a cell of one after a cell of another: the longest session there is."""
    folder = tmp_path_factory.mktemp("slices") / "project"
    (folder / ".celltrail").mkdir(parents=True)
    kernel = Kernel(folder, {"CELLTRAIL_STORE": str(folder / ".celltrail"), "OMP_NUM_THREADS": "1"})
    try:
        assert kernel.run("%load_ext celltrail").status == "ok"
        for cells in zip(*(Written(seed).cells for seed in SEEDS), strict=True):
            for cell in cells:
                reply = kernel.run(cell)
                assert reply.status == "ok" or "%%track" not in cell, reply.content
        kernel.run("%unload_ext celltrail")
    finally:
        kernel.stop()
    return Store(folder / ".celltrail")


def outcome(part: Slice, without: int | None = None) -> Any:
    """What the cells of a slice make, one after the other in a namespace of their own; None where they cannot."""
    names: dict[str, Any] = {}
    seed = part.run.name.rpartition("-")[2]
    for at, step in enumerate(part.steps):
        if at == without:
            continue
        try:
            exec(compile(script_of("", [(step.code, "", None)]), "cell", "exec"), names)
        except Exception as error:  # noqa: BLE001  the cell failed when it was recorded, too, or the slice is wrong
            if type(error).__name__ != step.error:
                return None
    return names.get(f"out_{seed}")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_slice_runs_and_gives_the_same_numbers(recorded: Store, seed: int) -> None:
    """Alone, in the order of the slice; the full one gives them too, with all that ran before."""
    part = ct.slice(f"notebook-{seed}", store=recorded)
    points = part.run.series("loss")[1].tolist()
    assert outcome(part) == points, repr(part)
    assert len(ct.slice(f"notebook-{seed}", "full", store=recorded)) > 30 * len(SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_slice_holds_no_junk(recorded: Store, seed: int) -> None:
    """Nothing of another notebook; and without any one of its cells it fails, or gives other numbers."""
    part = ct.slice(f"notebook-{seed}", store=recorded)
    whole = outcome(part)
    spare = [repr(step.code) for at, step in enumerate(part.steps[:-1]) if outcome(part, at) == whole]
    assert not spare, f"{spare} of\n{part!r}"
    assert not any(f"_{other}" in step.code for step in part for other in SEEDS if other != seed)
