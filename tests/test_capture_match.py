"""Keys of code and inputs, chance, and when an execution is an earlier one again: pure functions of what is known."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from celltrail.capture.already.match import Earlier, Machine, Match, Now, best, match
from celltrail.capture.analyze import analyze, by_kind
from celltrail.capture.analyze.chance import seeded, sources
from celltrail.capture.analyze.keys import code_key, input_key, is_open, recipe
from celltrail.model import Execution, RunRecord, new_id, now_us
from celltrail.store import Store
from celltrail.store.catalogue.alike import ASK, Alike
from recovery.logs import begin

CELL = "lr = 0.1\nfor i in range(3):\n    loss = f(i, k=lr)  # go\nprint(f'{loss:.2f}')\n"
SAME = {
    "comments": CELL.replace("  # go", "") + "# the end",
    "blank lines": CELL.replace("\n", "\n\n"),
    "indent": CELL.replace("    ", "  "),
    "quotes": CELL.replace("'", '"'),
    "brackets": CELL.replace("lr = 0.1", "lr = (0.1)"),
    "our line": f"# %%track --watch loss\n{CELL}",
}
OTHER = {
    "a literal": CELL.replace("0.1", "0.2"),
    "a type": CELL.replace("range(3)", "range(3.0)"),
    "true for one": CELL.replace("k=lr", "k=True"),
    "one for true": CELL.replace("k=lr", "k=1"),
    "a name": CELL.replace("lr", "rate"),
    "a keyword": CELL.replace("k=lr", "j=lr"),
    "order": CELL.replace("i, k=lr", "k=lr, *i"),
    "a format": CELL.replace(".2f", ".3f"),
    "an operator": CELL + "x = loss + 1",
    "another operator": CELL + "x = loss - 1",
    "a statement inside": CELL.replace("  # go", "\n    pass"),
    "a statement after": CELL.replace("  # go", "\npass"),
    "none": CELL.replace("k=lr", "k=None"),
    "a text of it": CELL.replace("k=lr", "k='None'"),
}


def key(code: str) -> str:
    return code_key(ast.parse(code))


@pytest.mark.parametrize("name", SAME)
def test_how_code_is_written_does_not_matter(name: str) -> None:
    """What Python reads as the same has the same key."""
    assert key(SAME[name]) == key(CELL)


def test_each_change_of_code_gives_another_key() -> None:
    """No two of the variants share one."""
    keys = [key(code) for code in (CELL, *OTHER.values())]
    assert len(set(keys)) == len(keys)


def test_what_belongs_to_the_code_besides_counts() -> None:
    """The magic it stands under."""
    assert code_key(ast.parse(CELL), b"a") != code_key(ast.parse(CELL), b"b") != key(CELL)


def test_a_recipe_depends_on_code_on_each_name_and_on_each_value() -> None:
    """Names and values do not run together, whatever characters they have."""
    variants = [{"a": ("1", "")}, {"b": ("1", "")}, {"a": ("2", "")}, {"a": ("1", "k")}, {}, {"a\n": ("1", "")}]
    keys = {recipe(code, input_key(inputs)) for code in ("c", "d") for inputs in variants}
    assert len(keys) == 12


@pytest.mark.parametrize(
    "code",
    [
        "exec('y = x')",
        "from numpy import *",
        "globals()['x']",
        "get_ipython().run_line_magic('time', 'f(x)')",
        "get_ipython().run_line_magic(name, '')",
        "eval(text)",
        "y = Out[3]",
        "y = get_ipython().user_ns['x']",
        "shell = get_ipython()",
    ],
)
def test_code_that_hides_what_it_reads_is_never_compared(code: str) -> None:
    """Behind these a changed name would not be noticed."""
    tree = ast.parse(code)
    assert not is_open(analyze(tree), by_kind(tree))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("rng = np.random.default_rng()", "a generator without a seed"),
        ("rng = np.random.default_rng(None)", "a generator without a seed"),
        ("np.random.seed()", "a generator without a seed"),
        ("stamp = time.time()", "the clock"),
        ("day = datetime.datetime.now()", "the clock"),
        ("n = uuid.uuid4()", "the system's generator"),
        ("b = os.urandom(8)", "the system's generator"),
        ("page = requests.get(url)", "the network"),
        ("frame = pd.read_csv('https://example.org/a.csv')", "the network"),
        ("get_ipython().system('date')", "the shell"),
        ("subprocess.run(['date'])", "the shell"),
        ("name = input()", "what is typed in"),
        ("files = glob.glob('*.png')", "what is in a folder"),
        ("files = list(Path('.').iterdir())", "what is in a folder"),
        ("home = os.environ['HOME']", "the environment's variables"),
        ("rows = pd.read_sql('select 1', db)", "a database"),
    ],
)
def test_sources_of_chance_are_named(code: str, said: str) -> None:
    """Each in a word a person understands."""
    assert said in sources(by_kind(ast.parse(code)), {}, [])


@pytest.mark.parametrize(
    "code",
    [
        "rng = np.random.default_rng(0)",
        "t0 = time.time()\nfit()\nprint(time.time() - t0)",
        "took = time.perf_counter()",
        "frame = pd.read_csv('a.csv')",
        "model.fit(X, y, random_state=0)",
        "frame['day'] = frame.date.dt.strftime('%d')",
    ],
)
def test_what_is_no_chance_is_not_taken_for_it(code: str) -> None:
    """How long something took is no result; a seed is no chance."""
    assert sources(by_kind(ast.parse(code)), {}, []) == ()


def test_chance_is_found_in_functions_and_clients_that_the_cell_reaches() -> None:
    """By what their code names, as only that is known."""
    space: dict[str, Any] = {}
    code = "import numpy as np, time\ndef draw():\n    return np.random.default_rng()\ndef wait():\n    time.sleep(0)"
    exec(compile(code, "cell", "exec"), space)
    assert sources(by_kind(ast.parse("x = draw()")), space, ["draw"]) == ("a generator without a seed",)
    assert sources(by_kind(ast.parse("wait()")), space, ["wait"]) == ()
    client = type("OpenAI", (), {"__module__": "openai.client"})()
    assert sources(by_kind(ast.parse("ask(c)")), {"c": client}, ["c"]) == ("the network",)


def test_only_seeds_before_anything_else_count() -> None:
    """What draws before it is seeded depends on the state it found."""
    assert seeded(ast.parse("import random\nn = 3\nrandom.seed(n)\nf()")) == {"random"}
    assert seeded(ast.parse("torch.manual_seed(0)\nnp.random.seed(1)\nf()")) == {"torch", "torch.cuda", "numpy"}
    assert seeded(ast.parse("y = f()\nrandom.seed(0)")) == frozenset()
    assert seeded(ast.parse("random.seed(time.time())")) == frozenset()
    assert seeded(ast.parse("if a:\n    random.seed(0)")) == frozenset()


ENV = {"python": "3.11", "packages": "p1", "os": "Linux 6.1", "machine": "x86_64"}


def earlier(**changes: Any) -> Earlier:
    """A finished run of a cell that drew from numpy."""
    facts = {"rng": {"numpy": "s1", "random": "r1"}, "env": ENV, "hardware": {"cpu": "C"}}
    needs: dict[str, Any] = {"files": [], "rng_end": {"numpy": "s2", "random": "r1"}}
    needs |= changes.pop("needs", {})
    execution = Execution(new_id(), 1, None, changes.pop("execution", "ok"), now_us())
    record = RunRecord(new_id(), "a", "finished", "p", 0, 0, executions=(execution,), environment=facts)
    return Earlier(dataclasses.replace(record, **changes), needs)


def machine(software: dict[str, str], **devices: str) -> Machine:
    """One with these facts, and two listings of packages."""
    listings = {"p1": {"numpy": "1", "rich": "14"}, "p2": {"numpy": "2", "rich": "14"}}
    return Machine(lambda: software, lambda: {"cpu": "C", **devices}, listings.__getitem__)


def now(**changes: Any) -> Now:
    """The same once more."""
    facts: dict[str, Any] = {
        "chance": (),
        "seeded": frozenset(),
        "is_exact": True,
        "states": lambda: {"numpy": "s1", "random": "r9"},
        "machine": machine(ENV),
        "files": lambda files: True,
    }
    return Now(**{**facts, **changes})


def said(found: Match | None) -> tuple[str, bool, tuple[str, ...]] | None:
    return None if found is None else (found.kind, found.is_exact, found.differs)


def test_the_classes_of_sameness() -> None:
    """Each row of the table: what differs, and what it is called then."""
    assert said(match(earlier(), now())) == ("duplicate", True, ())
    moved = lambda: {"numpy": "s7", "random": "r1"}  # noqa: E731
    assert said(match(earlier(), now(states=moved))) == ("repeat", True, ("another state of numpy",))
    assert said(match(earlier(), now(states=moved, seeded=frozenset(["numpy"])))) == ("duplicate", True, ())
    for end in ({"numpy": "s1", "random": "r1"}, {"numpy": "same", "random": "same"}):
        still = earlier(needs={"rng_end": end})
        assert said(match(still, now(states=moved))) == ("duplicate", True, ())
    assert said(match(earlier(), now(chance=("the clock",)))) == ("repeat", True, ("the clock",))
    assert said(match(earlier(), now(is_exact=False))) == ("duplicate", False, ())
    assert said(match(earlier(), now(files=lambda files: None))) == ("duplicate", False, ())
    upgraded = now(machine=machine({**ENV, "packages": "p2"}))
    assert said(match(earlier(), upgraded)) == ("environment", True, ("numpy 1, now 2",))
    moved_house = now(machine=machine(ENV, gpu="H100"))
    assert said(match(earlier(), moved_house)) == ("environment", True, ("gpu H100 is new",))


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "failed", "execution": "error"},
        {"status": "interrupted", "execution": "interrupted"},
        {"status": "killed", "execution": "killed"},
        {"status": "running", "execution": "running"},
        {"execution": "skipped"},
        {"archived": True},
        {"deleted": True},
        {"executions": ()},
        {"needs": {"files": None}},
    ],
)
def test_runs_that_never_count(changes: dict[str, Any]) -> None:
    """One that did not run to its end itself, was put away, or does not tell what it opened."""
    assert match(earlier(**changes), now()) is None


def test_changed_files_and_two_changes_at_once_are_no_match() -> None:
    """A file's bytes are an input; packages and chance together prove nothing."""
    assert match(earlier(), now(files=lambda files: False)) is None
    assert match(earlier(), now(machine=machine({**ENV, "packages": "p2"}), chance=("the clock",))) is None


