"""What a table's panel answers: changes of runs by people, taken back again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from celltrail import contract
from celltrail.compare import compare
from celltrail.contract.shape import misfits
from celltrail.panels import saved
from celltrail.panels.table import Table, compare_bundle
from celltrail.panels.viewing import OPTIONS, options_of
from celltrail.query import find, runs
from celltrail.run import start
from celltrail.store import Store

INTENTS = {
    "edit": contract.Edit,
    "undo": contract.Undo,
    "write": contract.Write,
    "complete": contract.Complete,
    "views": contract.Views,
    "open_view": contract.OpenView,
    "save_view": contract.SaveView,
    "drop_view": contract.DropView,
    "draw": contract.Draw,
    "query": contract.Query,
    "renew": contract.Renew,
    "hold": contract.Hold,
    "learn": contract.Learn,
    "list": contract.List,
}


class Asked:
    """A table's panel and what it sends."""

    def __init__(self, store: Store) -> None:
        self.panel = Table(runs(store=store))
        self.sent: list[Any] = []
        self.panel.send = lambda message, buffers=None: self.sent.append(message)  # pyright: ignore
        self.number = 0

    def ask(self, kind: str, **fields: Any) -> Any:
        """The answer to an intent, which has every field the contract names and no other."""
        self.number += 1
        intent = {"kind": kind, "id": f"i{self.number}", **fields}
        asked = INTENTS[kind]
        assert misfits(intent, asked) == []
        self.panel._hear(None, cast("Any", intent), [])
        message = self.sent.pop()
        assert message["reply_to"] == intent["id"]
        assert misfits(message, contract.Fault if message["kind"] == "fault" else contract.Answer) == []
        return message

    def edit(self, do: str, names: list[str], text: str = "") -> Any:
        ids = [find(name, self.panel.runs.store).id for name in names]
        return self.ask("edit", runs=ids, do=do, text=text)

    @property
    def rows(self) -> dict[str, Any]:
        return {row["name"]: row for row in cast("dict[str, Any]", self.panel.state)["rows"]}


@pytest.fixture
def table(store: Store) -> Iterator[Asked]:
    for name in ("a", "b", "c"):
        with start(name, {"lr": 0.1}, tags=["own"], notes="as it began" if name == "a" else "", store=store) as run:
            run.log(loss=1.0)
    asked = Asked(store)
    yield asked
    asked.panel.close()


def test_a_change_is_an_edit_and_is_taken_back(table: Asked, store: Store) -> None:
    """Tag, untag, rename, archive and delete in bulk: the rows say so, the audit too, and undo leaves no trace."""
    before = table.rows
    for do, text, names, said in [
        ("tag", "good", ["a", "b"], "tagged 2 runs good"),
        ("untag", "own", ["a", "b"], "took the tag own off 2 runs"),
        ("rename", "better", ["c"], "renamed 1 run to better"),
        ("archive", "", ["a"], "archived 1 run"),
        ("delete", "", ["a", "c"], "deleted 2 runs; the next celltrail gc moves them to the trash"),
    ]:
        answer = table.edit(do, names, text)
        assert answer["said"] == said
        assert table.rows != before, do
        assert table.ask("undo", edit=answer["reply_to"])["said"].startswith("took it back for ")
        assert table.rows == before, do
    assert [change.what for change in find("a", store).audit] == [
        "tag:good", "tag:good", "tag:own", "tag:own", "archived", "archived", "deleted", "deleted",
    ]  # fmt: skip


def test_what_a_change_does(table: Asked, store: Store) -> None:
    """The rows at once, and whoever asks the trail."""
    table.edit("tag", ["a", "b"], "good")
    assert table.rows["b"]["tags"] == ["own", "good"]
    table.edit("archive", ["c"])
    assert list(table.rows) == ["b", "a"]
    assert [run.name for run in runs("'good' in tags", store=store)] == ["b", "a"]
    assert [run.name for run in runs("archived", store=store)] == ["c"]


def test_notes_are_added_or_rewritten(table: Asked) -> None:
    """A note more leaves the others; rewriting makes one of all; nothing said takes them away; each goes back."""
    table.edit("note", ["a", "b"], "second")
    assert (table.rows["a"]["note"], table.rows["b"]["note"]) == ("as it began\nsecond", "second")
    answer = table.edit("rewrite", ["a"], "one text")
    assert table.rows["a"]["note"] == "one text"
    table.ask("undo", edit=answer["reply_to"])
    assert table.rows["a"]["note"] == "as it began\nsecond"
    table.edit("rewrite", ["a"], "")
    assert table.rows["a"]["note"] == ""


