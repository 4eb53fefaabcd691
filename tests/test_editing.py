"""Editing: people say what they mean of a run, see at once that it is so, and can see who said what."""

from __future__ import annotations

import getpass
import json
import math
import os
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

import celltrail as ct
from celltrail.cli import main
from celltrail.errors import BadValue, StoreError
from celltrail.store import Store
from kernels import Kernel


@pytest.fixture
def trained(store: Store) -> Store:
    for number in range(3):
        with ct.start(f"run-{number}", {"lr": 0.1 * number}, tags=["mlp"], notes="begun", store=store) as run:
            run.log({"loss": 1.0 - number / 10})
    return store


def test_every_verb_shows_at_once_and_everywhere(trained: Store) -> None:
    """In the object in hand, in a fresh question, in the frame, and in the expression language."""
    run = ct.run("run-1")
    assert run.rename("best").tag("paper", ["a", "b"]).untag("mlp", "never had it").star().rate(np.float32(4.5)) is run
    run.note("look at this").note("a spike", metric="loss", step=7).move("vision/resnet/").regroup("seeds")
    run.correct("lr", np.int64(3)).correct("layers", (64, 10)).archive()
    for found in (run, ct.run(run.id), ct.runs("archived")[0], ct.runs("starred and rating > 4 and archived")[0]):
        assert (found.name, found.tags, found.starred, found.rating) == ("best", ["paper", "a", "b"], True, 4.5)
        assert (found.notes, found.folder, found.group) == (["begun", "look at this"], "vision/resnet", "seeds")
        assert (found.params, found.archived, found.deleted) == ({"lr": 3, "layers": [64, 10]}, True, False)
        assert found.marks == [{"text": "a spike", "metric": "loss", "step": 7}]
        assert found.host
    assert [each.name for each in ct.runs()] == ["run-2", "run-0"]
    assert [each.name for each in ct.runs("folder == 'vision/resnet' and archived")] == ["best"]
    frame = ct.runs("archived or not archived").df().set_index("name")
    assert frame.loc["best", ["folder", "rating"]].tolist() == ["vision/resnet", 4.5]
    assert frame["starred"].tolist() == [False, True, False]
    run.unarchive().unstar().rate(None).move(None).regroup(None).correct("lr", None)
    again = ct.run("best")
    assert (again.archived, again.starred, again.rating, again.folder, again.group) == (False, False, None, None, None)
    assert again.params["lr"] == 0.1


def test_notes_are_changed_and_deleted_by_their_place(trained: Store) -> None:
    """Also the one the run was started with; the document of the run stays as it was."""
    run = ct.run("run-0").note("second").note("third")
    assert run.notes == ["begun", "second", "third"]
    run.edit_note(0, "begun, and it was slow").delete_note(1)
    assert run.notes == ["begun, and it was slow", "third"]
    run.edit_note(-1, "3rd")
    assert ct.run("run-0").notes == ["begun, and it was slow", "3rd"]
    with pytest.raises(BadValue, match="no note 2; it has 2"):
        run.edit_note(2, "x")
    assert trained.document(run.id).notes == ("begun",)


