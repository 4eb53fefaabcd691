"""What the benchmark of the store says is measured, checked and printed from what was kept."""

from __future__ import annotations

import doctest
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))
import results
import store
import tables
from contestants import CONTESTANTS
from place import Place, Trouble
from rows import append, processes

ROOT = Path(__file__).parent.parent


def test_every_point_of_the_benchmark_is_read_back():
    """A row prints a ratio to the yardstick and has checked that both kept what they were given."""
    words = ["--quick", "--only", "jsonl", "celltrail", "--rows", "append"]
    command = [sys.executable, str(ROOT / "benchmarks" / "store.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if "| all |" in line]
    assert [line.split(" | ")[0] for line in lines] == ["| JSON lines", "| celltrail"]
    assert all(line.count("x |") == 6 for line in lines)


def test_a_contestant_that_fails_says_why_and_leaves_nothing():
    """The reason is the sentence of its error, without the folders of the machine; its scratch is gone."""
    with Place(CONTESTANTS["jsonl"]) as place, pytest.raises(Trouble) as raised:
        place.call(append.time_calls, calls=0)
    assert "Error" in str(raised.value)
    assert str(ROOT) not in str(raised.value)
    assert not place.folder.exists()


def test_lost_points_are_counted(tmp_path: Path):
    """Points that are missing or have another value than the one logged do not count as kept."""
    from contestants import jsonl

    log, finish = jsonl.begin(tmp_path)
    for step in range(10):
        log({"train/loss": step * 0.001 if step % 2 else 7.0}, step)
    finish()
    assert processes.count_points(jsonl, tmp_path) == [5]


def test_what_is_printed_is_what_was_kept(tmp_path: Path):
    """Medians over the rounds, ratios to the yardstick, failures in words; saving keeps the other rows."""
    machine = {"date": "2026-01-01", "python": "3.11.7", "cores": 2, "system": "Linux x86_64"}
    samples = {
        "jsonl": [{"per_s": 100.0, "failed": 0, "lost": 0, "yard": {"per_s": 100.0}}],
        "celltrail": [
            {"per_s": value, "failed": 0, "lost": 0, "yard": {"per_s": 100.0}} for value in (40.0, 50.0, 90.0)
        ],
        "mlflow": [{"failed_because": "OperationalError: table exists"}],
    }
    made = {
        "rows": {"processes": {"machine": machine, "samples": samples}},
        "versions": {"jsonl": "", "celltrail": "0.1.0", "mlflow": "3.17.2"},
        "not_installed": {"aim": "no wheel"},
    }
    page = results.page(made)
    assert "| celltrail 0.1 | 0 | 0 | 50 | 0.50x |" in page
    assert "MLflow 3.17 failed at 'processes': OperationalError: table exists." in page
    assert "Aim could not be installed: no wheel." in page
    kept = results.save(tmp_path / "kept.json", made)
    kept = results.save(tmp_path / "kept.json", {**made, "rows": {"memory": {"machine": machine, "samples": {}}}})
    assert set(kept["rows"]) == {"processes", "memory"}
    assert json.loads((tmp_path / "kept.json").read_text()) == kept


def test_the_block_of_a_readme_is_replaced_alone(tmp_path: Path):
    """Text around the two comments stays as it is; a page without them is refused."""
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{results.OPENING}\nold\n{results.CLOSING}\nafter\n")
    made = {"rows": {}, "versions": {}, "not_installed": {}}
    results.write_block(readme, made)
    assert readme.read_text().startswith(f"before\n{results.OPENING}\n")
    assert readme.read_text().endswith(f"\n{results.CLOSING}\nafter\n")
    assert "old" not in readme.read_text()
    readme.write_text("nothing here")
    with pytest.raises(SystemExit):
        results.write_block(readme, made)


def test_examples_of_the_tables():
    """The examples in the docstrings are true."""
    assert doctest.testmod(tables).failed == 0


def test_the_readmes_table_is_what_the_kept_results_print():
    """What stands between the two comments cannot drift from the figures that were kept."""
    readme = (ROOT / "README.md").read_text()
    assert readme.count(results.OPENING) == readme.count(results.CLOSING)
    command = [sys.executable, str(ROOT / "benchmarks" / "store.py"), "--render", str(store.RESULTS)]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "| **celltrail** |" in printed
    for block in re.findall(f"{results.OPENING}\n(.*?){results.CLOSING}", readme, re.DOTALL):
        assert block == printed