def test_what_cannot_be_changed_is_said(table: Asked) -> None:
    """No name, no run, twice taken back: a sentence each, and nothing has changed."""
    before = table.rows
    assert "1 to 256 characters" in table.edit("rename", ["a"], "  ")["text"]
    assert table.edit("note", ["a"], " ")["text"] == "a note has some text"
    assert table.ask("edit", runs=[], do="archive", text="")["text"] == "there is no run to change; select one"
    assert "cannot be taken back" in table.ask("undo", edit="i1")["text"]
    assert table.rows == before


def test_tables_are_written_by_the_code_of_a_set(table: Asked, store: Store) -> None:
    """The runs shown in their order, as columns or as means over rows; what cannot be is a sentence."""
    found = runs(store=store)
    ids = [run.id for run in reversed(list(found))]

    def write(form: str, *, columns: tuple[str, ...] = (), rows: tuple[str, ...] = (), value: str | None = None) -> Any:
        asked = {"form": form, "runs": ids, "columns": list(columns), "rows": list(rows), "cols": [], "value": value}
        return table.ask("write", **asked)

    shown = ["name", "params.lr", "best.loss", "tags"]
    assert write("markdown", columns=tuple(shown))["text"] == found.pick(ids).to_markdown(shown)
    assert write("csv", columns=("name",))["text"] == "name\na\nb\nc\n"
    latex = write("latex", rows=("params.lr",), value="metrics.loss")["text"]
    assert latex == found.to_latex(rows="lr", value="metrics.loss")
    assert "$1 \\pm 0$" in latex
    assert "no run has a number for 'status'" in write("latex", rows=("params.lr",), value="status")["text"]


def test_an_expression_is_completed(table: Asked) -> None:
    """Names of the trail with the number of runs that have them, at the cursor and not at the end."""
    (found,) = table.ask("complete", where="params.l and 'own' in tags", cursor=8)["proposals"]
    assert found == {"start": 0, "end": 8, "text": "params.lr", "kind": "param", "runs": 3}
    assert [each["text"] for each in table.ask("complete", where='best("', cursor=6)["proposals"]] == ['loss"']
    assert table.ask("complete", where="zzz", cursor=3)["proposals"] == []


def test_views_are_kept_opened_and_dropped(table: Asked, store: Store) -> None:
    """What a panel shows gets a name; the view has its question, order, columns and look, here and in Python."""
    table.edit("tag", ["a", "b"], "good")
    options = {**OPTIONS, "sort": ["name"], "columns": ["params.lr", "tags"], "pinned": ["tags"], "selected": ["x"]}
    kept = table.ask("save_view", name=" best ", where="'good' in tags", options=options)
    assert kept["said"] == "saved the view best: ct.runs(view='best')"
    assert kept["views"] == [{"name": "best", "where": "'good' in tags"}]
    assert [run.name for run in runs(view="best", store=store)] == ["a", "b"]
    table.ask("open_view", name="best")
    assert list(table.rows) == ["a", "b"]
    state = cast("dict[str, Any]", table.panel.state)
    assert (state["title"], state["table"]) == ("'good' in tags", {**options, "selected": []})
    again = Table(runs(view="best", store=store))
    assert again.options == state["table"]
    again.close()
    table.ask("open_view", name="")
    assert list(table.rows) == ["c", "b", "a"]
    assert table.ask("drop_view", name="best")["views"] == []
    assert "no view 'best'" in table.ask("open_view", name="best")["text"]


def test_a_look_that_another_hand_wrote_is_read_as_far_as_it_can_be(store: Store) -> None:
    """What a panel cannot read is passed over, not shown as an error."""
    store.views.save("odd", look={"sort": 5, "pinned": ["name"], "widths": {"name": "wide"}, "later": 1})
    assert options_of(runs(view="odd", store=store)) == {**OPTIONS, "pinned": ["name"]}


def test_a_saved_comparison_of_wide_runs_is_within_the_budget(store: Store) -> None:
    """What does not differ goes first; where rows of a part had to go it says so."""
    for number in range(2):
        params = {f"option_{i}": i + number * (i % 2) * 7 for i in range(400)}
        with start(f"wide-{number}", params, store=store) as run:
            run.log({f"val/score_{i}": i / (1 + number) for i in range(120)})
    few = compare_bundle(compare(*runs("'wide-' in name", store=store)), store.id, None)
    kept = few[contract.MIME]
    assert saved.size(few) <= saved.BUDGET
    assert kept["comparison"]["params"]
    assert all(line["differs"] for line in kept["comparison"]["params"])
    assert kept["hints"] == [
        f"of each part the first {len(kept['comparison']['params'])} rows are kept here; the trail has all"
    ]


