"""The grammar of the query language: what it reads, what it refuses, and where it points."""

import pytest

from celltrail.errors import QueryError
from celltrail.query import parse, words
from celltrail.query.language import parse_column
from celltrail.query.tree import And, At, Compare, Field, Literal, Matches, Metric, Not, Or, walk


def error_of(text):
    with pytest.raises(QueryError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "marked", "hint"),
    [
        ("best(val/loss) < 1", "val/loss", 'best("val/loss")'),
        ("params.lr < 1 and val/loss < 1", "val/loss", 'last("val/loss") or `val/loss`'),
        ("stats == 1", "stats", ""),
        ("loss < 1", "loss", 'last("loss")'),
        ("params.lr = 3", "=", "=="),
        ("params.lr < 1 && name == 'a'", "&&", "and"),
        ("params.lr < 1 || name == 'a'", "||", "or"),
        ("params.a < 1 & params.b < 2", "1 & params.b", "write and"),
        ("status == 'finished' AND params.a < 1", "AND", "and"),
        ("!archived", "!", "not"),
        ("name <> 'a'", "<>", "!="),
        ("name == None", "name == None", "is None"),
        ("name is 'a'", "name is 'a'", "=="),
        ("params.x == true", "true", "True"),
        ("params.x == null", "null", "is None"),
        ("status == 'finishd'", "'finishd'", "one of: running"),
        ("status in ['finished', 'ok']", "'ok'", "one of: running"),
        ("created > 'yesterday'", "'yesterday'", "ago("),
        ("duration > 'long'", "'long'", "2h"),
        ("duration > 30s", "30s", '"30s"'),
        ("status == 'failed' and duration <= 1.5h", "1.5h", '"1.5h"'),
        ("created > ago('1 fortnight')", "'1 fortnight'", "7d"),
        ("created > date('13.1.')", "'13.1.'", 'date("'),
        ("bets('loss') < 1", "bets", ""),
        ("best('loss', 2) < 1", "best('loss', 2)", "example"),
        ("best < 1", "best", 'best("val/loss")'),
        ("matches(name, '(') ", "'('", ""),
        ("matches(name, params.x)", "params.x", "example"),
        ("search('')", "''", ""),
        ("search('!?')", "'!?'", ""),
        ("search(name)", "name", 'search("OneCycleLR", "code")'),
        ("search('a', 'cod')", "'cod'", ""),
        ("search('a', 'code', 'b')", "search('a', 'code', 'b')", "example"),
        (r"matches(name, r'^(\w+\.?)+$')", r"r'^(\w+\.?)+$'", "one repetition"),
        ("matches(name, '.*a.*b.*c.*d.*')", "'.*a.*b.*c.*d.*'", "join conditions"),
        ("params < 1", "params", "params.x"),
        ("tags == 'mlp'", "tags == 'mlp'", "'mlp' in tags"),
        ("not data != 'wine'", "data != 'wine'", "'wine' in data"),
        ("baseline", "baseline", 'name == "baseline"'),
        ("params[lr] < 1", "lr", 'params["drop out"]'),
        ("name.upper() == 'A'", "name.upper", "functions"),
        ("name.x == 'A'", "name.x", "params.lr"),
        ("name in 3", "3", "name in"),
        ("'größe' in tags and foo > 1", "foo", "params.foo"),
        ("name == 'x' # why", "#", "comments"),
        ("(name == 'x'", "(", ""),
        ("name == 'x", "'x", ""),
        ("`val/loss < 1", "`val/loss < 1", ""),
        ("x`val/loss` < 1", "`val/loss`", "example"),
    ],
)
def test_error_points_at_the_place(text, marked, hint):
    """An error marks exactly the offending characters and says what to write instead."""
    error = error_of(text)
    assert text[error.start : error.end] == marked
    assert hint in error.hint or hint in error.message
    lines = str(error).splitlines()
    assert lines[lines.index(text) + 1] == " " * error.start + "^" * len(marked)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "name.__class__",
        "().__class__.__bases__[0]",
        "lambda: 1",
        "[x for x in tags]",
        "{x for x in tags}",
        "{'a': 1}",
        "{1, 2}",
        "1 if name else 2",
        "f'{name}'",
        "b'x' == name",
        "name := 3",
        "(y := name)",
        "*tags",
        "[*tags]",
        "params[0:1]",
        "params.x ** 99999999",
        "params.x // 2",
        "params.x @ 2",
        "~params.x",
        "params.x << 3",
        "await name",
        "yield",
        "3j == params.x",
        "... == name",
        "name; name",
        "import os",
        "print('x')",
        "has(*tags)",
        "has(x=1)",
    ],
)
def test_everything_else_is_refused(text):
    """Only the listed forms of Python's grammar are read; nothing reaches Python's evaluator."""
    error_of(text)