def test_a_generator_that_nobody_saw_at_the_start_is_chance() -> None:
    """Its library was imported by the cell, and so seeded by the system; no end state is as good as moved."""
    imported = earlier(needs={"rng_end": {"numpy": "s1", "random": "r1", "torch": "t1"}})
    assert said(match(imported, now())) == ("repeat", True, ("another state of torch",))
    unknown = earlier(needs={"rng_end": None})
    assert said(match(unknown, now())) == ("repeat", True, ("another state of random",))


def test_the_match_that_says_most_is_told() -> None:
    """A duplicate before a repeat, an exact one before a probable one, the newest of equals."""
    found = [
        Match("repeat", earlier().record),
        Match("duplicate", earlier().record, is_exact=False),
        Match("duplicate", earlier().record),
        Match("duplicate", earlier().record),
    ]
    assert best(found) is found[2]
    assert best([]) is None


def finished(store: Store, recipe: str, status: str = "finished") -> str:
    """A run on disk with one execution of this recipe."""
    writer = begin(store)
    execution = Execution(new_id(), 1, None, "ok", now_us(), recipe=recipe)
    writer.close(dataclasses.replace(store.record(writer.id), status=status, executions=(execution,)))
    return writer.id


def test_runs_of_a_recipe_are_found_in_the_index_newest_first(store: Store, tmp_path: Path) -> None:
    """Only those that finished and that nobody put away; without an index none, and nothing is built for it."""
    ids = [finished(store, "a" * 32) for _ in range(4)]
    finished(store, "b" * 32)
    finished(store, "a" * 32, "failed")
    alike = Alike(store.root, store.id)
    assert alike.ids("a" * 32) == []
    store.records()
    assert alike.ids("a" * 32) == ids[::-1]
    store.edit(ids[0], "archived", True)
    store.edit(ids[1], "deleted", True)
    store.records()
    assert alike.ids("a" * 32) == [ids[3], ids[2]]
    record = alike.record(ids[0])
    assert record is not None
    assert record.archived
    assert alike.record(new_id()) is None


def test_a_recipe_is_found_in_constant_time(store: Store) -> None:
    """By a search in SQLite's index, not by reading past every run."""
    finished(store, "a" * 32)
    store.records()
    plan = store.look((), lambda look: look.select(f"explain query plan {ASK}", ("x",)))
    assert any("hot_recipe" in str(row) for row in plan)
