"""Said before a cell computes: this code already ran over these inputs, and what came of it.

All of it is told from the recipe of the execution (`keys`), from what the earlier run kept of chance, files and
machine (`match`), and from nothing that waits for writers or for the index to be brought up to date.
"""

from __future__ import annotations

import ast
import builtins
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from celltrail.capture import rng
from celltrail.capture.already import again
from celltrail.capture.already.match import Earlier, Now, best, match
from celltrail.capture.already.saying import Same, notice, sentence, told
from celltrail.capture.analyze import chance, keys
from celltrail.capture.environment import beside
from celltrail.capture.environment.here import digest_of, machine
from celltrail.capture.files import standing
from celltrail.capture.files.places import placed, project
from celltrail.capture.lineage.recipes import recipe_of
from celltrail.capture.notice import Notice
from celltrail.capture.session.executions import Session
from celltrail.capture.session.past import Past
from celltrail.capture.shield import shield
from celltrail.capture.tracked import Tracked, cell_magic
from celltrail.capture.values.fingerprint import Budget, fingerprint
from celltrail.capture.values.settings import Settings
from celltrail.errors import StoreError
from celltrail.model import changed
from celltrail.store import Store
from celltrail.store.catalogue.alike import Alike
from celltrail.store.files.encoding import decode

_MOST_READ = 20  # of the runs with one recipe; a tenth of a millisecond each
_PATIENCE_S = 0.1  # for the record of a cell that had the same recipe a moment ago
_SECONDS = 0.02  # for looking at what nobody has looked at
_REST_S = 10.0  # between two looks for what other processes wrote
_OF_THE_SHELL = frozenset(["In", "Out", "display", "exit", "get_ipython", "open", "quit"])


@dataclass(slots=True)
class _Trail:
    store: Store
    alike: Alike
    here: dict[str, list[_Here]] = field(default_factory=lambda: defaultdict(list))  # by recipe
    looked: float = -_REST_S


@dataclass(frozen=True, slots=True)
class _Here:
    """A run of this session, which the index need not know yet."""

    run: str
    written: threading.Event


