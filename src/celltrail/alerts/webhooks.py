"""Tells an address of the user's own that a rule fired: on a thread of its own, with patience, never in the loop.

Addresses are listed by each user for themselves, as ``CELLTRAIL_WEBHOOKS="ops=https://hooks.example.org/x lab=..."``;
a rule only names one. So a trail that came from somebody else sends nothing to where its user did not say.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from celltrail.errors import BadValue, nearest
from celltrail.model import Json

VARIABLE = "CELLTRAIL_WEBHOOKS"
TIMEOUT_S, WAITS_S = 5.0, (0.0, 1.0, 4.0)  # of one try, and before each
MOST_WAITING = 1_000
_LEAVING_S = 3.0  # that the end of the process is held up, at most


class _Letter(NamedTuple):
    name: str
    address: str
    body: dict[str, Json]
    failed: Callable[[str], None]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A host that was listed may not send what it is told to another one."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def listed() -> dict[str, str]:
    """The addresses that the user of this process has listed, by name.

    >>> os.environ["CELLTRAIL_WEBHOOKS"] = "ops=https://hooks.example.org/x"
    >>> listed(), os.environ.pop("CELLTRAIL_WEBHOOKS") and None
    ({'ops': 'https://hooks.example.org/x'}, None)
    """
    found: dict[str, str] = {}
    for part in os.environ.get(VARIABLE, "").split():
        name, sign, address = part.partition("=")
        place = urlsplit(address)
        if not sign or not name or place.scheme not in ("http", "https") or not place.hostname:
            raise BadValue(f"{VARIABLE} has {name or part!r} without an address; write name=https://host/path")
        found[name] = address
    return found


def check(name: str) -> None:
    """That this name is listed; `BadValue` says how to."""
    known = listed()
    if name not in known:
        has = f"; there is {', '.join(known)}" if known else ""
        raise BadValue(
            f"no webhook is called {name!r}{nearest(name, known)}{has}; each user lists their own in the environment: "
            f"{VARIABLE}='{name}=https://host/path'"
        )


class Post:
    """The letters of this process, and the thread that takes them away; it lives while there are some."""

    def __init__(self) -> None:
        self._letters: queue.Queue[_Letter] = queue.Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_leaving = threading.Event()

    def send(self, name: str, body: dict[str, Json], failed: Callable[[str], None]) -> None:
        """Take a letter and return; ``failed`` is called with a sentence where it could not be delivered."""
        try:
            check(name)
            self._letters.put_nowait(_Letter(name, listed()[name], body, failed))
        except BadValue as problem:
            failed(str(problem))
            return
        except queue.Full:
            failed(f"the webhook {name!r} was not told: {MOST_WAITING:,} letters are waiting already")
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="celltrail-webhooks", daemon=True)
                self._thread.start()

    def leave(self) -> None:
        """The process ends: what waits has a moment to go out."""
        self._is_leaving.set()
        thread = self._thread
        if thread is not None:
            thread.join(_LEAVING_S)

    def _work(self) -> None:
        while True:
            try:
                letter = self._letters.get(timeout=0.2)
            except queue.Empty:
                with self._lock:
                    if self._letters.empty():
                        self._thread = None
                        return
                continue
            self._deliver(letter)

    def _deliver(self, letter: _Letter) -> None:
        why = ""
        for wait in WAITS_S:
            if self._is_leaving.wait(wait) and wait:
                break
            try:
                _post(letter.address, letter.body)
            except urllib.error.HTTPError as error:
                why = f"it answered {error.code}"
                if error.code < 500 and error.code != 429:  # it will say the same again
                    break
            except (OSError, HTTPException, ValueError) as error:
                why = str(getattr(error, "reason", error))[:200]
            else:
                return
        letter.failed(f"the webhook {letter.name!r} was not told that {letter.body.get('rule')!r} fired: {why}")


def _post(address: str, body: dict[str, Json]) -> None:
    data = json.dumps(body, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "celltrail"}
    with _opener.open(urllib.request.Request(address, data, headers), timeout=TIMEOUT_S) as answer:
        answer.read(1024)


post = Post()
atexit.register(lambda: post.leave())

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=post.__init__)
