"""The evaluator against an oracle: random expressions over random runs, answered twice.

The oracle shares nothing with the evaluator: each random expression is made together with a plain Python
function over the raw facts (points, not summaries), and its logic is Kleene's on the numbers 0, 1/2 and 1.
"""

import math
import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from celltrail.model import Param, RunRecord
from celltrail.query import parse
from celltrail.query.evaluate import Question, truth
from celltrail.query.tree import Not
from celltrail.store.log.summary import Said, Summaries

NO, UNKNOWN, YES = 0, 0.5, 1
PARAMS = {"a": "params.a", "b.c": "params.b.c", "drop out": 'params["drop out"]', "größe": "params.`größe`"}
PARAMS["q\"u'o%t`e"] = """params["q\\"u'o%t`e"]"""
METRICS = ["val/acc", "train loss"]
TAGS = ["mlp", "cnn", "größe"]
NAMES = ["baseline", "resnet50", "sweep-1", ""]
PATTERNS = ["^res", "e$", r"\d+", "x|y"]

# quarters, so that every sum and mean is exact in any order
numbers = st.integers(-40, 40).map(lambda n: n / 4)
odd_numbers = st.one_of(numbers, st.integers(-3, 3), st.sampled_from([math.nan, math.inf, -math.inf]))
values = st.one_of(odd_numbers, st.booleans(), st.sampled_from(NAMES), st.none(), st.lists(numbers, max_size=2))
points = st.lists(st.tuples(st.integers(-2, 6), odd_numbers.map(float)), max_size=6)


@st.composite
def runs(draw):
    return {
        "name": draw(st.sampled_from(NAMES)),
        "status": draw(st.sampled_from(["running", "finished", "failed"])),
        "tags": draw(st.lists(st.sampled_from(TAGS), unique=True)),
        "params": draw(st.dictionaries(st.sampled_from(sorted(PARAMS)), values)),
        "series": {name: logged for name in METRICS if (logged := draw(points))},
        "duration": draw(st.one_of(st.none(), numbers.map(abs))),
        "group": draw(st.one_of(st.none(), st.sampled_from(NAMES))),
        "folder": draw(st.one_of(st.none(), st.sampled_from(NAMES))),
        "host": draw(st.sampled_from(NAMES)),
        "rating": draw(st.one_of(st.none(), numbers)),
        "starred": draw(st.booleans()),
        "archived": draw(st.booleans()),
        "deleted": draw(st.booleans()),
    }


def record_of(run):
    summaries = Summaries()
    summaries.declare("val/acc", Said(goal="max"))
    summaries.declare("train loss", Said(goal="min"))
    for name, logged in run["series"].items():
        steps, numbers = zip(*logged, strict=True)
        summaries.fold((name,), np.array(steps), np.array(numbers).reshape(-1, 1))
    return RunRecord(
        id="01",
        name=run["name"],
        status=run["status"],
        project="p",
        created_us=0,
        started_us=0,
        duration_s=run["duration"],
        **{name: run[name] for name in ("group", "folder", "host", "rating", "starred", "archived", "deleted")},
        tags=tuple(run["tags"]),
        params={name: Param(name, value) for name, value in run["params"].items()},
        metrics=summaries.metrics(),
    )


def points_of(run):
    def read(run_id, metric):
        steps, numbers = zip(*run["series"][metric], strict=True)
        return np.array(steps, dtype=np.int64), np.array(numbers)

    return read


# the oracle


def is_nan(value):
    return isinstance(value, float) and value != value


def is_number(value):
    return isinstance(value, bool | int | float)


def o_equal(left, right):
    if left is None or right is None or is_nan(left) or is_nan(right):
        return UNKNOWN
    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            return NO
        return min([o_equal(x, y) for x, y in zip(left, right, strict=True)], default=YES)
    if is_number(left) != is_number(right) or isinstance(left, str) != isinstance(right, str):
        return NO
    return YES if left == right else NO


def o_order(sign, left, right):
    both = [left, right]
    if any(is_nan(each) for each in both):
        return UNKNOWN
    if not (all(is_number(each) for each in both) or all(isinstance(each, str) for each in both)):
        return UNKNOWN
    above, below = left > right, left < right
    return int({"<": below, ">": above, "<=": not above, ">=": not below}[sign])


def o_truth(value):
    if value is None or is_nan(value):
        return UNKNOWN
    return YES if value else NO


