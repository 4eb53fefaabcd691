"""What plain PyTorch loops tell by themselves, held beside what the loops kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import celltrail as ct
from celltrail.replay.judging import compare_series
from celltrail.store import Store
from kernels import SETTLE, Kernel

pytest.importorskip("torch")

TRAINING = """
import torch
from torch.utils.data import DataLoader, TensorDataset

def made(size=256):
    torch.manual_seed(0)
    x = torch.randn(size, 4)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    return x, x.sum(1, keepdim=True), model
"""


@pytest.fixture
def hooked() -> Iterator[None]:
    """The plug-in at work in this process."""
    ct.autolog(on=["torch"])
    yield
    ct.autolog(on=())


def trained(folder: Path, body: str) -> tuple[dict[str, tuple[list[int], list[float]]], dict[str, list[float]]]:
    """The series of a run that trained like this, and what the code put into ``kept``."""
    lines = "\n".join("    " + line for line in body.strip().splitlines())
    there: dict[str, Any] = {"__name__": "loop"}
    exec(compile(f"{TRAINING}\ndef train(kept):\n{lines}", "loop.py", "exec"), there)
    store, kept = ct.Store(folder / ".celltrail"), {}
    with ct.start("a", store=store) as run:
        there["train"](kept)
    return {name: (each.step.tolist(), each.value.tolist()) for name, each in store.series(run.id).items()}, kept


def test_loss_and_rate_are_those_of_the_loop(hooked: None, tmp_path: Path):
    """M2.1, M2.2: warm-up and cosine, step by step."""
    told, kept = trained(tmp_path, """
x, y, model = made()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
warm = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=5)
cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
schedule = torch.optim.lr_scheduler.SequentialLR(optimizer, [warm, cosine], [5])
kept.update(loss=[], lr=[])
for epoch in range(5):
    for i in range(5):
        optimizer.zero_grad()
        loss = (model(x) - y).pow(2).mean()
        loss.backward()
        kept["lr"].append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
        kept["loss"].append(loss.item())
""")  # fmt: skip
    assert told["train/loss"] == (list(range(25)), kept["loss"])
    assert told["train/lr"] == (list(range(25)), kept["lr"])
    assert told["epoch"][1] == [epoch for epoch in range(5) for _ in range(5)]


NORMED = """
x, y, model = made()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
kept["norm"] = []
for i in range(6):
    optimizer.zero_grad()
    (model(x) - y).pow(2).mean().backward()
    {clip}
    optimizer.step()
"""


@pytest.mark.parametrize("most", [1e9, 0.5])
def test_the_norm_as_applied_is_that_of_clipping(hooked: None, tmp_path: Path, most: float):
    """M2.5: the return of `clip_grad_norm_` where nothing is clipped, the limit where it is; never under one name."""
    clip = f'kept["norm"].append(torch.nn.utils.clip_grad_norm_(model.parameters(), {most}).item())'
    told, kept = trained(tmp_path, NORMED.format(clip=clip))
    exact = 1e-6 if most > max(kept["norm"]) else 1e-5  # PyTorch clips to a millionth less than asked
    assert told["train/grad_norm_applied"][1] == pytest.approx([min(norm, most) for norm in kept["norm"]], rel=exact)
    assert max(kept["norm"]) > 0.5
    assert "train/grad_norm" not in told


def test_the_norm_before_clipping_where_a_variable_has_it(hooked: None, tmp_path: Path):
    """M2.5: the unclipped one, to 1e-6."""
    clip = "grad_norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5); kept['norm'].append(grad_norm.item())"
    told, kept = trained(tmp_path, NORMED.format(clip=clip))
    assert told["train/grad_norm"][1] == pytest.approx(kept["norm"], rel=1e-6)
    assert "train/grad_norm_applied" not in told


def test_what_is_bound_after_the_step_is_of_the_step_before(hooked: None, tmp_path: Path):
    """An accuracy taken after the step is not told one step late; one taken before it is told."""
    told, kept = trained(tmp_path, """
