"""Patterns of `matches`: what is taken, what is refused, and that nothing taken holds up a question."""

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celltrail.query.pattern import PatternProblem, compile_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        r"^resnet-?\d+$", r"(foo|bar)+", r"^v?\d+(\.\d+)?$", r"a{2,3}", r"(ab){2}", r"[)(+*|]+", r"\(a+\)+", r"x{,5}{",
        r"(?i)ADAM", r"(?P<kind>cnn|mlp)-\d+", r"(.)\1", r"(?<=lr=)\d+", r"(?:a|b|c)*z", r"", r"[]+]+", r"größe ?\d*",
        r"(a{3})+", r"a|b|c",
    ],
)  # fmt: skip
def test_ordinary_patterns_mean_what_they_mean_in_python(pattern):
    """Groups, classes, choices, references and flags are read as `re` reads them."""
    made = compile_pattern(pattern)
    for text in ["resnet-50", "foobar", "v1.2", "aab", "(a)", "adam", "cnn-3", "lr=5", "größe 5", "]+", "", "aaaaaa"]:
        assert made.is_in(text) == bool(re.search(pattern, text))


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+b", r"(a|a)*b", r"(\w+\.?)+$", r"((a+)b)*", r"(?P<x>a+)+", r"(a*)*", r"(a?){30}a{30}", r"(|a)+",
        r"([ab]|a)+", r"(foo|far)*", r"(?:x(?:y+)?)*", r"(a|b?)+", r".*.*.*.*.*", r"([^x]*,)*", r"(.|\n)*",
    ],
)  # fmt: skip
def test_what_may_take_for_ever_is_refused(pattern):
    """A repetition inside a repetition doubles the time with each character more."""
    with pytest.raises(PatternProblem) as problem:
        compile_pattern(pattern)
    assert problem.value.hint


@pytest.mark.timeout(120)
@pytest.mark.parametrize("pattern", ["a+b", "a+a+b", "a+a+a+b", "a+a+a+a+b", ".*a.*a.*ab", "^a+a+a+a+b", "(a|b)+c"])
def test_the_worst_text_is_done_in_seconds(pattern):
    """Of a very long text so much is searched as the pattern allows."""
    assert not compile_pattern(pattern).is_in("a" * 1_000_000)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab+*?{}()|[]^$.\\1,2: ", max_size=12))
def test_any_text_is_a_pattern_or_refused(text):
    """Whatever is typed, the answer is a pattern that Python reads too, or a sentence."""
    with suppress(PatternProblem):
        made = compile_pattern(text)
        assert made.regex.pattern == text
        made.is_in("ab" * 200)
