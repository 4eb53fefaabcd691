"""Templates: what every run of a project must have, said the same way by a run, a query, a table and a gate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import celltrail as ct
from celltrail.cli import main
from celltrail.errors import BadValue, NoRun, QueryError, Refused
from celltrail.query.needs import WORDS
from celltrail.query.sheet import Sheet
from celltrail.store import Store
from kernels import Kernel

ASKED = ("seed", "data", "val metric", "note", "tag", "params.lr < 1")


@pytest.fixture
def trained(store: Store) -> Store:
    """A run with everything, one with little, one that says nothing, and one of a project that asks for nothing."""
    pandas = pytest.importorskip("pandas")
    ct.template(*ASKED)
    with ct.start("whole", {"lr": 0.1, "random_state": 3}, tags=["mlp"], notes="as agreed") as run:
        run.log({"val/acc": 0.5})
        run.log_data(pandas.DataFrame({"a": [1, 2]}), "few", split="train")
    with ct.start("some", {"lr": "auto"}, seed=1) as run:
        run.log({"train/loss": 0.5, "val/acc": 0.5})
    with ct.start("bare"):
        pass
    with ct.start("free", project="other"):
        pass
    return store


def test_a_run_says_how_much_it_has_and_names_what_it_lacks(trained: Store) -> None:
    """What cannot be told, as of a text whether it is below 1, is not there."""
    whole, some, bare = (ct.run(name).complete for name in ("whole", "some", "bare"))
    assert whole
    assert str(whole) == "complete 6 of 6"
    assert some is not None
    assert (some.met, some.missing) == (2, ("data", "note", "tag", "params.lr < 1"))
    assert str(some) == "complete 2 of 6: no data, no note, no tag, not params.lr < 1"
    assert bare is not None
    assert (bare.met, bare.missing) == (0, ASKED)
    assert ct.run("free").complete is None
    ct.run("some").note("told").tag("x").correct("lr", 0.3)
    assert str(ct.run("some").complete) == "complete 5 of 6: no data"


def test_queries_frames_and_tables_say_the_same(trained: Store) -> None:
    """By the index and by records; a run of a project that asks for nothing is neither complete nor not."""
    for run in ct.runs():
        found = run.complete
        assert (len(ct.runs(f"complete and id == '{run.id}'")) == 1) == (found is not None and bool(found)), run
        assert (len(ct.runs(f"not complete and id == '{run.id}'")) == 1) == (found is not None and not found), run
    assert [run.name for run in ct.runs("not complete")] == ["bare", "some"]
    assert [run.name for run in ct.runs("not complete and matches(name, 'so.e')")] == ["some"]
    assert [run.name for run in ct.runs("complete or name == 'free'")] == ["free", "whole"]
    frame = ct.runs().df(["name", "complete"]).set_index("name")["complete"]
    assert frame["some"] == ct.run("some").complete.text
    assert frame["free"] != frame["free"]
    rows = {row["name"]: row["complete"] for row in ct.runs().rows()}
    assert rows["some"] == {"met": 2, "of": 6, "text": frame["some"]}
    assert rows["free"] is None
    sheet = Sheet(ct.runs())
    assert "complete" in [head["id"] for head in sheet.heads]
    assert [ct.run(run).name for run in sheet.first("", "", ["-complete"], [], 10)] == ["whole", "some", "bare", "free"]


def test_what_words_ask_can_be_asked_of_runs(trained: Store) -> None:
    """Each word is an expression; seeds count by name, by ``seed=`` and by what code seeds."""
    assert [run.name for run in ct.runs("seeded")] == ["some", "whole"]
    assert [run.name for run in ct.runs("data")] == ["whole"]
    assert [run.name for run in ct.runs("'few/train' in data")] == ["whole"]
    assert [run.name for run in ct.runs("'train' in splits")] == ["some"]
    assert len(ct.runs("models")) == len(ct.runs("comments")) == 0
    ct.run("bare").comment("why is it empty?")
    assert [run.name for run in ct.runs("'empty' in comments")] == ["bare"]
    assert [run.name for run in ct.runs("search('empty')")] == ["bare"]
    for word in WORDS:
        assert ct.template(word, "test2 metric").needs == (word, "test2 metric")


def test_a_template_is_of_one_project_and_can_be_taken_back(trained: Store) -> None:
    """What cannot be read is refused in words, and nothing is changed."""
    assert ct.template().needs == ASKED
    assert not ct.template(project="other").needs
    assert "nothing is asked of the runs of 'other'" in repr(ct.template(project="other"))
    assert repr(ct.template()).endswith("2 runs of it lack some")
    for needs, kind, words in (
        (["sed"], BadValue, "no word 'sed' for what a run must have; did you mean 'seed'"),
        (["seed", "params.lr <"], QueryError, "ends too early"),
        (["not complete"], BadValue, "asks for itself"),
        ([" "], BadValue, "no word"),
        ([3], BadValue, "a need is a word or an expression"),
    ):
        with pytest.raises(kind, match=words):
            ct.template(*needs)
    assert ct.template().needs == ASKED
    trained.templates.delete("default")
    assert ct.run("whole").complete is None
    assert len(ct.runs("complete or not complete")) == 0
    with pytest.raises(NoRun, match="no template 'default'"):
        trained.templates.delete("default")
    assert trained.audit.verify().is_whole
    assert [entry.on for entry in trained.audit.entries() if entry.on == "templates"] == ["templates"] * 2


def test_an_incomplete_run_is_not_promoted(trained: Store) -> None:
    """S6: a project that asks for an owner and a note refuses a promotion without, and says what is missing."""
    numpy = pytest.importorskip("numpy")
    pytest.importorskip("safetensors")
    torch = pytest.importorskip("torch")
    ct.template("note", "has(params.owner)", project="churn")
    with ct.start("made", {"lr": 0.1}, project="churn") as run:
        run.log_model({"w": torch.from_numpy(numpy.ones(2))}, "churn")
    version = ct.registry["churn@v1"]
    with pytest.raises(Refused, match=r"complete \(run 'made' has 0 of 2: no note, not has\(params.owner\)\)"):
        version.promote("champion", reason="first", gate="complete")
    assert not version.aliases
    ct.run("made").note("as agreed").correct("owner", "ada")
    ct.registry["churn@v1"].promote("champion", reason="first", gate="complete")
    assert ct.registry["churn@champion"].history[-1]["gate"] == "complete"
    trained.templates.delete("churn")
    with pytest.raises(Refused, match="nothing is asked of the runs of 'churn'"):
        ct.registry["churn@v1"].promote("shadow", reason="x", gate="complete")


def test_in_a_terminal(trained: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """The same words; the status says whether a run lacks something."""
    at = ["--store", str(trained.root)]
    assert main(["template", *at]) == 1
    assert "  some  complete 2 of 6: no data" in capsys.readouterr().out
    assert main(["template", "val metric", "--project", "other", "--json", *at]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told == {"project": "other", "needs": ["val metric"], "incomplete": {ct.run("free").id: ["val metric"]}}
    assert main(["template", "--project", "other", "--remove", *at]) == 0
    assert main(["template", "sed", *at]) == 2
    assert "did you mean 'seed'" in capsys.readouterr().err


CELL = """%%track digits --tag mlp
import tempfile
from sklearn.datasets import load_wine
from sklearn.linear_model import Ridge
np.random.seed(0)
x, y = load_wine(return_X_y=True)
chosen = np.random.permutation(len(y))
model = Ridge(0.5).fit(x[chosen[:100]], y[chosen[:100]])
run = ct.current()
run.evaluate(y[chosen[100:]], model.predict(x[chosen[100:]]), split="val")
run.log_model(model, "wine")
with tempfile.TemporaryDirectory() as folder, open(folder + "/notes.txt", "w") as file:
    file.write("only for a moment")
