"""What the recorder has to say; whoever shows things decides how."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that whoever shows things should know.

    ``run``: a run began. ``problem``: celltrail itself had one. ``already``: the run is an earlier one again; its
    ``data`` has the parts of the text. ``stale``: what a run read was changed since; without text it is fresh again.
    ``complete``: a run that is over lacks something that its project asks; ``is_new`` where nothing was said so far.
    ``state``: a run starts from objects that another run changed.
    """

    kind: Literal["run", "problem", "already", "stale", "complete", "state"]
    level: Literal["info", "warning"]
    text: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def placeless(text: str) -> str:
    """The text without the folders of this machine: it may end up in a notebook that travels.

    >>> placeless("in /home/ada/lib/model.py, line 3")
    'in model.py, line 3'
    """
    return re.sub(r"(?<![\w.])(?:/[\w.@+-]+)+/(?=[\w.@+-])", "", text)
