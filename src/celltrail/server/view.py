"""The page of runs, and the server of ``celltrail view``: a Jupyter Server with its login and this page, no kernels."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from jupyter_server.utils import url_path_join
from tornado import web
from traitlets import Bool, Unicode, default

from celltrail.capture.stale.holding import holds
from celltrail.query.standing import told_by
from celltrail.server.routes import ROUTES
from celltrail.server.saving import Saving
from celltrail.server.trails import Trails

SCRIPTS = ("view", "chart", "table", "compare", "detail", "media", "evaluation")
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Runs · celltrail</title>
<link rel="icon" href="data:,">
<script id="jupyter-config-data" type="application/json">{config}</script>
<script type="module" src="{script}"></script>
</head>
<body></body>
</html>
"""
# nothing but the scripts of this page, whatever a trail may hold
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; img-src data: blob:; "
    "media-src data: blob:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)


class PageHandler(JupyterHandler):
    """``view``: the runs as a page."""

    auth_resource = "celltrail"

    @property
    def content_security_policy(self) -> str:
        """Narrower than Jupyter's own."""
        return _POLICY

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """No arguments: what is open in the page stands behind the ``#`` of its address."""
        assert self.xsrf_token  # looked at, it becomes the cookie without which nothing can be changed
        config = json.dumps({"baseUrl": self.base_url}).replace("<", r"\u003c")
        script = escape(url_path_join(self.base_url, "celltrail", "view", "view.js"))
        self.finish(_PAGE.format(config=config, script=script))


class ScriptHandler(JupyterHandler):
    """``view/<name>.js``: the scripts of the page, the panels of notebooks among them."""

    auth_resource = "celltrail"

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        """One of them, by name."""
        script = files("celltrail").joinpath("static", f"{name}.js")
        if name not in SCRIPTS or not script.is_file():
            raise web.HTTPError(404)
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-cache")  # asked for again, and mostly answered by 304
        self.finish(script.read_bytes())


PAGES: list[tuple[str, type[JupyterHandler]]] = [(r"view", PageHandler), (r"view/([a-z]+)\.js", ScriptHandler)]


class NoFiles(AsyncLargeFileManager):
    """Jupyter's files, which this server shows nobody."""

    def get_extra_handlers(self) -> list[Any]:
        """Without those that hand out files."""
        return []


class Bare(ServerApp):
    """A Jupyter Server that starts no kernels and hands out no files."""

    default_services = ("api", "auth", "security", "shutdown")

    @default("contents_manager_class")
    def _no_files(self) -> type[NoFiles]:
        return NoFiles


class View(ExtensionApp):
    """The extension, in any Jupyter Server; launched by ``celltrail view`` it is the only one in its server."""

    name = "celltrail"
    extension_url = "/celltrail/view"
    load_other_extensions = False
    serverapp_class = Bare

    as_json = Bool(False, help="Tell the address as JSON.").tag(config=True)
    trail = Unicode("", help="The folder of the one trail that is shown; all in reach where it is empty.").tag(
        config=True
    )

    def initialize_handlers(self) -> None:
        """Mount the routes and the page, and the hook by which notebooks heal."""
        app: Any = self.serverapp
        only = Path(self.trail) if self.trail else None
        trails = app.web_app.settings["celltrail_trails"] = Trails(Path(app.root_dir).expanduser(), only)
        app.contents_manager.register_pre_save_hook(Saving(trails))
        told_by(holds)  # a panel says of a run whether it is stale
        self.handlers.extend((f"/celltrail/{path}", handler) for path, handler in [*ROUTES, *PAGES])


def launch(arguments: Sequence[str]) -> None:
    """Serve the page until it is ended by Ctrl-C, and tell its address.

    Args:
        arguments: options of Jupyter Server and of `View`, such as ``--port=8888`` and ``--View.trail=FOLDER``.
    """
    server = View.initialize_server(list(arguments))
    login = server.identity_provider
    token = f"?token={login.token}" if login.token and login.token_generated else ""
    address = url_path_join(server.connection_url, "celltrail", "view") + token
    login.token_generated = False  # Jupyter would tell of it too, in six lines
    is_json = server.starter_app.as_json
    sys.stdout.write(json.dumps({"address": address}) if is_json else f"the runs are at {address} until Ctrl-C")
    sys.stdout.write("\n")
    sys.stdout.flush()
    server.start()
