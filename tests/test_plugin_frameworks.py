"""What the large frameworks tell, held beside their own numbers; run by `make frameworks`, in their environment."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import celltrail as ct
from celltrail.store import Store
from kernels import SETTLE, Kernel
from test_autolog import FRAMEWORKS, indented

if not find_spec("transformers"):
    pytest.skip("`make frameworks` runs these", allow_module_level=True)

CELLS = {
    "trainer": indented(FRAMEWORKS["transformers"][0])
    + """
loss = 5.0
(own, _) = fit()
""",
    "word": """
arguments = TrainingArguments(
    "out", max_steps=3, logging_steps=1, save_strategy="no", use_cpu=True, disable_tqdm=True, report_to="celltrail"
)
model = GPT2LMHeadModel(GPT2Config(vocab_size=32, n_embd=16, n_layer=1, n_head=2, n_positions=16))
rows = [{"input_ids": torch.arange(8), "labels": torch.arange(8)}] * 16
trainer = Trainer(model, arguments, train_dataset=rows)
trainer.train()
own = [[each["loss"], each["grad_norm"], each["learning_rate"]] for each in trainer.state.log_history[:-1]]
""",
    "saving": """
arguments = TrainingArguments(
    "saved", max_steps=4, logging_steps=1, save_steps=2, eval_strategy="steps", eval_steps=2, save_total_limit=1,
    use_cpu=True, disable_tqdm=True, report_to="none",
)
trainer = Trainer(model, arguments, train_dataset=rows, eval_dataset=rows[:4])
trainer.train()
own = [[each["step"], each["eval_loss"]] for each in trainer.state.log_history if "eval_loss" in each]
""",
    "keras": indented(FRAMEWORKS["keras"][0]) + "\nown = fit()\n",
    "lightning": indented(FRAMEWORKS["lightning"][0]) + "\nown = fit()\n",
    "lightning losses": """
class Kept(pl.Callback):
    losses = []
    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        self.losses.append(float(outputs["loss"]))
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(12, 2)), batch_size=4)
pl.Trainer(
    max_epochs=2, logger=False, callbacks=[Kept()], enable_progress_bar=False, enable_model_summary=False,
    enable_checkpointing=False, log_every_n_steps=1, accelerator="cpu",
).fit(Line(), loader)
own = Kept.losses
""",
    "lightning tutorial": """
class Tested(Line):
    def test_step(self, batch):
        self.log("test_loss", self.layer(batch[0]).pow(2).mean())
    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)]
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(40, 2)), batch_size=4)
trainer = pl.Trainer(
    max_epochs=3, logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    log_every_n_steps=5, accelerator="cpu",
)
module = Tested()
trainer.fit(module, loader)
trainer.validate(module, loader, verbose=False)
own = trainer.test(module, loader, verbose=False)[0]["test_loss"]
""",
    "checkpoint-callback": """
data = torch.utils.data.TensorDataset(torch.randn(8, 2))
loader = torch.utils.data.DataLoader(data, batch_size=4)
best = pl.callbacks.ModelCheckpoint("best", "{epoch}", monitor="val_loss", save_top_k=2)
trainer = pl.Trainer(
    max_epochs=2, logger=False, callbacks=[best], enable_progress_bar=False, enable_model_summary=False,
    log_every_n_steps=1, accelerator="cpu",
)
trainer.fit(Line(), loader, loader)
import pathlib
own = sorted(pathlib.Path(path).name for path in best.best_k_models)
""",
    "trainer stopped --stop-if count(train/loss)>=2": """
arguments = TrainingArguments("out", max_steps=8, logging_steps=1, save_strategy="no", use_cpu=True, disable_tqdm=True)
trainer = Trainer(model, arguments, train_dataset=rows)
trainer.train()
own = trainer.state.global_step
""",
    "keras stopped --stop-if count(train/loss)>=2": """
line = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
line.compile("sgd", "mse")
own = len(line.fit(numpy.ones((8, 2)), numpy.ones(8), epochs=9, verbose=0).history["loss"])
""",
    "lightning stopped --stop-if count(train/loss)>=2": """
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(8, 2)), batch_size=4)
quiet = dict(logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
trainer = pl.Trainer(max_epochs=9, log_every_n_steps=1, accelerator="cpu", **quiet)
trainer.fit(Line(), loader, loader)
own = trainer.global_step
""",
}
if find_spec("trl"):
    CELLS["trl"] = """
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
from datasets import Dataset
from trl import SFTConfig, SFTTrainer
words = {word: number for number, word in enumerate("[PAD] [UNK] [EOS] the cat sat on mat".split())}
tokens = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
tokens.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=tokens, pad_token="[PAD]", eos_token="[EOS]", unk_token="[UNK]"
)
model = GPT2LMHeadModel(GPT2Config(vocab_size=len(words), n_embd=16, n_layer=1, n_head=2, n_positions=32))
arguments = SFTConfig(
    "sft", max_steps=3, logging_steps=1, save_strategy="no", use_cpu=True, bf16=False, max_length=16,
    per_device_train_batch_size=4, disable_tqdm=True, report_to="none",
)
data = Dataset.from_dict({"text": ["the cat sat on the mat"] * 16})
trainer = SFTTrainer(model, args=arguments, train_dataset=data, processing_class=tokenizer)
trainer.train()
own = [each["loss"] for each in trainer.state.log_history if "loss" in each]
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Any, dict[str, list[float]]]]:
    """For each cell its run, the framework's own numbers, and the run's series."""
    folder: Path = tmp_path_factory.mktemp("frameworks")
    store = Store(folder / ".celltrail")
    kernel = Kernel(folder, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(folder / "c")})
    kernel.run("%load_ext celltrail\nimport json")
    found: dict[str, Any] = {}
    for name, cell in CELLS.items():
        words, _, rest = name.partition(" --")
        reply = kernel.run(f"%%track {words.replace(' ', '-')} {rest and '--' + rest}\n{cell}", timeout=240)
        assert reply.status == "ok", "\n".join(reply.content["traceback"])
        found[words] = json.loads(kernel.run("print(json.dumps(own))").text)
    kernel.run(SETTLE)
    kernel.stop()
    runs = {name: ct.run(name.replace(" ", "-"), store=store) for name in found}
    assert not [run.record.problems for run in runs.values() if run.record.problems]
    series = {name: store.series(run.id) for name, run in runs.items()}
    return {
        name: (runs[name], own, {key: each.value.tolist() for key, each in series[name].items()})
        for name, own in found.items()
    }


def test_a_trainer_in_a_cell(told: dict[str, Any]):
    """Its losses as it logs them, the optimizer's own hook silent meanwhile, epochs as an axis."""
    run, own, series = told["trainer"]
    assert series["train/loss"] == [loss for loss, _ in own if loss is not None]
    assert series["val/loss"] == [loss for _, loss in own if loss is not None]
    assert len(series["train/lr"]) == 4
    assert "train/grad_norm_applied" not in series
    assert run.record.metrics["train/loss"].axis == "epoch"
    assert run.record.metrics["train/loss"].last_step == 4
    assert run.record.environment["autolog"]["keys"]["val/loss"] == "transformers: eval_loss"
    assert run.summary["parameters"] > 1000
    assert {"train/runtime_s", "train/loss_mean", "train/samples_per_s"} <= run.summary.keys()


def test_celltrail_is_a_word_of_report_to(told: dict[str, Any]):
    """Loss, norm and rate are those of the Trainer's history, each once."""
    _, own, series = told["word"]
    names = ("train/loss", "train/grad_norm", "train/lr")
    assert [series[name] for name in names] == [list(each) for each in zip(*own, strict=True)]


def test_keras_and_lightning_in_cells(told: dict[str, Any]):
    """A point an epoch, as the history has it; what a module logs, under its name."""
    run, own, series = told["keras"]
    assert {name: series[name] for name in ("train/loss", "val/loss", "train/mae", "val/mae")} == {
        "train/loss": own["loss"],
        "val/loss": own["val_loss"],
        "train/mae": own["mae"],
        "val/mae": own["val_mae"],
    }
    assert run.summary["parameters"] == 3
    _, (_, loggers), series = told["lightning"]
    assert len(series["train/loss"]) == 4
    assert len(series["val/loss"]) == 2
    assert loggers == 0
    _, own, series = told["lightning losses"]
    assert series["train/loss"] == own
    assert len(own) == 6


