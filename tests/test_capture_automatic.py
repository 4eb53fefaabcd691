"""``%track on``: cells that train or log become runs without being marked."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import celltrail
from celltrail.capture.automatic import is_worth
from celltrail.store import Store
from kernels import Kernel


class Network:
    """As torch's modules are."""

    def named_parameters(self) -> None: ...

    def train(self) -> None: ...


@pytest.mark.parametrize(
    ("worth", "code"),
    [
        (True, "model.fit(X, y)"),
        (True, "history = build().fit(X)"),
        (True, "train(model, loader)"),
        (True, "trainer.train()"),
        (True, "booster = ast.train(params, data)"),
        (True, "for x in data:\n    loss = step(x)"),
        (True, "while True:\n    val_acc = f()\n    break"),
        (True, "run.log({'a': 1})"),
        (True, "if ready:\n    model.fit(X)"),
        (False, "network.train()"),
        (False, "def go():\n    model.fit(X)\n    for i in x: loss = f(i)"),
        (False, "class A:\n    def go(self): self.fit(1)"),
        (False, "X, y = train_test_split(X, y)"),
        (False, "y = np.log(x)"),
        (False, "for name in names:\n    print(name)"),
        (False, "fit = 3\nloss = 4"),
        (False, "with celltrail.start('a') as run:\n    run.log(loss=1)"),
        (False, "model.fit("),
        (False, ""),
    ],
)
def test_cells_that_train_or_log_are_worth_a_run(worth: bool, code: str) -> None:
    """What they only define, and torch's switch of modes, do not count."""
    namespace = {"network": Network(), "np": ast, "celltrail": celltrail}
    assert is_worth(code, namespace) is worth


def test_track_on_makes_runs_until_track_off(tmp_path: Path) -> None:
    """A cell that is marked is one run, not two; one that is scratch is none."""
    store = Store(tmp_path / ".celltrail")
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(tmp_path / "cache")})
    kernel.run("%load_ext celltrail")
    loop = "for i in range(3):\n    loss = 1 / (i + 1)"
    kernel.run(loop)
    assert "is a run (%track off)" in kernel.run("%track on").text
    kernel.run(f"# automatic\n{loop}")
    kernel.run(f"%%track marked\n{loop}")
    kernel.run(f"%%scratch\n{loop}")
    kernel.run("x = 1")
    assert "%track off stops that" in kernel.run("%track").text
    kernel.run("%track off")
    kernel.run(loop)
    kernel.run("%unload_ext celltrail")
    kernel.stop()
    found = {record.name: record for record in store.records()}
    assert set(found) == {"automatic", "marked"}
    assert all(record.metrics["loss"].count == 3 for record in found.values())
