"""What training costs more while its library's plug-in is on, and while a PyTorch model's layers are watched.

    python benchmarks/autolog.py [--pairs 8] [--only sklearn xgboost ...]
    python benchmarks/autolog.py --write    the same, kept in results/autolog.json and put into README.md
    python benchmarks/autolog.py --render   measure nothing: the table of the kept results, put into README.md

One process trains the same in turn with the plug-in off, on, off ...; each time is a run of its own: of PyTorch a block
of steps, with `run.watch` too, of other libraries a fit in a tracked cell. Libraries that are not installed are passed
over, and keep the figures they had. What counts is the processor time of the training thread, so other
work on the machine tells little. Printed is the median of the ratios of runs that lie beside each other, and the ratio
of the least; the floor is 1.03 for a plug-in. Where a library hands over to callbacks, the same is measured with one
that does nothing (for PyTorch a hook, for statsmodels what reads the same results, which it computes when asked), and
printed beside: below that no plug-in can be. Where each round is recorded one more does nothing but
write() as many bytes to a file: below that none can be that loses no round to `kill -9`. What measuring the machine
costs meanwhile is told last.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from measuring import machine
from resources import share
from tables import markdown, write_between
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.data import DataLoader, TensorDataset

import celltrail as ct

FLOOR = 1.03
RESULTS = Path(__file__).parent / "results" / "autolog.json"
README = Path(__file__).parent.parent / "README.md"
OPENING, CLOSING = "<!-- benchmark:autolog -->", "<!-- /benchmark:autolog -->"
Told = dict[str, float]
COLUMNS = ("off", "on", "least", "empty", "written", "watch")
MODELS = {"small": (64, 32, 1500), "middle": (512, 128, 180)}  # width of a layer, samples of a batch, steps of a block


# Fits of a tenth of a second to a second, as cells have them. Rounds of boosting on the 1,797 digits take 2 ms: of
# those libraries one with rounds of some 10 ms too.
BOOSTED = """
from sklearn.datasets import make_classification
X, y = make_classification(20_000, 40, n_informative=20, random_state=0)
"""
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
class Nothing(xgboost.callback.TrainingCallback):
    def after_iteration(self, model, epoch, evals_log):
        each_round()
        return False
X, y = load_digits(return_X_y=True)
train, val = xgboost.DMatrix(X[:1200], y[:1200]), xgboost.DMatrix(X[1200:], y[1200:])
settings = {"objective": "multi:softprob", "num_class": 10, "nthread": 1, "max_depth": 6}
def fit():
    xgboost.train(
        settings, train, 60, evals=[(train, "train"), (val, "val")], verbose_eval=False,
        callbacks=[Nothing()] if empty else None,
    )
""",
    "lightgbm": """
import lightgbm
from sklearn.datasets import load_digits
X, y = load_digits(return_X_y=True)
def fit():
    model = lightgbm.LGBMClassifier(n_estimators=30, n_jobs=1, verbose=-1)
    model.fit(
        X[:1200], y[:1200], eval_set=[(X[:1200], y[:1200]), (X[1200:], y[1200:])],
        callbacks=[lambda env: each_round()] if empty else None,
    )
""",
    "xgboost, 15,000 rows": BOOSTED
    + """
import xgboost
class Nothing(xgboost.callback.TrainingCallback):
    def after_iteration(self, model, epoch, evals_log):
        each_round()
        return False
train, val = xgboost.DMatrix(X[:15_000], y[:15_000]), xgboost.DMatrix(X[15_000:], y[15_000:])
settings = {"objective": "binary:logistic", "nthread": 1, "max_depth": 6}
def fit():
    xgboost.train(
        settings, train, 30, evals=[(train, "train"), (val, "val")], verbose_eval=False,
        callbacks=[Nothing()] if empty else None,
    )
""",
    "lightgbm, 15,000 rows": BOOSTED
    + """
import lightgbm
def fit():
    model = lightgbm.LGBMClassifier(n_estimators=30, n_jobs=1, verbose=-1, num_leaves=63)
    model.fit(
        X[:15_000], y[:15_000], eval_set=[(X[:15_000], y[:15_000]), (X[15_000:], y[15_000:])],
        callbacks=[lambda env: each_round()] if empty else None,
    )
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
    study.optimize(objective, n_trials=5, callbacks=[lambda study, trial: None] if empty else None)
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
    "catboost": """
