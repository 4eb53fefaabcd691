"""Plug-ins: each is on, fits something small for real, and is off again; what they share is tested here for all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import celltrail as ct
from kernels import SETTLE, Kernel

# for each plug-in a tiny real fit, and the names that must come of it with how many points
FITS: dict[str, tuple[str, dict[str, int]]] = {
    "torch": (
        """
        import torch
        def fit():
            torch.manual_seed(0)
            model = torch.nn.Linear(3, 1)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            x = torch.randn(8, 3)
            for epoch in range(5):
                optimizer.zero_grad()
                loss = model(x).pow(2).mean()
                loss.backward()
                optimizer.step()
            return [p.tolist() for p in model.parameters()]
        """,
        {"train/loss": 5, "train/lr": 5, "train/grad_norm_applied": 5, "epoch": 5},
    ),
    "sklearn": (
        """
        from sklearn.datasets import load_iris
        from sklearn.metrics import f1_score
        from sklearn.neural_network import MLPClassifier
        def fit():
            X, y = load_iris(return_X_y=True)
            model = MLPClassifier((4,), max_iter=5, random_state=0)
            model.fit(X, y)
            return [model.score(X, y), f1_score(y, model.predict(X), average="macro"), model.loss_curve_]
        """,
        {"train/loss": 5, "train/accuracy": 1, "train/f1_macro": 1},
    ),
    "xgboost": (
        """
        import xgboost
        from sklearn.datasets import load_breast_cancer
        def fit():
            X, y = load_breast_cancer(return_X_y=True)
            model = xgboost.XGBClassifier(n_estimators=5, max_depth=2, eval_metric=["logloss", "auc"], n_jobs=1)
            model.fit(X[:400], y[:400], eval_set=[(X[400:], y[400:])], verbose=False)
            return [model.predict_proba(X).tolist(), model.callbacks]
        """,
        {"val/logloss": 5, "val/auc": 5},
    ),
    "lightgbm": (
        """
        import lightgbm
        from sklearn.datasets import load_breast_cancer
        def fit():
            X, y = load_breast_cancer(return_X_y=True)
            train = lightgbm.Dataset(X[:400], y[:400])
            val = lightgbm.Dataset(X[400:], y[400:], reference=train)
            settings = {"objective": "binary", "metric": ["binary_logloss", "auc"], "verbose": -1, "num_threads": 1}
            model = lightgbm.train(settings, train, 5, valid_sets=[train, val])
            return model.predict(X).tolist()
        """,
        {"train/logloss": 5, "train/auc": 5, "val/logloss": 5, "val/auc": 5},
    ),
    "optuna": (
        """
        import optuna
        def fit():
            study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
            study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=4)
            return [trial.value for trial in study.trials]
        """,
        {"objective": 4},
    ),
    "statsmodels": (
        """
        import statsmodels.api as sm
        def fit():
            data = sm.datasets.anes96.load_pandas().data
            x = sm.add_constant(data[["age", "educ"]])
            fitted = [sm.OLS(data["income"], x).fit(), sm.Logit(data["vote"], x).fit(disp=0)]
            return [each.params.tolist() for each in fitted]
        """,
        {"train/aic": 2, "train/r2": 1, "train/pseudo_r2": 1},
    ),
    "tqdm": (
        """
        from tqdm import tqdm
        def fit():
            shown = []
            for i in (bar := tqdm(range(5), disable=None)):
                bar.set_postfix(loss=f"{1 / (i + 1):.3f}", val_acc=i / 5)
                shown.append(bar.n)
            return shown
        """,
        {"train/loss": 5, "val/acc": 5},
    ),
}
# run by `make frameworks`, in an environment of their own
FRAMEWORKS: dict[str, tuple[str, dict[str, int]]] = {
    "transformers": (
        """
        import tempfile
        import torch, transformers
        from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments
        def fit():
            transformers.set_seed(0)
            model = GPT2LMHeadModel(GPT2Config(vocab_size=32, n_embd=16, n_layer=1, n_head=2, n_positions=16))
            rows = [{"input_ids": torch.arange(8), "labels": torch.arange(8)}] * 16
            with tempfile.TemporaryDirectory() as folder:
                arguments = TrainingArguments(
                    folder, max_steps=4, logging_steps=1, eval_strategy="steps", eval_steps=2, save_strategy="no",
                    per_device_train_batch_size=4, use_cpu=True, disable_tqdm=True, report_to="none",
                )
                trainer = Trainer(model, arguments, train_dataset=rows, eval_dataset=rows[:4])
                kinds = [type(each).__name__ for each in trainer.callback_handler.callbacks]
                trainer.train()
                left = [type(each).__name__ for each in trainer.callback_handler.callbacks]
            return [[each.get("loss"), each.get("eval_loss")] for each in trainer.state.log_history], kinds == left
        """,
        {"train/loss": 4, "val/loss": 2, "train/lr": 4, "train/grad_norm": 4},
    ),
    "accelerate": (
        """
        import accelerate
        from accelerate.tracking import LOGGER_TYPE_TO_CLASS
        def fit():
            word = "celltrail" if "celltrail" in LOGGER_TYPE_TO_CLASS else None
            accelerator = accelerate.Accelerator(cpu=True, log_with=word)
            accelerator.init_trackers("a name", {"lr": 0.1})
            for step in range(3):
                accelerator.log({"train_loss": 1 / (step + 1), "eval_acc": 0.5}, step=step)
            accelerator.end_training()
            return str(accelerator.device)
        """,
        {"train/loss": 3, "val/acc": 3},
    ),
    "lightning": (
        """
        import warnings
        warnings.simplefilter("ignore")
        import torch
        import lightning.pytorch as pl
        class Line(pl.LightningModule):
            def __init__(self):
                super().__init__()
                self.layer = torch.nn.Linear(2, 1)
            def training_step(self, batch):
                loss = self.layer(batch[0]).pow(2).mean()
                self.log("train_loss", loss)
                return loss
            def validation_step(self, batch):
                self.log("val_loss", self.layer(batch[0]).pow(2).mean())
            def configure_optimizers(self):
                return torch.optim.SGD(self.parameters(), lr=0.1)
        def fit():
            pl.seed_everything(0, verbose=False)
            data = torch.utils.data.TensorDataset(torch.randn(8, 2))
            loader = torch.utils.data.DataLoader(data, batch_size=4)
            trainer = pl.Trainer(
                max_epochs=2, logger=False, enable_checkpointing=False, enable_progress_bar=False,
                enable_model_summary=False, log_every_n_steps=1, accelerator="cpu",
            )
            model = Line()
            trainer.fit(model, loader, loader)
            return [p.tolist() for p in model.parameters()], len(trainer.loggers)
        """,
        {"train/loss": 4, "val/loss": 2},
    ),
    "catboost": (
        """
        import catboost
        from sklearn.datasets import load_breast_cancer
        def fit():
            X, y = load_breast_cancer(return_X_y=True)
            model = catboost.CatBoostClassifier(
                iterations=5, depth=2, custom_metric=["AUC"], allow_writing_files=False, thread_count=1, verbose=False
            )
            model.fit(X[:400], y[:400], eval_set=(X[400:], y[400:]))
            return model.predict_proba(X).tolist()
        """,
        {"train/logloss": 5, "val/logloss": 5, "val/auc": 5},
    ),
    "keras": (
        """
        import numpy, keras
        def fit():
            keras.utils.set_random_seed(0)
            x = numpy.arange(24.0).reshape(12, 2) / 24
            model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
            model.compile("sgd", "mse", metrics=["mae"])
            return model.fit(x, x.sum(1), epochs=3, validation_split=0.25, verbose=0).history
        """,
        {"train/loss": 3, "val/loss": 3, "train/mae": 3, "val/mae": 3, "train/lr": 3},
    ),
}
HEAD = """
import json, resource, sys, warnings
import celltrail as ct
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "celltrail")
ct.autolog(on=())
def track(fit, call="out = fit()"):
    shell.run_cell(f"%%track --no-watch --no-chart\\n{fit}\\n{call}").raise_error()
    return shell.user_ns["out"], points()
