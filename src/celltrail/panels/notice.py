"""A notice about a cell, above its output: one line of HTML without scripts, and the same in plain text."""

from __future__ import annotations

from html import escape
from typing import Any

_LINE = "margin:0;padding:2px 0"
_QUIET = f"{_LINE};opacity:.65;font-size:90%"


def already_bundle(text: str, data: dict[str, Any]) -> dict[str, Any]:
    """That a run is an earlier one again, to be shown before its body runs.

    Args:
        text: the whole of it in one sentence.
        data: its parts, as the recorder gave them.
    """
    is_quiet = data["kind"] != "duplicate"
    if is_quiet:
        html = f'<p style="{_QUIET}">{escape(text)}</p>'
    else:
        link = f'ct.run("{data["run"]}")'
        before, _, after = escape(text).partition(escape(link))
        html = f'<p style="{_LINE}"><b>{escape(_head(data))}</b> {before}<code>{escape(link)}</code>{after}</p>'
    return {"text/plain": f"celltrail: {text}", "text/html": html}


def _head(data: dict[str, Any]) -> str:
    return "skipped" if data["skipped"] else "already ran"
