"""What training costs more while its library's plug-in is on, and while a PyTorch model's layers are watched.

    python benchmarks/autolog.py [--pairs 8] [--only sklearn xgboost ...]

One process trains the same in turn with the plug-in off, on, off ...; each time is a run of its own: of PyTorch a block
of steps, with `run.watch` too, of other libraries a fit in a tracked cell. Libraries that are not installed are passed
over. What counts is the processor time of the training thread, so other work on the machine tells little. Printed is
the median of the ratios of runs that lie beside each other; the floor is 1.03 for a plug-in.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, TensorDataset

import celltrail as ct

FLOOR = 1.03
MODELS = {"small": (64, 32, 2000), "middle": (512, 128, 250)}  # width of a layer, samples of a batch, steps of a block


# fits of about half a second, as cells have them
FITS = {
    "sklearn": """
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.neural_network import MLPClassifier
X, y = load_digits(return_X_y=True)
def fit():
    model = MLPClassifier((64,), max_iter=60, random_state=0).fit(X[:1200], y[:1200])
    model.score(X[1200:], y[1200:])
    f1_score(y[1200:], model.predict(X[1200:]), average="macro")
    LogisticRegression(C=0.1, max_iter=300).fit(X[:1200] / 16, y[:1200]).score(X[1200:] / 16, y[1200:])
""",
    "sklearn search": """
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV
X, y = load_digits(return_X_y=True)
def fit():
    GridSearchCV(RandomForestClassifier(20), {"max_depth": [2, 4, 8], "criterion": ["gini", "entropy"]}, cv=3).fit(X, y)
""",
    "xgboost": """
import xgboost
from sklearn.datasets import load_digits
X, y = load_digits(return_X_y=True)
train, val = xgboost.DMatrix(X[:1200], y[:1200]), xgboost.DMatrix(X[1200:], y[1200:])
settings = {"objective": "multi:softprob", "num_class": 10, "nthread": 1, "max_depth": 6}
def fit():
    xgboost.train(settings, train, 60, evals=[(train, "train"), (val, "val")], verbose_eval=False)
""",
    "lightgbm": """
import lightgbm
from sklearn.datasets import load_digits
X, y = load_digits(return_X_y=True)
def fit():
    model = lightgbm.LGBMClassifier(n_estimators=30, n_jobs=1, verbose=-1)
    model.fit(X[:1200], y[:1200], eval_set=[(X[:1200], y[:1200]), (X[1200:], y[1200:])])
""",
    "optuna": """
import optuna
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
X, y = load_digits(return_X_y=True)
optuna.logging.set_verbosity(optuna.logging.WARNING)
def objective(trial):
    model = RandomForestClassifier(100, max_depth=trial.suggest_int("max_depth", 2, 12), random_state=0)
    return model.fit(X[:1200], y[:1200]).score(X[1200:], y[1200:])
def fit():
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective, n_trials=5)
""",
    "tqdm": """
import os
import numpy
from tqdm import tqdm
x = numpy.random.default_rng(0).normal(size=(400, 400))
def fit():
    with open(os.devnull, "w") as nowhere:
        for i in (bar := tqdm(range(300), file=nowhere)):
            bar.set_postfix(error=float(numpy.square(x @ x).mean()))
""",
    "keras": """
import keras, numpy
x = numpy.random.default_rng(0).normal(size=(2000, 32))
def fit():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((32,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(x, x.sum(1), epochs=4, validation_split=0.2, verbose=0)
""",
    "transformers": """
import tempfile
import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments
rows = [{"input_ids": torch.arange(32), "labels": torch.arange(32)}] * 256
def fit():
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=64, n_embd=64, n_layer=2, n_head=2, n_positions=32))
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, max_steps=20, logging_steps=1, save_strategy="no", use_cpu=True, disable_tqdm=True, report_to="none"
        )
        trainer = Trainer(model, arguments, train_dataset=rows)
        trainer.train()
""",
}


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


def cell(shell: Any, library: str, on: bool) -> float:
    """Processor time of one fit in a tracked cell."""
    ct.autolog(on=[library] if on else ())
    code = "began = time.thread_time()\nfit()\nspent = time.thread_time() - began"
    shell.run_cell(f"%%track --no-chart --no-output --if-same off\n{code}").raise_error()
    return shell.user_ns["spent"]


def compared(shell: Any, library: str, pairs: int) -> dict[str, float]:
    """The median fit with the plug-in off in milliseconds, and how much longer it is with it on."""
    cell(shell, library, on=True)
    off, on = [cell(shell, library, on=False)], []
    for _ in range(pairs):
        on.append(cell(shell, library, on=True))
        off.append(cell(shell, library, on=False))
    beside = [(before + after) / 2 for before, after in pairwise(off)]
    return {
        "fit_ms": statistics.median(off) * 1e3,
        "off/off": statistics.median(after / before for before, after in pairwise(off)),
        "on/off": statistics.median(each / base for each, base in zip(on, beside, strict=True)),
    }


def loops(pairs: int, store: ct.Store) -> float:
    """Plain loops of PyTorch; the worst ratio."""
    worst = 0.0
    print(f"{'loop':16}{'step':>10}{'off/off':>10}{'on/off':>10}{'watch/off':>11}")
    for name, size in MODELS.items():
        told = measured(trainer(*size), pairs, store)
        ratios = f"{told['off/off']:10.3f}{told['on/off']:10.3f}{told['watch/off']:11.3f}"
        print(f"{name:16}{told['step_ms']:8.2f}ms{ratios}", flush=True)
        worst = max(worst, told["on/off"])
    return worst


def fits(names: list[str], pairs: int) -> float:
    """Fits of the other libraries; the worst ratio."""
    from IPython.core.interactiveshell import InteractiveShell

    shell, worst = InteractiveShell.instance(), 0.0
    shell.run_line_magic("load_ext", "celltrail")
    shell.run_cell("import time, warnings; warnings.simplefilter('ignore')")
    print(f"{'library':16}{'fit':>10}{'off/off':>10}{'on/off':>10}")
    for name in names:
        library = name.split()[0]
        if find_spec(library) is None:
            continue
        shell.run_cell(FITS[name]).raise_error()
        told = compared(shell, library, pairs)
        print(f"{name:16}{told['fit_ms']:8.0f}ms{told['off/off']:10.3f}{told['on/off']:10.3f}", flush=True)
        worst = max(worst, told["on/off"])
    shell.run_line_magic("unload_ext", "celltrail")
    return worst


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--only", nargs="*", default=["torch", *FITS], help="torch, " + ", ".join(FITS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["CELLTRAIL_STORE"] = str(Path(folder) / ".celltrail")
        worst = loops(options.pairs, ct.Store(Path(folder) / ".celltrail")) if "torch" in options.only else 0.0
        worst = max(worst, fits([name for name in FITS if name in options.only], options.pairs))
    return int(worst > FLOOR)


if __name__ == "__main__":
    sys.exit(main())