@pytest.mark.parametrize(
    "text",
    ["", "   ", "a" * 5_000, "(" * 400, "(" * 40 + "1" + ")" * 39, "not " * 900 + "name", "-" * 3_900, "\0", "'\0'"],
)
def test_hostile_text_is_one_query_error(text):
    """Empty, endless and deeply nested text is refused without a crash, and the place lies in the text."""
    error = error_of(text)
    assert 0 <= error.start <= error.end <= len(error.text)


def test_names_of_every_spelling():
    """Slashes, blanks, dots, quotes and any script fit in a name; backquotes are short for last()."""
    assert parse("`val/acc`") == Metric(0, 9, "last", "val/acc")
    assert parse("metrics['val acc']") == Metric(0, 18, "last", "val acc")
    assert parse("params['drop out']") == Field(0, 18, "params", ("drop out",), "any")
    assert parse("params.`drop out`") == Field(0, 17, "params", ("drop out",), "any")
    assert parse("params.größe.x") == Field(0, 14, "params", ("größe", "x"), "any")
    assert parse("best(`损失 1`)") == Metric(0, 12, "best", "损失 1")
    assert parse("'`' in tags").item == Literal(0, 3, "`", "text")


def test_names_are_compared_in_composed_form():
    """The trail keeps names in NFC; a name typed in decomposed form finds them."""
    assert parse("params['gro\u0308ße']").path == ("größe",)
    assert parse("params.gro\u0308ße").path == ("größe",)
    # and nothing else is folded: Python would read this ligature as two letters
    assert parse("params.ﬁ").path == ("ﬁ",)


def test_places_are_characters():
    """Offsets count characters, whatever stands before: bytes, blanks, several lines."""
    text = "  'größe 🙂' in tags\n   and params.lr < 1e-2"
    tree = parse(text)
    assert isinstance(tree, And)
    assert [text[part.start : part.end] for part in tree.items] == ["'größe 🙂' in tags", "params.lr < 1e-2"]


def test_chains_and_order_of_work():
    """A chain is an `and` of pairs; what reads points or runs a pattern is asked last."""
    chain = parse("1 < params.x <= 3")
    assert isinstance(chain, And)
    assert [part.order for part in chain.items] == ["<", "<="]
    tree = parse("at('loss', 10) < 1 and matches(name, 'a') and status == 'failed'")
    assert isinstance(tree, And)
    assert [type(part) for part in tree.items] == [Compare, Compare, Matches]
    assert isinstance(tree.items[1].left, At)


def test_times_and_durations():
    """Text beside a time is a date, text beside a duration a length, also the other way round."""
    assert parse("duration > '1h 30m'").right.value == 5_400
    assert parse("'90s' < duration").left.value == 90
    assert parse("ended - started < '2d'").right.value == 172_800
    assert parse("created >= '2026-11-01T12:00:00+00:00'").right.value == 1_793_534_400
    assert abs(parse("created > ago('7d')").right.value - (words.now() - 7 * 86_400)) < 60
    assert [item.value for item in parse("duration in ['1m', 30]").container.items] == [60, 30]
    assert parse("created - '1d' > ago('2d')").left.right.value == 86_400


def test_not_in_and_is_not():
    """The negated forms are the plain ones under a `not`."""
    assert isinstance(parse("'a' not in tags"), Not)
    assert isinstance(parse("params.x is not None"), Not)
    assert isinstance(parse("has(params.x) or name == 'b'"), Or)


def test_walk_reaches_every_part():
    """A compiler can find all names an expression uses."""
    tree = parse("best('a') < at('b', params.c) or not isclose(params.d, -last('e')) and name in [params.f]")
    assert {part.name for part in walk(tree) if isinstance(part, Metric | At)} == {"a", "b", "e"}
    assert {part.path[0] for part in walk(tree) if isinstance(part, Field) and part.path} == {"c", "d", "f"}


def test_column_names_are_read_as_such():
    """The names of a frame's columns work where an expression would need quotes."""
    assert parse_column("best.val/acc") == Metric(0, 12, "best", "val/acc")
    assert parse_column("params.drop out") == Field(0, 15, "params", ("drop out",), "any")
    assert parse_column("val/acc") is None