def o_aggregate(kind, name, run):
    logged = run["series"].get(name)
    if not logged:
        return None
    finite = [(step, value) for step, value in logged if not is_nan(value)]
    direction = {"val/acc": "max", "train loss": "min"}[name]
    kind = {"best": direction, "best_step": f"{direction}_step"}.get(kind, kind)
    match kind:
        case "first":
            return logged[0][1]
        case "last":
            return logged[-1][1]
        case "last_step":
            return logged[-1][0]
        case "count":
            return len(logged)
        case "nan_count":
            return len(logged) - len(finite)
        case "sum":
            return sum(value for _, value in finite)
        case "mean":
            return sum(value for _, value in finite) / len(finite) if finite else math.nan
    if not finite:
        return None if kind.endswith("_step") else math.nan
    chosen = (max if kind.startswith("max") else min)(finite, key=lambda point: point[1])
    return chosen[0] if kind.endswith("_step") else chosen[1]


def o_at(name, step, run):
    logged = run["series"].get(name)
    if not logged or not is_number(step) or is_nan(step):
        return None
    before = [(at, order) for order, (at, _) in enumerate(logged) if at <= step]
    return logged[max(before)[1]][1] if before else None


def o_arithmetic(sign, left, right):
    if not is_number(left) or not is_number(right):
        return None
    if sign in "/%" and right == 0:
        return None
    return {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "/": lambda: left / right,
        "%": lambda: left % right,
    }[sign]()


def o_in(item, container):
    if isinstance(container, list):
        return max([o_equal(item, each) for each in container], default=NO)
    if item is None or container is None or is_nan(item) or is_nan(container):
        return UNKNOWN
    return YES if isinstance(container, str) and isinstance(item, str) and item in container else NO


# expressions: each a text and what it should mean


def quoted(name):
    return repr(name)


literals = st.one_of(
    st.one_of(numbers, st.integers(-3, 3), st.booleans(), st.sampled_from(NAMES)).map(
        lambda value: (f"({value!r})" if is_number(value) else quoted(value), lambda run: value)
    ),
    st.lists(numbers, max_size=2).map(lambda value: (repr(value), lambda run: value)),
)
fields = st.one_of(
    st.sampled_from(sorted(PARAMS)).map(lambda name: (PARAMS[name], lambda run: run["params"].get(name))),
    st.sampled_from(["name", "tags", "duration", "group", "folder", "host", "rating"]).map(
        lambda name: (name, lambda run: run[name])
    ),
    st.sampled_from(["starred", "archived", "deleted"]).map(lambda name: (name, lambda run: run[name])),
    st.sampled_from(METRICS).map(lambda name: (f"`{name}`", lambda run: o_aggregate("last", name, run))),
    st.tuples(
        st.sampled_from(
            ["first", "last", "min", "max", "mean", "sum", "count", "nan_count", "best", "best_step", "last_step"]
        ),
        st.sampled_from(METRICS),
    ).map(lambda pair: (f"{pair[0]}({quoted(pair[1])})", lambda run: o_aggregate(*pair, run))),
)


def larger_values(inner):
    return st.one_of(
        st.tuples(inner, st.sampled_from("+-*/%"), inner).map(
            lambda t: (f"({t[0][0]} {t[1]} {t[2][0]})", lambda run: o_arithmetic(t[1], t[0][1](run), t[2][1](run)))
        ),
        inner.map(lambda t: (f"(-{t[0]})", lambda run: -v if is_number(v := t[1](run)) else None)),
        st.tuples(st.sampled_from(METRICS), inner).map(
            lambda t: (f"at({quoted(t[0])}, {t[1][0]})", lambda run: o_at(t[0], t[1][1](run), run))
        ),
    )


def is_question(operands):
    """Whether all of `tags` being one literal is asked nowhere: that is refused with a sentence, tested by itself."""
    texts = [text for text, *_ in operands]
    literal = [
        re.fullmatch(r"\([-()]*[-\w.+]+\)+|True|False|'.*'|\".*\"", text, re.DOTALL) is not None for text in texts
    ]
    return not any(
        {"tags"} & {texts[at], texts[at + 1]} and (literal[at] or literal[at + 1]) for at in range(len(texts) - 1)
    )


def not_timed(pair):
    """Text beside `duration` is read as a duration: a rule of its own, with tests of its own."""
    return "duration" not in pair[0]


