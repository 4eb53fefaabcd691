"""Said before a cell computes: this code already ran over these inputs, and what came of it.

All of it is told from the recipe of the execution (`keys`), from what the earlier run kept of chance, files and
machine (`match`), and from nothing that waits for writers or for the index to be brought up to date.
"""

from __future__ import annotations

import ast
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from celltrail.capture import again, chance, environment, keys, rng
from celltrail.capture.match import Earlier, Now, best, match
from celltrail.capture.notice import Notice
from celltrail.capture.saying import Same, notice, sentence, told
from celltrail.capture.tracked import Tracked, cell_magic
from celltrail.errors import StoreError
from celltrail.store import Store
from celltrail.store.catalogue.alike import Alike
from celltrail.store.files.encoding import decode

_MOST_READ = 20  # of the runs with one recipe; a tenth of a millisecond each
_PATIENCE_S = 0.03  # for the record of a cell that had the same recipe a moment ago
_REST_S = 10.0  # between two looks for what other processes wrote
_OF_THE_SHELL = frozenset(["In", "Out", "display", "exit", "get_ipython", "open", "quit"])


@dataclass(slots=True)
class _Trail:
    store: Store
    alike: Alike
    here: dict[str, list[_Here]] = field(default_factory=lambda: defaultdict(list))  # by recipe
    looked: float = 0.0


@dataclass(frozen=True, slots=True)
class _Here:
    """A run of this session, which the index need not know yet."""

    run: str
    written: threading.Event


class Already:
    """Compares each tracked execution of a session with the earlier runs of its trail.

    Args:
        shell: the IPython shell.
        notify: is told of what is found.
    """

    def __init__(self, shell: Any, notify: Callable[[Notice], object]) -> None:
        self._shell, self._notify = shell, notify
        self._trails: dict[Path, _Trail] = {}
        self._salt = os.urandom(16)  # what a secret in a cell makes of its key, this session alone can tell

    def meet(self, tracked: Tracked, tree: ast.Module) -> ast.Module:
        """Say what is known of an execution about to begin; the tree to run, which ``--if-same`` may change."""
        if tracked.is_compared:
            return tree  # the body of a %%time, which belongs to what was compared
        tracked.is_compared = True
        found = self.look(tracked, tree, self._shell.user_ns)
        if found is None:
            return tree
        tracked.needs["already"] = told(found)
        wish = tracked.mark.arguments.if_same
        is_same = found.match.kind == "duplicate" and found.match.is_exact
        if wish == "stop" and is_same:
            tracked.instead = "stop"
            return again.refusal(tree, f"%%track: {sentence(found)}; take --if-same stop away to run it")
        if wish == "skip" and is_same:
            return self._skip(tracked, tree, found)
        self._notify(notice(found))
        return tree

    def _skip(self, tracked: Tracked, tree: ast.Module, found: Same) -> ast.Module:
        shows = again.shows(found.match.earlier, tracked.run.store.blobs, self._shell.display_pub.publish)
        tracked.instead = "skip"
        names = sorted(_bound(tracked, tree) - self._shell.user_ns.keys())
        tracked.needs["already"]["unset"] = names
        self._notify(notice(found, skipped=True, unset=names))
        for show in shows:
            show()
        return again.nothing(tree)

    def look(self, tracked: Tracked, tree: ast.Module, namespace: Mapping[str, Any]) -> Same | None:
        """Give an execution its recipe, and find the earlier run that it is again.

        Called when its code and inputs are known and its body has not run.
        """
        recipe = self._recipe(tracked, tree, namespace)
        if not recipe:
            return None
        tracked.execution = replace(tracked.execution, recipe=recipe)
        trail = self._trail(tracked.run.store)
        before = list(trail.here[recipe])
        trail.here[recipe].append(_Here(tracked.run.id, tracked.written))
        if tracked.mark.arguments.if_same == "off":
            return None
        for each in before[-1:]:
            each.written.wait(_PATIENCE_S)
        ids = list(dict.fromkeys([*(each.run for each in reversed(before)), *trail.alike.ids(recipe)]))
        return self._found(tracked, trail, ids, namespace) if ids else None

    def refresh(self, store: Store) -> None:
        """Let the index hear of runs that other processes wrote; now and then, in the background."""
        trail = self._trail(store)
        if time.monotonic() - trail.looked >= _REST_S:
            trail.store.look((), lambda look: None)
            trail.looked = time.monotonic()

    def _trail(self, store: Store) -> _Trail:
        found = self._trails.get(store.root)
        if found is None or not found.store.id:
            found = self._trails[store.root] = _Trail(Store(store.root), Alike(store.root, store.id))
        return found

    def _recipe(self, tracked: Tracked, tree: ast.Module, namespace: Mapping[str, Any]) -> str:
        found = tracked.found
        if found is None or not keys.is_open(found.names, found.kinds):
            return ""
        inputs = _inputs(tracked, namespace)
        if inputs is None:
            return ""
        magic = cell_magic(tree)
        about = f"%%{magic[0]} {magic[1]}\n".encode() if magic else b""
        is_clean = tracked.redactor.text(tracked.source) == tracked.source
        code = keys.code_key(found.tree, about if is_clean else about + self._salt)
        return keys.recipe(code, keys.input_key(inputs))

    def _found(self, tracked: Tracked, trail: _Trail, ids: list[str], namespace: Mapping[str, Any]) -> Same | None:
        found = tracked.found
        assert found is not None
        now = Now(
            chance=chance.sources(found.kinds, namespace, found.reachable()),
            seeded=chance.seeded(found.tree),
            is_exact=_is_exact(tracked),
            states=partial(_digests, tracked),
            software=partial(environment.software, _digest),
            hardware=environment.hardware,
            packages=partial(_packages, trail),
            files=lambda files: None,
            modules=lambda modules: True,
        )
        matches = [made for earlier in _read(trail, ids[:_MOST_READ]) if (made := match(earlier, now)) is not None]
        said = best(matches)
        return Same(said, len(matches) + 1 + max(0, len(ids) - _MOST_READ)) if said else None


