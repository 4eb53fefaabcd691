"""A notice about a cell, above its output: one line of HTML without scripts, and the same in plain text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from celltrail.run import Alerted

ALERT = "alert"  # in the metadata of the output, by which celltrail's extension knows it
MARKS = {"info": "★", "warn": "▲", "error": "✖"}
_SAID, _SKIPPED = "already ran", "not run again"  # what of such a notice is to catch the eye
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
        before = before.replace(_SAID, f"<b>{_SAID}</b>", 1).replace(_SKIPPED, f"<b>{_SKIPPED}</b>", 1)
        html = f'<p style="{_LINE}">{before}<code>{escape(link)}</code>{after}</p>'
    return {"text/plain": f"celltrail: {text}", "text/html": html}


def caption_bundle(text: str) -> dict[str, Any]:
    """How much a run has of what its project asks, to be shown below its cell."""
    return {"text/plain": f"celltrail: {text}", "text/html": f'<p style="{_QUIET}">{escape(text)}</p>'}


def alert_said(alert: Alerted) -> str:
    """An alert in one line."""
    at = "" if alert.step is None else f", step {alert.step:,}"
    return f"{alert.title}{f': {alert.text}' if alert.text else ''} ({alert.run.name}{at})"


def alert_bundle(alert: Alerted, *, is_last: bool) -> dict[str, Any]:
    """That something in a run is to be looked at.

    Args:
        alert: what.
        is_last: whether further ones of this run are not said here.
    """
    said, mark = alert_said(alert), MARKS[alert.level]
    more = f"; more of them: ct.run({alert.run.id!r}).alerts" if is_last else ""
    rest = said.removeprefix(alert.title) + more
    html = f'<p style="{_LINE}">{mark} <b>{escape(alert.title)}</b>{escape(rest)}</p>'
    return {"text/plain": f"celltrail: {mark} {said}{more}", "text/html": html}
