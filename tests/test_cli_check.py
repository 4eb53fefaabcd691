"""``celltrail check``: a job fails when a run got worse than its baseline, and says by how much."""

from __future__ import annotations

import json

import pytest

from celltrail.cli import main
from celltrail.run import start
from celltrail.store import Store


@pytest.fixture
def trained(store: Store) -> Store:
    """A release, and a newer run that is a little worse and ends lower than its best."""
    values = {"release": ([0.80, 0.90], [0.5, 0.4]), "candidate": ([0.895, 0.85], [0.5, 0.405])}
    for name, (accuracies, losses) in values.items():
        with start(name, tags=[name], store=store) as run:
            for accuracy, loss in zip(accuracies, losses, strict=True):
                run.log({"val/acc": accuracy, "val/loss": loss})
            run.summary["size"] = 12
    return store


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("val/acc >= base - 0.01", 0),
        ("val/acc >= base - 0.001", 1),
        ("last(val/acc) >= base - 0.01", 1),
        ("val/loss <= base + 2%", 0),
        ("val/loss <= base + 1%", 1),
        ("val/loss < base * 1.05", 0),
        ("min(val/acc) > 0.8", 0),
        ("size == base", 0),
        ("val/acc>base", 1),
    ],
)
def test_the_status_is_the_answer(trained: Store, condition: str, status: int) -> None:
    """The best value by the metric's own goal counts unless another is named; percentages are of the baseline."""
    assert main(["check", "--baseline", "release", "--expr", condition]) == status


def test_the_table_shows_what_was_held_against_what(trained: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Every condition has its line, met or not, with both values and the limit."""
    asked = ["--baseline", "release", "--expr", "val/acc >= base - 0.001", "--expr", "val/loss <= base + 2%"]
    assert main(["check", "candidate", *asked]) == 1
    head, first, second, last = capsys.readouterr().out.splitlines()
    assert head.split() == ["condition", "run", "base", "limit"]
    assert first.split() == ["✗", "val/acc", ">=", "base", "-", "0.001", "0.895", "0.9", "0.899"]
    assert second.split() == ["✓", "val/loss", "<=", "base", "+", "2%", "0.405", "0.4", "0.408"]
    assert last == "✗ run 'candidate' beside 'release': 1 of 2 not met"


def test_as_json(trained: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for programs; a number alone needs no baseline."""
    assert main(["check", "candidate", "--expr", "val/acc >= 0.5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["run"]["name"], told["baseline"], told["is_met"]) == ("candidate", None, True)
    (only,) = told["checks"]
    assert (only["metric"], only["value"], only["base"], only["limit"]) == ("val/acc", 0.895, None, 0.5)


def test_a_run_that_failed_never_passes(trained: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """It is the newest, so it is the one in question, however good its numbers were; NaN is no good number either."""
    run = start("broken", store=trained)
    run.log({"val/acc": 1.0})
    run.finish(error=RuntimeError("out of memory"))
    assert main(["check", "--baseline", "release", "--expr", "val/acc >= base"]) == 1
    assert "run 'broken' did not finish, it failed: RuntimeError: out of memory" in capsys.readouterr().out
    with start("lost", store=trained) as run:
        run.log({"val/acc": float("nan")})
    assert main(["check", "--baseline", "release", "--expr", "last(val/acc) >= base"]) == 1


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["--expr", "val/acc"], "'val/acc' is no condition: write it as"),
        (["--expr", "top(val/acc) > 1"], "'top' in 'top(val/acc) > 1' is none of best, last, first, min, max"),
        (["--expr", "val/acc >= base"], "name its tag with --baseline"),
        (["--baseline", "release", "--expr", "val/ac >= base"], "no metric 'val/ac'; did you mean 'val/acc'?"),
        (["--baseline", "gone", "--expr", "val/acc >= base"], "no other finished run has the tag 'gone'"),
        (["nobody", "--expr", "val/acc >= 1"], "no run 'nobody'"),
        (["--baseline", "release", "--expr", "val/acc > base * 5%"], "multiplies by a percentage"),
    ],
)
def test_what_cannot_be_asked(
    trained: Store, capsys: pytest.CaptureFixture[str], asked: list[str], sentence: str
) -> None:
    """A job that cannot ask fails with 2 and a sentence, not with the answer no."""
    assert main(["check", *asked]) == 2
    assert sentence in capsys.readouterr().err


def test_trials_are_not_checked_unless_named(trained: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a run the newest counts that no other began; a fork is a run of its own."""
    with start("candidate", store=trained) as outer:
        outer.log({"val/acc": 0.99})
        with start("trial", store=trained) as trial:
            trial.log({"val/acc": 0.1})
    assert main(["check", "--expr", "val/acc >= 0.9"]) == 0
    assert main(["check", "trial", "--expr", "val/acc >= 0.9"]) == 1
    with start(fork="candidate", store=trained) as fork:
        fork.log({"val/acc": 0.995})
    assert main(["check", "--expr", "val/acc >= 0.992"]) == 0