def _read(trail: _Trail, ids: list[str]) -> Iterator[Earlier]:
    for run_id in ids:
        record = trail.alike.record(run_id)
        digest = next((each.needs for each in reversed(record.executions) if each.needs), "") if record else ""
        if record is not None and digest:
            try:
                yield Earlier(record, decode(trail.store.blobs.get(digest), "needs"))
            except StoreError:  # damaged, or gone
                continue


def _inputs(tracked: Tracked, namespace: Mapping[str, Any]) -> dict[str, keys.Input] | None:
    """What the execution reads, by name; None when some of it cannot be told."""
    found = tracked.found
    assert found is not None
    values = tracked.needs.get("values") or {}
    inputs: dict[str, keys.Input] = {}
    for name in found.reachable() - _OF_THE_SHELL:
        value = values.get(name)
        if not isinstance(value, Mapping) or not value.get("fp") or value.get("quality") != "full":
            return None
        inputs[name] = (value["fp"], "")
    return inputs


def _bound(tracked: Tracked, tree: ast.Module) -> set[str]:
    """The names the body would have set."""
    magic = cell_magic(tree)
    captured = magic[1].split()[:1] if magic and magic[0] == "capture" else []
    return {name for name in captured if name.isidentifier()} | (tracked.found.names.writes if tracked.found else set())


def _is_exact(tracked: Tracked) -> bool:
    return True


def _digests(tracked: Tracked) -> dict[str, str]:
    return {library: _digest(rng.pack(library, state)) for library, state in tracked.states.items()}


def _packages(trail: _Trail, digest: str) -> Mapping[str, str]:
    here = environment.packages()
    if digest == _digest(orjson.dumps(here, option=orjson.OPT_SORT_KEYS)):
        return here
    try:
        return decode(trail.store.blobs.get(digest), "packages")
    except (StoreError, KeyError):
        return {}


def _digest(data: bytes | str) -> str:
    from blake3 import blake3

    return blake3(data.encode() if isinstance(data, str) else data).hexdigest()
