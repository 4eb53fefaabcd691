"""What becomes of each layer of a PyTorch model: `Run.watch`. Tested with PyTorch 2.13.0.

Every so many steps of the optimizer, for each parameter: ``train/weight_norm/NAME``, ``train/grad_norm/NAME``,
``train/update_ratio/NAME`` (how far the step moved it, over how large it was) and histograms ``weights/NAME`` and
``grads/NAME``. At every step: whether the gradients are finite. The first time they are not, an alert names the layer
in which it began, or where all of these were finite the parameter whose gradient was the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

BINS = 64


def watch(run: Any, model: Any, every: int, guard: Callable[..., Any]) -> Callable[[], None]:
    """Look at this model until what comes back is called."""
    torch = import_module("torch")
    layers = _Layers(torch, run, model, every)
    steps = import_module("torch.optim.optimizer")
    handles = [
        model.register_forward_pre_hook(guard(layers.enters)),
        steps.register_optimizer_step_pre_hook(guard(layers.before_step)),
        steps.register_optimizer_step_post_hook(guard(layers.after_step)),
    ]
    for name, module in model.named_modules():
        if not any(module.children()):
            handles.append(module.register_forward_hook(guard(layers.passes(name or "the model"))))

    def stop() -> None:
        for handle in handles:
            handle.remove()

    return stop


class _Layers:
    """The layers of one model, and the optimizer that trains them."""

    def __init__(self, torch: Any, run: Any, model: Any, every: int) -> None:
        self._torch, self._run, self._every = torch, run, every
        trained = ((name, each) for name, each in model.named_parameters() if each.requires_grad)
        self._parameters = {name: each for name, each in trained if each.is_floating_point()}
        self._optimizer: Any = None
        self._step = 0
        self._sums: list[tuple[str, Any]] = []  # of one forward pass, in its order
        self._before: dict[str, Any] = {}  # the parameters as they were before the step that is looked at
        self._has_tripped = False

    def enters(self, module: Any, inputs: Any) -> None:
        """PyTorch's protocol of a forward pre-hook, for the model itself."""
        self._sums.clear()
        self._note("the input", inputs)

    def passes(self, name: str) -> Callable[[Any, Any, Any], None]:
        """A forward hook for the layer of this name."""

        def passes(module: Any, inputs: Any, output: Any) -> None:
            self._note(f"layer {name} ({type(module).__name__})", output)

        return passes

    def before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """PyTorch's protocol of a pre-hook of optimizers; the first that has a parameter of the model counts."""
        if self._optimizer is None and self._is_of(optimizer):
            self._optimizer = optimizer
        if optimizer is not self._optimizer:
            return
        if not self._has_tripped:
            self._look_for_odd()
        if self._step % self._every == 0:
            self._before = {name: each.detach().clone() for name, each in self._parameters.items()}

    def after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """PyTorch's protocol of a post-hook of optimizers."""
        if optimizer is not self._optimizer:
            return
        before, self._before = self._before, {}
        if before:
            self._tell(before)
        self._step += 1

    def _is_of(self, optimizer: Any) -> bool:
        own = set(map(id, self._parameters.values()))
        return any(id(each) in own for group in optimizer.param_groups for each in group["params"])

    def _note(self, where: str, values: Any) -> None:
        if self._torch.is_grad_enabled() and not self._has_tripped:
            for tensor in self._tensors(values):
                # one pass over it, and finite where all of it is; nobody waits for the device unless something is odd
                self._sums.append((where, tensor.detach().sum(dtype=self._wide(tensor))))

    def _wide(self, tensor: Any) -> Any:
        """Where a sum of small numbers does not overflow."""
        return self._torch.promote_types(tensor.dtype, self._torch.float32)

    def _tensors(self, values: Any) -> Iterator[Any]:
        for value in values if isinstance(values, tuple | list) else (values,):
            if isinstance(value, self._torch.Tensor) and value.is_floating_point():
                yield value

    def _look_for_odd(self) -> None:
        gradients = {name: gradient for name in self._parameters for gradient in self._slope(name)}
        if not gradients or self._torch.isfinite(self._torch.nn.utils.get_total_norm(gradients.values())):
            return
        # the way back begins at the end: what is nearest to it was the first
        back = [(f"the gradient of {name}", gradient.sum(dtype=self._wide(gradient)))
                for name, gradient in reversed(gradients.items())]  # fmt: skip
        where = next((where for where, total in (*self._sums, *back) if not total.isfinite()), None)
        if where is not None:
            self._has_tripped = True
            self._run.log_alert(f"NaN or infinity in {where}", _ALERT, level="error", step=self._step, rule="nan()")

    def _slope(self, name: str) -> tuple[Any, ...]:
        """The gradient of a parameter, of a sparse one what it has; empty where there is none."""
        gradient = self._parameters[name].grad
        if gradient is None:
            return ()
        return (gradient.coalesce().values() if gradient.is_sparse else gradient,)

    def _tell(self, before: dict[str, Any]) -> None:
        norm, told = self._torch.linalg.vector_norm, dict[str, Any]()
        for name, was in before.items():
            now = self._parameters[name].detach()
            size = norm(was)
            told[f"train/weight_norm/{name}"] = size
            told[f"train/update_ratio/{name}"] = norm(now - was) / size.clamp_min(1e-12)
            self._spread(f"weights/{name}", was)
            for gradient in self._slope(name):
                told[f"train/grad_norm/{name}"] = norm(gradient)
                self._spread(f"grads/{name}", gradient)
        self._run.log({name: value.item() for name, value in told.items()}, step=self._step)

    def _spread(self, key: str, tensor: Any) -> None:
        values = tensor.detach().float().flatten()
        low, high = (each.item() for each in values.aminmax())
        if not -1e30 < low < high < 1e30:
            self._run.log_histogram(key, values.cpu().numpy(), step=self._step)
            return
        counts = self._torch.histc(values, BINS, low, high)  # where the tensor is: only the counts travel
        edges = self._torch.linspace(low, high, BINS + 1, dtype=self._torch.float64)
        self._run.log_histogram(key, (counts.long().cpu().numpy(), edges.numpy()), step=self._step)


_ALERT = "It began here: what comes after it has it from there, and the optimizer's step puts it into the weights."
