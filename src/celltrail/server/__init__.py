"""The server extension: the trails in reach over HTTP, mounted in Jupyter Server, with its login and its rights.

The labextension asks here what needs no kernel, panels beside a dead kernel too; notebooks that are saved through this
server heal (`celltrail.server.saving`). No port and no account of its own: ``celltrail view`` starts a Jupyter Server
that has nothing else (`celltrail.server.view`).
"""

from __future__ import annotations

from typing import Any


def extension_points() -> list[dict[str, Any]]:
    """What Jupyter Server asks an extension for."""
    from celltrail.server.view import View

    return [{"module": "celltrail.server", "app": View}]


_jupyter_server_extension_points = extension_points
