"""Rules over what runs log: they fire where they should, once, and say the same of a run that is over."""

from __future__ import annotations

import itertools
import json
import math
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import celltrail as ct
from celltrail.alerts import live, webhooks
from celltrail.cli import main
from celltrail.contract import MIME
from celltrail.errors import BadValue, CelltrailError, QueryError
from celltrail.run import events
from celltrail.store import Store
from kernels import SETTLE, Kernel

LOSSES = [4.0, 2.0, 1.0, *(0.5 + 0.01 * (step % 3) for step in range(20)), 9.0, 9.5, math.nan, 0.4]
RULES = [
    "val/loss > 3",
    "nan()",
    "nan(val/loss)",
    'plateau("val/loss", patience=6)',
    "plateau(val/loss, 5, min_delta=0.2)",
    "diverged(val/loss, factor=3)",
    "overfit(3)",
    "val/loss - train/loss > 2 and not isnan(val/loss)",
    "mean(val/loss) < 1.2",
    "count(val/loss) >= 7",
    "best(val/loss) < 0.51 or params.lr > 1",
]


def train(store: Store, name: str = "run", rules: Any = (), losses: Any = LOSSES, **how: Any) -> ct.Run:
    with ct.start(name, {"lr": 0.1}, store=store, **how) as run:
        for rule in rules:
            run.alert(rule)
        for step, loss in enumerate(losses):
            run.log({"train/loss": 1 / (1 + step), "val/loss": loss}, step)
    return run


def steps(store: Store, run: ct.Run) -> dict[str, list[int | None]]:
    found: dict[str, list[int | None]] = {}
    for alert in ct.run(run.id, store=store).alerts:
        found.setdefault(alert.rule, []).append(alert.step)
    return found


def test_a_rule_fires_at_the_same_steps_over_the_run_that_is_over(store: Store):
    """S10: Live and replayed are one engine; each rule of a training that falls, stands still, explodes and is NaN."""
    run = train(store, rules=RULES)
    told = steps(store, run)
    assert told["val/loss > 3"] == [0, 23]
    assert told["nan()"] == told["nan(val/loss)"] == [25]
    assert told["diverged(val/loss, factor=3)"] == [23]
    assert told["mean(val/loss) < 1.2"] == [7]
    assert told["count(val/loss) >= 7"] == [6]
    stored = ct.run(run.id, store=store)
    for rule in RULES:
        seen = ct.rule(rule).replay(stored)
        assert [each.fired.step for each in seen] == told.get(rule, []), rule
        assert seen.calls == len(LOSSES)
    assert set(told) == set(RULES)


def test_a_flapping_metric_is_one_alert(store: Store):
    """S10: Up and down fifty times; calm for ten points it may say so again, or once another rule came true."""
    run = train(store, rules=["val/loss > 3"], losses=[4.0, 2.0] * 50)
    assert steps(store, run) == {"val/loss > 3": [0]}
    run = train(store, rules=["val/loss > 3"], losses=[4.0, *[2.0] * 9, 4.0, *[2.0] * 10, 4.0])
    assert steps(store, run) == {"val/loss > 3": [0, 21]}
    with ct.start("until", store=store) as run:
        run.alert("loss > 3", until="loss < 1")
        run.alert("loss > 3", "three in a row", times=3)
        for loss in (4.0, 2.0, 4.0, 0.5, 4.0, 4.0, 4.0, 4.0):
            run.log(loss=loss)
    assert [(each.title, each.step) for each in ct.run(run.id, store=store).alerts] == [
        ("loss > 3", 0),
        ("loss > 3", 4),
        ("three in a row", 6),
    ]


def test_nan_at_step_37_ends_the_run_there(store: Store):
    """S10: One alert at 37; no step after it, the run is finished, and says by which rule."""

    run = ct.start(store=store)
    run.alert("nan()", stop=True)

    def loop() -> None:
        for step in itertools.count():
            run.log({"train/loss": math.nan if step == 37 else 1.0}, step)

    with pytest.raises(ct.StopTraining, match=r"stopped at step 37 by the rule nan\(\)"), run:
        loop()
    found = ct.run(run.id, store=store)
    assert (found.status, found.stopped_by, found.error) == ("finished", "rule nan()", None)
    assert found.series("train/loss")[0].tolist() == list(range(38))
    (alert,) = found.alerts
    assert (alert.step, alert.metric, alert.level, alert.text) == (37, "train/loss", "error", "train/loss is NaN")
    assert str(found.interventions[0]) == "stopped by the rule nan()"


