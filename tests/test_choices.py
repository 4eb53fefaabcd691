"""Settings, saved views and alert rules: chosen by anybody, the same for everybody who uses the trail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import celltrail as ct
from celltrail.cli import main
from celltrail.errors import BadValue, NoRun, QueryError
from celltrail.store import Store
from celltrail.store.docs import actors
from celltrail.store.docs.folding import fold_actors
from celltrail.store.docs.settings import KNOWN, Setting, declare, whole


@pytest.fixture
def trained(store: Store) -> Store:
    for number in range(4):
        with ct.start(f"run-{number}", {"lr": 0.1 * number}, project=f"p{number % 2}", store=store) as run:
            run.log({"val/acc": number / 10})
    return store


def test_settings_have_defaults_and_say_what_they_take(store: Store) -> None:
    """A mapping of all known ones; nothing is written by reading; wrong names and values are refused."""
    settings = store.settings
    assert dict(settings)["archived.shown"] is False
    assert not store.root.exists()
    settings["archived.shown"] = "on"
    assert Store(store.root).settings["archived.shown"] is True
    assert "archived.shown = True" in repr(settings)
    with pytest.raises(BadValue, match=r"no setting 'archived\.show'; did you mean 'archived\.shown'"):
        settings["archived.show"]
    with pytest.raises(BadValue, match=r"archived\.shown takes True or False, not 3"):
        settings["archived.shown"] = 3
    with pytest.raises(BadValue, match="no setting 'x'"):
        del settings["x"]
    assert settings.get("archived.shown") is True
    del settings["archived.shown"]
    assert settings["archived.shown"] is False
    assert store.audit.verify().is_whole
    assert [entry.on for entry in store.audit.entries()] == ["settings", "settings"]


def test_a_setting_can_be_declared(store: Store) -> None:
    """What was chosen under another celltrail and is not allowed here is as if not chosen."""
    try:
        declare("test.days", Setting(30, whole, "a whole number", "how long"))
        store.settings["test.days"] = "7"
        assert store.settings["test.days"] == 7
        declare("test.days", Setting(30, lambda value: value if value == 1 else None, "1", "how long"))
        assert store.settings["test.days"] == 30
    finally:
        del KNOWN["test.days"]


def test_archived_runs_are_listed_where_the_trail_says_so(trained: Store) -> None:
    """Deleted ones never without being asked for."""
    ct.run("run-0").archive()
    ct.run("run-1").delete()
    assert len(ct.runs()) == 2
    trained.settings["archived.shown"] = True
    assert {run.name for run in ct.runs()} == {"run-0", "run-2", "run-3"}


def test_a_view_is_saved_asked_and_deleted(trained: Store) -> None:
    """The question, the order, the columns and the first so many: by its name from everywhere."""
    found = ct.runs("params.lr > 0.05", project="p1").where("has(params.lr)").sort("-best('val/acc')")[:1]
    view = found.save("best of p1", ["name", "params.lr"])
    assert view.where == '(project == "p1") and (params.lr > 0.05) and (has(params.lr))'
    again = ct.runs(view="best of p1", store=Store(trained.root))
    assert [run.name for run in again] == [run.name for run in found] == ["run-3"]
    assert list(again.df().columns) == ["name", "params.lr"]
    assert again.to_markdown().splitlines()[0].replace(" ", "") == "|name|lr|"
    assert again.to_latex()
    assert len(ct.runs("params.lr < 0.2", view="best of p1")) == 1
    assert ct.runs(view="best of p1", sort="params.lr")[0].name == "run-1"
    assert ct.runs(view="best of p1", limit=5)[1].name == "run-1"
    ct.runs().save("all")
    assert list(trained.views) == ["all", "best of p1"]
    assert len(ct.runs(view="all")) == 4
    trained.views.delete("all")
    assert [view.name for view in trained.views.list()] == ["best of p1"]
    with pytest.raises(NoRun, match="no view 'best of p2'; did you mean 'best of p1'"):
        ct.runs(view="best of p2")
    with pytest.raises(NoRun, match="no view 'all'"):
        trained.views.delete("all")


def test_what_a_view_cannot_keep_is_refused(trained: Store) -> None:
    """In a sentence, before anything is written."""
    for found, said in (
        (ct.runs()[1:3], "no other part"),
        (ct.runs()[:2].where("params.lr > 0"), "cut as the last step"),
        (ct.runs()[::2], "no other part"),
        (ct.runs()[:-1], "no other part"),
    ):
        with pytest.raises(BadValue, match=said):
            found.save("x")
    for name in ("", " x", "a\nb", "x" * 300, "\ud800", 3):
        with pytest.raises(BadValue):
            ct.runs().save(name)  # pyright: ignore[reportArgumentType]
    with pytest.raises(BadValue, match="columns is a list of texts"):
        ct.runs().save("x", 3)  # pyright: ignore[reportArgumentType]
    assert len(trained.views) == 0
    assert repr(trained.views) == "no views yet"
    trained.views.save("broken", "params.lr <")
    with pytest.raises(QueryError):
        ct.runs(view="broken")


def test_rules_are_kept_as_documents(store: Store) -> None:
    """Their engine reads them from here."""
    rule = store.rules.save("diverged", "val/loss > 2", title="it diverged", stop=True, where="project == 'p'")
    assert Store(store.root).rules.list() == [rule]
    assert Store(store.root).rules["diverged"].stop is True
    for fields, said in (({"rule": " "}, "says what to look for"), ({"rule": "x > 1", "stop": 1}, "True or False")):
        with pytest.raises(BadValue, match=said):
            store.rules.save("x", **fields)
    store.rules.delete("diverged")
    assert len(store.rules) == 0


def test_the_trash_is_kept_as_long_as_the_trail_says(trained: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """`gc` asks the setting, also what it plans only."""
    from celltrail.store.upkeep.trash import Trash

    Trash(trained.root).put(trained.root / "runs" / ct.run("run-0").id[-2:] / ct.run("run-0").id, "not wanted")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 40 * 86_400)
    planned = [item.why for item in trained.gc(dry_run=True).items if item.kind == "trash"]
    assert any("more than 30 days" in why for why in planned)
    trained.settings["trash.days"] = 36_500
    assert [item for item in trained.gc(dry_run=True).items if item.kind == "trash"] == []


def test_what_others_wrote_into_their_documents_does_no_harm(trained: Store) -> None:
    """Unreadable files, strange shapes, fields of a later celltrail."""
    trained.views.save("mine", "params.lr > 0")
    folder = trained.root / "actors"
    views = {
        "later": {"field": "later", "at": 5, "value": {"where": "params.lr > 0.1", "colour": "blue"}},
        "bad": {"field": "bad", "at": 5, "value": {"where": 3}},
        "worse": {"field": "worse", "at": "now", "value": {}},
        "a\nb": {"field": "a\nb", "at": 5, "value": {}},
        "list": {"field": "list", "at": 5, "value": [1]},
    }
    (folder / "other.json").write_text(json.dumps({"views": views, "settings": {"archived.shown": 3}, "folded": [1]}))
    for number, data in enumerate([b"", b"{", b"[]", b"\xff", b'{"views": 3}']):
        (folder / f"hostile-{number}.json").write_bytes(data)
    assert list(Store(trained.root).views) == ["mine"]
    (folder / "other.json").write_text(json.dumps({"views": views, "settings": {"archived.shown": 3}}))
    assert list(Store(trained.root).views) == ["later", "mine"]
    assert [run.name for run in ct.runs(view="later")] == ["run-3", "run-2"]
    assert trained.settings["archived.shown"] is False


CHOOSE = """
import sys
from celltrail.store import Store
store = Store(sys.argv[1])
for number in range(15):
    store.views.save(f"{sys.argv[2]}-{number}", "params.lr > 0")
    store.views.save("shared", f"params.lr > {number}")
    store.settings["archived.shown"] = bool(number % 2)