import catboost
from sklearn.datasets import load_digits
class Nothing:
    def after_iteration(self, info):
        each_round()
        return True
X, y = load_digits(return_X_y=True)
def fit():
    model = catboost.CatBoostClassifier(
        iterations=60, depth=4, allow_writing_files=False, thread_count=1, verbose=False, random_seed=0
    )
    model.fit(X[:1200], y[:1200], eval_set=(X[1200:], y[1200:]), callbacks=[Nothing()] if empty else None)
""",
    "catboost, 15,000 rows": BOOSTED
    + """
import catboost
class Nothing:
    def after_iteration(self, info):
        each_round()
        return True
def fit():
    model = catboost.CatBoostClassifier(
        iterations=30, depth=6, allow_writing_files=False, thread_count=1, verbose=False, random_seed=0
    )
    model.fit(
        X[:15_000], y[:15_000], eval_set=(X[15_000:], y[15_000:]), callbacks=[Nothing()] if empty else None
    )
""",
    "lightning": """
import logging
import torch
import lightning.pytorch as pl
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
class Deep(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(*[torch.nn.Linear(256, 256), torch.nn.ReLU()] * 3, torch.nn.Linear(256, 1))
    def training_step(self, batch):
        loss = self.layers(batch[0]).pow(2).mean()
        self.log("train_loss", loss)
        return loss
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(6400, 256)), batch_size=64)
def fit():
    pl.Trainer(
        max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False, log_every_n_steps=10,
        enable_model_summary=False, accelerator="cpu",
    ).fit(Deep(), loader)
""",
    "keras": """
import keras, numpy
x = numpy.random.default_rng(0).normal(size=(2000, 32))
def fit():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((32,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(
        x, x.sum(1), epochs=4, validation_split=0.2, verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None)] if empty else None,
    )
""",
    "statsmodels": """
import numpy, statsmodels.api as sm
x = sm.add_constant(numpy.random.default_rng(0).normal(size=(40000, 20)))
y = (x.sum(1) > 1).astype(int)
def fit():
    result = sm.Logit(y, x).fit(disp=0)
    if empty:
        result.llf, result.aic, result.bic, result.bse, result.pvalues, result.conf_int()
""",
    "accelerate": """
import torch
from accelerate import Accelerator
data = torch.utils.data.TensorDataset(torch.randn(6400, 256), torch.randn(6400, 1))
def fit():
    accelerator = Accelerator(log_with="celltrail" if on else None, cpu=True)
    model = torch.nn.Sequential(*[torch.nn.Linear(256, 256), torch.nn.ReLU()] * 3, torch.nn.Linear(256, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    model, optimizer, loader = accelerator.prepare(model, optimizer, torch.utils.data.DataLoader(data, batch_size=64))
    if on:
        accelerator.init_trackers("benchmark")
    for step, (x, y) in enumerate(loader):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        accelerator.backward(loss)
        optimizer.step()
        accelerator.log({"train_loss": loss.item()}, step=step)
    accelerator.end_training()
""",
    "transformers": """
import tempfile
import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback, TrainingArguments
rows = [{"input_ids": torch.arange(32), "labels": torch.arange(32)}] * 256
def fit():
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=64, n_embd=64, n_layer=2, n_head=2, n_positions=32))
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, max_steps=20, logging_steps=1, save_strategy="no", use_cpu=True, disable_tqdm=True, report_to="none"
        )
        callbacks = [TrainerCallback()] if empty else None
        trainer = Trainer(model, arguments, train_dataset=rows, callbacks=callbacks)
        trainer.train()