def test_nobody_listens_where_no_rule_stands(store: Store):
    """A call of log() costs nothing more before the first rule and after the run of the last one."""
    with ct.start("bare", store=store) as run:
        run.log(loss=1.0)
        assert live._hear not in events.hearing_points
        run.alert("loss > 3")
        assert live._hear in events.hearing_points
    assert live._hear not in events.hearing_points


def test_a_rule_of_the_trail_stands_over_every_run_it_is_for(store: Store):
    """Kept once, by anybody; one that cannot be read is a problem of the run and stops nothing."""
    train(store, "before")
    kept = ct.alert("val/loss > 3", "too high", keep="high", where="params.lr < 1 and 'no' not in tags")
    assert (kept.name, Store(store.root).rules["high"].title) == ("high", "too high")
    store.rules.save("broken", "val/loss >")
    assert steps(store, train(store, "in")) == {"high": [0, 23]}
    out = train(store, "out", tags=["no"])
    assert steps(store, out) == {}
    (problem,) = ct.run("out", store=store).record.problems
    assert problem.startswith("the rule 'broken' of this trail cannot be read: the expression ends too early")
    store.rules.delete("high")
    assert steps(store, train(store, "after")) == {}
    with pytest.raises(CelltrailError, match=r"no run is active.*keep='a name'"):
        ct.alert("val/loss > 3")


def test_a_watched_block_is_heard_row_by_row(store: Store):
    """Values that a watcher hands over together fire at their own steps."""
    with ct.start("block", store=store) as run:
        run.alert("loss > 3")
        count = np.arange(40)
        run.log_block(("loss",), count, count + run.record().started_us, np.where(count == 17, 5.0, 1.0)[:, None])
    assert steps(store, run) == {"loss > 3": [17]}


def test_budgets_and_a_stall(store: Store):
    """Time by the clock while nothing is logged; energy, money and bytes by what was sampled of the machine."""
    with ct.start("used", store=store) as run:
        run.prices(usd_per_hour=0.001, usd_per_kwh=3600.0)
        for rule in ("budget(s=0.2)", "stalled(0.3)", "budget(kwh=1e-4)", "budget(usd=0.5)", 'budget(bytes="1kB")'):
            run.alert(rule)
        run.log(loss=1.0)
        time.sleep(0.8)
        for _ in range(2):
            run.log_beside({"sys/watts": 1800.0, "sys/disk_write_per_s": 2000.0})
        run.log(loss=1.0)
    told = steps(store, run)
    assert told == {rule: [0] for rule in told}
    assert set(told) == {"budget(s=0.2)", "stalled(0.3)", "budget(kwh=1e-4)", "budget(usd=0.5)", 'budget(bytes="1kB")'}
    for rule in told:
        assert [each.fired.step for each in ct.rule(rule).replay(ct.run("used", store=store))] == [0], rule
    with ct.start("unpriced", store=store) as run:
        run.alert("budget(usd=0.001)")
        run.log(loss=1.0)
        run.log_beside({"sys/watts": 1e9})
    assert steps(store, run) == {}


def test_good_news_is_a_new_best(store: Store):
    """Better than every earlier finished run of the project; said once, at level info."""
    for name, acc in (("first", 0.8), ("second", 0.9)):
        with ct.start(name, store=store) as run:
            run.log({"val/acc": acc})
    with ct.start("third", store=store) as run:
        run.alert("new_best(val/acc)")
        run.log({"val/acc": 0.85}, 0)
        for _ in range(100):
            time.sleep(0.02)
            run.log({"val/acc": 0.85}, 1)
            if live._guards[run.id]._around.best("val/acc", "max"):
                break
        run.log({"val/acc": 0.95}, 2)
        run.log({"val/acc": 0.96}, 3)
    (alert,) = ct.run("third", store=store).alerts
    assert (alert.step, alert.level) == (2, "info")
    assert alert.text == "val/acc is 0.95, better than the 0.9 of second"
    seen = ct.rule("new_best(val/acc)").replay(ct.runs(store=store))
    assert [(run.name, fired.step) for run, fired in seen] == [("third", 2), ("second", 0)]