def points():
    last = ct.runs("not has(parent)")[0]
    return {name: len(series.value) for name, series in ct.Store(last.store.root).series(last.id).items()}
"""
ALL = FITS | FRAMEWORKS
SCRIPT = "import json, sys, warnings, celltrail as ct\n"
# every attribute of the library's modules by identity, and how much its containers hold
LOOK = """
def look():
    modules = {m: v for m, v in list(sys.modules.items()) if m.split(".")[0] == name and v is not None}
    held = {(m, k): v for m, module in modules.items() for k, v in list(vars(module).items())}
    sizes = {k: len(v) for k, v in held.items() if isinstance(v, (dict, list)) and not k[1].startswith("__")}
    return {k: (id(v), sizes.get(k)) for k, v in held.items()}
"""


def python(code: str, folder: Path, head: str = HEAD) -> Any:
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", head + code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "CELLTRAIL_STORE": str(folder / ".celltrail"), "XDG_CACHE_HOME": str(folder / "cache")},
    )
    assert done.returncode == 0, done.stderr
    faults = [line for line in done.stderr.splitlines() if "recording had a problem" in line]
    assert [line for line in faults if "File too large" not in line] == []  # a full disk is told of, once
    return json.loads(done.stdout.splitlines()[-1])


def indented(code: str) -> str:
    lines = code.strip("\n").splitlines()
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[margin:] for line in lines)


there = pytest.mark.parametrize(
    "name",
    [
        *(pytest.param(name, marks=pytest.mark.skipif(not find_spec(name), reason=f"no {name}")) for name in FITS),
        *filter(find_spec, FRAMEWORKS),
    ],
)


def test_every_plugin_is_tested():
    """Each plug-in that is declared has its fit in this file."""
    assert set(ct.autolog()) == {*FITS, *FRAMEWORKS}
    assert ct.autolog(on=()) == ()


@there
def test_the_points_arrive_when_the_library_comes_later(name: str, tmp_path: Path):
    """Once, also when it was switched on twice; and a disk that takes nothing more leaves the fit as it is."""
    fit, expected = indented(ALL[name][0]), ALL[name][1]
    full = "resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))"
    empty = "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))"
    code = f"""