"""


def test_processes_choose_at_once(store: Store) -> None:
    """On a brand-new trail: nothing is lost, and all readers agree."""
    processes = [subprocess.Popen([sys.executable, "-c", CHOOSE, str(store.root), str(n)]) for n in range(3)]
    while any(process.poll() is None for process in processes):
        assert all(view.where.startswith("params.lr > ") for view in store.views.list())
    assert [process.returncode for process in processes] == [0] * 3
    assert set(store.views) == {f"{who}-{number}" for who in range(3) for number in range(15)} | {"shared"}
    assert store.views["shared"].where == "params.lr > 14"
    assert store.views["shared"] == Store(store.root).views["shared"]
    assert store.settings["archived.shown"] is False
    assert store.audit.verify().is_whole


def test_choices_and_touched_runs_live_in_one_document(trained: Store) -> None:
    """Neither loses the other."""
    trained.views.save("a", "params.lr > 0")
    ct.run("run-0").star()
    trained.settings["archived.shown"] = True
    assert list(trained.views) == ["a"]
    assert actors.touched(trained.root, {})[0] == {ct.run("run-0").id}
    (path,) = (trained.root / "actors").iterdir()
    assert set(json.loads(path.read_bytes())) >= {"views", "touched", "settings"}
    assert Path(path).stat().st_mode & 0o777 == 0o600


def test_documents_of_ended_processes_are_folded(store: Store) -> None:
    """What was chosen stays, runs touched lately are told again, and a reader in between misses nothing."""
    store.views.save("mine", "params.lr > 0")
    with ct.start("run", store=store) as run:
        pass
    edit = f"import celltrail as ct\nct.run({run.id!r}).tag('x')"
    for number in range(3):
        program = CHOOSE if number else edit
        subprocess.run([sys.executable, "-c", program, str(store.root), str(number)], check=True)
    before = {name: store.views[name] for name in store.views}
    assert len(before) == 32
    _, marks = actors.touched(store.root, {})
    mine = {name: mark for name, mark in marks.items() if name == actors.actor()}
    assert fold_actors(store.root) == 3
    assert fold_actors(store.root) == 0
    for reader in (store, Store(store.root)):
        assert {name: reader.views[name] for name in reader.views} == before
        assert reader.settings["archived.shown"] is False
    assert actors.touched(store.root, mine)[0] == {run.id}
    store.views.delete("0-1" if "0-1" in before else "1-1")
    store.views.save("shared", "params.lr > 99")
    assert Store(store.root).views["shared"].where == "params.lr > 99"
    assert len(Store(store.root).views) == 31


def test_views_and_settings_in_a_terminal(trained: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Save, list, ask, and change what all agree on."""
    assert main(["ls", "--views"]) == 0
    assert "no saved views yet" in capsys.readouterr().out
    assert main(["ls", "params.lr > 0.05", "--sort", "-params.lr", "--limit", "2", "--save", "fast ones"]) == 0
    assert "celltrail ls --view 'fast ones'" in capsys.readouterr().err
    assert main(["ls", "--view", "fast ones"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["run-3", "run-2"]
    assert main(["ls", "--views"]) == 0
    assert "fast ones" in capsys.readouterr().out
    assert main(["ls", "--views", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["limit"] == 2
    assert main(["ls", "--view", "fast one"]) == 1
    assert "did you mean 'fast ones'" in capsys.readouterr().err
    assert main(["settings", "archived.shown", "on"]) == 0
    assert main(["settings", "--json"]) == 0
    assert '"archived.shown": true' in capsys.readouterr().out
    assert main(["settings", "archived.shown", "--reset"]) == 0
    assert trained.settings["archived.shown"] is False
    assert main(["settings", "archived.shown", "perhaps"]) == 2
    assert main(["settings", "nothing"]) == 2
    assert main(["settings", "--reset"]) == 2
    assert os.path.exists(trained.root)
