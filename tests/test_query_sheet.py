"""A sheet finds, orders, groups and sums up what a reading of every record gives, and reads no more than is shown."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from statistics import mean

import numpy as np
import pytest

from celltrail.errors import QueryError
from celltrail.query import runs
from celltrail.query.held import summed
from celltrail.query.sheet import Sheet
from celltrail.run import start
from celltrail.store import Store


@pytest.fixture
def sheet(store: Store) -> Sheet:
    for number in range(12):
        params = {"lr": 10.0**-number, "kind": "ab"[number % 2], "fixed": 7, "with-dash": number % 3}
        with start(f"run-{number}", params, tags=["even"] if number % 2 == 0 else [], store=store) as run:
            run.define_metric("acc", goal="max")
            run.log({"acc": math.nan if number == 5 else number / 12, "x/loss": 12.0 - number})
    return Sheet(runs(store=store))


def listed(
    sheet: Sheet, where: str = "", words: str = "", sort: Sequence[str] = (), group: Sequence[str] = ()
) -> list[str]:
    """The runs of a listing, as a panel reads them that has the extent."""
    found = sheet.listing(where, words, sort, group)
    assert found["extent"]
    places = np.frombuffer(base64.b64decode(found["places"]), "<u4")
    return [found["extent"]["runs"][at] for at in places]


def names(sheet: Sheet, found: list[str]) -> list[str]:
    return [row["name"] for row in sheet.rows(found, sparks=False)]


def test_heads_tell_what_the_columns_hold(sheet: Sheet) -> None:
    """Which there are, which are numbers, which way is better, and in which no two runs differ."""
    heads = {head["id"]: head for head in sheet.heads}
    assert list(heads)[:3] == ["name", "status", "tags"]
    assert list(heads)[-2:] == ["duration", "created"]
    assert (heads["params.lr"]["numeric"], heads["params.kind"]["numeric"]) == (True, False)
    assert (heads["params.fixed"]["same"], heads["params.kind"]["same"]) == (True, False)
    assert (heads["best.acc"]["goal"], "best.x/loss" in heads) == ("max", True)


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        (["params.lr"], ["run-11", "run-10", "run-9"]),
        (["-best.acc"], ["run-11", "run-10", "run-9"]),
        (["params.with-dash", "-name"], ["run-9", "run-6", "run-3"]),
        (["-tags", "metrics.x/loss"], ["run-10", "run-8", "run-6"]),
        ([], ["run-11", "run-10", "run-9"]),
    ],
)
def test_order(sheet: Sheet, sort: list[str], first: list[str]) -> None:
    """By any columns of the table, also those whose names are no Python names."""
    assert names(sheet, listed(sheet, "", "", sort))[:3] == first


def test_what_has_no_number_is_last_both_ways(sheet: Sheet) -> None:
    for sort in ("best.acc", "-best.acc"):
        assert names(sheet, listed(sheet, "", "", [sort]))[-1] == "run-5"


def test_words_and_expressions(sheet: Sheet) -> None:
    """Plain words are found in names, tags and params; an expression narrows; a slip is told as everywhere."""
    assert names(sheet, listed(sheet, "", "EVEN run-1", [])) == ["run-10"]
    assert names(sheet, listed(sheet, "", "with-dash run-1", ["name"]))[0] == "run-1"
    assert names(sheet, listed(sheet, "best('acc') > 0.8", "", [])) == ["run-11", "run-10"]
    assert sheet.listing("params.lrr > 1", "", [], [])["hints"] == ["no run has params.lrr; did you mean 'lr'?"]
    with pytest.raises(QueryError):
        sheet.listing("lr >>> 1", "", [], [])


def test_words_find_names_and_values_of_params_and_nothing_else_of_them(store: Store) -> None:
    """Whatever a value is, a word finds it as its text says it, also what a person corrected; never how it was kept."""
    odd = {
        "plain": 43210,
        "nested": {"a": {"b": 1}, "c": 2},
        "odd_one": math.nan,
        "big": 2**70,
        "text": 'say "},"hi":{"',
    }
    given = [odd, {}, {"sign": "Größe"}, {"value": None}, {"low": 1e-05, "also": [1, 2]}, {"lr": 0.5, "mode": "wrong"}]
    for number, params in enumerate(given):
        with start(f"r{number}", params, store=store) as run:
            pass
    store.edit(run.id, "param:mode", "RIGHT")
    sheet = Sheet(runs(store=store))

    def found(words: str) -> list[str]:
        return names(sheet, listed(sheet, "", words, ["name"]))

    told = {
        "nested": ["r0"], "'b':": ["r0"], "odd_one nan": ["r0"], str(2**70): ["r0"], '},"hi":{"': ["r0"],
        "größe": ["r2"], "value none": ["r3"], "1e-05": ["r4"], "2]": ["r4"], "right": ["r5"], "wrong": [], "rule": [],
        "origin": [], "$f": [], "43210": ["r0"], "plain 43210": ["r0"],
    }  # fmt: skip
    assert {words: found(words) for words in told} == told


def test_an_order_is_that_of_now(sheet: Sheet, store: Store) -> None:
    """Ranks are kept from one question to the next, until a run changes; of some runs they are those of all."""
    assert names(sheet, listed(sheet, "", "", ["-params.lr"]))[0] == "run-0"
    assert names(sheet, listed(sheet, "params.kind == 'b'", "", ["params.lr"]))[0] == "run-11"
    store.edit(listed(sheet, "name == 'run-7'", "", [])[0], "param:lr", 99.0)
    assert names(sheet, listed(sheet, "", "", ["-params.lr", "name"]))[0] == "run-7"


def test_groups_and_sums(sheet: Sheet) -> None:
    """Groups hold every run once, stand by what they say in the sorted column, and their means are those of numpy."""
    found = sheet.listing("", "", ["-best.acc"], ["params.kind"])
    groups = found["groups"] or []
    assert [group["values"] for group in groups] == [["a"], ["b"]] or [group["values"] for group in groups] == [
        ["b"],
        ["a"],
    ]
    runs_of = listed(sheet, "", "", ["-best.acc"], ["params.kind"])
    assert sorted(runs_of) == sorted(listed(sheet, "", "", []))
    sums = sheet.sums("", "", ["params.kind"], ["-best.acc"], ["best.acc", "params.with-dash", "params.kind", "gone"])
    assert [group["size"] for group in groups] == [6, 6]
    for group, members, told in zip(groups, (runs_of[:6], runs_of[6:]), sums["groups"], strict=True):
        rows = sheet.rows(members, sparks=False)
        numbers = [best for row in rows if isinstance(best := row["metrics"]["acc"]["best"], float)]
        assert told["best.acc"]["mean"] == pytest.approx(mean(numbers))
        assert told["best.acc"]["known"] == len(numbers)
        assert told["params.with-dash"]["kinds"] == 3
        assert told["params.kind"]["values"] == group["values"]
        assert "gone" not in told
    assert names(sheet, sums["best"]["best.acc"]) == ["run-11"]
    means = [told["best.acc"]["mean"] or 0 for told in sums["groups"]]
    assert means == sorted(means, reverse=True)


def test_summed_leaves_out_what_is_no_number() -> None:
    found = summed([1, math.inf, None, "x", 3])
    assert (found["mean"], found["known"], found["unknown"], found["kinds"]) == (2.0, 2, 3, 5)
    assert summed([None, None])["mean"] is None


def test_a_large_group_is_summed_up_as_a_small_one(store: Store) -> None:
    """Words beside numbers, a list, NaN, what is infinite and nothing at all."""
    given = ["auto", 1, 1.0, math.nan, None, math.inf, 2.5, [1, 2], "1"]
    for number in range(60):
        params = {"all": "same", "mixed": given[number % len(given)], "plain": number / 7}
        with start(f"r{number}", params if number % 7 else {"all": "same"}, store=store):
            pass
    sheet = Sheet(runs(store=store))
    (told,) = sheet.sums("", "", ["params.all"], ["-created"], ["params.mixed", "params.plain"])["groups"]
    rows = [run.params for run in runs(store=store)]
    for name in ("mixed", "plain"):
        found, expected = told[f"params.{name}"], summed([params.get(name) for params in rows])
        assert found["mean"] == pytest.approx(expected.pop("mean"))
        assert found["half"] == pytest.approx(expected.pop("half"))
        assert {key: found[key] for key in expected} == expected
    assert told["params.mixed"]["kinds"] == 8