""",
    "trl": """
import tempfile
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast, TrainerCallback
from trl import SFTConfig, SFTTrainer
words = {word: number for number, word in enumerate("[PAD] [UNK] [EOS] the cat sat on mat".split())}
tokens = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
tokens.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=tokens, pad_token="[PAD]", eos_token="[EOS]", unk_token="[UNK]"
)
data = Dataset.from_dict({"text": ["the cat sat on the mat"] * 64})
def fit():
    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(words), n_embd=64, n_layer=2, n_head=2, n_positions=32))
    with tempfile.TemporaryDirectory() as folder:
        arguments = SFTConfig(
            folder, max_steps=20, logging_steps=1, save_strategy="no", use_cpu=True, bf16=False, max_length=16,
            disable_tqdm=True, report_to="none",
        )
        trainer = SFTTrainer(
            model, args=arguments, train_dataset=data, processing_class=tokenizer,
            callbacks=[TrainerCallback()] if empty else None,
        )
        trainer.train()
""",
}
PLUGINS = {"trl": "transformers"}  # where a library is another one's child
ROW = bytes(43)  # of two metrics


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


def block_with_nothing(store: ct.Store, parts: tuple[Any, Any, Any]) -> float:
    """The same with a hook that does nothing."""
    hook = register_optimizer_step_post_hook(lambda optimizer, args, kwargs: None)
    try:
        return block(store, parts, on=False, watch=False)
    finally:
        hook.remove()


def measured(parts: tuple[Any, Any, Any], pairs: int, store: ct.Store) -> Told:
    """A step with the plug-in off in milliseconds, and how much longer it is with it on and with watching."""
    block(store, parts, on=True, watch=True)
    told = in_turn(
        pairs,
        lambda: block(store, parts, on=False, watch=False),
        on=lambda: block(store, parts, on=True, watch=False),
        empty=lambda: block_with_nothing(store, parts),
        watch=lambda: block(store, parts, on=True, watch=True),
    )
    return told | {"ms": told["ms"] / len(parts[2])}


def in_turn(pairs: int, plain: Callable[[], float], **others: Callable[[], float]) -> Told:
    """Of runs in turn, each other one between two plain ones: the median of its ratios to the mean of those two."""
    off, spent = [plain()], {name: list[float]() for name in others}
    for _ in range(pairs):
        for name, run in others.items():
            spent[name].append(run())
            off.append(plain())
    beside = [(before + after) / 2 for before, after in pairwise(off)]
    told = {"ms": statistics.median(off) * 1e3}
    told["off"] = statistics.median(after / before for before, after in pairwise(off))
    for place, (name, each) in enumerate(spent.items()):
        bases = beside[place :: len(spent)]
        told[name] = statistics.median(one / base for one, base in zip(each, bases, strict=True))
    return told | {"least": min(spent["on"]) / min(off)}


def cell(shell: Any, library: str, on: bool, empty: bool = False, each_round: Callable[[], object] = int) -> float:
    """Processor time of one fit in a tracked cell."""
    ct.autolog(on=[PLUGINS.get(library, library)] if on else ())
    shell.user_ns.update(on=on, empty=empty, each_round=each_round)
    code = "began = time.thread_time()\nfit()\nspent = time.thread_time() - began"
    shell.run_cell(f"%%track --no-chart --no-output --if-same off\n{code}").raise_error()
    return shell.user_ns["spent"]


def compared(shell: Any, name: str, pairs: int) -> Told:
    """A fit with the plug-in off in milliseconds, and how much longer it is with it on, or with an empty callback."""
    library = library_of(name)
    others = {"on": lambda: cell(shell, library, on=True)}
    cell(shell, library, on=True)
    if "empty" in FITS[name]:
        others["empty"] = lambda: cell(shell, library, on=False, empty=True)
    with tempfile.TemporaryFile(buffering=0) as file:
        if "each_round" in FITS[name]:
            write = partial(os.write, file.fileno(), ROW)
            others["written"] = lambda: cell(shell, library, on=False, empty=True, each_round=write)
        return in_turn(pairs, lambda: cell(shell, library, on=False), **others)


def loops(pairs: int, store: ct.Store) -> dict[str, Told]:
    """Plain loops of PyTorch."""
    return {
        f"PyTorch, {name} step": said(name, measured(trainer(*size), pairs, store)) for name, size in MODELS.items()
    }


def library_of(name: str) -> str:
    """What a row is named after."""
    return name.replace(",", "").split()[0]


def fits(names: list[str], pairs: int) -> dict[str, Told]:
    """Fits of the other libraries that are installed."""
    from IPython.core.interactiveshell import InteractiveShell

    shell, found = InteractiveShell.instance(), {}
    shell.run_line_magic("load_ext", "celltrail")
    shell.run_cell("import time, warnings; warnings.simplefilter('ignore')")
    for name in names:
        if find_spec(library_of(name)) is None:
            continue
        shell.run_cell(FITS[name]).raise_error()
        found[name] = said(name, compared(shell, name, pairs))
    shell.run_line_magic("unload_ext", "celltrail")
    return found


def said(name: str, told: Told) -> Told:
    """The same, printed."""
    figures = "".join(f"{told[key]:10.3f}" if key in told else " " * 10 for key in COLUMNS)
    print(f"{name:24}{told['ms']:10.2f}ms{figures}", flush=True)
    return told


def page(made: dict[str, Any]) -> str:
    """The table as Markdown."""
    lines = [
        [name, f"{told['ms']:.2f} ms" if told["ms"] < 10 else f"{told['ms']:.0f} ms"]
        + [f"{told[key]:.3f}x" if key in told else "" for key in ("on", "least", "empty", "written", "off", "watch")]
        for name, told in made["rows"].items()
    ]
    head = [
        "", "step or fit without", "with the plug-in, median", "the least", "with an empty callback",
        "one that writes as much", "without, again", "and `run.watch`",
    ]  # fmt: skip
    where = made["machine"]
    place = f"{where['cores']} shared cores, {where['system']}, Python {where['python']}, {where['date']}"
    sampler = ", ".join(f"{part:.2%} with {number} child processes" for number, part in made["sampler"].items())
    return f"{markdown(head, lines)}\n\nMeasuring the machine takes of one core: {sampler}. {place}; processor time."


def kept(rows: dict[str, Told], sampler: dict[str, float]) -> dict[str, Any]:
    """What was measured now over what was kept before; all that is kept now."""
    before = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else {}
    made = {"rows": before | rows, "sampler": sampler, "machine": machine()}
    RESULTS.write_text(json.dumps(made, indent=1) + "\n")
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--only", nargs="*", default=["torch", *FITS], help="torch, " + ", ".join(FITS))
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--render", action="store_true")
    options = parser.parse_args()
    if options.render:
        write_between(README, OPENING, CLOSING, page(json.loads(RESULTS.read_text())))
        return 0
    torch.set_num_threads(1)
    print(f"{'':24}{'off':>12}{'off/off':>10}{'on/off':>10}{'least':>10}{'empty':>10}{'written':>10}{'watch':>10}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        store = ct.Store(Path(folder) / ".celltrail")
        os.environ["CELLTRAIL_STORE"] = str(store.root)
        rows = loops(options.pairs, store) if "torch" in options.only else {}
        rows |= fits([name for name in FITS if name in options.only], options.pairs)
        sampler = {str(children): share(10, children, store)[0] for children in (0, 8)}
    print(*(f"sampler, {number} child processes: {part:.3%} of a core" for number, part in sampler.items()), sep="\n")
    if options.write:
        write_between(README, OPENING, CLOSING, page(kept(rows, sampler)))
    return int(any(told["on"] > FLOOR for told in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