"""


def test_from_a_cell_over_its_replay_to_a_promotion(tmp_path: Path, trail: Path) -> None:
    """What is missing stands below its cell; a gate takes the verdict of a replay that really ran."""
    pytest.importorskip("sklearn")
    ct.template("seed", "val metric", "note", "tag")
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(trail)})
    try:
        kernel.run("%load_ext celltrail\nimport numpy as np\nimport celltrail as ct")
        replies = [kernel.run(cell) for cell in (CELL, "import time; time.sleep(1)", "pass")]
        assert [reply.status for reply in replies] == ["ok"] * 3
        said = [each["data"]["text/plain"] for each in replies[0].of("display_data")]
        assert said[-1] == "celltrail: complete 2 of 4: no seed, no note"
        later = [each for reply in replies for kind in (reply.of, reply.late) for each in kind("update_display_data")]
        assert later[-1]["data"]["text/plain"] == "celltrail: complete 3 of 4: no note"  # its code sets the seed
    finally:
        kernel.stop()
    version, gate = ct.registry["wine@v1"], "replay == reproduced and complete and val/r2 > 0.5"
    with pytest.raises(Refused, match=r"never replayed.* has 3 of 4: no note"):
        version.promote("champion", reason="the first", gate=gate)
    replayed = ct.replay("digits")
    assert replayed.verdict == "reproduced", replayed.causes
    ct.run("digits").note("ready")
    ct.registry["wine@v1"].promote("champion", reason="the first", gate=gate)
    numbers = ct.registry["wine@champion"].history[-1]["numbers"]
    assert [each["said"].partition(" says ")[2] for each in numbers[:1]] == ["reproduced"]


def test_a_split_is_known_by_any_spelling_of_it(store: Store) -> None:
    """What a plain loop binds counts as what a library logs, and the first word of a name is not a split by itself."""
    ct.template("val metric", "test2 metric")
    with ct.start("loop") as run:
        run.log({"valid_loss": 0.5, "training/acc": 0.5, "critic/loss": 0.1})
    assert str(ct.run("loop").complete) == "complete 1 of 2: no test2 metric"
    assert [len(ct.runs(f"'{split}' in splits")) for split in ("val", "train", "critic")] == [1, 1, 0]
