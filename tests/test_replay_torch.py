"""Trainings in PyTorch, replayed: dropout, shuffling and workers give the same numbers again."""

from __future__ import annotations

from pathlib import Path

import pytest

import celltrail as ct
from celltrail.replay import Replay
from celltrail.store import Store
from kernels import Kernel

pytest.importorskip("torch")

DATA = """import torch
from torch import nn
torch.set_num_threads(1)
data = torch.utils.data.TensorDataset(torch.randn(64, 4), torch.randn(64, 1))"""
MODEL = """net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)"""
TRAIN = """%%track NAME
loader = torch.utils.data.DataLoader(data, batch_size=16, shuffle=True, num_workers=2)
for epoch in range(3):
    for x, y in loader:
        loss = nn.functional.mse_loss(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A trail in which a net was trained twice, the second time going on with the first, without any seed."""
    folder = tmp_path_factory.mktemp("torch") / "project"
    (folder / ".celltrail").mkdir(parents=True)
    kernel = Kernel(folder, {"CELLTRAIL_STORE": str(folder / ".celltrail"), "OMP_NUM_THREADS": "1"})
    train = [TRAIN.replace("NAME", name) for name in ("first", "second --continues")]
    for cell in ("%load_ext celltrail", DATA, MODEL, "spare = torch.rand(9)", *train, "%unload_ext celltrail"):
        reply = kernel.run(cell, timeout=180)
        assert reply.status == "ok", reply.content
    kernel.stop()
    return Store(folder / ".celltrail")


def replayed(name: str, store: Store, monkeypatch: pytest.MonkeyPatch, threads: str = "1") -> Replay:
    monkeypatch.chdir(store.root.parent)
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    return ct.replay(name, store=store, timeout=180)


def test_a_training_is_reproduced(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every loss is identical, although nothing was seeded and the loader has two forked workers."""
    told = replayed("first", store, monkeypatch)
    assert told.verdict == "reproduced", str(told)
    names = ["epoch", "loss", "train/grad_norm_applied", "train/lr"]
    points = [3, 12, 12, 12]  # an epoch is a point where it begins
    assert [(each.name, each.n, each.n_diff) for each in told.series] == [
        (name, n, 0) for name, n in zip(names, points, strict=True)
    ]


def test_a_training_that_goes_on_is_reproduced(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slice holds the first training, whose net and optimizer the second one took over."""
    told = replayed("second", store, monkeypatch, threads="2")
    assert (told.verdict, told.causes) == ("reproduced", []), str(told)
    assert [Path(step.code.split()[1]).name for step in told.plan if step.run] == ["first", "second"]