def test_what_lightning_says_after_the_fit(told: dict[str, Any]):
    """`validate` and `test` tell as well, at the step where the fit ended; the rate of each step is the optimizer's."""
    run, own, series = told["lightning tutorial"]
    assert series["test/loss"] == [own]
    assert len(series["val/loss"]) == 1
    rates = run.store.series(run.id)["train/lr"]
    assert rates.value.tolist() == [0.1 * 0.5 ** (step // 10) for step in rates.step.tolist()]
    assert len(rates.step) > 1  # on a busy machine not each of the thirty
    steps = {name: metric.last_step for name, metric in run.record.metrics.items()}
    assert steps["test/loss"] == steps["val/loss"] == 30


def test_what_a_trainer_saves_is_kept(told: dict[str, Any], tmp_path: Path):
    """Each of its folders once, with its evaluation, also where the Trainer deletes it again; it can be loaded."""
    from transformers import GPT2LMHeadModel

    run, own, _ = told["saving"]
    found = [each for each in run.checkpoints if each.is_kept]
    assert [each.name for each in found][-1] == "checkpoint-4"
    assert {each.name for each in run.checkpoints} == {"checkpoint-2", "checkpoint-4"}
    assert [found[-1].step, found[-1].metrics["val/loss"]] == own[-1]
    model = GPT2LMHeadModel.from_pretrained(found[-1].restore(tmp_path))
    assert set(found[-1].load("model.safetensors")) <= set(model.state_dict())


def test_what_lightning_saves_is_kept(told: dict[str, Any]):
    """The best two, as its callback has them, with the loss by which they are."""
    run, own, series = told["checkpoint-callback"]
    assert sorted(each.name for each in run.checkpoints) == own
    assert {each.metrics["val/loss"] for each in run.checkpoints} == set(series["val/loss"])


@pytest.mark.parametrize("name", ["trainer", "keras", "lightning"])
def test_a_rule_ends_a_training_as_the_framework_does(told: dict[str, Any], name: str):
    """By its own flag: the call returns after the step or epoch, and what comes after it in the cell runs."""
    run, own, series = told[f"{name} stopped"]
    assert (run.status, run.stopped_by) == ("finished", "rule count(train/loss)>=2")
    assert len(series["train/loss"]) in (2, own)
    assert own in (2, 3)
    assert len(run.alerts) == 1


def test_the_callbacks_that_wandb_has_for_keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """In a script of wandb's kind: each epoch under wandb's names, and what the checkpoint callback wrote."""
    import keras
    import numpy as np

    import celltrail.wandb as wandb
    from celltrail.wandb.integration.keras import WandbMetricsLogger, WandbModelCheckpoint

    monkeypatch.setenv("CELLTRAIL_STORE", str(tmp_path / ".celltrail"))
    x = np.random.default_rng(0).random((64, 4))
    with wandb.init(project="keras", name="callbacks", config={"epochs": 2}):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        own = model.fit(
            x, x.sum(1), epochs=wandb.config.epochs, validation_split=0.25, verbose=0,
            callbacks=[WandbMetricsLogger("batch"), WandbModelCheckpoint(tmp_path / "m{epoch}.keras")],
        ).history  # fmt: skip
    run = ct.run("callbacks", store=ct.Store(tmp_path / ".celltrail"))
    told = {name: each.value.tolist() for name, each in run.store.series(run.id).items()}
    assert (told["epoch/loss"], told["epoch/val_loss"]) == (own["loss"], own["val_loss"])
    assert len(told["batch/loss"]) == 4
    assert [each.name for each in run.checkpoints] == ["m1.keras", "m2.keras"]


@pytest.mark.skipif(not find_spec("trl"), reason="`make frameworks` installs TRL")
def test_trainers_of_trl_are_trainers(told: dict[str, Any]):
    """With no plug-in of their own: the losses are those of the history."""
    _, own, series = told["trl"]
    assert series["train/loss"] == own