def test_the_curves_of_chosen_runs(table: Asked, store: Store) -> None:
    """In the order they were chosen, with every point of a short series and how the run stands."""
    ids = [find(name, store).id for name in ("c", "a")]
    found = table.ask("draw", runs=ids)["drawn"]
    assert [state["name"] for state in found["runs"]] == ["c", "a"]
    assert [(each["run"], each["metric"], each["n"]) for each in found["series"]] == [(run, "loss", 1) for run in ids]
    assert found["omitted"] == 0
    assert table.ask("draw", runs=[])["drawn"] == {"runs": [], "groupings": [], "series": [], "omitted": 0}


def test_runs_that_go_on_are_told_and_new_ones_counted(table: Asked, store: Store) -> None:
    """What a run came to is sent while it goes on and once more when it ended; new runs come when they are wanted."""
    assert table.panel.tick() is False
    assert table.sent == []
    with start("going", store=store) as run:
        run.log(loss=3.0)
        run.record()
        assert table.panel.tick() is True
        news = table.sent.pop()
        assert misfits(news, contract.News) == []
        assert (news["fresh"], [row["status"] for row in news["rows"]]) == (1, ["running"])
        assert "going" not in table.rows
    assert table.panel.tick() is False
    assert [row["status"] for row in table.sent.pop()["rows"]] == ["finished"]
    assert table.ask("renew")["said"] is None
    assert next(iter(table.rows)) == "going"
    table.sent.clear()
    assert table.panel.tick() is False
    assert table.sent == []


def test_out_of_sight_and_back(table: Asked, store: Store) -> None:
    """An archived or deleted run is found by the word, says what it is, and comes back."""
    for do, back, word in [("archive", "unarchive", "archived"), ("delete", "undelete", "deleted")]:
        table.edit(do, ["a"])
        assert "a" not in table.rows
        (found,) = table.ask("query", where=f"{word} == True")["rows"]["rows"]
        assert (found["name"], found[word]) == ("a", True)
        table.ask("edit", runs=[found["id"]], do=back, text="")
        assert table.rows["a"][word] is False
    table.edit("star", ["b"])
    assert table.rows["b"]["starred"]
    assert table.ask("hold", runs=[find("b", store).id])["stale"] == {}


def test_words_are_read_before_the_first_one_is_looked_for(table: Asked, store: Store) -> None:
    """Where the box for words got the focus, what comes later is of the runs that the table has anyway."""
    assert table.ask("learn")["kind"] == "answer"
    store.edit(find("b", store).id, "name", "renamed since")
    asked = {"where": "", "sort": ["name"], "group": [], "stamp": "", "first": 5, "shown": [], "columns": []}
    found = table.ask("list", words="lr", **asked)
    assert [row["name"] for row in found["rows"]["rows"]] == ["a", "b", "c"]
    assert table.ask("list", words="renamed", **asked)["rows"] is None
    assert [row["params"] for row in found["rows"]["rows"]] == [{}] * len(found["rows"]["rows"])


def test_a_saved_table_of_wide_runs_has_more_than_a_few_of_them(store: Store) -> None:
    """Columns go before rows do: what was asked for stays, then what tells runs apart; and what is left out is said."""
    for number in range(14):
        params = {f"same_{i}": "x" * 20 for i in range(80)} | {"lr": number / 10, "rare": 7}
        with start(f"r{number}", params, store=store) as run:
            run.define_metric("score", goal="max")
            run.log({f"m/{i}": 1.0 for i in range(60)} | {"score": number / 14})
    found = runs(store=store).sort("-best.score")
    page: contract.RowsPage = {"rows": found.rows(), "total": 14, "hints": []}
    options = {**options_of(found), "sort": ["-best.score"], "columns": ["name", "params.rare"]}
    bundle = saved.table_bundle("t", "wide", page, cast("contract.TableOptions", options), "")
    kept = bundle[contract.MIME]
    assert saved.size(bundle) <= saved.BUDGET
    assert len(kept["rows"]) >= 10
    assert kept["omitted"] == 14 - len(kept["rows"])
    assert {"lr", "rare"} <= kept["rows"][0]["params"].keys()
    assert "score" in kept["rows"][0]["metrics"]
    (said,) = kept["hints"]
    assert said.endswith("of 143 params and metrics are kept here; the kernel has the others")