def test_an_evaluation_can_break_a_rule(store: Store):
    """Numbers that stand for the whole run are heard too."""
    with ct.start("judged", store=store) as run:
        run.alert("val/accuracy < 0.9")
        run.evaluate([0, 1, 1, 0], [0, 1, 0, 0])
    assert steps(store, run) == {"val/accuracy < 0.9": [0]}


def test_a_rule_that_asks_in_vain_says_so(store: Store):
    """A slip in a name is told when the run ends, a direction that nobody knows at once; the training goes on."""
    with ct.start("vain", store=store) as run:
        run.alert("vall/loss > 3")
        run.alert("plateau(xyz, 2)")
        for _ in range(5):
            run.log({"val/loss": 4.0, "xyz": 1.0})
    lost, unread = ct.run("vain", store=store).record.problems[::-1]
    assert lost == "the rule 'vall/loss > 3' never saw vall/loss; the run logged val/loss, xyz"
    assert "was given up: whether less or more of 'xyz' is better is not known" in unread
    assert len(ct.run("vain", store=store).series("val/loss")[0]) == 5


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("val/loss >", "ends too early"),
        ("naan()", "no function 'naan'; did you mean 'nan'?"),
        ("plateau()", "plateau needs metric"),
        ("plateau(val/loss, patience=0)", "patience of plateau takes a whole number from 1, not 0"),
        ("plateau(val/loss, patience=1.5)", "takes a whole number from 1, not 1.5"),
        ("diverged(val/loss, factor=1)", "takes more than 1"),
        ("budget(5)", "budget takes one of s, kwh, usd, bytes, by its name"),
        ("budget(s=1, usd=2)", "budget takes one of"),
        ("stalled('soon')", "takes seconds, or text such as"),
        ("overfit(3, metrc='acc')", "overfit takes times, metric, each once, not metrc"),
        ("at('loss', 3) > 1", "at is not for a run that goes on"),
        ("loss = 3", "write == to compare"),
    ],
)
def test_what_is_no_rule_is_said_where(store: Store, rule: str, said: str):
    """Before anything runs, with the place and what to write instead."""
    with ct.start("bad", store=store) as run, pytest.raises(QueryError) as told:
        run.alert(rule)
    assert said in str(told.value)
    with pytest.raises(BadValue, match="times=0"):
        ct.rule("loss > 3", times=0)
    with pytest.raises(BadValue, match="level 'loud' is not one of"):
        ct.rule("loss > 3", level="loud")  # pyright: ignore[reportArgumentType]


class Hooks(HTTPServer):
    """A server of this machine that keeps what it is told; it fails the first time, and redirects from /away."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        super().__init__(("127.0.0.1", 0), _Hook)

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        server.heard.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        code = 302 if self.path == "/away" else 503 if len(server.heard) == 1 else 200
        self.send_response(code)
        if code == 302:
            self.send_header("Location", server.address("/elsewhere"))
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    server = Hooks()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_webhook_is_told_and_only_one_that_was_listed(store: Store, hooks: Hooks, monkeypatch: pytest.MonkeyPatch):
    """S10: Run id, rule and value, on a thread of its own, again where it failed; no redirect, no stranger's name."""
    listed = f"ops={hooks.address('/ops')} away={hooks.address('/away')} gone=http://127.0.0.1:9/"
    monkeypatch.setenv(webhooks.VARIABLE, listed)
    monkeypatch.setattr(webhooks, "WAITS_S", (0.0, 0.05))
    store.rules.save("stranger", "loss > 0", webhook="theirs")
    with ct.start("told", store=store) as run:
        for name in ("ops", "away", "gone"):
            run.alert("loss > 3", webhook=name)
        with pytest.raises(BadValue, match="no webhook is called 'opps'; did you mean 'ops'"):
            run.alert("loss > 3", webhook="opps")
        run.log(loss=4.5)
        assert run.step == 0
        for _ in range(200):
            if len(run.record().problems or ()) or webhooks.post._thread is None:
                break
            time.sleep(0.05)
    assert [path for path, _ in hooks.heard] == ["/ops", "/ops", "/away"]
    body = hooks.heard[1][1]
    assert (body["run"], body["rule"], body["value"], body["step"]) == (run.id, "loss > 3", 4.5, 0)
    problems = "\n".join(ct.run("told", store=store).record.problems)
    assert "'away' was not told that 'loss > 3' fired: it answered 302" in problems
    assert "'gone' was not told" in problems
    assert "no webhook is called 'theirs'" in problems
    assert "127.0.0.1" not in problems


