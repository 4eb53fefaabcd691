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
        f"celltrail records runs in {_place(store)} ({count} run{'' if count == 1 else 's'} so far); start a cell with "
        "%%track to record it"
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
        kept = "nothing is recorded, because CELLTRAIL_OFF=1"
    elif not Store(locate()).settings["sessions.kept"]:
        kept = "only runs are kept, because sessions.kept is off"
    elif recorder.session.is_in_trail:
        kept = "the code of all of them is in the trail"
    else:
        kept = "kept in memory until the first run"
    by_itself = (
        "; every cell that trains or logs becomes a run (%track off stops that)" if recorder.is_automatic else ""
    )
    return f"this session: {count:,} cell execution{'' if count == 1 else 's'}; {kept}{by_itself}"


def _last(asked: Asked) -> str:
    newest = runs()[:1]
    return repr(find(newest[0].id)) if len(newest) else "no runs yet: start a cell with %%track"


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
    return "from now on, every cell that calls fit, train or log, or sets a metric in a loop, is a run (%track off)"


def _off(asked: Asked) -> str:
    asked.recorder.is_automatic = not _switch(asked, "off")
    return "from now on, only cells that start with %%track are runs"


def _switch(asked: Asked, word: str) -> bool:
    if asked.rest:
        raise BadValue(f"{word} takes nothing after it, not {asked.rest!r}")
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