x, y, model = made()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
kept["accuracy"] = []
for i in range(4):
    optimizer.zero_grad()
    train_loss = (model(x) - y).pow(2).mean()
    accuracy = float(((model(x) - y).abs() < 0.5).float().mean())
    kept["accuracy"].append(accuracy)
    train_loss.backward()
    optimizer.step()
    acc = accuracy * 2
""")  # fmt: skip
    assert told["train/accuracy"][1] == kept["accuracy"]
    assert "train/acc" not in told
    assert len(told["train/loss"][1]) == 4


def test_groups_and_further_optimizers_have_names_of_their_own(hooked: None, tmp_path: Path):
    """Two rates in one optimizer, and a second optimizer beside it."""
    told, _ = trained(tmp_path, """
x, y, model = made()
a, _, b = model
first = torch.optim.SGD([{"params": a.parameters(), "lr": 0.1}, {"params": b.parameters(), "lr": 0.2}])
second = torch.optim.SGD(model.parameters(), lr=0.3)
for i in range(3):
    for optimizer in (first, second):
        optimizer.zero_grad()
        (model(x) - y).pow(2).mean().backward()
        optimizer.step()
""")  # fmt: skip
    rates = {name: set(values) for name, (_, values) in told.items() if "lr" in name}
    assert rates == {"train/lr/0": {0.1}, "train/lr/1": {0.2}, "train/opt1_lr": {0.3}}
    assert told["train/opt1_grad_norm_applied"][0] == [0, 1, 2]


PACED = """
import time
x, y, model = made(512)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
loader = DataLoader(TensorDataset(x, y), batch_size=64)
{names}
began = time.perf_counter()
for epoch in range(8):
    for xb, yb in loader:
        time.sleep(0.02)
        optimizer.zero_grad()
        loss = (model(xb) - yb).pow(2).mean()
        loss.backward()
        optimizer.step()
        kept.setdefault("end", []).append(time.perf_counter() - began)
"""


def test_samples_a_second_by_the_loader(hooked: None, tmp_path: Path):
    """M2.4: the batch is the loader's; the rate is that of the loop's own clock."""
    told, kept = trained(tmp_path, PACED.format(names=""))
    steps, rates = told["train/samples_per_s"]
    own = 64 * steps[0] / (kept["end"][steps[0]] - kept["end"][0])
    assert rates[0] == pytest.approx(own, rel=0.1)


def test_no_rate_where_a_step_is_not_a_batch(hooked: None, tmp_path: Path):
    """A loop that accumulates gradients says so by a name; a wrong number would be worse than none."""
    told, _ = trained(tmp_path, PACED.format(names="accumulate = 4"))
    assert "train/samples_per_s" not in told


def test_variables_are_let_go_of(hooked: None, tmp_path: Path):
    """Reading a function's variables keeps none of them alive, and what `locals()` gave stays the user's."""
    _, kept = trained(tmp_path, """
import weakref
x, y, model = made()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
def one():
    batch = torch.randn(8, 4)
    loss = model(batch).pow(2).mean()
    loss.backward()
    optimizer.step()
    gone = weakref.ref(batch)
    del batch
    return gone() is None
def keeping():
    note = 5
    mine = locals()
    loss = model(x).pow(2).mean()
    loss.backward()
    optimizer.step()
    return mine["note"]
kept.update(gone=one(), note=keeping())
""")  # fmt: skip
    assert kept == {"gone": True, "note": 5}


def test_a_tracked_loop_has_each_series_once(tmp_path: Path):
    """The cell's loop variable stays ``loss``, step for step; what the cell has no name for comes beside it."""
    store = Store(tmp_path / ".celltrail")
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(tmp_path / "c")})
    kernel.run("%load_ext celltrail")
    kernel.run(TRAINING)
    reply = kernel.run("""%%track
lr = 0.1
x, y, model = made()
optimizer = torch.optim.SGD(model.parameters(), lr=lr)
for i in range(6):
    optimizer.zero_grad()
    loss = (model(x) - y).pow(2).mean()
    loss.backward()
    optimizer.step()
""")  # fmt: skip
    assert reply.status == "ok"
    kernel.run(SETTLE)
    kernel.stop()
    (record,) = store.records()
    told = {name: series.value.tolist() for name, series in store.series(record.id).items()}
    assert sorted(told) == ["loss", "train/grad_norm_applied", "train/lr"]
    assert {len(values) for values in told.values()} == {6}
    assert not record.problems