def test_rules_in_a_terminal(store: Store, capsys: pytest.CaptureFixture[str]):
    """Listed, added, taken back and replayed, with an exit status that a job can use."""
    train(store)
    assert main(["alerts"]) == 1
    assert "no rules yet" in capsys.readouterr().out
    assert main(["alerts", "add", "high", "val/loss > 3", "--stop", "--where", "params.lr < 1"]) == 0
    assert store.rules["high"].stop
    capsys.readouterr()
    assert main(["alerts", "replay", "high"]) == 0
    told = capsys.readouterr().out
    assert "'high' would have fired twice, in 1 of 1 run" in told
    assert "µs a call of log()" in told
    assert main(["alerts", "replay", "val/loss > 300", "params.lr < 1"]) == 1
    capsys.readouterr()
    assert main(["alerts", "replay", "nan()", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["step"] for each in found["seen"]] == [25]
    assert main(["alerts", "replay", "val/loss >"]) == 2
    assert main(["alerts", "remove", "high"]) == 0
    assert len(store.rules) == 0


CELLS = {
    "told": """%%track told --alert "val/loss > 3"
import math
for step in range(5):
    ct.log({"val/loss": float(step)}, step=step)
""",
    "ended": """%%track ended --no-chart --stop-if nan()
for step in range(100):
    ct.log({"val/loss": math.nan if step == 37 else 1.0}, step=step)
""",
    "watched": """%%track watched --stop-if "loss > 0.5"
import time
for step in range(100_000):
    loss = 1.0 if step > 20 else 0.0
    time.sleep(0.001)
""",
    "wrong": '%%track wrong --alert "val/loss >"\nreached = True',
}


def test_a_cell_says_it_in_a_line(tmp_path: Path):
    """In a real kernel: a line below the cell that the record leaves out, a mark on the chart, an end at the step."""
    store = Store(tmp_path / ".celltrail")
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(tmp_path / "cache")})
    try:
        kernel.run("%load_ext celltrail\nimport celltrail as ct")
        replies = {name: kernel.run(cell) for name, cell in CELLS.items()}
        kernel.run(SETTLE)
    finally:
        kernel.stop()
    (line,) = [each for each in replies["told"].of("display_data") if each["metadata"].get("celltrail") == "alert"]
    assert line["data"]["text/plain"] == "celltrail: ▲ val/loss > 3: val/loss is 4 (told, step 4)"
    assert line["metadata"]["level"] == "warn"
    panel = [each["data"] for each in replies["told"].of("update_display_data") if MIME in each["data"]][-1][MIME]
    assert [(flag["step"], flag["level"], flag["text"]) for flag in panel["flags"]] == [
        (4.0, "warn", "val/loss > 3: val/loss is 4")
    ]
    assert (replies["ended"].status, replies["ended"].content["ename"]) == ("error", "StopTraining")
    ended = ct.run("ended", store=store)
    assert (ended.status, ended.stopped_by, ended.series("val/loss")[0][-1]) == ("finished", "rule nan()", 37)
    assert ended.outputs == [output for output in ended.outputs if output.kind == "error"]
    watched = ct.run("watched", store=store)
    assert watched.stopped_by == "rule loss > 0.5"
    assert len(watched.series("loss")[0]) < 2000
    assert [alert.step for alert in watched.alerts] == [21]
    assert replies["wrong"].status == "error"
    assert "this is no rule: the expression ends too early" in replies["wrong"].content["evalue"]
