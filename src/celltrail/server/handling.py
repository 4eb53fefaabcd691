"""What all routes share: the trail by its id, work on threads, and errors as the contract's `Fault`."""

from __future__ import annotations

import asyncio
import json
import math
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any, TypeVar

from jupyter_server.base.handlers import APIHandler
from tornado import web

from celltrail import contract
from celltrail.errors import CelltrailError, NoRun, StoreError
from celltrail.server.answers import Answers
from celltrail.server.trails import Trails
from celltrail.store import Store

DEADLINE_S = 30.0
_THREADS = ThreadPoolExecutor(4, thread_name_prefix="celltrail-server")
BYTES = "application/octet-stream"
_T = TypeVar("_T")


@lru_cache(maxsize=64)
def answers_of(store: Store) -> Answers:
    """The answers about a trail; one for all who ask, so that a change can be taken back."""
    return Answers(store)


class Handler(APIHandler):
    """What all routes share: the trail by its id, threads, and errors as the contract's `Fault`."""

    auth_resource = "celltrail"

    @property
    def trails(self) -> Trails:
        """The trails of this server."""
        return self.settings["celltrail_trails"]

    async def on_thread(self, work: Callable[..., _T], *args: Any) -> _T:
        """The result of work that may wait for a disk; what goes wrong becomes an answer with the sentence."""
        loop = asyncio.get_running_loop()
        try:
            return await asyncio.wait_for(loop.run_in_executor(_THREADS, partial(work, *args)), DEADLINE_S)
        except TimeoutError:
            raise Said(504, f"the trail did not answer within {DEADLINE_S:.0f} s; ask for less, or try again") from None
        except NoRun as error:
            raise Said(404, str(error)) from error
        except StoreError as error:
            raise Said(500, str(error)) from error
        except CelltrailError as error:
            raise Said(400, str(error)) from error

    async def about(self, trail: str) -> Answers:
        """What answers for the trail of this id."""
        store = await self.on_thread(self.trails.store, trail)
        if store is None:
            raise Said(404, "this server shows no trail of that id")
        return answers_of(store)

    def words(self, name: str) -> list[str]:
        """An argument of the address as a list, by commas."""
        return [word for word in self.get_query_argument(name, "").split(",") if word]

    def number(self, name: str, default: float) -> float:
        """An argument of the address as a number."""
        text = self.get_query_argument(name, "")
        try:
            return float(text) if text else default
        except ValueError:
            raise Said(400, f"{name} is {text[:40]!r}, which is no number") from None

    def whole(self, name: str, default: int) -> int:
        """An argument of the address as a whole number."""
        found = self.number(name, default)
        if not math.isfinite(found):
            raise Said(400, f"{name} is {found}, which is no whole number")
        return int(found)

    def intent(self) -> object:
        """The body as JSON; its shape is not looked at yet."""
        try:
            return json.loads(self.request.body)
        except ValueError:
            raise Said(400, "the body is no JSON") from None

    def reply(self, answer: object) -> None:
        """An answer in JSON."""
        self.finish(json.dumps(answer, allow_nan=False))

    def frame(self, head: object, data: bytes) -> None:
        """JSON with bytes behind it.

        Little-endian: the length of the JSON as u32, the JSON, zeros up to a multiple of 8, then the bytes.
        """
        said = json.dumps(head, allow_nan=False).encode()
        body = struct.pack("<I", len(said)) + said + bytes(-(4 + len(said)) % 8) + data
        self.finish(body, set_content_type=BYTES)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """A `Fault` with the sentence: ours, or the one that belongs to the status."""
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        text = error.text if isinstance(error, Said) else f"celltrail could not answer ({self._reason})"
        fault: contract.Fault = {"kind": "fault", "reply_to": None, "text": text}
        self.finish(json.dumps(fault))


class Said(web.HTTPError):
    """An error whose sentence is meant for the user."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, "%s", text)
        self.text = text