operands = st.recursive(st.one_of(literals, fields), larger_values, max_leaves=3)
plain_operands = operands.filter(not_timed)
lists = st.lists(plain_operands, max_size=3).map(
    lambda items: (f"[{', '.join(item[0] for item in items)}]", lambda run: [item[1](run) for item in items])
)
containers = st.one_of(
    lists,
    st.just(("tags", lambda run: run["tags"])),
    st.sampled_from(["name", "group"]).map(lambda name: (name, lambda run: run[name])),
    st.sampled_from(sorted(PARAMS)).map(lambda name: (PARAMS[name], lambda run: run["params"].get(name))),
)
comparisons = st.one_of(
    st.tuples(plain_operands, st.sampled_from(["<", "<=", ">", ">="]), plain_operands)
    .filter(lambda t: is_question((t[0], t[2])))
    .map(lambda t: (f"{t[0][0]} {t[1]} {t[2][0]}", lambda run: o_order(t[1], t[0][1](run), t[2][1](run)))),
    st.tuples(plain_operands, plain_operands)
    .filter(is_question)
    .map(lambda t: (f"{t[0][0]} == {t[1][0]}", lambda run: o_equal(t[0][1](run), t[1][1](run)))),
    st.tuples(plain_operands, plain_operands)
    .filter(is_question)
    .map(lambda t: (f"{t[0][0]} != {t[1][0]}", lambda run: 1 - o_equal(t[0][1](run), t[1][1](run)))),
    st.tuples(plain_operands, plain_operands, plain_operands)
    .filter(is_question)
    .map(
        lambda t: (
            f"{t[0][0]} < {t[1][0]} <= {t[2][0]}",
            lambda run: min(o_order("<", t[0][1](run), t[1][1](run)), o_order("<=", t[1][1](run), t[2][1](run))),
        )
    ),
    st.tuples(plain_operands, containers).map(
        lambda t: (f"{t[0][0]} in {t[1][0]}", lambda run: o_in(t[0][1](run), t[1][1](run)))
    ),
    st.tuples(plain_operands, containers).map(
        lambda t: (f"{t[0][0]} not in {t[1][0]}", lambda run: 1 - o_in(t[0][1](run), t[1][1](run)))
    ),
    operands.map(lambda t: (f"{t[0]} is None", lambda run: int(t[1](run) is None))),
    operands.map(lambda t: (f"has({t[0]})", lambda run: int(t[1](run) is not None))),
    operands.map(lambda t: (f"isnan({t[0]})", lambda run: UNKNOWN if (v := t[1](run)) is None else int(is_nan(v)))),
    st.tuples(st.sampled_from(["name", "group", "params.a"]), st.sampled_from(PATTERNS)).map(
        lambda t: (
            f"matches({t[0]}, {t[1]!r})",
            lambda run: (
                int(bool(re.search(t[1], v)))
                if isinstance(v := run["params"].get("a") if t[0] == "params.a" else run[t[0]], str)
                else UNKNOWN
            ),
        )
    ),
    st.sampled_from(["finished", "failed"]).map(
        lambda s: (f"status == '{s}'", lambda run: int(run["status"] == s)),
    ),
    fields.map(lambda t: (t[0], lambda run: o_truth(t[1](run)))),
)


def combined(inner):
    return st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(
            lambda items: (
                f"({' and '.join(item[0] for item in items)})",
                lambda run: min(item[1](run) for item in items),
            )
        ),
        st.lists(inner, min_size=2, max_size=3).map(
            lambda items: (
                f"({' or '.join(item[0] for item in items)})",
                lambda run: max(item[1](run) for item in items),
            )
        ),
        inner.map(lambda item: (f"(not {item[0]})", lambda run: 1 - item[1](run))),
    )


conditions = st.recursive(comparisons, combined, max_leaves=4)


@settings(max_examples=500, deadline=None)
@given(run=runs(), condition=conditions)
def test_evaluator_equals_oracle(run, condition):
    """Every expression means what plain Python says it means, unknowns included."""
    text, meaning = condition
    question = Question(parse(text), text, points_of(run))
    answer = truth(question.value(record_of(run)))
    assert {True: YES, False: NO, None: UNKNOWN}[answer] == meaning(run), text


@settings(max_examples=150, deadline=None)
@given(run=runs(), condition=conditions)
def test_a_run_is_never_in_both_halves(run, condition):
    """A run matches an expression or its negation, or neither where it does not tell; never both."""
    text, _ = condition
    tree, record = parse(text), record_of(run)
    one = Question(tree, text, points_of(run)).matches(record)
    other = Question(Not(tree.start, tree.end, tree), text, points_of(run)).matches(record)
    assert not (one and other)
