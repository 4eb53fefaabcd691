"""The server extension in a real Jupyter Server: what it answers, to whom, and that it hands out nothing else."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from celltrail import contract
from celltrail.contract.shape import misfits
from celltrail.errors import StopTraining
from celltrail.panels.detail import payload
from celltrail.query import find, runs
from celltrail.run import start
from celltrail.server.routes import ROUTES
from celltrail.server.trails import Trails
from celltrail.server.view import PAGES
from celltrail.store import Store, places

EVIL = "<img src=x onerror=alert(1)>"
DENYING = """
from jupyter_server.auth import Authorizer
class ReadOnly(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return resource != "celltrail" or action == "read"
c.ServerApp.authorizer_class = ReadOnly
"""


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class _Staying(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_STAYING = urllib.request.build_opener(_Staying)


class Jupyter:
    """A Jupyter Server with nothing but the extension, alone in its own folders."""

    def __init__(self, home: Path, config: str = "") -> None:
        self.home, self.token = home, secrets.token_hex(16)
        self.root = home / "work"
        self.root.mkdir(parents=True)
        (home / "config").mkdir()
        (home / "config" / "jupyter_server_config.py").write_text(config)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = (home / "log").open("wb")
        command = [
            sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ip=127.0.0.1",
            f"--port={self.port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={self.token}",
            f"--ServerApp.root_dir={self.root}", "--ServerApp.base_url=/hub/user/",
            "--ServerApp.jpserver_extensions={'celltrail': True, 'jupyter_lsp': False, 'jupyterlab': False}",
            "--ServerApp.allow_unauthenticated_access=False",
        ]  # fmt: skip
        own = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "runtime", "XDG_CACHE_HOME": "cache"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CELLTRAIL", "JUPYTER"))}
        environment = kept | {name: str(home / folder) for name, folder in own.items()}
        self.process = subprocess.Popen(command, env=environment, stdout=self.log, stderr=subprocess.STDOUT)
        limit = time.monotonic() + 60
        while self.ask("/api/status").status != 200:
            is_starting = self.process.poll() is None and time.monotonic() < limit
            assert is_starting, (home / "log").read_text()
            time.sleep(0.1)

    def ask(self, path: str, body: object = None, *, token: str | None = "", method: str | None = None) -> Reply:
        """One request below the base address, with the server's token unless another, or none, is given."""
        token = self.token if token == "" else token
        headers = {"Authorization": f"token {token}"} if token else {}
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        address = f"http://127.0.0.1:{self.port}/hub/user{path}"
        request = urllib.request.Request(address, data, headers, method=method)
        try:
            with _STAYING.open(request, timeout=30) as answer:
                return Reply(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Reply(error.code, dict(error.headers), error.read())
        except OSError:
            return Reply(0, {}, b"")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


def fill(store: Store) -> dict[str, str]:
    """Runs to ask about; name -> id."""
    found = {}
    for name, rate in (("first", 0.1), ("second", 0.01), (EVIL, 1.0)):
        with start(name, {"lr": rate, EVIL: EVIL}, tags=["mlp"], notes=EVIL, store=store) as run:
            for step in range(50):
                run.log({"loss": 1 / (step + 1) * rate, EVIL: float("nan")}, step)
            if name == "first":
                run.log_image("picture", np.zeros((4, 4, 3), np.uint8))
        found[name] = run.id
    return found


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    served = Jupyter(tmp_path_factory.mktemp("jupyter"))
    yield served
    served.stop()


@pytest.fixture(scope="module")
def trail_of(jupyter: Jupyter) -> tuple[str, dict[str, str]]:
    """The id of a trail below the server's root, and its runs."""
    store = Store(jupyter.root / "project" / ".celltrail")
    found = fill(store)
    return f"/celltrail/trails/{store.id}", found


def test_hello_names_trails_by_id_and_never_by_path(jupyter: Jupyter, trail_of: tuple[str, dict[str, str]]) -> None:
    """Version, contract, and each trail with the folder it is in below the root."""
    base, _ = trail_of
    said = wait_for(lambda: (hello := jupyter.ask("/celltrail/hello").json)["trails"] and hello)
    assert misfits(said, contract.Hello) == []
    (trail,) = [each for each in said["trails"] if base.endswith(each["id"])]
    assert (trail["name"], trail["folder"], trail["live"]) == ("project", "project", 0)
    assert str(jupyter.home) not in json.dumps(said)


def test_a_trail_that_has_just_come_to_be_is_named_at_once(jupyter: Jupyter) -> None:
    """To who names a notebook below it; what is named outside the root finds nothing."""
    known = {trail["id"] for trail in hello(jupyter)}
    new = Store(jupyter.root / "fresh" / "deep" / ".celltrail")
    with start("first of all", store=new):
        pass
    beyond = Store(jupyter.home / "elsewhere" / ".celltrail")
    beyond.id  # noqa: B018 (which makes it a trail)
    ask = lambda near: {trail["id"] for trail in jupyter.ask(f"/celltrail/hello?near={near}").json["trails"]}  # noqa: E731
    for near in ("work.ipynb", "../elsewhere/work.ipynb", "%00"):
        assert new.id not in ask(near) or new.id in known
    assert new.id in ask("fresh/deep/notebooks/work.ipynb")


def test_every_route_answers_in_the_shapes_of_the_contract(
    jupyter: Jupyter, trail_of: tuple[str, dict[str, str]]
) -> None:
    """Rows, one run, a comparison, curves, completion, text and views, as the panels of a kernel get them."""
    base, found = trail_of
    first, second = found["first"], found["second"]
    pages = {
        "runs?q=params.lr%20%3C%200.5&sort=params.lr&limit=1": contract.RowsPage,
        f"runs/{first}": contract.SavedPanel,
        f"compare?runs={first},{second}": contract.Comparison,
        f"drawn?runs={first},{second}": contract.Drawn,
        "complete?q=params.": list[contract.Proposal],
        "table": contract.SavedPanel,
        f"news?since={first}&runs={first}": contract.News,
        "views": list[contract.SavedView],
    }
    answers = {path: jupyter.ask(f"{base}/{path}") for path in pages}
    assert {reply.status for reply in answers.values()} == {200}, answers
    for path, shape in pages.items():
        assert misfits(answers[path].json, shape) == [], path
    rows, _, _, _, proposals, table, news, _ = (reply.json for reply in answers.values())
    assert (rows["total"], [row["name"] for row in rows["rows"]]) == (2, ["second"])
    assert "lr" in {each["text"].split(".")[-1] for each in proposals}
    assert {"first", "second", EVIL} <= {row["name"] for row in table["rows"]}
    assert [row["id"] for row in news["rows"]] == [first]
    assert news["fresh"] >= 2
    again = urllib.request.Request(
        f"http://127.0.0.1:{jupyter.port}/hub/user{base}/views",
        headers={"Authorization": f"token {jupyter.token}", "If-None-Match": answers["views"].headers["Etag"]},
    )
    with pytest.raises(urllib.error.HTTPError, match="304"):
        urllib.request.urlopen(again, timeout=10)


def _runs_of(listing: contract.Listing) -> list[str]:
    """As a page reads them that has the extent."""
    assert listing["extent"]
    places = struct.iter_unpack("<I", base64.b64decode(listing["places"]))
    return [listing["extent"]["runs"][at] for (at,) in places]


def test_a_table_is_asked_as_in_a_kernel(jupyter: Jupyter, trail_of: tuple[str, dict[str, str]]) -> None:
    """Order, groups, rows, sums, text and staleness, of all runs or of a saved view; and nothing that changes a run."""
    base, found = trail_of
    first, second = found["first"], found["second"]
    ask = lambda intent, view="": jupyter.ask(f"{base}/questions?view={view}", {"id": "q", **intent})  # noqa: E731
    question = {"where": "'mlp' in tags", "words": "", "sort": ["-params.lr"], "group": ["tags"]}
    over: dict[str, Any] = {"rows": [], "cols": [], "value": None}
    asked: list[dict[str, Any]] = [
        {"kind": "list", **question, "stamp": "", "first": 1, "shown": ["params.lr"], "columns": ["best.loss"]},
        {"kind": "sum", **question, "columns": ["params.lr"]},
        {"kind": "fetch", "runs": [second], "sparks": True, "columns": ["metrics.loss"]},
        {"kind": "write", "form": "markdown", "runs": [first, second], "columns": ["name", "params.lr"], **over},
        {"kind": "write", "form": "csv", "runs": [first, second], "columns": [],
         "rows": ["params.lr"], "cols": ["tags"], "value": "best.loss"},
        {"kind": "hold", "runs": [first]},
        {"kind": "query", "where": "name == 'first'"},
    ]  # fmt: skip
    replies = [ask(intent) for intent in asked]
    assert [reply.status for reply in replies] == [200] * len(asked), replies
    assert all(misfits(reply.json, contract.Answer) == [] for reply in replies)
    listed, summed, fetched, text, crossed, held, matching = (reply.json for reply in replies)
    assert _runs_of(listed["listing"])[-2:] == [first, second]
    assert [list(row["params"]) for row in listed["rows"]["rows"]] == [["lr"]]
    assert listed["listing"]["groups"][0]["values"] == ["mlp"]
    assert len(listed["rows"]["rows"]) == len(listed["sums"]["groups"]) == 1
    assert summed["sums"]["groups"][0]["params.lr"]["high"] == 1.0
    assert [row["id"] for row in fetched["rows"]["rows"]] == [second]
    assert fetched["rows"]["rows"][0]["metrics"]["loss"]["spark"]
    assert "| first" in text["text"]
    assert "0.01" in crossed["text"]
    assert held["stale"] == {}
    assert matching["rows"]["total"] == 1
    store = Store(jupyter.root / "project" / ".celltrail")
    runs("params.lr < 0.05", store=store).save("slow ones")
    view = jupyter.ask(f"{base}/table?view=slow%20ones").json
    assert [row["name"] for row in view["rows"]] == ["second"]
    again = {"kind": "list", **question, "stamp": "", "first": 0, "shown": [], "columns": []}
    of_view = ask(again, "slow%20ones").json["listing"]
    assert _runs_of(of_view) == [second]
    known = ask({**again, "stamp": of_view["extent"]["stamp"]}, "slow%20ones").json["listing"]
    assert known == {**of_view, "extent": None}
    edit = {"kind": "edit", "id": "e9", "runs": [first], "do": "tag", "text": "no"}
    assert ask(edit).status == ask({"kind": "pick", "run": first}).status == 400
    assert jupyter.ask(f"{base}/table?view=none").status in (400, 404)


def test_runs_of_several_trails_stand_together(jupyter: Jupyter, trail_of: tuple[str, dict[str, str]]) -> None:
    """The newest first whichever trail they are in, each with that; of those named, or of all in reach."""
    base, found = trail_of
    other = Store(jupyter.root / "beside" / ".celltrail")
    with start("beside", {"lr": 0.1}, store=other) as run:
        run.log({"loss": 1.0})
    here = base.split("/")[-1]
    wait_for(lambda: other.id in {trail["id"] for trail in hello(jupyter)})
    page = jupyter.ask(f"/celltrail/runs?trails={here},{other.id}&q=params.lr%20%3C%200.5&limit=2")
    assert misfits(page.json, contract.TrailRows) == []
    assert [(row["name"], at) for row, at in zip(page.json["rows"], page.json["trails"], strict=True)] == [
        ("beside", other.id),
        ("second", here),
    ]
    assert page.json["total"] == 3
    assert found["first"] in {row["id"] for row in jupyter.ask("/celltrail/runs?limit=500").json["rows"]}
    assert jupyter.ask("/celltrail/runs?q=params.lr%20%3C%3C").status == 400
    assert jupyter.ask(f"/celltrail/runs?trails={'0' * 26}").json == {"rows": [], "trails": [], "total": 0}
    shutil.rmtree(other.root)


def test_the_newest_run_of_each_cell_of_a_notebook(jupyter: Jupyter, trail_of: tuple[str, dict[str, str]]) -> None:
    """With what it came to, whether the same ran before, and the run before it; other notebooks are not asked."""
    base, _ = trail_of
    store = Store(jupyter.root / "project" / ".celltrail")
    again = {"already": {"kind": "repeat", "number": 2, "run": "x"}}
    ids: list[str] = []
    for cell, notebook, found in (("c1", "a b.ipynb", {}), ("c1", "a b.ipynb", again), ("c2", "other.ipynb", {})):
        with start(f"in {cell}", store=store, cell_id=cell, notebook=notebook, environment=found) as run:
            run.log({"val/acc": 0.5})
            if found:
                with start("a trial", store=store, cell_id=cell, notebook=notebook) as trial:
                    trial.log({"val/acc": 0.9})
        ids.append(run.id)
    reply = jupyter.ask(f"{base}/cells?notebook=a%20b.ipynb")
    assert misfits(reply.json, list[contract.CellRun]) == []
    (cell,) = reply.json
    assert (cell["cell"], cell["run"], cell["previous"], cell["status"]) == ("c1", ids[1], ids[0], "finished")
    assert (cell["said"], cell["already"][:8]) == ("best val/acc 0.5", "repeat 2")
    assert jupyter.ask(f"{base}/cells?notebook=none%22.ipynb").json == []


def test_series_come_as_one_block_of_numbers(jupyter: Jupyter, trail_of: tuple[str, dict[str, str]]) -> None:
    """Length, JSON, padding, float64; a window of them, thinned to what was asked for."""
    base, found = trail_of
    metric = urllib.parse.quote("loss")
    reply = jupyter.ask(f"{base}/series?runs={found['first']}&metric={metric}&lo=10&hi=20")
    (length,) = struct.unpack_from("<I", reply.body)
    points = json.loads(reply.body[4 : 4 + length])
    assert misfits(points, contract.Points) == []
    (part,) = points["parts"]
    numbers = np.frombuffer(reply.body, "<f8", offset=-(-(4 + length) // 8) * 8).reshape(3, part["n"])
    assert numbers[0].tolist() == list(range(9, 22))  # one neighbour on each side
    assert numbers[2].tolist() == [1 / (step + 1) * 0.1 for step in range(9, 22)]
    assert points["runs"][0]["status"] == "finished"


def test_what_a_run_kept_beside_numbers_comes_with_its_bytes(
    jupyter: Jupyter, trail_of: tuple[str, dict[str, str]]
) -> None:
    """One item, by run and number: a picture whole, a number that no item has as a sentence."""
    base, found = trail_of
    run = found["first"]
    panel = jupyter.ask(f"{base}/runs/{run}").json
    (listed,) = panel["media"]["items"]
    reply = jupyter.ask(f"{base}/item?run={run}&number={listed['number']}")
    (length,) = struct.unpack_from("<I", reply.body)
    content = json.loads(reply.body[4 : 4 + length])
    assert misfits(content, contract.Content) == []
    assert content["media"] == "image/png"
    assert reply.body[-(-(4 + length) // 8) * 8 :].startswith(b"\x89PNG")
    assert jupyter.ask(f"{base}/item?run={run}&number=77").status == 400


def test_what_people_say_is_said_through_it(jupyter: Jupyter, trail_of: tuple[str, dict[str, str]]) -> None:
    """A tag, taken back; a note on a point; refused in words when it is no intent."""
    base, found = trail_of
    edit = {"kind": "edit", "id": "e1", "runs": [found["first"]], "do": "tag", "text": "best"}
    tagged = jupyter.ask(f"{base}/intents", edit)
    assert (tagged.status, misfits(tagged.json, contract.Answer)) == (200, [])
    tags = lambda: jupyter.ask(f"{base}/runs?q=%22best%22%20in%20tags").json["total"]  # noqa: E731
    assert tags() == 1
    assert jupyter.ask(f"{base}/intents", {"kind": "undo", "id": "e2", "edit": "e1"}).status == 200
    assert tags() == 0
    note = {"kind": "note", "id": "n", "run": found["first"], "metric": "loss", "step": 3, "text": EVIL}
    assert jupyter.ask(f"{base}/intents", note).json["marks"][-1]["text"] == EVIL
    for wrong in ({"kind": "sync", "id": "x"}, {**edit, "do": "format"}, {**edit, "more": 1}, [], None, b"{"):
        reply = jupyter.ask(f"{base}/intents", b"null" if wrong is None else wrong)
        assert reply.status == 400, wrong
        assert misfits(reply.json, contract.Fault) == []


def test_a_run_that_goes_on_is_stopped_through_it(jupyter: Jupyter, trail_of: tuple[str, dict[str, str]]) -> None:
    """Its process finds the wish in the trail; what is over need not be stopped, and is refused any other wish."""
    base, found = trail_of
    run = start("goes on", store=Store(jupyter.root / "project" / ".celltrail"))
    run.log({"loss": 1.0})
    stop = {"kind": "steer", "id": "s1", "run": run.id, "do": "stop", "knob": "", "value": None}
    reply = jupyter.ask(f"{base}/intents", stop)
    assert (reply.status, reply.json["said"]) == (200, "goes on hears of it within a moment")
    (state,) = jupyter.ask(f"{base}/drawn?runs={run.id}").json["runs"]
    assert (state["status"], state["asked_to"]) == ("running", "stop")
    wait_for(lambda: run.steering.is_asked)
    with pytest.raises(StopTraining), run:
        run.log({"loss": 0.5})
    reply = jupyter.ask(f"{base}/intents", {**stop, "id": "s2", "run": found["first"]})
    over = "run 'first' has already finished; there is nothing to"
    assert (reply.status, reply.json["said"]) == (200, f"{over} stop")
    reply = jupyter.ask(f"{base}/intents", {**stop, "id": "s3", "do": "pause", "run": found["first"]})
    assert (reply.status, reply.json["text"]) == (400, f"{over} pause")
    assert jupyter.ask(f"{base}/intents", {**stop, "do": "kill"}).status == 400


def test_a_knob_is_turned_through_it(jupyter: Jupyter, trail_of: tuple[str, dict[str, str]]) -> None:
    """The numbers that a run lets people change, by its trail alone; what one does not take is refused at once."""
    base, _ = trail_of
    with start("turned", store=Store(jupyter.root / "project" / ".celltrail")) as run:
        run.log({"loss": 1.0})
        assert run.knob("lr", 0.001, 1e-5, 0.1) == 0.001
        run.writer.flush()
        state = lambda: jupyter.ask(f"{base}/drawn?runs={run.id}").json["runs"][0]  # noqa: E731
        assert state()["knobs"] == [
            {"name": "lr", "value": 0.001, "wanted": None, "low": 1e-5, "high": 0.1, "whole": False}
        ]
        turn = {"kind": "steer", "id": "k1", "run": run.id, "do": "turn", "knob": "lr", "value": 0.05}
        refused = jupyter.ask(f"{base}/intents", {**turn, "value": 2.0})
        assert (refused.status, refused.json["text"]) == (400, "lr was given 2.0; it takes 1e-05 to 0.1")
        assert "no knob is called 'rl'" in jupyter.ask(f"{base}/intents", {**turn, "knob": "rl"}).json["text"]
        assert jupyter.ask(f"{base}/intents", turn).status == 200
        assert state()["knobs"][0]["wanted"] == 0.05
        assert wait_for(lambda: run.knob("lr", 0.001) == 0.05)
        assert [state()["knobs"][0][name] for name in ("value", "wanted")] == [0.05, None]
    assert state()["knobs"] == []


def test_a_notebook_heals_as_it_is_saved_and_nothing_else_of_it_is_touched(
    jupyter: Jupyter, trail_of: tuple[str, dict[str, str]]
) -> None:
    """A chart that says its run goes on is what the trail knows; what is strange, unknown or over stays as it was."""
    _, found = trail_of
    store = Store(jupyter.root / "project" / ".celltrail")
    chart = payload(find(found["first"], store))
    state = {**chart["runs"][0], "status": "running", "points": 0}
    left = {**chart, "kind": "chart", "runs": [state], "series": [], "detail": None, "chart": {"x": EVIL}, "view": "m1"}
    strange = [
        {**left, "trail": "01HZX3V9YQ2T5W8A4B6C7D9E0F"}, {**left, "trail": "../.."},
        {**left, "runs": [{"status": "running"}]},
        {**left, "runs": "all"}, {**left, "runs": [{**state, "run": "01HZX3V9YQ2T5W8A4B6C7D9E0F"}]}, [1], "text",
        chart,
    ]  # fmt: skip
    widget = "application/vnd.jupyter.widget-view+json"
    data = [{contract.MIME: each, widget: {"model_id": "m1"}, "text/plain": "old"} for each in (left, *strange)]
    outputs = [{"output_type": "display_data", "metadata": {"a": {"b": 1}}, "data": each} for each in data]
    others = [
        {"output_type": "display_data", "metadata": {}, "data": {widget: {"model_id": "m2"}, "text/plain": "a slider"}},
        {"output_type": "stream", "name": "stdout", "text": "loss\n"},
    ]
    cell = {"cell_type": "code", "id": "c", "source": "1", "metadata": {"mine": [1]}, "execution_count": 3}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"x": {"y": None}}, "cells": [
        {**cell, "outputs": [*outputs, *others]}, {"cell_type": "markdown", "id": "m", "source": "# A", "metadata": {}},
    ]}  # fmt: skip
    body = {"type": "notebook", "format": "json", "content": notebook}
    assert jupyter.ask("/api/contents/healed.ipynb", body, method="PUT").status == 201
    saved = json.loads((jupyter.root / "healed.ipynb").read_text())
    written = saved["cells"][0].pop("outputs")
    healed, *rest = [output["data"] for output in written[: len(data)]]
    assert (healed[contract.MIME]["runs"][0]["status"], healed[contract.MIME]["view"]) == ("finished", "m1")
    assert misfits(healed[contract.MIME], contract.SavedPanel) == []
    assert healed[contract.MIME]["series"][0]["n"] == 50
    assert healed.keys() == {contract.MIME, "text/html", "text/plain"}
    assert [each[contract.MIME] for each in rest] == strange
    assert not any(widget in each for each in rest)
    assert [widget in output.get("data", {}) for output in written[len(data) :]] == [True, False]
    assert [output["metadata"] for output in written[: len(data)]] == [{"a": {"b": 1}}] * len(data)
    for each in (saved, notebook):
        each["cells"][0].pop("outputs", None)
        for one in each["cells"]:
            one["source"] = "".join(one["source"])
    assert saved == notebook
    assert (
        jupyter.ask("/api/contents/odd.txt", {"type": "file", "format": "text", "content": "x"}, method="PUT").status
        == 201
    )


def test_nobody_without_the_token_gets_anything(jupyter: Jupyter, trail_of: tuple[str, dict[str, str]]) -> None:
    """Every route, every method: forbidden or the login page, and no word of the trail."""
    base, found = trail_of
    words = (("([0-9A-HJKMNP-TV-Z]{26})", base.split("/")[3]), ("([0-9a-f]{64})", "0" * 64), ("([a-z]+)\\.", "view."))
    asked = 0
    for path, handler in (*ROUTES, *PAGES):
        address = path
        for group, word in words:
            address = address.replace(group, word)
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"):
            for token in (None, "wrong"):
                reply = jupyter.ask(
                    f"/celltrail/{address}", b"{}" if method != "GET" else None, token=token, method=method
                )
                to_login = reply.status == 302 and "/login?" in reply.headers["Location"]
                assert reply.status in (401, 403, 405) or to_login, (handler, method, reply.status)
                assert found["first"].encode() not in reply.body
                asked += 1
    assert asked == (len(ROUTES) + len(PAGES)) * 12


@pytest.mark.parametrize(
    "path",
    [
        "trails/../../../../etc/passwd/runs",
        "trails/..%2f..%2fetc/runs",
        "trails/%2Fetc%2Fpasswd/runs",
        "trails/00000000000000000000000000/runs",
        "{base}/runs/..%2F..%2F..%2Ftrail.json",
        "{base}/runs/00000000000000000000000000",
        "{base}/compare?runs=../../../x,/etc/passwd",
        "{base}/blobs/{zeros}",
        "{base}/blobs/..%2f..%2ftrail.json",
    ],
)
def test_no_path_is_taken_from_an_address(jupyter: Jupyter, trail_of: tuple[str, dict[str, str]], path: str) -> None:
    """What is not there is not there, and the sentence names no folder of the machine."""
    base, _ = trail_of
    reply = jupyter.ask("/celltrail/" + path.format(base=base.removeprefix("/celltrail/"), zeros="0" * 64))
    assert reply.status in (400, 404)
    assert str(jupyter.root) not in reply.body.decode(errors="replace")


@pytest.mark.parametrize("words", ["offset=inf", "limit=nan", "offset=x", "q=params.lr+<<+1"])
def test_what_cannot_be_asked_is_said(jupyter: Jupyter, trail_of: tuple[str, dict[str, str]], words: str) -> None:
    """A sentence in the contract's shape, and no error of the server."""
    reply = jupyter.ask(f"{trail_of[0]}/runs?{words}")
    assert reply.status == 400
    assert misfits(reply.json, contract.Fault) == []


def test_the_page_of_runs_loads_its_own_scripts_and_nothing_else(jupyter: Jupyter) -> None:
    """The same page in any server with the extension: no script of another place, none in the page, no other file."""
    page = jupyter.ask("/celltrail/view")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=UTF-8")
    assert "script-src 'self'; style" in page.headers["Content-Security-Policy"]
    (script,) = re.findall(r'<script type="module" src="/hub/user(.*?)">', page.body.decode())
    scripts = [script, *(f"/celltrail/view/{name}.js" for name in ("chart", "table", "detail", "compare", "media"))]
    for path in scripts:
        reply = jupyter.ask(path)
        assert (reply.status, reply.headers["Content-Type"]) == (200, "text/javascript; charset=utf-8"), path
        assert not re.search(rb"https?://(?!www\.w3\.org/)", reply.body), path
    for path in ("nothing.js", "../routes.js", "..%2fview.js", "view.py"):
        assert jupyter.ask(f"/celltrail/view/{path}").status == 404


def test_a_blob_never_becomes_a_page_of_the_server(jupyter: Jupyter, trail_of: tuple[str, dict[str, str]]) -> None:
    """HTML is a file to keep whatever it is called; a picture is shown, without rights to run anything."""
    base, _ = trail_of
    digest = Store(jupyter.root / "project" / ".celltrail").blobs.put("<script>alert(1)</script>")
    for media in ("text/html", "application/javascript", "", "text/html;image/png"):
        reply = jupyter.ask(f"{base}/blobs/{digest}?type={urllib.parse.quote(media)}")
        assert reply.headers["Content-Type"].startswith("application/octet-stream")
        assert reply.headers["Content-Disposition"].startswith("attachment")
    shown = jupyter.ask(f"{base}/blobs/{digest}?type=image/svg%2Bxml")
    assert shown.headers["Content-Type"] == "image/svg+xml"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown.headers["Content-Security-Policy"]


def test_who_may_only_read_changes_nothing(tmp_path: Path) -> None:
    """Jupyter's own Authorizer gives the roles: reading passes, an intent is refused."""
    served = Jupyter(tmp_path / "jupyter", DENYING)
    try:
        store = Store(served.root / ".celltrail")
        run = fill(store)["first"]
        base = f"/celltrail/trails/{store.id}"
        assert served.ask(f"{base}/runs").json["total"] == 3
        edit = {"kind": "edit", "id": "e", "runs": [run], "do": "delete", "text": ""}
        assert served.ask(f"{base}/intents", edit).status == 403
        held = {"kind": "hold", "id": "h", "runs": [run]}
        assert served.ask(f"{base}/questions", held).status == 200
        assert served.ask(f"{base}/runs").json["total"] == 3
    finally:
        served.stop()


def test_a_trail_elsewhere_is_in_reach_once_its_user_used_it(jupyter: Jupyter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel notes where its trail is, for this user alone; a place that others may write is not believed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(jupyter.home / "cache"))
    store = Store(jupyter.home / "elsewhere" / ".celltrail")
    fill(store)
    trail = wait_for(lambda: next((t for t in hello(jupyter) if t["id"] == store.id), None))
    assert (trail["name"], trail["folder"]) == ("elsewhere", None)
    (place,) = (jupyter.home / "cache" / "celltrail" / store.id).glob("*/place")
    assert place.stat().st_mode & 0o777 == 0o600
    place.chmod(0o666)
    assert store.id not in dict(places.noted())


def test_one_trail_may_be_shown_alone(tmp_path: Path) -> None:
    """`celltrail view TRAIL` shows that one, in whatever folder it runs, and nothing while it is gone."""
    stores = [Store(tmp_path / name / ".celltrail") for name in ("one", "other")]
    for store in stores:
        start("run", store=store).finish()
    assert {store.id for store in stores} <= Trails(tmp_path).all().keys()
    alone = Trails(tmp_path, stores[0].root)
    assert alone.all().keys() == {stores[0].id}
    assert alone.store(stores[1].id) is None
    shutil.rmtree(stores[0].root)
    assert alone.all(0).keys() == set()


def test_ten_thousand_runs_hold_nobody_up(tmp_path: Path) -> None:
    """While the first question reads a large trail, the server answers others at once."""
    sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))
    from trails import make_trail

    served = Jupyter(tmp_path / "jupyter")
    try:
        store = Store(make_trail(served.root / ".celltrail", 3_000))
        base = f"/celltrail/trails/{store.id}"
        waited: list[float] = []
        over = threading.Event()

        def ping() -> None:
            while not over.is_set():
                began = time.perf_counter()
                assert served.ask("/api/status").status == 200
                waited.append(time.perf_counter() - began)

        pinging = threading.Thread(target=ping)
        pinging.start()
        began = time.perf_counter()
        page = served.ask(f"{base}/runs?q=params.lr%20%3C%200.1&limit=50")
        took = time.perf_counter() - began
        over.set()
        pinging.join()
        assert (page.status, len(page.json["rows"])) == (200, 50)
        assert len(waited) > 3
        assert max(waited) < took / 2, "a question of the trail was answered on the server's own loop"
    finally:
        served.stop()


def test_a_trail_that_is_gone_is_said(jupyter: Jupyter) -> None:
    """A folder deleted under the server is no error page."""
    store = Store(jupyter.root / "fleeting" / ".celltrail")
    fill(store)
    wait_for(lambda: any(trail["id"] == store.id for trail in hello(jupyter)))
    shutil.rmtree(store.root)
    reply = jupyter.ask(f"/celltrail/trails/{store.id}/runs")
    assert reply.status in (200, 404, 500)
    assert reply.status == 200 or misfits(reply.json, contract.Fault) == []


def hello(jupyter: Jupyter) -> list[dict[str, Any]]:
    return jupyter.ask("/celltrail/hello").json["trails"]


def wait_for(ask: Any, timeout_s: float = 30) -> Any:
    """Trails are looked for every few seconds."""
    limit = time.monotonic() + timeout_s
    while not (found := ask()):
        assert time.monotonic() < limit
        time.sleep(0.5)
    return found
