"""The routes: who may ask, what is asked, and the answer in the contract's shapes; the work is done on threads.

Reading asks Jupyter's Authorizer for ``read``, changing for ``write`` of the resource ``celltrail``.
"""

from __future__ import annotations

import asyncio
import json
import math
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from importlib.metadata import version
from typing import Any, TypeVar

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from celltrail import contract
from celltrail.errors import CelltrailError, NoRun, StoreError
from celltrail.server.answers import Answers
from celltrail.server.trails import Trails
from celltrail.store import Store

DEADLINE_S = 30.0
_THREADS = ThreadPoolExecutor(4, thread_name_prefix="celltrail-server")
_BYTES = "application/octet-stream"
# shown in the page; everything else is handed out as a file to keep
_INLINE = frozenset(
    [
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "image/svg+xml",
        "audio/wav",
        "audio/mpeg",
        "audio/ogg",
        "video/mp4",
        "video/webm",
        "text/plain",
    ]
)
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
            raise _Said(
                504, f"the trail did not answer within {DEADLINE_S:.0f} s; ask for less, or try again"
            ) from None
        except NoRun as error:
            raise _Said(404, str(error)) from error
        except StoreError as error:
            raise _Said(500, str(error)) from error
        except CelltrailError as error:
            raise _Said(400, str(error)) from error

    async def about(self, trail: str) -> Answers:
        """What answers for the trail of this id."""
        store = await self.on_thread(self.trails.store, trail)
        if store is None:
            raise _Said(404, "this server shows no trail of that id")
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
            raise _Said(400, f"{name} is {text[:40]!r}, which is no number") from None

    def whole(self, name: str, default: int) -> int:
        """An argument of the address as a whole number."""
        found = self.number(name, default)
        if not math.isfinite(found):
            raise _Said(400, f"{name} is {found}, which is no whole number")
        return int(found)

    def reply(self, answer: object) -> None:
        """An answer in JSON."""
        self.finish(json.dumps(answer, allow_nan=False))

    def frame(self, head: object, data: bytes) -> None:
        """JSON with bytes behind it.

        Little-endian: the length of the JSON as u32, the JSON, zeros up to a multiple of 8, then the bytes.
        """
        said = json.dumps(head, allow_nan=False).encode()
        body = struct.pack("<I", len(said)) + said + bytes(-(4 + len(said)) % 8) + data
        self.finish(body, set_content_type=_BYTES)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """A `Fault` with the sentence: ours, or the one that belongs to the status."""
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        text = error.text if isinstance(error, _Said) else f"celltrail could not answer ({self._reason})"
        fault: contract.Fault = {"kind": "fault", "reply_to": None, "text": text}
        self.finish(json.dumps(fault))


class _Said(web.HTTPError):
    """An error whose sentence is meant for the user."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, "%s", text)
        self.text = text


class HelloHandler(Handler):
    """``hello``: who this is, and the trails in reach."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The trails by id, never by path."""
        self.reply(await self.on_thread(self._hello))

    def _hello(self) -> contract.Hello:
        found = self.trails.all()
        trails: list[contract.Trail] = [
            {"id": trail_id, "name": trail.name, "folder": trail.folder, "live": answers_of(trail.store).live()}
            for trail_id, trail in found.items()
        ]
        return {"version": version("celltrail"), "contract": contract.VERSION, "trails": trails}


class RunsHandler(Handler):
    """``runs``: a page of rows."""

    @web.authenticated
    @authorized
    async def get(self, trail: str) -> None:
        """Arguments: q, sort, offset, limit."""
        answers = await self.about(trail)
        offset, limit = self.whole("offset", 0), self.whole("limit", 50)
        where, sort = self.get_query_argument("q", ""), self.words("sort")
        self.reply(await self.on_thread(answers.rows, where, sort, offset, limit))


class RunHandler(Handler):
    """``runs/<id>``: one run as its panel holds it."""

    @web.authenticated
    @authorized
    async def get(self, trail: str, run: str) -> None:
        """No arguments."""
        answers = await self.about(trail)
        self.reply(await self.on_thread(answers.run, run))


class CellsHandler(Handler):
    """``cells``: the newest run of each cell of a notebook."""

    @web.authenticated
    @authorized
    async def get(self, trail: str) -> None:
        """Arguments: notebook, relative to the folder of the trail."""
        answers = await self.about(trail)
        self.reply(await self.on_thread(answers.cells, self.get_query_argument("notebook", "")))


class CompareHandler(Handler):
    """``compare``: runs fact by fact."""

    @web.authenticated
    @authorized
    async def get(self, trail: str) -> None:
        """Arguments: runs."""
        answers = await self.about(trail)
        self.reply(await self.on_thread(answers.compare, self.words("runs")))


