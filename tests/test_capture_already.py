"""Said before a cell computes: it already ran. In real kernels; a false notice is worse than a missed one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from celltrail.query import StoredRun, find, runs
from celltrail.store import Store
from kernels import Kernel, Reply

PREPARE = """
%load_ext celltrail
import os, sys, random, time, functools, collections, dataclasses, types
import numpy as np, pandas as pd
"""


class Notebook:
    """A kernel, its trail and its folder."""

    def __init__(self, folder: Path, store: Path | None = None) -> None:
        self.folder = folder
        self.store = Store(store or folder / ".celltrail")
        folder.mkdir(exist_ok=True)
        self._environment = {
            "CELLTRAIL_STORE": str(self.store.root),
            "XDG_CACHE_HOME": str(self.store.root.parent / "cache"),
            "CELLTRAIL_QUIET": "1",
        }
        self.kernel = Kernel(folder, self._environment)
        assert self.kernel.run(PREPARE).status == "ok"

    def run(self, code: str, line: str = "%%track --no-chart") -> Reply:
        """A tracked cell."""
        return self.kernel.run(f"{line}\n{code}")

    def say(self, code: str, line: str = "%%track --no-chart") -> str:
        """What is said before a tracked cell runs."""
        self.settle()
        reply = self.run(code, line)
        assert reply.status == "ok", reply.content
        return said(reply)

    def newest(self) -> StoredRun:
        self.settle()
        return find(runs(store=self.store)[:1][0].id, self.store)

    def settle(self) -> None:
        """Until all is written."""
        self.kernel.run(
            "from celltrail import magic\nrecorder_ = next(iter(magic._loaded.values())).recorder\n"
            "while not recorder_._worker.is_idle(): recorder_._settle()"
        )


def said(reply: Reply) -> str:
    """The notice, which comes before anything else."""
    notices = [content for content in reply.of("display_data") if "celltrail" in content["metadata"]]
    assert len(notices) <= 1
    if not notices:
        return ""
    shown = [message for message in reply.messages if message["msg_type"] in ("stream", "display_data", "error")]
    assert shown[0]["content"] == notices[0]
    assert "text/html" in notices[0]["data"]
    return notices[0]["data"]["text/plain"].removeprefix("celltrail: ")


def kind(text: str) -> str:
    """Of a notice, which one it is."""
    words = {"this exact": "duplicate", "repeat": "repeat", "the same": "environment", "this code probably": "probable"}
    return next((word for start, word in words.items() if text.startswith(start)), text)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    notebook = Notebook(tmp_path_factory.mktemp("already"))
    yield notebook
    notebook.kernel.stop()


# the six cases of the design


def test_seeded_again_with_a_comment_added_is_a_duplicate(notebook: Notebook) -> None:
    """The same state of the generator, the same code: the notice names the run, its age, its result and its id."""
    cell = "losses = [float(np.random.rand()) for _ in range(3)]\nfor loss in losses:\n    pass\nprint(losses)"
    notebook.kernel.run("np.random.seed(7)")
    assert notebook.say(cell, "%%track seeded --no-chart") == ""
    first = notebook.newest()
    notebook.kernel.run("np.random.seed(7)")
    text = notebook.say(cell.replace("\nprint", "  # go on\nprint"))
    assert kind(text) == "duplicate"
    assert "run 'seeded'" in text
    assert re.search(
        r"this exact code already ran on the same inputs in the same environment (\d+ s ago|just now): run", text
    )
    assert f'ct.run("{first.id}")' in text
    assert "best loss" in text
    edge = notebook.newest().record.environment["already"]
    assert (edge["kind"], edge["run"]) == ("duplicate", first.id)


def test_unseeded_is_a_repeat_and_counted(notebook: Notebook) -> None:
    """Another state of a generator that the run moves: quiet, for statistics."""
    cell = "draws = np.random.rand(4)"
    assert notebook.say(cell) == ""
    assert notebook.say(cell).startswith("repeat 2 of run ")
    assert notebook.say(cell).startswith("repeat 3 of run ")
    assert "another state of numpy" in notebook.say(cell)


def test_a_deterministic_cell_is_a_duplicate_whatever_the_generators_did(notebook: Notebook) -> None:
    """It moved none."""
    notebook.kernel.run("table = np.arange(12.0).reshape(3, 4)")
    assert notebook.say("total = table.sum()") == ""
    notebook.kernel.run("random.random(); np.random.rand()")
    assert kind(notebook.say("total = table.sum()")) == "duplicate"


def test_a_generator_of_the_notebook_made_anew_is_a_duplicate(notebook: Notebook) -> None:
    """Its state is an input; moved on, it is another one."""
    notebook.kernel.run("own = np.random.default_rng(8)")
    assert notebook.say("drawn = own.random(2)") == ""
    assert notebook.say("drawn = own.random(2)") == ""
    notebook.kernel.run("own = np.random.default_rng(8)")
    assert kind(notebook.say("drawn = own.random(2)")) == "duplicate"


NEGATIVES: dict[str, tuple[str, str, str, str | None]] = {
    # name: what goes before, the tracked cell, what changes, another cell afterwards
    "a literal": ("x = 3", "y = x * 2", "", "y = x * 3"),
    "the type of a literal": ("x = 3", "y = x * 2", "", "y = x * 2.0"),
    "a keyword argument": ("def f(a, k=0): return a + k", "y = f(1, k=1)", "", "y = f(1, k=2)"),
    "a keyword": ("def f(a, k=0, j=0): return a + k", "y = f(1, k=1)", "", "y = f(1, j=1)"),
    "the order of statements": ("x = [1]", "x.sort()\ny = x[0]", "", "y = x[0]\nx.sort()"),
    "an input bound anew": ("x = 3", "y = x * 2", "x = 4", None),
    "the type of an input": ("x = 1", "y = x * 2", "x = 1.0", None),
    "true for one": ("x = 1", "y = x * 2", "x = True", None),
    "a text": ("name = 'å'", "y = name * 2", "name = 'a\\u030a'", None),
    "a very long text": ("text = 'a' * 10_000", "y = len(text)", "text = text[:5000] + 'b' + text[5001:]", None),
    "an array changed in place": ("a = np.arange(5.0)", "y = a.sum()", "a[2] = 9", None),
    "an array's type": ("a = np.arange(5)", "y = a.sum()", "a = a.astype('int32')", None),
    "an array's shape": ("a = np.arange(6)", "y = a.sum()", "a = a.reshape(2, 3)", None),
    "an array behind a view": ("a = np.zeros(4); v = a[:2]", "y = v.sum()", "a[0] = 1", None),
    "an array in a list": ("a = [np.zeros(3), 1]", "y = len(a)", "a[0][1] = 1", None),
    "an object in an array": ("a = np.array([[1], 2], dtype=object)", "y = a.size", "a[0].append(3)", None),
    "one element of a large array": ("a = np.zeros(3_000_000)", "y = a[0] + a[-1]", "a[1_234_567] = 1", None),
    "a list": ("x = [1, 2]", "y = sum(x)", "x.append(3)", None),
    "an inner list": ("x = [[1], [2]]", "y = len(x)", "x[1].append(3)", None),
    "a dict": ("cfg = {'lr': 1}", "y = cfg['lr']", "cfg['lr'] = 2", None),
    "the order of a dict": ("cfg = {'a': 1, 'b': 2}", "y = list(cfg)", "cfg = {'b': 2, 'a': 1}", None),
    "a set": ("s = {1, 2}", "y = len(s)", "s ^= {2, 3}", None),
    "a deque": ("d = collections.deque([1])", "y = len(d)", "d[0] = 2", None),
    "a frame's cell": ("df = pd.DataFrame({'a': [1, 2]})", "y = df.a.sum()", "df.loc[0, 'a'] = 9", None),
    "a frame's text": ("df = pd.DataFrame({'a': ['u', 'v']})", "y = len(df)", "df.loc[0, 'a'] = 'w'", None),
    "a frame's index": ("df = pd.DataFrame({'a': [1, 2]})", "y = len(df)", "df.index = [5, 6]", None),
    "a frame's column name": ("df = pd.DataFrame({'a': [1]})", "y = len(df)", "df.columns = ['b']", None),
    "a frame's type": ("df = pd.DataFrame({'a': [1]})", "y = len(df)", "df = df.astype(float)", None),
    "a helper function": ("def f(a): return a + 1", "y = f(1)", "def f(a): return a + 2", None),
    "a helper's default": ("def f(a, b=1): return a + b", "y = f(1)", "def f(a, b=2): return a + b", None),
    "a helper's keyword default": ("def f(*, b=1): return b", "y = f()", "def f(*, b=2): return b", None),
    "a lambda": ("f = lambda a: a + 1", "y = f(1)", "f = lambda a: a - 1", None),
    "what a helper closes over": (
        "def make(n):\n    def f(): return n\n    return f\nf = make(1)", "y = f()", "f = make(2)", None,
    ),
    "a global that a helper reads": ("scale = 1\ndef f(a): return a * scale", "y = f(2)", "scale = 5", None),
    "a global two helpers deep": (
        "depth = 1\ndef inner(): return depth\ndef outer(): return inner()", "y = outer()", "depth = 2", None,
    ),
    "a helper of a helper": (
        "def inner(): return 1\ndef outer(): return inner()", "y = outer()", "def inner(): return 2", None,
    ),
    "a global that a method reads": (
        "k = 1\nclass Net:\n    def go(self): return k\nnet = Net()", "y = net.go()", "k = 2", None,
    ),
    "a method": (
        "class Net:\n    def go(self): return 1\nnet = Net()", "y = net.go()",
        "class Net:\n    def go(self): return 2\nnet = Net()", None,
    ),
    "a method put in place of another": (
        "class Net:\n    def go(self): return 1\nnet = Net()", "y = net.go()", "Net.go = lambda self: 2", None,
    ),
    "a method of a base class": (
        "class Base:\n    def go(self): return 1\nclass Net(Base): pass\nnet = Net()", "y = net.go()",
        "Base.go = lambda self: 2", None,
    ),
    "a class attribute": ("class Net:\n    k = 1\nnet = Net()", "y = net.k", "Net.k = 2", None),
    "an attribute": ("net = types.SimpleNamespace(lr=1)", "y = net.lr", "net.lr = 2", None),
    "a field of a data class": (
        "@dataclasses.dataclass\nclass Config:\n    lr: float = 1\nconfig = Config()", "y = config.lr",
        "config.lr = 2", None,
    ),
    "an argument of a partial": ("p = functools.partial(max, 1)", "y = p(0)", "p = functools.partial(max, 2)", None),
    "an option of a module": ("np.set_printoptions(precision=8)", "y = repr(np.ones(2) / 3)",
                              "np.set_printoptions(precision=2)", None),
    "an attribute of a module": ("import decimal; decimal.getcontext().prec = 20",
                                 "y = decimal.Decimal(1) / 3", "decimal.getcontext().prec = 5", None),
    "a generator that moved on": ("rng = np.random.default_rng(0)", "y = rng.random()", "", None),
    "a file": ("open('in.csv', 'w').write('a\\n1\\n')", "y = open('in.csv').read()",
               "open('in.csv', 'w').write('a\\n2\\n')", None),
    "a file that pandas reads": ("open('pd.csv', 'w').write('a\\n1\\n')", "y = pd.read_csv('pd.csv')",
                                 "open('pd.csv', 'w').write('a\\n2\\n')", None),
    "a file that grew": ("open('log.txt', 'w').write('a\\n')", "y = open('log.txt').read()",
                         "open('log.txt', 'a').write('b')", None),
    "a file named by a variable": ("path = 'v.txt'; open(path, 'w').write('a')", "y = open(path).read()",
                                   "open(path, 'w').write('b')", None),
    "another file of that name": (
        "os.makedirs('one', exist_ok=True); os.makedirs('two', exist_ok=True)\nopen('one/n.txt', 'w').write('1')\n"
        "open('two/n.txt', 'w').write('2'); home = os.getcwd(); os.chdir('one')",
        "y = open('n.txt').read()", "os.chdir('../two')", None,
    ),
    "a local module": (
        "open('mod1.py', 'w').write('def f(): return 1\\n'); import importlib, mod1", "y = mod1.f()",
        "open('mod1.py', 'w').write('def f(): return 20\\n'); importlib.reload(mod1)", None,
    ),
    "a function of a local module": (
        "open('mod2.py', 'w').write('def f(): return g()\\ndef g(): return 1\\n'); import importlib, mod2\n"
        "from mod2 import f as mf", "y = mf()",
        "open('mod2.py', 'w').write('def f(): return g()\\ndef g(): return 20\\n'); importlib.reload(mod2)", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NEGATIVES)
def test_no_false_notice(notebook: Notebook, name: str) -> None:
    """Run once more it would be said; after the change it is not, whatever changed."""
    before, cell, change, other = NEGATIVES[name]
    cell, other = (f"case = {name!r}\n{code}" if code else None for code in (cell, other))
    assert cell is not None
    moves_on = name == "a generator that moved on"
    assert notebook.kernel.run(before).status == "ok"
    assert notebook.say(cell) == ""
    if not moves_on:
        assert kind(notebook.say(cell)) in ("duplicate", "probable"), "it must be told apart from saying nothing"
    if change:
        assert notebook.kernel.run(change).status == "ok"
    text = notebook.say(other or cell)
    notebook.kernel.run(f"os.chdir({str(notebook.folder)!r})")
    assert text == ""


def test_chance_in_the_code_makes_a_repeat(notebook: Notebook) -> None:
    """A clock, an unseeded generator: the same code and inputs, another result."""
    for code in ("stamp = time.time()", "draw = np.random.default_rng().random()", "who = os.environ.get('HOME')"):
        assert notebook.say(code) == ""
        assert kind(notebook.say(code)) == "repeat"


def test_seeds_count_wherever_they_are_set(notebook: Notebook) -> None:
    """In the cell itself, before anything is drawn, and by --seed; another seed is another state."""
    inside = "np.random.seed(3)\ndraws = np.random.rand(2)"
    assert notebook.say(inside) == ""
    notebook.kernel.run("np.random.rand()")
    assert kind(notebook.say(inside)) == "duplicate"
    drawn = "more = np.random.rand(2), random.random()"
    assert notebook.say(drawn, "%%track --no-chart --seed 5") == ""
    assert kind(notebook.say(drawn, "%%track --no-chart --seed 6")) == "repeat"
    assert kind(notebook.say(drawn, "%%track --no-chart --seed 5")) == "duplicate"


def test_a_file_touched_without_change_is_the_same(notebook: Notebook) -> None:
    """The stamp moved, the digest did not."""
    place = notebook.folder / "touched.csv"
    place.write_text("a\n1\n")
    cell = "text = open('touched.csv').read()"
    assert notebook.say(cell) == ""
    notebook.settle()
    place.write_text("a\n1\n")
    assert kind(notebook.say(cell)) == "duplicate"
    notebook.settle()
    place.unlink()
    assert said(notebook.run(cell)) == ""


def test_runs_that_failed_or_were_put_away_are_not_named(notebook: Notebook) -> None:
    """Failed, interrupted, archived, deleted; and one that nobody put away is again."""
    for failing in ("1 / 0", "raise KeyboardInterrupt", "import sys; sys.exit(1)"):
        assert said(notebook.run(f"why = {failing!r}\n{failing}")) == ""
        notebook.settle()
        assert said(notebook.run(f"why = {failing!r}\n{failing}")) == ""
    cell = "kept = 'put away'"
    assert notebook.say(cell) == ""
    first = notebook.newest()
    first.archive()
    assert notebook.say(cell) == ""
    notebook.newest().delete()
    assert notebook.say(cell) == ""
    assert kind(notebook.say(cell)) == "duplicate"


def test_off_says_nothing_and_is_found_later(notebook: Notebook) -> None:
    """--if-same off looks for nothing; the run itself is found by later ones."""
    cell = "silent = 1"
    assert notebook.say(cell, "%%track --no-chart --if-same off") == ""
    assert notebook.say(cell, "%%track --no-chart --if-same off") == ""
    assert kind(notebook.say(cell)) == "duplicate"


SHOWN = """
import IPython.display as shows
print("one", end=" ")
print("two")
print("to the other", file=sys.stderr)
display(shows.HTML("<b>bold</b>"), shows.JSON({"a": [1, None]}))
display({"image/png": "iVBORw0KGgo=", "text/plain": "a picture"}, raw=True)
kept_name = pd.DataFrame({"a": [1, 2]})
kept_name
"""


def visible(reply: Reply) -> list[tuple[str, Any]]:
    """What the client shows, without notices and numbers of executions."""
    found: list[tuple[str, Any]] = []
    for message in reply.messages:
        content = message["content"]
        if message["msg_type"] == "stream":
            if found and found[-1][0] == content["name"]:
                found[-1] = (content["name"], found[-1][1] + content["text"])
            else:
                found.append((content["name"], content["text"]))
        elif message["msg_type"] in ("display_data", "execute_result") and "celltrail" not in content["metadata"]:
            found.append(("shown", content["data"]))
    return found


@pytest.mark.parametrize("body", [SHOWN, f"import asyncio\nawait asyncio.sleep(0){SHOWN}"], ids=["sync", "await"])
def test_skip_shows_what_the_earlier_run_showed(notebook: Notebook, body: str) -> None:
    """All media types and both streams, in order; the body does not run, and the names it did not set are said."""
    line = "%%track --no-chart --if-same skip"
    first = notebook.run(body, line)
    notebook.settle()
    before = notebook.newest()
    notebook.kernel.run("del kept_name; ran = 0")
    again = notebook.run(body, line)
    assert again.status == "ok"
    assert [thing for thing in visible(again) if thing[0] != "stderr"] == [
        thing for thing in visible(first) if thing[0] != "stderr"
    ]
    assert said(again).startswith("not run again: this is what run ")
    assert "not set: kept_name" in said(again)
    run = notebook.newest()
    assert (run.status, run.record.executions[0].status) == ("finished", "skipped")
    assert (run.record.environment["already"]["run"], run.record.environment["already"]["unset"]) == (
        before.id,
        ["kept_name"],
    )
    assert notebook.kernel.run("print('kept_name' in dir())").text == "False\n"
    third = notebook.run(body, line)
    assert f'ct.run("{before.id}")' in said(third), "a skipped run did not run itself"


def test_skip_runs_what_never_ran_and_what_is_no_exact_duplicate(notebook: Notebook) -> None:
    """A repeat is run: somebody wants another draw."""
    line = "%%track --no-chart --if-same skip"
    assert notebook.run("drawn = np.random.rand()\nprint('ran')", line).text == "ran\n"
    notebook.settle()
    again = notebook.run("drawn = np.random.rand()\nprint('ran')", line)
    assert again.text == "ran\n"
    assert kind(said(again)) == "repeat"


@pytest.mark.parametrize("magic", ["%%time", "%%capture caught"])
def test_skip_and_notice_above_a_magic(notebook: Notebook, magic: str) -> None:
    """The notice reaches the client although the magic catches what the body shows; the body does not run."""
    body = f"{magic}\ncount_{len(magic)} = sum(range(10))\nprint('computed')"
    first = notebook.run(body)
    assert said(first) == ""
    assert kind(notebook.say(body)) == "duplicate"
    notebook.settle()
    notebook.kernel.run(f"del count_{len(magic)}")
    again = notebook.run(body, "%%track --no-chart --if-same skip")
    assert said(again).startswith("not run again")
    assert f"count_{len(magic)}" in said(again)
    assert notebook.kernel.run(f"print('count_{len(magic)}' in dir())").text == "False\n"
    assert ("computed" in again.text) == ("computed" in first.text)


@pytest.mark.parametrize("body", ["n = 41 + 1", "import asyncio\nawait asyncio.sleep(0)\nn = 42 + 1", "%%time\nn = 43"])
def test_stop_refuses_like_a_wrong_argument(notebook: Notebook, body: str) -> None:
    """One line on stderr, the reply is an error so that "run all" stops, the body does not run."""
    assert notebook.run(body, "%%track --no-chart --if-same stop").status == "ok"
    before = notebook.newest()
    notebook.kernel.run("n = 0")
    reply = notebook.run(body, "%%track --no-chart --if-same stop")
    assert (reply.status, reply.content["ename"]) == ("error", "UsageError")
    assert reply.complaints.count("\n") == 1
    assert f'ct.run("{before.id}")' in reply.complaints
    assert notebook.kernel.run("print(n)").text == "0\n"
    run = notebook.newest()
    assert (run.status, run.record.executions[0].status) == ("interrupted", "skipped")


def test_another_environment_is_named_quietly(notebook: Notebook) -> None:
    """A package that was upgraded since: no duplicate, and the difference in words."""
    site = notebook.folder / "site-packages"
    (site / "quux-1.0.dist-info").mkdir(parents=True)
    notebook.kernel.run(f"sys.path.append({str(site)!r})")
    assert notebook.say("surrounded = 1") == ""
    (site / "quux-1.0.dist-info").rename(site / "quux-2.0.dist-info")
    text = notebook.say("surrounded = 1")
    assert kind(text) == "environment"
    assert "quux 1.0, now 2.0" in text
    notebook.kernel.run(f"sys.path.remove({str(site)!r})")


def test_another_kernel_finds_it_too(tmp_path: Path) -> None:
    """With the same seed, once its index knows of the run."""
    cell = "shared = np.random.rand(3)"
    first: StoredRun | None = None
    for number in range(2):
        notebook = Notebook(tmp_path)
        try:
            notebook.kernel.run("import celltrail as ct; len(ct.runs())")
            text = notebook.say(cell, "%%track --no-chart --seed 11")
            first = first or notebook.newest()
        finally:
            notebook.kernel.stop()
        assert kind(text) == ("duplicate" if number else "")
    assert first is not None
    assert first.id in text


def test_the_users_generators_are_left_alone(notebook: Notebook) -> None:
    """Neither looking for earlier runs nor bringing the index up to date draws from them."""
    state = "print(hash((random.getstate(), np.random.get_state()[1].tobytes())))"
    before = notebook.kernel.run(state).text
    for _ in range(3):
        notebook.say("left_alone = 1")
    notebook.kernel.run("import celltrail as ct; len(ct.runs()); recorder_._already._trails.clear()")
    notebook.say("left_alone = 2")
    notebook.kernel.run("time.sleep(0.3)")
    assert notebook.kernel.run(state).text == before


def test_a_secret_in_a_cell_does_not_shine_through_its_key(notebook: Notebook) -> None:
    """The recipe of a cell with a password is another one in each session, so that nobody can try passwords on it."""
    cell = "password = 'hunter2-correct-horse'\nlogin = len(password)"
    assert notebook.say(cell) == ""
    assert kind(notebook.say(cell)) == "duplicate"
    recipe = notebook.newest().record.executions[0].recipe
    notebook.kernel.run("recorder_._already._salt = 'another session'")
    assert notebook.say(cell) == ""
    assert notebook.newest().record.executions[0].recipe != recipe
