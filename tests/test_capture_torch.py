"""PyTorch under ``%%track``: a real training, its numbers, its memory, its random states, its workers.

Not there in a plain environment: ``make torch`` installs the CPU build these tests are made for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from celltrail.capture import rng
from celltrail.store import Store
from kernels import SETTLE, Kernel

torch = pytest.importorskip("torch")

BEGIN = """
import gc, weakref, torch
from torch import nn
torch.set_num_threads(1)
torch.manual_seed(5)
def parts():
    data = torch.utils.data.TensorDataset(torch.randn(64, 4), torch.randn(64, 1))
    net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))
    return data, net, torch.optim.Adam(net.parameters(), lr=0.01)
"""
TRAIN = """
data, net, optimizer = parts()
loader = torch.utils.data.DataLoader(data, batch_size=16, shuffle=True, num_workers=2)
graphs, losses = [], []
for epoch in range(3):
    for x, y in loader:
        loss = nn.functional.mse_loss(net(x), y)
        graphs.append(weakref.ref(loss))
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
print(losses, float(sum(p.detach().double().sum() for p in net.parameters())), torch.rand(2).tolist())
"""
DIGEST = (
    "import hashlib; print(hashlib.sha256(torch.get_rng_state().numpy().tobytes()).hexdigest(), torch.initial_seed())"
)


@pytest.fixture
def kernels(tmp_path: Path) -> Iterator[tuple[Kernel, Kernel]]:
    environment = {
        "CELLTRAIL_STORE": str(tmp_path / ".celltrail"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "CELLTRAIL_QUIET": "1",
        "OMP_NUM_THREADS": "1",
    }
    recorded, plain = Kernel(tmp_path, environment), Kernel(tmp_path, environment)
    recorded.run("from celltrail.capture import Recorder\nrecorder = Recorder(get_ipython())\nrecorder.on()")
    for kernel in (recorded, plain):
        assert kernel.run(BEGIN).status == "ok"
    yield recorded, plain
    recorded.stop()
    plain.stop()


def test_a_training_is_the_same_and_its_losses_are_kept(kernels: tuple[Kernel, Kernel], store: Store) -> None:
    """Shuffling, dropout and forked loader workers give the numbers of the plain kernel, and all are in the run."""
    recorded, plain = kernels
    tracked, untracked = recorded.run("%%track sgd --no-chart" + TRAIN), plain.run(TRAIN)
    assert (tracked.status, tracked.complaints) == ("ok", untracked.complaints)
    assert tracked.text == untracked.text
    assert recorded.run(DIGEST).text == plain.run(DIGEST).text
    # only the last loss, which the notebook still names, is alive: the tracker holds neither graphs nor tensors
    alive = "del loss\ngc.collect()\nprint(sum(each() is not None for each in graphs), len(graphs))"
    assert recorded.run(alive).text == plain.run(alive).text == "0 12\n"
    expected = recorded.run("print(losses)").text
    recorded.run(SETTLE)
    (record,) = store.records()
    assert record.problems == ()
    assert str(store.series(record.id)["loss"].value.tolist()) == expected.strip()
    assert record.params["DataLoader.num_workers"].value == 2


def test_the_state_it_began_with_gives_its_numbers_again(kernels: tuple[Kernel, Kernel], store: Store) -> None:
    """The run keeps torch's state as it was before the body; set again, the same cell gives the same losses."""
    recorded, _ = kernels
    recorded.run("torch.rand(7)")
    first = recorded.run("%%track --no-chart" + TRAIN).text
    recorded.run(SETTLE)
    (record,) = store.records()
    packed = store.blobs.get(record.environment["rng"]["torch"])
    library, state = rng.unpack(packed)
    assert library == "torch"
    assert rng.pack(library, state).partition(b"\n")[2] == packed.partition(b"\n")[2]
    again = recorded.run(
        "from celltrail.capture import rng\nfrom celltrail.store import Store\n"
        f"rng.restore(dict([rng.unpack(Store(recorder.shell.user_ns.get('root') or {str(store.root)!r}).blobs.get("
        f"{record.environment['rng']['torch']!r}))]))" + TRAIN
    ).text
    assert again == first


def test_watched_tensors_are_copies(kernels: tuple[Kernel, Kernel], store: Store) -> None:
    """A loss that is changed in place after it was bound keeps the value it had; large and complex ones are left."""
    recorded, _ = kernels
    reply = recorded.run(
        "%%track --no-chart --watch loss acc score\n"
        "for i in range(3):\n    loss = torch.tensor(float(i), requires_grad=True)\n    acc = loss.detach()\n"
        "    acc += 10\n    score = torch.ones(2)\nprint(loss.requires_grad, loss.item())"
    )
    assert reply.text == "True 12.0\n"
    recorded.run(SETTLE)
    (record,) = store.records()
    assert store.series(record.id)["loss"].value.tolist() == [0, 1, 2]
    assert record.problems == ()


def test_celltrail_does_not_import_torch(tmp_path: Path) -> None:
    """A kernel whose user did not import torch has not got it, with torch installed."""
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(tmp_path / ".celltrail"), "CELLTRAIL_QUIET": "1"})
    try:
        kernel.run("%load_ext celltrail")
        kernel.run("%%track\nfor i in range(3): loss = i")
        assert kernel.run("import sys; print('torch' in sys.modules)").text == "False\n"
    finally:
        kernel.stop()
