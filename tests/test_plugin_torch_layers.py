"""`run.watch`: a model's layers while it trains, held beside what PyTorch says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import celltrail as ct
from celltrail.store import Store

torch = pytest.importorskip("torch")


def parts() -> tuple[Any, Any, Any]:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    return torch.randn(32, 4), net, torch.optim.SGD(net.parameters(), lr=0.1)


def step(x: Any, net: Any, optimizer: Any) -> None:
    optimizer.zero_grad()
    net(x).pow(2).mean().backward()
    optimizer.step()


def test_norms_and_spreads_are_those_of_the_tensors(tmp_path: Path):
    """M2: of each parameter, at every third step, by an SGD whose step is the gradient times the rate."""
    store, (x, net, optimizer) = Store(tmp_path / ".celltrail"), parts()
    norms: dict[str, list[float]] = {"weight": [], "grad": []}
    with ct.start("a", store=store) as run:
        run.watch(net, every=3)
        for _ in range(7):
            norms["weight"].append(net[0].weight.norm().item())
            step(x, net, optimizer)
            norms["grad"].append(net[0].weight.grad.norm().item())
    series = store.series(run.id)
    assert series["train/weight_norm/0.weight"].step.tolist() == [0, 3, 6]
    assert series["train/weight_norm/0.weight"].value == pytest.approx(norms["weight"][::3], rel=1e-6)
    assert series["train/grad_norm/0.weight"].value == pytest.approx(norms["grad"][::3], rel=1e-6)
    moved = [0.1 * grad / weight for grad, weight in zip(norms["grad"], norms["weight"], strict=True)]
    assert series["train/update_ratio/0.weight"].value == pytest.approx(moved[::3], rel=1e-4)
    spread = [item for item in ct.run("a", store=store).items() if item.name == "weights/2.weight"]
    assert [item.step for item in spread] == [0, 3, 6]
    assert [item.facts["values"] for item in spread] == [8, 8, 8]


def test_the_model_is_as_it_was_when_the_run_has_ended(tmp_path: Path):
    """No hook is left, on the model or on optimizers."""
    hooks = __import__("torch.optim.optimizer", fromlist=["_"])
    x, net, optimizer = parts()
    with ct.start("a", store=Store(tmp_path / ".celltrail")) as run:
        run.watch(net)
        step(x, net, optimizer)
        assert any(module._forward_hooks for module in net.modules())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
    assert not hooks._global_optimizer_pre_hooks
    assert not hooks._global_optimizer_post_hooks


class Root(torch.nn.Module):
    """Finite on the way in, not on the way back: the root of zero has no slope."""

    def forward(self, x: Any) -> Any:
        return (x * 0).sqrt()


class Burst(torch.nn.Module):
    def forward(self, x: Any) -> Any:
        return x / 0


@pytest.mark.parametrize(
    ("odd", "where"),
    [(Burst(), "layer 2 (Burst)"), (Root(), "the gradient of 1.bias"), (None, "the input")],
    ids=["forward", "backward", "input"],
)
def test_the_first_layer_that_is_not_finite_is_named(tmp_path: Path, odd: Any, where: str):
    """S10: at the step where it begins, once, and the training goes on."""
    store, (x, net, _) = Store(tmp_path / ".celltrail"), parts()
    linear = torch.nn.Linear(8, 8)
    net = torch.nn.Sequential(net[0], linear, torch.nn.Identity(), net[2])
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    with ct.start("a", store=store) as run:
        run.watch(net)
        for i in range(5):
            if i == 3 and odd is not None:
                net[2] = odd
                run.watch(net)
            step(x if odd is not None or i < 3 else x * float("nan"), net, optimizer)
    alerts = ct.run("a", store=store).alerts
    assert f"NaN or infinity in {where}" in {alert.title for alert in alerts}


def test_what_is_no_model_is_answered(tmp_path: Path):
    """What it was, and what is allowed."""
    with ct.start("a", store=Store(tmp_path / ".celltrail")) as run:
        with pytest.raises(ct.BadValue, match=r"a builtins\.int cannot be watched; models of torch can"):
            run.watch(3)
        with pytest.raises(ct.BadValue, match="every=0 is no number of steps"):
            run.watch(parts()[1], every=0)


def test_sparse_gradients_are_told_of(tmp_path: Path):
    """Of an embedding only the rows that were used have one."""
    store, net = Store(tmp_path / ".celltrail"), torch.nn.Embedding(10, 3, sparse=True)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with ct.start("a", store=store) as run:
        run.watch(net)
        net(torch.tensor([1, 1, 4])).sum().backward()
        optimizer.step()
    assert store.series(run.id)["train/grad_norm/weight"].value == pytest.approx([15**0.5])
    assert not ct.run("a", store=store).alerts


class Shy(torch.Tensor):
    """A tensor of somebody's own that does not like to be looked at."""

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is torch.Tensor.sum:
            raise RuntimeError("not me")
        return super().__torch_function__(function, types, args, kwargs or {})


def test_a_fault_of_ours_is_said_and_the_training_goes_on(tmp_path: Path):
    """The same weights as without watching, and the reason on the run."""
    store, plain, watched = Store(tmp_path / ".celltrail"), parts(), parts()
    with ct.start("a", store=store) as run:
        run.watch(watched[1])
        for x, net, optimizer in (plain, watched):
            for _ in range(2):
                step(x.as_subclass(Shy), net, optimizer)
    assert torch.equal(plain[1][0].weight, watched[1][0].weight)
    assert any("not me" in problem for problem in store.record(run.id).problems)
