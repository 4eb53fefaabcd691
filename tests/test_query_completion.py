"""What is proposed while an expression is typed."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celltrail.query import parse
from celltrail.query.completion import Completion, complete
from kernels import Kernel

KNOWN = {
    "param": {"lr": 9, "drop out": 2, "model.depth": 4, "größe": 1, 'a"b': 1},
    "metric": {"train/loss": 9, "val/loss": 8, "val/acc": 7, "loss": 1},
    "summary": {"size": 3},
    "tag": {"mlp": 5, "it's": 1},
}


def proposals(text: str) -> list[Completion]:
    """Of what is left of the cursor, which is written |."""
    return complete(text.replace("|", ""), text.index("|"), lambda kind: KNOWN[kind])


def first(text: str) -> str:
    """The expression with the first proposal taken."""
    best = proposals(text)[0]
    whole = text.replace("|", "")
    return whole[: best.start] + best.text + whole[best.end :]


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("sta|", "status"),
        ("status == 'fin|", "status == 'finished'"),
        ("status in ['finished', \"f|", "status in ['finished', \"finished\""),
        ("params.l|", "params.lr"),
        ("params.dr|", 'params["drop out"]'),
        ("params.mod|", "params.model.depth"),
        ('params["dro|"] < 1', 'params["drop out"] < 1'),
        ("params['a|", "params['a\"b'"),
        ('best("val/a|', 'best("val/acc"'),
        ("at('tr|", "at('train/loss'"),
        ('best("acc|")', 'best("val/acc")'),
        ("`val/l|", "`val/loss`"),
        ("params.`dr|", "params.`drop out`"),
        ("name == 'x' a|", "name == 'x' and"),
        ("params.lr i|", "params.lr in"),
        ("name == 'x' and be|", "name == 'x' and best("),
        ("'ml|", "'mlp' in tags"),
        ('"it|', '"it\'s" in tags'),
        ("'it|", "'it\\'s' in tags"),
        ("not arch|", "not archived"),
        ("val/ac|", 'val/last("val/acc")'),
        ("search('lr', 'co|", "search('lr', 'code'"),
        ("gr|", "group"),
        ("größ|", "params.größe"),
        ("met|", "metrics."),
        ("metrics.val/acc < 1 or metrics.los|", "metrics.val/acc < 1 or metrics.loss"),
    ],
)
def test_the_first_proposal(typed: str, taken: str):
    """Fields, functions, words, and names of the trail with the quotes they need."""
    assert first(typed) == taken


def test_names_of_the_trail_follow_our_words():
    """A bare word may be the name of a metric or param; the more runs have it, the earlier it comes."""
    found = proposals("loss|")
    assert [each.text for each in found] == ['last("loss")', 'last("train/loss")', 'last("val/loss")']
    assert [each.runs for each in found] == [1, 9, 8]
    assert [each.text for each in proposals('best("|')] == ['train/loss"', 'val/loss"', 'val/acc"', 'loss"']
    assert {each.kind for each in proposals("|")} >= {"field", "function", "family"}
    assert proposals("name == 'x'|") == []
    assert proposals("matches(name, 'a|") == []


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="params.lrbest(\"'`[] val/=<and,_1\\ é", max_size=25), st.integers(-3, 30))
def test_any_text_at_any_place(text: str, cursor: int):
    """Half an expression is what it is made for: no text is wrong, and a proposal replaces what is typed."""
    for each in complete(text, cursor, lambda kind: KNOWN[kind]):
        assert 0 <= each.start <= each.end <= len(text)
        assert each.text


def test_what_is_proposed_can_be_read():
    """Each whole proposal is an expression, whatever signs a name has."""
    names = {
        "a b": 1,
        "x/y": 1,
        "ü": 1,
        'q"q': 1,
        "q'q": 1,
        "back\\slash": 1,
        "tick`": 1,
        "class": 1,
        "a.b": 1,
        "1st": 1,
    }
    for each in complete("params.", 7, lambda kind: names):
        assert parse(f"has({each.text})")
    for text in ['last("', "last('", "last(`"]:
        for each in complete(text, len(text), lambda kind: names):
            assert parse(f"{text}{each.text}) > 1")


def test_completion_in_a_kernel(tmp_path: Path):
    """The Tab key behind %runs proposes names of the trail; unloading the extension takes that away again."""
    kernel = Kernel(tmp_path)

    def tab(code: str) -> list[str]:
        reply = kernel.client.complete(code, len(code), reply=True, timeout=60)["content"]
        return [code[: reply["cursor_start"]] + match for match in reply["matches"]]

    try:
        kernel.run(
            "%load_ext celltrail\nimport celltrail as ct\n"
            "with ct.start('one', {'lr': 1, 'drop out': 2}) as run:\n    run.log({'val/loss': 1.0})"
        )
        assert "%runs params.lr" in tab("%runs params.l")
        assert '%runs best("val/loss"' in tab('%runs best("val/l')
        assert "%runs status == 'failed'" in tab("%runs status == 'fa")
        kernel.run("%unload_ext celltrail")
        assert not kernel.run("print(get_ipython().strdispatchers['complete_command'].strs.get('%runs'))").text.count(
            "<"
        )
        assert '%runs best("val/loss"' not in tab('%runs best("val/l')
    finally:
        kernel.stop()
