"""``%track status``, ``last`` and ``config``: what is recorded, and what is agreed on."""

from __future__ import annotations

import os

from celltrail.capture import Recorder
from celltrail.errors import BadValue
from celltrail.magic.word import Asked, Word
from celltrail.query import find, runs
from celltrail.query.plain import shown, table
from celltrail.run import current
from celltrail.store import Store, locate
from celltrail.store.docs.settings import KNOWN


def welcome() -> str:
    """Where the trail is and how many runs it has."""
    store = Store(locate())
    count = len(runs(store=store))
    return (
        f"celltrail keeps its trail in {_place(store)} ({count} run{'' if count == 1 else 's'} so far); %%track a cell"
    )


def _place(store: Store) -> str:
    """Where the trail is, never as an absolute path: this text is saved with the notebook."""
    try:
        return os.path.relpath(store.root) if os.path.commonpath([store.root, os.getcwd()]) != "/" else store.root.name
    except ValueError:
        return store.root.name


def _status(asked: Asked) -> str:
    run = current()
    return f"{welcome()}\n{_of_session(asked.recorder)}\n" + (f"now: {run!r}" if run else "no run is active")


def _of_session(recorder: Recorder) -> str:
    count = len(recorder.session)
    if os.environ.get("CELLTRAIL_OFF") == "1":
        kept = "nothing is recorded: CELLTRAIL_OFF=1"
    elif not Store(locate()).settings["sessions.kept"]:
        kept = "cells that are no runs are not kept: sessions.kept is off"
    elif recorder.session.is_in_trail:
        kept = "their code is kept in the trail"
    else:
        kept = "in memory only, until the first run"
    by_itself = "; cells that train or log are runs (%track off ends that)" if recorder.is_automatic else ""
    return f"this session: {count:,} execution{'' if count == 1 else 's'}; {kept}{by_itself}"


def _last(asked: Asked) -> str:
    newest = runs()[:1]
    return repr(find(newest[0].id)) if len(newest) else "no runs yet: put %%track on a cell"


def _config(asked: Asked) -> str:
    settings, parts = Store(locate()).settings, asked.parts
    if len(parts) > 2:
        raise BadValue(f"config takes a setting and a value, not {len(parts)} words")
    name = _setting(parts[0]) if parts else None
    if name is not None and len(parts) == 2:
        settings[name] = parts[1]
    rows = [
        [each, shown(settings[each]), KNOWN[each].allowed, KNOWN[each].meaning]
        for each in ([name] if name is not None else settings)
    ]
    return table(["setting", "is", "takes", "meaning"], rows, [False] * 4)


def _on(asked: Asked) -> str:
    asked.recorder.is_automatic = _switch(asked, "on")
    return "cells that call fit, train or a log, or bind a metric in a loop, are runs from now on; %track off ends it"


def _off(asked: Asked) -> str:
    asked.recorder.is_automatic = not _switch(asked, "off")
    return "only cells marked %%track are runs from now on"


def _switch(asked: Asked, word: str) -> bool:
    if asked.rest:
        raise BadValue(f"{word} takes nothing behind it, not {asked.rest!r}")
    return True


def _setting(name: str) -> str:
    """``sessions`` for ``sessions.kept``, where only one setting begins so."""
    found = [each for each in KNOWN if each == name or each.partition(".")[0] == name]
    return found[0] if len(found) == 1 else name


WORDS = (
    Word("status", "status", "say where the trail is, and what is being recorded", _status),
    Word("last", "last", "show the newest run", _last),
    Word("on", "on", "from now on in this session, every cell that trains or logs is a run, without %%track", _on),
    Word("off", "off", "only cells with %%track are runs", _off),
    Word(
        "config", "config [SETTING [VALUE]]", "show or change the trail's settings, as in: config sessions off", _config
    ),
)