def test_with_gradients_accumulated_the_rate_stands_at_its_batch(tmp_path: Path):
    """One axis for all: the loss of each batch, the rate where the optimizer stepped, the score after an epoch."""
    pytest.importorskip("sklearn")
    store = Store(tmp_path / ".celltrail")
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(tmp_path / "c")})
    kernel.run("%load_ext celltrail")
    kernel.run(TRAINING + """
from sklearn.metrics import r2_score
def train_one_epoch(model, x, y, optimizer):
    total = 0.0
    for i in range(6):
        loss = (model(x) - y).pow(2).mean() / 2
        loss.backward()
        if i % 2 == 1:
            optimizer.step()
            optimizer.zero_grad()
        total += loss.item()
    return total / 6
""")  # fmt: skip
    reply = kernel.run("""%%track
x, y, model = made()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(2):
    train_loss = train_one_epoch(model, x, y, optimizer)
    r2_score(y.numpy(), model(x).detach().numpy())
""")  # fmt: skip
    assert reply.status == "ok", "\n".join(reply.content["traceback"])
    kernel.run(SETTLE)
    kernel.stop()
    (record,) = store.records()
    told = {name: series.step.tolist() for name, series in store.series(record.id).items()}
    assert told["loss"] == list(range(12))
    assert told["train/lr"] == told["train/grad_norm_applied"] == [1, 3, 5, 7, 9, 11]
    assert told["train_loss"] == told["val/r2"] == [5, 11]


def test_a_bar_of_epochs_stands_at_the_steps_of_the_optimizer(tmp_path: Path):
    """What a bar shows and the rates are on one axis, and a checkpoint is of the step that was taken last."""
    store = Store(tmp_path / ".celltrail")
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(tmp_path / "c")})
    kernel.run("%load_ext celltrail")
    kernel.run(TRAINING)
    reply = kernel.run("""%%track
from tqdm import tqdm
x, y, model = made()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
bar = tqdm(total=3)
for epoch in range(3):
    for i in range(4):
        optimizer.zero_grad()
        error = (model(x) - y).pow(2).mean()
        error.backward()
        optimizer.step()
    bar.update()
    bar.set_postfix(loss=error.item())
    torch.save(model.state_dict(), f"{epoch}.pt")
import celltrail as ct
saved = [[each.name, each.step] for each in ct.current().checkpoints]
""")  # fmt: skip
    assert reply.status == "ok"
    saved = kernel.run("print(saved)").text
    kernel.run(SETTLE)
    kernel.stop()
    run = ct.runs(store=store)[0]
    told = store.series(run.id)
    assert told["train/lr"].step.tolist() == list(range(12))
    assert told["train/loss"].step.tolist() == [3, 7, 11]
    assert saved == "[['0.pt', 3], ['1.pt', 7], ['2.pt', 11]]\n"


def test_quick_steps_are_sampled_and_replayed_all_the_same(hooked: None, tmp_path: Path):
    """What is passed over is said on the run; a replay is compared at the steps that both have."""
    told, _ = trained(tmp_path, QUICK.format(steps=6000))
    assert 10 < len(told["train/grad_norm_applied"][0]) < 6000
    trained(tmp_path, QUICK.format(steps=6000))
    new, old = ct.runs(store=ct.Store(tmp_path / ".celltrail"))
    assert "train/lr" in old.record.environment["autolog"]["sampled"]
    assert {each.name: each.verdict for each in compare_series(old, new, 0.0)} == dict.fromkeys(told, "reproduced")
    trained(tmp_path, QUICK.format(steps=3000).replace("lr=0.01", "lr=0.02"))
    other = ct.runs(store=ct.Store(tmp_path / ".celltrail"))[0]
    assert {each.name: each.verdict for each in compare_series(old, other, 0.0)}["train/lr"] == "drifted"


QUICK = """
x, y, model = made(4)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for i in range({steps}):
    optimizer.zero_grad(set_to_none=False)
    if not i:
        model(x).mean().backward()
    optimizer.step()
"""
