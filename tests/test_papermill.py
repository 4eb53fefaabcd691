"""A notebook executed with parameters, as papermill and nbclient do it: each execution is a run with its parameters."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

import celltrail as ct
from celltrail.store import Store


def executed(folder: Path, lr: float) -> None:
    """The defaults in a cell tagged ``parameters``, and behind it the cell that papermill puts in."""
    cells = [
        new_code_cell("%load_ext celltrail"),
        new_code_cell("lr = 0.5\nepochs = 2", metadata={"tags": ["parameters"]}),
        new_code_cell(f"# Parameters\nlr = {lr}\n", metadata={"tags": ["injected-parameters"]}),
        new_code_cell("rate = lr * 10"),
        new_code_cell("%%track nightly\nfor epoch in range(epochs):\n    loss = rate / (epoch + 1)"),
    ]
    NotebookClient(new_notebook(cells=cells), kernel_name="python3", resources={"metadata": {"path": folder}}).execute()


def test_each_execution_is_a_run_with_its_parameters(store: Store, tmp_path: Path) -> None:
    """What was injected counts, also where only another cell reads it, and a default that was not replaced."""
    for lr in (0.1, 0.01):
        executed(tmp_path, lr)
    found = ct.runs(store=store).sort("created")
    assert [(run.name, run.status, run.params) for run in found] == [
        ("nightly", "finished", {"lr": 0.1, "epochs": 2, "rate": 1.0}),
        ("nightly", "finished", {"lr": 0.01, "epochs": 2, "rate": 0.1}),
    ]
    rules = {name: param.rule for name, param in found[0].record.params.items()}
    assert rules == {"lr": "declared", "epochs": "declared", "rate": "read"}
    assert [run.series("loss")[1].tolist() for run in found] == [[1.0, 0.5], [0.1, 0.05]]


def test_papermill_itself(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It puts its cell behind the one that is tagged ``parameters``; what it was given are the run's parameters."""
    papermill = pytest.importorskip("papermill", reason="the extra [test] is not installed")
    monkeypatch.chdir(tmp_path)
    cells = [
        new_code_cell("%load_ext celltrail"),
        new_code_cell("lr = 0.5\nepochs = 2\nname = 'small'", metadata={"tags": ["parameters"]}),
        new_code_cell("%%track nightly\nfor epoch in range(epochs):\n    loss = lr / (epoch + 1)\nprint(name)"),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), tmp_path / "nightly.ipynb")
    papermill.execute_notebook(
        "nightly.ipynb", "done.ipynb", parameters={"lr": 0.1, "name": "large"}, progress_bar=False
    )
    (run,) = ct.runs(store=store)
    assert (run.status, run.params) == ("finished", {"lr": 0.1, "epochs": 2, "name": "large"})
    assert run.series("loss")[1].tolist() == [0.1, 0.05]
    injected = nbformat.read(tmp_path / "done.ipynb", as_version=4).cells[2]
    assert injected.metadata.tags == ["injected-parameters"]
    assert [step.code.splitlines()[0] for step in ct.slice(run, store=store)] == [
        "lr = 0.5", "# Parameters", "%%track nightly",
    ]  # fmt: skip
