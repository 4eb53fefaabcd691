"""The server extension: the trails in reach over HTTP, mounted in Jupyter Server, with its login and its rights.

The labextension asks here what needs no kernel, panels beside a dead kernel too; notebooks that are saved through this
server heal (`celltrail.server.saving`). No port and no account of its own.
"""

from __future__ import annotations

from typing import Any


def extension_points() -> list[dict[str, str]]:
    """What Jupyter Server asks an extension for."""
    return [{"module": "celltrail.server"}]


def load(app: Any) -> None:
    """Mount the routes in a Jupyter Server that starts."""
    from pathlib import Path

    from jupyter_server.utils import url_path_join

    from celltrail.server.routes import ROUTES
    from celltrail.server.saving import Saving
    from celltrail.server.trails import Trails

    web = app.web_app
    trails = web.settings["celltrail_trails"] = Trails(Path(app.root_dir).expanduser())
    app.contents_manager.register_pre_save_hook(Saving(trails))
    base = web.settings["base_url"]
    web.add_handlers(".*$", [(url_path_join(base, "celltrail", path), handler) for path, handler in ROUTES])
    app.log.info("celltrail: the trails in reach are under %scelltrail/", base)


_load_jupyter_server_extension = load
_jupyter_server_extension_points = extension_points