def test_comments_are_a_thread_with_who_and_when(trained: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """From a run that goes on, a stored one, a set and a terminal; the audit says who deleted one."""
    with ct.start("going", store=trained) as going:
        going.comment("  begun late  ")
    run = ct.run("going").comment("looks fine").comment("ship it")
    assert [told.text for told in run.comments] == ["begun late", "looks fine", "ship it"]
    assert [told.text for told in ct.run("going").comments] == [told.text for told in run.comments]
    assert {told.by for told in run.comments} == {getpass.getuser()}
    assert all(run.created <= told.time + timedelta(milliseconds=1) for told in run.comments)
    assert str(run.comments[1]).endswith(f" UTC {getpass.getuser()}: looks fine")
    assert ct.runs("name != 'going'").comment("all of you") == 3
    assert main(["edit", "going", "--comment", "<b>bold</b>", "--store", str(trained.root)]) == 0
    run = ct.run("going").delete_comment(1).delete_comment(-2)
    assert [told.text for told in run.comments] == ["begun late", "<b>bold</b>"]
    assert [str(change).rpartition(getpass.getuser())[2] for change in run.audit][-2:] == [
        " deleted the comment 'looks fine'", " deleted the comment 'ship it'",
    ]  # fmt: skip
    capsys.readouterr()
    assert main(["show", "going", "--store", str(trained.root)]) == 0
    assert "<b>bold</b>" in capsys.readouterr().out
    for text, words in (("", "a comment has some text"), (3, "a comment has some text")):
        with pytest.raises(BadValue, match=words):
            run.comment(text)
    with pytest.raises(BadValue, match="no comment 2; it has 2"):
        run.delete_comment(2)
    assert trained.audit.verify().is_whole


def test_a_set_is_changed_at_once_and_says_how_many(trained: Store) -> None:
    """The set in hand still holds the same runs, also where they no longer match its question."""
    found = ct.runs("params.lr > 0.05")
    assert found.tag("big", "step") == 2
    assert [run.tags for run in found] == [["mlp", "big", "step"]] * 2
    assert len(ct.runs("'big' in tags")) == 2
    assert found.archive() == 2
    assert [run.archived for run in found] == [True, True]
    assert len(ct.runs()) == 1
    assert len(found.refresh()) == 0
    assert ct.runs("archived").unarchive() == 2
    assert ct.runs("name == 'none of them'").delete() == 0
    assert len(trained.audit.entries(found[0].id)) == 4
    assert trained.audit.verify().is_whole


def test_a_deleted_run_is_hidden_and_comes_back(trained: Store) -> None:
    """Its files all stay until the clean-up."""
    run = ct.run("run-2")
    files = sorted(path.name for path in (trained.root / "runs").rglob("*.ctl"))
    assert run.delete().deleted
    assert "run-2" not in {each.name for each in ct.runs()}
    assert [each.name for each in ct.runs("deleted")] == ["run-2"]
    assert sorted(path.name for path in (trained.root / "runs").rglob("*.ctl")) == files
    assert ct.runs("deleted").undelete() == 1
    assert len(ct.runs()) == 3


def test_a_name_finds_a_run_that_was_not_deleted(trained: Store) -> None:
    """Of two runs of one name the newest counts, but a deleted one only where there is no other."""
    ct.run("run-2").rename("baseline").delete()
    assert ct.run("baseline").deleted
    older = ct.run("run-1").rename("baseline")
    assert ct.run("baseline").id == older.id


def test_the_history_tells_who_changed_what_from_what_to_what(trained: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read from the audit; what was erased says so."""
    monkeypatch.setenv("LOGNAME", "ann")
    run = ct.run("run-1")
    assert repr(run.audit) == "nobody has changed anything"
    run.rename("better").rename("best").tag("x").untag("x").edit_note(0, "ended").note("new", metric="loss")
    run.correct("lr", 0.5).archive().delete().undelete().rate(3).rename("better")
    told = [str(change).partition(" ann ")[2] for change in run.audit]
    assert told == [
        "name: 'run-1' -> 'better'", "name: 'better' -> 'best'", "added the tag 'x'", "removed the tag 'x'",
        "changed a note: 'begun' -> 'ended'", "noted 'new' at loss", "corrected params.lr: 0.1 -> 0.5", "archived",
        "deleted it", "undeleted it", "rating: none -> 3", "name: 'best' -> 'better'",
    ]  # fmt: skip
    frame = run.audit.df()
    assert list(frame.columns) == ["when", "who", "what", "before", "after"]
    assert frame["when"].is_monotonic_increasing
    trained.audit.erase(run.id)
    assert str(run.audit[0]).endswith("ann edit (erased)")
    assert run.audit[-1].what == "erase"


@pytest.mark.parametrize(
    ("verb", "value", "said"),
    [
        ("rename", "x" * 300, "has 300 characters; 1 to 256"),
        ("rename", "a\x1b[31mb", "control characters"),
        ("rename", "half \ud800", "control characters"),
        ("rename", "", "1 to 256 characters"),
        ("rename", 3, "is text, not 3"),
        ("tag", "new\nline", "control characters"),
        ("tag", 3, "is text, not 3"),
        ("note", "x" * 1_000_000, "1,000,000 characters is too long"),
        ("note", "  ", "a note has some text"),
        ("rate", math.nan, "finite number, or None to take it back, not nan"),
        ("rate", "5 stars", "takes a finite number"),
        ("rate", True, "takes a finite number"),
        ("move", "/", "an empty part"),
        ("move", "a/ /b", "an empty part"),
    ],
)
def test_what_cannot_be_said_is_refused_in_a_sentence(trained: Store, verb: str, value: object, said: str) -> None:
    """And nothing is changed: not of one run, not of a set, and nothing stands in the record."""
    for target in (ct.run("run-1"), ct.runs()):
        with pytest.raises(BadValue, match=said):
            getattr(target, verb)(value)
    assert all(trained.edits(run.id) == {} for run in ct.runs())
    assert trained.audit.entries() == []


@pytest.mark.parametrize(
    "tag", ["../../x", "a/b\\c", "‮evil", "tag:tag", "'; drop table run; --", "%s{}", "日本 語", "e\u0301"]
)
def test_odd_tags_are_only_text(trained: Store, tag: str) -> None:
    """No file is named after them; they are found again by the expression language."""
    before = {path for path in trained.root.parent.rglob("*") if ".celltrail" not in path.parts}
    run = ct.run("run-1").tag(tag)
    assert [each.id for each in ct.runs(f"{run.tags[-1]!r} in tags")] == [run.id]
    assert {path for path in trained.root.parent.rglob("*") if ".celltrail" not in path.parts} - before <= {
        path for path in trained.root.parent.rglob("*") if "cache" in path.parts
    }
    assert run.untag(tag).tags == ["mlp"]


def test_a_trail_that_may_only_be_read_says_so() -> None:
    """The clear sentence of the store; the run in hand stays as it was, and can still be read."""
    with tempfile.TemporaryDirectory() as place:
        store = Store(Path(place) / ".celltrail")
        with ct.start("run-1", store=store):
            pass
        run = ct.run("run-1", store).rename("run-2")
        for path in (Path(place), *Path(place).rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        if os.geteuid() == 0:
            os.seteuid(65534)  # root may write anywhere
        try:
            with pytest.raises(StoreError, match="cannot be written: Permission denied"):
                run.rename("x")
            assert (run.name, len(run.audit)) == ("run-2", 1)
        finally:
            if os.getuid() == 0:
                os.seteuid(0)
            for path in (Path(place), *Path(place).rglob("*")):
                path.chmod(0o755)


def test_a_file_where_the_edits_should_be(trained: Store) -> None:
    """What root meets instead of a read-only trail: the same sentence."""
    run = ct.run("run-1")
    (trained.root / "runs" / run.id[-2:] / run.id / "edits").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        run.rename("x")
    assert run.name == "run-1"


def test_edit_in_a_terminal(trained: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Several words at once, several runs at once, and what comes of it printed."""
    words = ["--name", "best", "--tag", "a", "--tag", "b", "--untag", "mlp", "--note", "fine", "--rate", "5", "--star"]
    assert main(["edit", "run-1", *words, "--folder", "x/y", "--correct", "lr=0.25", "--correct", "opt=adam"]) == 0
    assert "run 'best'" in capsys.readouterr().out
    run = ct.run("best")
    assert (run.tags, run.notes, run.rating, run.starred, run.folder) == (["a", "b"], ["begun", "fine"], 5, True, "x/y")
    assert run.params == {"lr": 0.25, "opt": "adam"}
    assert main(["show", "best"]) == 0
    out = capsys.readouterr().out
    for told in ("rating  ", "x/y", "starred", "changes by people", "name: 'run-1' -> 'best'", "- fine"):
        assert told in out
    assert main(["edit", "--where", "params.lr < 0.05", "--archive", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["run-0"]
    assert main(["edit", "run-2", "run-0", "--delete"]) == 0
    assert main(["edit", "--where", "deleted and archived", "--undelete", "--unarchive", "--rate", "none"]) == 0
    assert main(["edit", "run-2", "--undelete"]) == 0
    assert len(ct.runs()) == 3
    capsys.readouterr()
    for words, status, said in (
        (["edit", "nobody", "--star"], 1, "no run 'nobody'"),
        (["edit", "--where", "name == 'x'", "--star"], 1, ""),
        (["edit", "best"], 2, "nothing to change"),
        (["edit", "--star"], 2, "no run to change"),
        (["edit", "best", "--rate", "nan"], 2, "'nan' is no rating"),
        (["edit", "best", "--correct", "lr"], 2, "write PARAM=VALUE"),
        (["edit", "best", "--name", "x" * 300], 2, "has 300 characters"),
        (["edit", "best", "--correct", "x={1, 2}"], 2, "takes a number, text"),
    ):
        assert main(words) == status
        assert said in capsys.readouterr().err


def test_nothing_is_made_by_looking(trained: Store) -> None:
    """The history of a run that nobody edited leaves no folder behind."""
    assert ct.run("run-1").audit == []
    assert not (trained.root / "audit").exists()
    assert not (trained.root / "actors").exists()
    assert Path(trained.root / "runs").is_dir()


def test_the_run_at_hand_can_be_renamed_and_marked(store: Store) -> None:
    """What its own code says is no change by people, and stays when it ends."""
    with ct.start("first", store=store) as run:
        run.rename("second")
        run.note("a spike", metric="loss", step=3)
        assert (run.name, ct.run("second").id) == ("second", run.id)
    found = ct.run("second")
    assert found.marks == [{"text": "a spike", "metric": "loss", "step": 3}]
    assert found.audit == []
    run.note("after its end")
    assert [str(change).partition("noted ")[2] for change in found.audit] == ["'after its end'"]
    with pytest.raises(BadValue):
        run.rename("")


KILLED = """
import sys
import celltrail as ct
run, number = ct.run("run-1"), 0
while True:
    run.tag(f"t{number}")
    number += 1
    print(number, flush=True)
"""


def test_an_editor_that_is_killed_loses_no_edit_that_returned(trained: Store) -> None:
    """At any moment: the run stays readable and editable, the record whole."""
    returned: set[str] = set()
    for round_ in range(6):
        process = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        for _ in range(3 + round_):
            process.stdout.readline()
        process.kill()
        count = 3 + round_ + len(process.stdout.readlines())
        process.communicate()
        returned |= {f"t{number}" for number in range(count)}
        assert returned <= set(ct.run("run-1").tags)
        assert trained.audit.verify().is_whole
    assert ct.run("run-1").rename("still fine").name == "still fine"


def test_in_a_notebook(trained: Store, tmp_path: Path) -> None:
    """A real kernel: edit, see the table of a saved view, read the history; errors are one sentence."""
    kernel = Kernel(tmp_path)
    try:
        assert kernel.run("%load_ext celltrail\nimport celltrail as ct").status == "ok"
        reply = kernel.run("r = ct.run('run-1').tag('paper').star().note('the one')\nprint(r.tags, r.starred, r.notes)")
        assert reply.text == "['mlp', 'paper'] True ['begun', 'the one']\n"
        assert kernel.run("print(ct.runs('params.lr > 0.05').rate(3))").text == "2\n"
        assert kernel.run("ct.runs('starred').save('my stars', ['name', 'rating']);").status == "ok"
        shown = kernel.run('%runs --view "my stars"').of("execute_result")[0]["data"]["text/plain"]
        assert "run-1" in shown
        assert "run-0" not in shown
        assert kernel.run("%runs --view 'my stars' rating > 4").of("execute_result")[0]["data"]["text/plain"]
        history = kernel.run("r.audit").of("execute_result")[0]["data"]["text/plain"]
        assert [line.split(" ", 3)[3] for line in history.splitlines()] == [
            "added the tag 'paper'", "starred", "noted 'the one'", "rating: none -> 3",
        ]  # fmt: skip
        reply = kernel.run("%runs --view nothing")
        assert reply.status == "error"
        assert "no view 'nothing'" in reply.content["evalue"]
        assert kernel.run("ct.run('run-1').rename('x' * 300)").content["ename"] == "BadValue"
    finally:
        kernel.stop()
