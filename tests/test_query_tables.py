"""Read-only SQL over a trail: what it answers, and what no statement can do."""

from __future__ import annotations

import math

import pytest

import celltrail as ct
from celltrail.errors import BadValue
from celltrail.run import start
from celltrail.store import Store


@pytest.fixture
def trained(store: Store) -> Store:
    for number in range(3):
        params = {"lr": 10.0**-number, "layers": [1, 2], "bad": math.nan, "seed": 2**70}
        with start(f"run {number}", params, tags=["mlp"], store=store) as run:
            run.log({"val/loss": float(number)}, step=number)
    return store


def test_the_views_hold_what_the_runs_hold(trained: Store) -> None:
    """A join over all four views, with bound values, as a frame."""
    frame = ct.sql(
        "select runs.name, params.value as lr, metrics.last, tag from runs join params on params.run = runs.id "
        "join metrics on metrics.run = runs.id join tags on tags.run = runs.id "
        "where params.name = ? and lr < ? order by lr desc",
        ("lr", 0.5),
    )
    assert frame.to_dict("list") == {
        "name": ["run 1", "run 2"], "lr": [0.1, 0.01], "last": [1.0, 2.0], "tag": ["mlp", "mlp"],
    }  # fmt: skip
    assert ct.sql("select distinct value from params where name = 'layers'")["value"][0] == "[1, 2]"
    assert ct.sql("select value from params where name = 'bad'")["value"].isna().all()
    assert ct.sql("select value from params where name = :name", {"name": "seed"})["value"][0] == str(2**70)
    assert ct.sql("select 1 as one")["one"][0] == 1


def test_deleted_runs_are_not_among_them(trained: Store) -> None:
    """Archived ones are, and say so."""
    ids = {run.name: run.id for run in ct.runs()}
    trained.edit(ids["run 0"], "deleted", True)
    trained.edit(ids["run 1"], "archived", True)
    assert set(ct.sql("select name from runs")["name"]) == {"run 1", "run 2"}
    assert list(ct.sql("select name from runs where archived")["name"]) == ["run 1"]


@pytest.mark.parametrize(
    "hostile",
    [
        "attach database '/tmp/x.db' as x",
        "pragma table_info(runs)",
        "pragma writable_schema = 1",
        "delete from runs",
        "insert into tags values ('a', 'b')",
        "create table x (y)",
        "drop table runs",
        "update runs set name = 'x'",
        "vacuum into '/tmp/x.db'",
        "begin",
        "select load_extension('x')",
        "select 1; drop table runs",
        "with x as (select 1) delete from runs",
        "select * from pragma_database_list",
    ],
)
def test_nothing_but_reading(trained: Store, hostile: str) -> None:
    """Every other statement is refused with a sentence, and the trail answers as before."""
    with pytest.raises(BadValue, match=r"only one SELECT|cannot be answered"):
        ct.sql(hostile)
    assert len(ct.sql("select * from runs")) == len(ct.runs()) == 3


@pytest.mark.timeout(60)
def test_a_query_without_end_is_given_up(trained: Store) -> None:
    """A recursion that never stops costs no more than its time."""
    with pytest.raises(BadValue, match=r"longer than 0\.2 s"):
        ct.sql("with recursive n(x) as (select 1 union all select x + 1 from n) select max(x) from n", timeout=0.2)
    with pytest.raises(BadValue):
        ct.sql("select hex(zeroblob(2000000000))")


def test_a_slip_is_answered_with_the_nearest_name(trained: Store) -> None:
    """Of views and of columns."""
    with pytest.raises(BadValue, match="no view 'run'; did you mean 'runs'"):
        ct.sql("select * from run")
    with pytest.raises(BadValue, match="no column 'projct'; did you mean 'project'"):
        ct.sql("select projct from runs")
    with pytest.raises(BadValue, match="cannot be answered"):
        ct.sql("selec 1")