class Already:
    """Compares each tracked execution of a session with the earlier runs of its trail.

    Args:
        session: all its executions.
        shell: the IPython shell.
        notify: is told of what is found.
        hurry: tells who writes the records of runs that one is waited for.
    """

    def __init__(
        self, session: Session, shell: Any, notify: Callable[[Notice], object], hurry: Callable[[], None]
    ) -> None:
        self._session, self._shell, self._notify, self._hurry = session, shell, notify, hurry
        self._trails: dict[Path, _Trail] = {}
        self._settings = Settings()
        self._folders: dict[tuple[Path, str], str] = {}
        self._salt = os.urandom(16).hex()  # what a secret in a cell makes of its key, this session alone can tell

    def meet(self, tracked: Tracked, tree: ast.Module) -> ast.Module:
        """Say what is known of an execution about to begin; the tree to run, which ``--if-same`` may change."""
        if tracked.is_compared:
            return tree  # the body of a %%time, which belongs to what was compared
        tracked.is_compared = True
        found = self.look(tracked, tree, self._shell.user_ns)
        if found is None:
            return tree
        tracked.again = told(found)
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
        tracked.again["unset"] = names
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
        tracked.execution = changed(tracked.execution, recipe=recipe)
        trail = self._trail(tracked.run.store)
        before = list(trail.here[recipe])
        trail.here[recipe].append(_Here(tracked.run.id, tracked.written))
        if tracked.mark.arguments.if_same == "off":
            return None
        for each in before[-1:]:
            self._hurry()
            each.written.wait(_PATIENCE_S)
        ids = list(dict.fromkeys([*(each.run for each in reversed(before)), *trail.alike.ids(recipe)]))
        return self._found(tracked, trail, ids, namespace) if ids else None

    def refresh(self, store: Store) -> None:
        """Let the index hear of runs that other processes wrote; now and then, on a thread of its own."""
        trail = self._trail(store)
        if time.monotonic() - trail.looked >= _REST_S and trail.store.id:
            trail.looked = time.monotonic()
            threading.Thread(target=shield, args=(_refresh, trail.store), name="celltrail-index", daemon=True).start()

    def _trail(self, store: Store) -> _Trail:
        found = self._trails.get(store.root)
        if found is None or not found.store.id:
            found = self._trails[store.root] = _Trail(Store(store.root), Alike(store.root, store.id))
        return found

    def _recipe(self, tracked: Tracked, tree: ast.Module, namespace: Mapping[str, Any]) -> str:
        found = tracked.found
        if found is None or not tracked.key or not keys.is_open(found.names, found.kinds):
            return ""
        self._session.settle(_SECONDS)
        inputs = self._inputs(tracked, namespace)
        if inputs is None:
            return ""
        magic = cell_magic(tree)
        about = [tracked.key, f"%%{magic[0]} {magic[1]}" if magic else ""]
        if tracked.redactor.text(tracked.source) != tracked.source or _has_secret(tracked):
            about.append(self._salt)
        return keys.recipe("\n".join(about), keys.input_key(inputs))

    def _inputs(self, tracked: Tracked, namespace: Mapping[str, Any]) -> dict[str, keys.Input] | None:
        """What the execution reads, by name; None when some of it cannot be told."""
        found = tracked.found
        assert found is not None
        told, budget = tracked.needs.get("values") or {}, Budget(_SECONDS)
        names = {name for name in found.reachable() - _OF_THE_SHELL if not hasattr(builtins, name) or name in namespace}
        if not names <= namespace.keys():
            return None
        local = beside.modules([namespace[name] for name in names], beside.imported(found.kinds))
        if local is None:
            return None
        tracked.needs["already"] = {"modules": sorted(local)}
        inputs = {f"module {name}": (beside.contents(module, budget), "") for name, module in local.items()}
        inputs["settings"] = (self._settings.key(self._session, tracked.past, namespace), "")
        inputs["folder"] = (self._folder(tracked.run.store.root, os.getcwd()), "")
        for name in names:
            digest, quality = _print(told.get(name), namespace[name], budget)
            made = recipe_of(name, self._before(tracked), namespace) if quality == "sampled" else ""
            if quality == "opaque" or (quality == "sampled" and not made):
                return None
            inputs[f"name {name}"] = (digest, made)
        return inputs

    def _before(self, tracked: Tracked) -> list[Past]:
        return [past for past in self._session if past is not tracked.past]

    def _folder(self, trail: Path, folder: str) -> str:
        found = self._folders.get((trail, folder))
        if found is None:
            found = self._folders[trail, folder] = "/".join(placed(folder, project(trail, folder)))
        return found

    def _found(self, tracked: Tracked, trail: _Trail, ids: list[str], namespace: Mapping[str, Any]) -> Same | None:
        found = tracked.found
        assert found is not None
        around = project(trail.store.root, os.getcwd())
        now = Now(
            chance=chance.sources(found.kinds, namespace, found.reachable()),
            seeded=chance.seeded(found.tree),
            is_exact=_is_exact(tracked),
            states=partial(_digests, tracked),
            machine=machine(trail.store.blobs),
            files=partial(standing.are_same, project=around),
        )
        matches = [made for earlier in _read(trail, ids[:_MOST_READ]) if (made := match(earlier, now)) is not None]
        said = best(matches)
        return Same(said, len(matches) + 1 + max(0, len(ids) - _MOST_READ)) if said else None


def _refresh(store: Store) -> None:
    store.look((), lambda look: None)


def _read(trail: _Trail, ids: list[str]) -> Iterator[Earlier]:
    for run_id in ids:
        record = trail.alike.record(run_id)
        digest = next((each.needs for each in reversed(record.executions) if each.needs), "") if record else ""
        if record is not None and digest and "env" in record.environment:  # killed at its start, it has none
            try:
                yield Earlier(record, decode(trail.store.blobs.get(digest), "needs"))
            except StoreError:  # damaged, or gone
                continue


def _has_secret(tracked: Tracked) -> bool:
    return any("fp" not in told for told in (tracked.needs.get("values") or {}).values())


def _print(told: Any, value: object, budget: Budget) -> tuple[str, str]:
    if isinstance(told, Mapping) and told.get("fp"):
        return told["fp"], told["quality"]
    found = fingerprint(value, budget)
    return found.digest, found.quality


def _bound(tracked: Tracked, tree: ast.Module) -> set[str]:
    """The names the body would have set."""
    magic = cell_magic(tree)
    captured = magic[1].split()[:1] if magic and magic[0] == "capture" else []
    return {name for name in captured if name.isidentifier()} | (tracked.found.names.writes if tracked.found else set())


def _is_exact(tracked: Tracked) -> bool:
    told: Iterable[Mapping[str, Any]] = (tracked.needs.get("values") or {}).values()
    return all(value.get("quality") != "sampled" for value in told if value.get("when") == "before")


def _digests(tracked: Tracked) -> dict[str, str]:
    return {library: digest_of(rng.pack(library, state)) for library, state in tracked.states.items()}