ct.autolog(on=[{name!r}])
ct.autolog(on=[{name!r}])
out, told = track({fit!r})
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    again, _ = track("import resource", "{full}\\ntry:\\n    out = fit()\\nfinally:\\n    {empty}")
print(json.dumps([told, out == again]))"""
    told, is_same = python(code, tmp_path)
    assert expected.items() <= told.items(), told
    assert is_same


@there
def test_off_leaves_the_library_as_it_was(name: str, tmp_path: Path):
    """The points arrive when it was imported first; then the same objects, the same fit, and nothing recorded."""
    fit, expected = indented(ALL[name][0]), ALL[name][1]
    code = f"""
name = {name!r}
{LOOK}
plain, _ = track({fit!r})
before, finders = look(), list(sys.meta_path)
ct.autolog(on=[name])
recorded, told = track({fit!r})
ct.autolog(off=[name])
ct.autolog(on=())
after = look()
_, left = track({fit!r})
changed = [k for k in before if before[k] != after.get(k)]
print(json.dumps([plain == recorded, changed, finders == sys.meta_path, list(left), told]))"""
    *left, told = python(code, tmp_path)
    assert left == [True, [], True, []]
    assert expected.items() <= told.items(), told


def installed(folder: Path, begin: str) -> str:
    """A package of somebody else's in this folder, with a plug-in for the library ``cheap``."""
    about = folder / "theirs-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[celltrail.plugins]\ncheap = theirs:on\n")
    (folder / "cheap.py").write_text("hooks = []\ndef fit():\n    for hook in hooks:\n        hook(3)\n    return 7\n")
    (folder / "theirs.py").write_text(f"import celltrail as ct\ndef on(cheap, hand):\n    {begin}\n")
    return f"import sys\nsys.path.insert(0, {str(folder)!r})\n"


def test_a_package_of_somebody_elses_brings_its_own(tmp_path: Path):
    """The entry-point group is open, and a plug-in needs the door only."""
    hook = "cheap.hooks.append(hand.guard(lambda n: ct.current().log({'train/n': n}))); return cheap.hooks.clear"
    code = (
        installed(tmp_path / "site", hook)
        + """
assert "cheap" in ct.autolog()
import cheap
with ct.start("a") as run:
    cheap.fit()
print(json.dumps({n: len(s.value) for n, s in run.store.series(run.id).items()}))"""
    )
    assert python(code, tmp_path, SCRIPT) == {"train/n": 1}


@pytest.mark.parametrize(
    "begin", ["1 / 0", "cheap.hooks.append(hand.guard(lambda n: 1 / 0))\n    return cheap.hooks.clear"]
)
def test_a_plugin_with_a_fault_costs_one_warning(tmp_path: Path, begin: str):
    """Neither the import nor the fit sees it."""
    code = installed(tmp_path / "site", begin) + "import warnings\nimport celltrail as ct\n" + (
        "with warnings.catch_warnings(record=True) as caught:\n    warnings.simplefilter('always')\n    ct.autolog()\n"
        "    import cheap\n    results = [cheap.fit(), cheap.fit()]\n"
        "print(results, [str(each.message) for each in caught])"
    )  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == (
        "[7, 7] ['celltrail: recording had a problem, your code did not: ZeroDivisionError: division by zero']"
    ), done.stderr


def test_an_unknown_name_is_answered_with_those_there_are():
    """And with the nearest one."""
    with pytest.raises(ct.BadValue, match=r"no plug-in is called 'torhc'; did you mean 'torch'\? there is .*torch"):
        ct.autolog(on=["torhc"])
    ct.autolog(on=())


@pytest.mark.skipif(not find_spec("torch"), reason="no torch")
def test_the_extension_switches_it_on_and_off(tmp_path: Path):
    """`%load_ext` is enough, and `%unload_ext` leaves nothing."""
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(tmp_path / ".celltrail"), "XDG_CACHE_HOME": str(tmp_path / "c")})
    kernel.run(
        "import sys, torch, celltrail as ct\nhooks = sys.modules['torch.optim.optimizer']._global_optimizer_post_hooks"
    )
    kernel.run("%load_ext celltrail")
    assert kernel.run("print(len(hooks))").text == "1\n"
    kernel.run("%unload_ext celltrail")
    assert kernel.run("print(len(hooks))").text == "0\n"
    kernel.run("ct.autolog(off=['torch'])")
    kernel.run("%load_ext celltrail")
    assert kernel.run("print(len(hooks))").text == "0\n"
    kernel.run(SETTLE)
    kernel.stop()