class DrawnHandler(Handler):
    """``drawn``: the curves of runs at rest."""

    @web.authenticated
    @authorized
    async def get(self, trail: str) -> None:
        """Arguments: runs."""
        answers = await self.about(trail)
        self.reply(await self.on_thread(answers.draw, self.words("runs")))


class SeriesHandler(Handler):
    """``series``: a stretch of curves, in binary."""

    @web.authenticated
    @authorized
    async def get(self, trail: str) -> None:
        """Arguments: runs, metric (may be repeated, none means all), x, lo, hi, width; `Points`, then float64."""
        answers = await self.about(trail)
        low, high = self.number("lo", -math.inf), self.number("hi", math.inf)
        names, x = self.get_query_arguments("metric", strip=False), self.get_query_argument("x", "step")
        width = self.whole("width", 1000)
        points, data = await self.on_thread(answers.series, self.words("runs"), names, x, low, high, width)
        self.frame(points, data)


class ItemHandler(Handler):
    """``item``: what a run kept beside numbers, one at a time, framed as ``series``."""

    @web.authenticated
    @authorized
    async def get(self, trail: str) -> None:
        """Arguments: run, number."""
        answers = await self.about(trail)
        number = self.whole("number", 0)
        self.frame(*await self.on_thread(answers.item, self.get_query_argument("run", ""), number))


class CompleteHandler(Handler):
    """``complete``: what may be written next in an expression."""

    @web.authenticated
    @authorized
    async def get(self, trail: str) -> None:
        """Arguments: q, cursor."""
        answers = await self.about(trail)
        where = self.get_query_argument("q", "", strip=False)
        self.reply(await self.on_thread(answers.complete, where, self.whole("cursor", len(where))))


class TextHandler(Handler):
    """``text``: runs as a table in text."""

    @web.authenticated
    @authorized
    async def get(self, trail: str) -> None:
        """Arguments: form, runs, columns."""
        answers = await self.about(trail)
        form = self.get_query_argument("form", "csv")
        self.reply(await self.on_thread(answers.text, form, self.words("runs"), self.get_query_arguments("column")))


class ViewsHandler(Handler):
    """``views``: the saved views."""

    @web.authenticated
    @authorized
    async def get(self, trail: str) -> None:
        """No arguments."""
        answers = await self.about(trail)
        self.reply(await self.on_thread(answers.views))


class BlobHandler(Handler):
    """``blobs/<digest>``: bytes that a run keeps, never as a page of this server."""

    @web.authenticated
    @authorized
    async def get(self, trail: str, digest: str) -> None:
        """Arguments: type, the media type that the run's record gives."""
        answers = await self.about(trail)
        if digest not in answers.store.blobs:
            raise _Said(404, "the trail has no blob of that digest")
        data = await self.on_thread(answers.store.blobs.get, digest)
        media = self.get_query_argument("type", "")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'")
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        if media not in _INLINE:
            media = _BYTES
            self.set_header("Content-Disposition", f'attachment; filename="{digest[:12]}"')
        self.finish(data, set_content_type=media)


class IntentsHandler(Handler):
    """``intents``: a change that somebody clicked."""

    @web.authenticated
    @authorized
    async def post(self, trail: str) -> None:
        """One of `contract.Asked`, answered by an `Answer`."""
        answers = await self.about(trail)
        try:
            intent = json.loads(self.request.body)
        except ValueError:
            raise _Said(400, "the body is no JSON") from None
        self.reply(await self.on_thread(answers.change, intent))


_TRAIL = r"trails/([0-9A-HJKMNP-TV-Z]{26})"
ROUTES: list[tuple[str, type[Handler]]] = [
    (r"hello", HelloHandler),
    (rf"{_TRAIL}/runs", RunsHandler),
    (rf"{_TRAIL}/runs/([0-9A-HJKMNP-TV-Z]{{26}})", RunHandler),
    (rf"{_TRAIL}/cells", CellsHandler),
    (rf"{_TRAIL}/compare", CompareHandler),
    (rf"{_TRAIL}/drawn", DrawnHandler),
    (rf"{_TRAIL}/series", SeriesHandler),
    (rf"{_TRAIL}/item", ItemHandler),
    (rf"{_TRAIL}/complete", CompleteHandler),
    (rf"{_TRAIL}/text", TextHandler),
    (rf"{_TRAIL}/views", ViewsHandler),
    (rf"{_TRAIL}/blobs/([0-9a-f]{{64}})", BlobHandler),
    (rf"{_TRAIL}/intents", IntentsHandler),
]
