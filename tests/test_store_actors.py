"""Actors: readers of many runs hear of every edit without looking at every run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from celltrail.store import Store
from celltrail.store.docs import actors
from celltrail.store.docs.actors import Mark, touched
from recovery.logs import begin


def aged(root: Path) -> None:
    """As if the actors' files had been written a while ago."""
    past = time.time() - 60
    for path in (root / "actors").glob("*.json"):
        os.utime(path, (past, past))


def test_an_edit_is_told_once(store: Store) -> None:
    """What was followed is not told again; a file that has not changed is not even opened."""
    one, two = begin(store), begin(store)
    assert touched(store.root, {}) == (set(), {})
    store.edit(one.id, "name", "x")
    runs, marks = touched(store.root, {})
    assert runs == {one.id}
    aged(store.root)
    assert touched(store.root, marks)[0] == set()
    store.edit(two.id, "tag:a", True)
    runs, marks = touched(store.root, marks)
    assert runs == {two.id}
    assert [mark.stamp for mark in marks.values()] == [""]  # written just now: may change unnoticed
    aged(store.root)
    _, marks = touched(store.root, marks)
    (path,) = (store.root / "actors").glob("*.json")
    stamp = path.stat()
    path.write_bytes(b"x" * stamp.st_size)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert touched(store.root, marks) == (set(), marks)


def test_the_run_itself_is_not_told_of(store: Store) -> None:
    """Its readers look at it while it runs."""
    store.edit(begin(store).id, "tag:a", True, by_run=True)
    assert touched(store.root, {})[0] == set()


def test_many_edits_keep_the_file_small_and_say_that_it_may_be_any(store: Store) -> None:
    """A reader that followed in time hears each; one that comes late has to look at all."""
    runs = [f"RUN{number:04}" for number in range(2500)]
    actors.touch(store.root, {run: number for number, run in enumerate(runs, 1)})
    assert touched(store.root, {})[0] is None
    (name,) = touched(store.root, {})[1]
    assert touched(store.root, {name: Mark("", 2400)})[0] == set(runs[2400:])
    (path,) = (store.root / "actors").glob("*.json")
    assert path.stat().st_size < 30_000


def test_a_file_that_cannot_be_read_costs_only_itself(store: Store) -> None:
    """The others are followed, and it is asked again."""
    run = begin(store)
    store.edit(run.id, "name", "x")
    for number, data in enumerate(
        [b"", b"{", b"[]", b'{"touched": 3}', b'{"touched": {"x": {"at": "y"}}}', b"\xff" * 100]
    ):
        (store.root / "actors" / f"hostile-{number}.json").write_bytes(data)
    runs, marks = touched(store.root, {})
    assert runs == {run.id}
    assert len(marks) == 7


EDIT = """
import sys
from celltrail.store import Store
store = Store(sys.argv[1])
for number in range(30):
    store.edit(sys.argv[2 + number % 2], "rating", number)
"""


def test_edits_of_other_processes_are_followed_while_they_happen(store: Store) -> None:
    """A reader that looks all the time: after each look the record is as new as the look."""
    runs = [begin(store).id for _ in range(2)]
    processes = [subprocess.Popen([sys.executable, "-c", EDIT, str(store.root), *runs]) for _ in range(2)]
    marks: dict[str, Mark] = {}
    known = {run: store.edits(run) for run in runs}
    while True:
        ended = all(process.poll() is not None for process in processes)
        changed, marks = touched(store.root, marks)
        assert changed is not None
        for run in changed:
            known[run] = store.edits(run)
        if ended:
            break
    assert [process.wait() for process in processes] == [0, 0]
    assert known == {run: store.edits(run) for run in runs}
    assert sorted(known[run]["rating"] for run in runs) == [28, 29]
