"""What differs between runs, as lines, frames, text and the payload of the panel."""

import math
import re
import time

import orjson
import pandas as pd
import pytest

from celltrail.compare import code_lines, compare
from celltrail.errors import BadValue, NoRun
from celltrail.panels import saved
from celltrail.panels.html import comparison_tables
from celltrail.panels.table import Compared, compare_bundle
from celltrail.query import find, runs
from celltrail.run import start
from celltrail.store import Store
from kernels import Kernel


@pytest.fixture
def kernel(tmp_path):
    started = Kernel(
        tmp_path, {"CELLTRAIL_STORE": str(tmp_path / ".celltrail"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    )
    yield started
    started.stop()


def train(store, name, lr, *, code="a = 1\ntrain(a)\n", packages=None, **more):
    listing = store.blobs.put(orjson.dumps({"numpy": "2.4.6", "pandas": "3.1.1", **(packages or {})}))
    environment = {
        "env": {"python": "3.11.7", "numpy": "2.4.6", "packages": listing},
        "git": {"commit": "c0ffee", "dirty": False},
        "seeds": {"numpy": 7},
    }
    params = {"lr": lr, "batch": 32, **more}
    with start(name, params, store=store, code=store.blobs.put(code.encode()), environment=environment) as run:
        for step in range(3):
            run.log({"odd": math.nan, "lr": lr, "val/acc": 1 - lr * step}, step=step)


@pytest.fixture
def pair(store):
    train(store, "one", 0.1)
    train(store, "two", 0.01, code="a = 1\ntrain(a, 2)\n", packages={"pandas": "3.2.0", "torch": "3.0"}, warmup=True)
    return store


def test_payload_says_what_differs(pair):
    """Every param, metric and fact has its value per run, in order, and whether it differs."""
    payload = compare("one", "two", store=pair).payload()
    assert [row["name"] for row in payload["runs"]] == ["one", "two"]
    params = {line["name"]: (line["values"], line["differs"]) for line in payload["params"]}
    assert params == {"lr": ([0.1, 0.01], True), "batch": ([32, 32], False), "warmup": ([None, True], True)}
    names = [line["name"] for line in payload["metrics"]]
    assert names[0] == "val/acc", "metrics with a direction come first"
    metrics = {line["name"]: line for line in payload["metrics"]}
    assert metrics["val/acc"]["values"] == [0.8, 0.98]
    assert metrics["best val/acc"]["values"] == [1, 1]
    assert metrics["best val/acc"]["goal"] == "max"
    assert not metrics["best val/acc"]["differs"]
    assert metrics["odd"]["values"] == ["nan", "nan"]
    assert not metrics["odd"]["differs"]
    assert "best odd" not in metrics
    facts = {line["name"]: line for line in payload["facts"]}
    assert facts["status"]["values"] == ["finished", "finished"]
    assert "error" not in facts


def test_environment_lists_only_packages_that_differ(pair):
    """Hundreds of equal packages would hide the two that changed."""
    lines = {line["name"]: line for line in compare("one", "two", store=pair).payload()["environment"]}
    assert lines["packages.pandas"]["values"] == ["3.1.1", "3.2.0"]
    assert lines["packages.torch"]["values"] == [None, "3.0"]
    assert [lines[name]["words"] for name in ("python", "packages.torch")] == ["", "package torch"]
    assert {"python", "git.commit", "git.dirty", "seeds.numpy"} == {name for name in lines if "packages" not in name}


def test_packages_that_only_one_run_has_noted(pair):
    """A run of a script has no list of packages: that is one difference, not as many as the other run has packages."""
    with start("script", store=pair, environment={"env": {"python": "3.11.7"}}):
        pass
    lines = {line["name"]: line for line in compare("one", "script", store=pair).payload()["environment"]}
    assert lines["packages"]["values"] == ["2 recorded", None]
    assert not any(name.startswith("packages.") for name in lines)


def test_code_is_compared_with_the_first(pair):
    """Line by line against the first run; equal code has no lines."""
    train(pair, "three", 1)
    payload = compare("one", "two", "three", store=pair).payload()
    first, second = payload["code"]
    assert [line["mark"] + line["text"] for line in first["lines"]] == [" a = 1", "-train(a)", "+train(a, 2)"]
    assert (first["run"], second["lines"]) == (find("two", pair).id, [])
    assert "+train(a, 2)" in compare("one", "two", store=pair).code
    assert compare("one", "three", store=pair).code == ""


def test_long_code_shows_what_is_near_a_change():
    """Of two thousand-line scripts only the neighbourhood of the change is kept."""
    old = [f"line {number}" for number in range(1_000)]
    new = [*old[:500], "changed", *old[501:900], *old[901:]]
    lines = code_lines("\n".join(old), "\n".join(new))
    assert len(lines) < 20
    assert [line["text"] for line in lines if line["mark"] != " "] == ["line 500", "changed", "line 900"]
    assert "…" in [line["text"] for line in lines]


def test_frames(pair):
    """Only what differs unless asked for all; a column per run, values as they were logged."""
    found = compare("one", "two", store=pair)
    frame = found.df()
    assert list(frame.columns) == ["one", "two"]
    assert frame.loc[("params", "lr")].tolist() == [0.1, 0.01]
    assert ("params", "batch") not in frame.index
    assert ("params", "batch") in found.df(only_differing=False).index
    assert found.params.loc["batch"].tolist() == [32, 32]
    assert found.metrics.loc["val/acc", "two"] == pytest.approx(0.98)
    assert found.environment.loc["git.commit", "one"] == "c0ffee"
    assert found.facts.loc["status"].tolist() == ["finished", "finished"]


def test_text_shows_only_what_differs(pair):
    """The plain form names what differs, and in a line what does not."""
    text = repr(compare("one", "two", store=pair))
    assert "warmup" in text
    assert "batch" not in text
    assert "+train(a, 2)" in text
    train(pair, "twin", 0.1)
    assert "no difference in: params, metrics, environment" in repr(compare("one", "twin", store=pair))
    assert "code is the same" in repr(compare("one", "twin", store=pair))


def test_any_way_to_name_runs(pair):
    """Names, ids, runs, lists and sets are all welcome; two runs of one name are told apart."""
    one, two = find("one", pair), find("two", pair)
    assert compare(one, two.id, store=pair).labels == ["one", "two"]
    assert compare([one, two.record], store=pair).labels == ["one", "two"]
    assert compare(runs("params.lr < 1", store=pair)).labels == ["two", "one"]
    train(pair, "one", 0.5)
    labels = compare(one, find("one", pair)).labels
    assert labels[0] == f"one ({one.id[-6:]})"
    assert len(set(labels)) == 2


def test_what_cannot_be_compared(pair):
    """One run is no comparison, and an unknown one is named."""
    with pytest.raises(BadValue, match="two runs or more, not 1"):
        compare("one", store=pair)
    with pytest.raises(NoRun, match="did you mean 'two'"):
        compare("one", "twoo", store=pair)


def test_lost_code_does_not_lose_the_comparison(pair):
    """A blob that is gone costs the code of its run only."""
    digest = find("two", pair).record.code
    for path in pair.root.glob("blobs/**/*"):
        if path.is_file() and digest.endswith(path.name):
            path.unlink()
    assert "cannot be read" in compare("one", "two", store=pair).code


def test_what_changed_is_told_by_likelihood(store):
    """Causes first, then the metrics; where several things changed at once it says that nobody can tell."""
    for name, lr, size, best in [("a", 0.1, 16, 0.5), ("b", 0.01, 16, 0.8), ("c", 0.01, 32, 0.7)]:
        with start(name, {"lr": lr, "size": size}, store=store) as run:
            run.define_metric("val/acc", goal="max")
            run.log({"val/acc": best})
    one = compare("a", "b", store=store).changed
    assert one[0] == "params: lr 0.1 → 0.01"
    assert "metrics: val/acc 0.5 → 0.8, better (not tested)" in one
    assert not any("at once" in sentence for sentence in one)
    two = compare("b", "c", store=store)
    assert "metrics: val/acc 0.8 → 0.7, worse (not tested)" in two.changed
    several = compare("a", "c", store=store).changed
    assert several[-1] == "2 things changed at once: which of them did it cannot be told from these runs"
    assert two.payload()["changed"] == two.changed


def test_that_a_run_was_made_before_is_no_cause(store):
    """Which run it is once more is said of each run, and explains nothing about another."""
    with start("a", {"lr": 1}, store=store):
        pass
    with start("b", {"lr": 2}, environment={"already": {"run": "01", "kind": "duplicate"}}, store=store):
        pass
    assert compare("a", "b", store=store).changed == ["params: lr 1 → 2"]


def test_a_sweep_says_that_its_metrics_are_in_its_trials(store):
    """Held against a run its own has nothing, and all would seem to have gone."""
    with start("plain", {"lr": 1}, store=store) as run:
        run.log({"val/acc": 0.5})
    with start("sweep", store=store):
        for lr in (1, 2):
            with start(f"lr={lr}", {"lr": lr}, store=store) as run:
                run.log({"val/acc": 0.5})
    first = compare("plain", "sweep", store=store).changed[0]
    assert first == "sweep has no metrics of its own, they are in the 2 runs below it: ct.run('sweep').children"
    assert not any("of its own" in told for told in compare("plain", "lr=1", store=store).changed)


def test_data_that_changed_are_one_line(store):
    """A line for each array would push the param that did it out of sight."""
    for at, name in enumerate(("a", "b")):
        with start(name, {"lr": at}, store=store) as run:
            for split in range(8):
                run.log_data(pd.DataFrame({"x": [at, split]}), f"part{split}")
    assert compare("a", "b", store=store).changed == [
        "data: part0: x, part1: x, part2: x, part3: x, part4: x, part5: x and 2 more",
        "params: lr 0 → 1",
    ]


def test_the_static_form_begins_with_what_changed_and_has_lengths_in_words(store):
    """What GitHub shows of a saved comparison says the same as the panel."""
    for lr in (0.1, 0.01):
        with start(f"lr {lr}", {"lr": lr}, store=store):
            pass
    html = comparison_tables(compare("lr 0.1", "lr 0.01", store=store).payload())
    assert html.index("params: lr 0.1 → 0.01") < html.index("<table")
    (lengths,) = re.findall(r"<td[^>]*>duration</td>(.*?)</tr>", html)
    assert re.sub("<[^>]+>", " ", lengths).split()[1::2] == ["ms", "ms"]


def test_outputs_and_media_stand_side_by_side(kernel, tmp_path):
    """What two cells showed and the pictures they kept are in the panel; of seven runs no outputs are put there."""
    kernel.run("%load_ext celltrail\nimport celltrail as ct\nimport numpy as np")
    for shade in (10, 200):
        code = f"print('shade', {shade})\nct.current().log_image('sample', np.full((4, 4), {shade}, np.uint8))"
        kernel.run(f"%%track shade-{shade}\n{code}")
    store = Store(tmp_path / ".celltrail")
    deadline = time.monotonic() + 20
    while not (find("shade-200", store).outputs and find("shade-10", store).outputs) and time.monotonic() < deadline:
        time.sleep(0.05)  # what a cell showed is kept once the kernel is idle
    comparison = compare("shade-10", "shade-200", store=store)
    shown = comparison.payload()["outputs"]
    assert [[piece["data"].strip() for piece in pieces] for pieces in shown] == [["shade 10"], ["shade 200"]]
    panel = Compared(comparison, store.id)
    assert [item["key"] for item in panel.state["media"]["items"]] == ["sample", "sample"]
    run = comparison.runs[1]
    answered, (data,) = panel.answers["take"]({"kind": "take", "id": "1", "run": run.id, "number": 0})
    assert answered["content"]["media"] == "image/png"
    assert data == run.items()[0].bytes
    bundle = compare_bundle(comparison, store.id, None)
    assert saved.size(bundle) <= saved.BUDGET
    assert compare([run.id] * 7, store=store).payload()["outputs"] == []


def test_the_saved_form_says_the_verdict(store):
    """In the table of a notebook where nothing of ours is installed."""
    for lr, values in ((0.1, (0.5, 0.51, 0.52)), (0.01, (0.8, 0.81, 0.83))):
        for seed, value in enumerate(values):
            with start("mlp", {"lr": lr, "seed": seed}, store=store) as run:
                run.log({"val/acc": value})
    first, second = (runs(f"params.lr == {lr}", store=store)[0] for lr in (0.1, 0.01))
    bundle = compare_bundle(compare(first, second), store.id, None)
    assert "better by 0.3033" in bundle["text/html"]
    assert "(n=3)" in bundle["text/html"]


def test_cells_that_runs_depend_on_are_compared(kernel):
    """The earlier cell was edited between two runs of the same cell: its diff stands beside that of the cell."""
    kernel.run("%load_ext celltrail\nimport celltrail as ct")
    for factor in (2, 3):
        kernel.run(f"def scaled(x):\n    return {factor} * x")
        kernel.run(f"%%track run-{factor}\nvalue = scaled(1)")
    found = kernel.run(
        "found = ct.compare('run-2', 'run-3')\n"
        "of = [c for c in found.payload()['code'] if c['cell']]\n"
        "print([line['mark'] + line['text'] for c in of for line in c['lines']])\n"
        "print(found.changed[0])"
    )
    assert "-    return 2 * x" in found.text
    assert "+    return 3 * x" in found.text
    assert "cell" in found.text.splitlines()[-1]
