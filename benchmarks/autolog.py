"""What a plain PyTorch step costs more while its plug-in is on, and while the model's layers are watched.

    python benchmarks/autolog.py [--pairs 8]

One process trains the same model in blocks of steps, in turn with the plug-in off, on, and on with `run.watch`; each
block is a run of its own. What counts is the processor time of the training thread, so other work on the machine tells
little. Printed is the median of the ratios of blocks that lie beside each other; the floor is 1.03 for the plug-in.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, TensorDataset

import celltrail as ct

FLOOR = 1.03
MODELS = {"small": (64, 32, 2000), "middle": (512, 128, 250)}  # width of a layer, samples of a batch, steps of a block


def trainer(width: int, batch: int, steps: int) -> tuple[Any, Any, Any]:
    torch.manual_seed(0)
    layers = [torch.nn.Linear(width, width), torch.nn.ReLU()] * 3
    model = torch.nn.Sequential(*layers, torch.nn.Linear(width, 1))
    data = TensorDataset(torch.randn(batch * steps, width), torch.randn(batch * steps, 1))
    return model, torch.optim.AdamW(model.parameters(), lr=1e-4), DataLoader(data, batch_size=batch)


def seconds(model: Any, optimizer: Any, loader: Any) -> float:
    """Processor time of one block: an ordinary loop in a function."""
    began = time.thread_time()
    for x, y in loader:
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
    return time.thread_time() - began


def block(store: ct.Store, parts: tuple[Any, Any, Any], on: bool, watch: bool) -> float:
    ct.autolog(on=["torch"] if on else ())
    with ct.start("on" if on else "off", store=store) as run:
        if watch:
            run.watch(parts[0])
        return seconds(*parts)


def measured(parts: tuple[Any, Any, Any], pairs: int, store: ct.Store) -> dict[str, float]:
    """The median step with the plug-in off in milliseconds, and how much longer it is with it on and with watching."""
    block(store, parts, on=True, watch=True)
    off, on, watched = [], [], []
    for _ in range(pairs):
        off.append(block(store, parts, on=False, watch=False))
        on.append(block(store, parts, on=True, watch=False))
        watched.append(block(store, parts, on=True, watch=True))
    off.append(block(store, parts, on=False, watch=False))
    beside = [(before + after) / 2 for before, after in pairwise(off)]
    return {
        "step_ms": statistics.median(off) / len(parts[2]) * 1e3,
        "off/off": statistics.median(after / before for before, after in pairwise(off)),
        "on/off": statistics.median(each / base for each, base in zip(on, beside, strict=True)),
        "watch/off": statistics.median(each / base for each, base in zip(watched, beside, strict=True)),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=8)
    pairs = parser.parse_args().pairs
    torch.set_num_threads(1)
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        store = ct.Store(Path(folder) / ".celltrail")
        print(f"{'model':8}{'step':>10}{'off/off':>10}{'on/off':>10}{'watch/off':>11}")
        for name, size in MODELS.items():
            told = measured(trainer(*size), pairs, store)
            print(
                f"{name:8}{told['step_ms']:8.2f}ms{told['off/off']:10.3f}{told['on/off']:10.3f}{told['watch/off']:11.3f}",
                flush=True,
            )
            worst = max(worst, told["on/off"])
    return int(worst > FLOOR)


if __name__ == "__main__":
    sys.exit(main())
