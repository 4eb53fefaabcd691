"""The routes: who may ask, what is asked, and the answer in the contract's shapes; the work is done on threads.

Reading asks Jupyter's Authorizer for ``read``, changing for ``write`` of the resource ``celltrail``.
"""

from __future__ import annotations

import math
from importlib.metadata import version

from jupyter_server.auth.decorator import authorized
from tornado import web

from celltrail import contract
from celltrail.server.answers import newest
from celltrail.server.handling import BYTES, Handler, Said, answers_of

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


class HelloHandler(Handler):
    """``hello``: who this is, and the trails in reach."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The trails by id, never by path. Argument: near, a notebook whose trail may have just come to be."""
        self.reply(await self.on_thread(self._hello, self.get_query_argument("near", "")))

    def _hello(self, near: str) -> contract.Hello:
        found = self.trails.near(near) if near else self.trails.all()
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


class AllRunsHandler(Handler):
    """``runs``: the newest runs of several trails."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Arguments: q, limit, trails, by commas; none means all in reach."""
        named, where, limit = self.words("trails"), self.get_query_argument("q", ""), self.whole("limit", 50)
        found = await self.on_thread(self.trails.all)
        chosen = {trail_id: answers_of(found[trail_id].store) for trail_id in named or found if trail_id in found}
        self.reply(await self.on_thread(newest, chosen, where, limit))


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


class TableHandler(Handler):
    """``table``: the run table."""

    @web.authenticated
    @authorized
    async def get(self, trail: str) -> None:
        """Arguments: view, the name of a saved one."""
        answers = await self.about(trail)
        self.reply(await self.on_thread(answers.table, self.get_query_argument("view", "")))


class NewsHandler(Handler):
    """``news``: what has happened to the runs of a table."""

    @web.authenticated
    @authorized
    async def get(self, trail: str) -> None:
        """Arguments: view, since, the id of the newest run that is known, and runs, those that went on."""
        answers = await self.about(trail)
        view, since = self.get_query_argument("view", ""), self.get_query_argument("since", "")
        self.reply(await self.on_thread(answers.news, view, since, self.words("runs")))


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
            raise Said(404, "the trail has no blob of that digest")
        data = await self.on_thread(answers.store.blobs.get, digest)
        media = self.get_query_argument("type", "")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'")
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        if media not in _INLINE:
            media = BYTES
            self.set_header("Content-Disposition", f'attachment; filename="{digest[:12]}"')
        self.finish(data, set_content_type=media)


class QuestionsHandler(Handler):
    """``questions``: an intent that only asks; it may name more runs than an address has room for."""

    @web.authenticated
    @authorized(action="read")
    async def post(self, trail: str) -> None:
        """One of `contract.Question`, answered by an `Answer`. Arguments: view, whose table it is about."""
        answers = await self.about(trail)
        self.reply(await self.on_thread(answers.ask, self.intent(), self.get_query_argument("view", "")))


class IntentsHandler(Handler):
    """``intents``: a change that somebody clicked."""

    @web.authenticated
    @authorized
    async def post(self, trail: str) -> None:
        """One of `contract.Asked`, answered by an `Answer`."""
        answers = await self.about(trail)
        self.reply(await self.on_thread(answers.change, self.intent()))


_TRAIL = r"trails/([0-9A-HJKMNP-TV-Z]{26})"
ROUTES: list[tuple[str, type[Handler]]] = [
    (r"hello", HelloHandler),
    (r"runs", AllRunsHandler),
    (rf"{_TRAIL}/runs", RunsHandler),
    (rf"{_TRAIL}/runs/([0-9A-HJKMNP-TV-Z]{{26}})", RunHandler),
    (rf"{_TRAIL}/cells", CellsHandler),
    (rf"{_TRAIL}/compare", CompareHandler),
    (rf"{_TRAIL}/drawn", DrawnHandler),
    (rf"{_TRAIL}/series", SeriesHandler),
    (rf"{_TRAIL}/item", ItemHandler),
    (rf"{_TRAIL}/complete", CompleteHandler),
    (rf"{_TRAIL}/table", TableHandler),
    (rf"{_TRAIL}/news", NewsHandler),
    (rf"{_TRAIL}/questions", QuestionsHandler),
    (rf"{_TRAIL}/views", ViewsHandler),
    (rf"{_TRAIL}/blobs/([0-9a-f]{{64}})", BlobHandler),
    (rf"{_TRAIL}/intents", IntentsHandler),
]
