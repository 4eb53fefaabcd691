"""Script-free HTML of tables: what a saved notebook shows where nothing of celltrail is installed.

Styles are inline and quiet because the host's sanitizer drops ``<style>``; colours are left to the host.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from celltrail.contract import (
    CommentShown,
    Comparison,
    Detail,
    Difference,
    Flag,
    Kept,
    Mark,
    MediaShown,
    RunRow,
    RunState,
    Scalar,
    Section,
)
from celltrail.query import picture
from celltrail.query.plain import MARKS, length, moment, shown

MOST_ROWS, MOST_COLUMNS = 50, 14

_CELL = "padding:2px 10px;white-space:nowrap"
_LEFT, _RIGHT = f"{_CELL};text-align:left", f"{_CELL};text-align:right;font-variant-numeric:tabular-nums"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[bool]) -> str:
    """A plain table; columns that are ``numeric`` are set to the right."""

    def cells(values: Sequence[str], tag: str) -> str:
        return "".join(
            f'<{tag} style="{_RIGHT if right else _LEFT}">{escape(value)}</{tag}>'
            for value, right in zip(values, numeric, strict=True)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    top = f"<thead><tr>{cells(head, 'th')}</tr></thead>"
    return f'<table style="border-collapse:collapse">{top}<tbody>{body}</tbody></table>'


def line(text: str) -> str:
    """A sentence that stands above something."""
    return f'<p style="margin:0;padding:2px 0"><b>{escape(text)}</b></p>'


def short(text: str, limit: int = 40) -> str:
    """The text in one line of at most ``limit`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def status(word: str) -> str:
    """A status by shape and word."""
    return f"{MARKS.get(word, '')} {word}".strip()


def _fact(value: Scalar) -> str:
    return short(shown(value))


def rows_table(rows: Sequence[RunRow], omitted: int = 0, hints: Sequence[str] = ()) -> str:
    """Runs as a table: best of each metric, parameters, last values, duration; below it what else is to be said."""
    said = "".join(f"<p>{escape(hint)}</p>" for hint in hints)
    if not rows:
        return said or "<p>no runs yet; put %%track on a cell</p>"
    params = list(dict.fromkeys(name for row in rows for name in row["params"]))[:MOST_COLUMNS]
    metrics = list(dict.fromkeys(name for row in rows for name in row["metrics"]))[:MOST_COLUMNS]
    head = ["status", "run", *(f"best {m}" for m in metrics if _directed(rows, m)), *params, *metrics, "duration"]
    numeric = [False, False] + [True] * (len(head) - 2)
    lines = []
    for row in rows[:MOST_ROWS]:
        values = [row["metrics"].get(name) for name in metrics]
        bests = [row["metrics"].get(name) for name in metrics if _directed(rows, name)]
        lines.append(
            [
                status(row["status"]),
                short(row["name"]),
                *(shown(value["best"]) if value else "" for value in bests),
                *(_fact(row["params"][name]["value"]) if name in row["params"] else "" for name in params),
                *(shown(value["last"]) if value else "" for value in values),
                length(row["duration"]),
            ]
        )
    more = omitted + max(0, len(rows) - MOST_ROWS)
    return table(head, lines, numeric) + (f"<p>and {more} more runs</p>" if more else "") + said


def _directed(rows: Sequence[RunRow], metric: str) -> bool:
    return any(row["metrics"].get(metric, {}).get("goal", "none") != "none" for row in rows)


def states_table(states: Sequence[RunState], omitted: int = 0, most: int = MOST_ROWS) -> str:
    """What a chart's legend says at the end: last value of each metric of each run, of the first ``most``."""
    metrics = list(dict.fromkeys(name for state in states for name in state["last"]))[:MOST_COLUMNS]
    head = ["status", "run", "step", *metrics, "duration"]
    lines = [
        [
            status(state["status"]),
            short(state["name"]),
            shown(state["step"]),
            *(shown(state["last"].get(name)) for name in metrics),
            length(state["seconds"]),
        ]
        for state in states[:most]
    ]
    errors = "".join(
        f"<p>{escape(short(state['name']))}: {escape(short(state['error'], 200))}</p>"
        for state in states[:most]
        if state["error"]
    )
    more = f"<p>and {len(states) - most} more runs</p>" if len(states) > most else ""
    more += f"<p>and {omitted} more series</p>" if omitted else ""
    return table(head, lines, [False, False] + [True] * (len(head) - 2)) + errors + more


def marks_list(marks: Sequence[Mark | Flag]) -> str:
    """The notes on points and the alerts, one a line."""
    lines = (
        " · ".join(part for part in (mark["metric"], _at(mark["step"]), short(mark["text"], 200)) if part)
        for mark in marks
    )
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def media_table(media: MediaShown) -> str:
    """What runs kept beside numbers, and those of it that stand in the file."""
    kept = {(one["run"], one["number"]): one for one in media["kept"]}
    parts: list[str] = []
    for item in media["items"]:
        if one := kept.get((item["run"], item["number"])):
            told = " · ".join(filter(None, (item["key"], media["runs"].get(item["run"]), _at(item["step"]))))
            body = _kept_html(told, one)
            if body:
                parts.append(f'<figure style="margin:0 0 8px"><figcaption>{escape(told)}</figcaption>{body}</figure>')
    count = len(media["items"]) + media["omitted"]
    keys = ", ".join(dict.fromkeys(item["key"] for item in media["items"]))
    names = ", ".join(media["runs"].values())
    return f"<p>{count} items ({escape(short(keys, 200))}) of {escape(short(names, 200))}</p>{''.join(parts)}"


def _kept_html(told: str, kept: Kept) -> str:
    content = kept["content"]
    if content["media"].startswith("image/"):
        return f'<img src="data:{content["media"]};base64,{kept["data"]}" alt="{escape(told)}">'
    if content["text"] is not None:
        return f'<pre style="white-space:pre-wrap">{escape(content["text"])}</pre>'
    if content["edges"]:
        return picture.bars(told, np.asarray(content["counts"]), content["edges"])
    if content["heads"]:
        rows = content["rows"]
        lines = [["" if value is None else short(shown(value), 80) for value in row] for row in rows]
        numeric = [isinstance(value, int | float) for value in rows[0]] if rows else [False] * len(content["heads"])
        more = f"<p>and {content['more']} more rows</p>" if content["more"] else ""
        return table(content["heads"], lines, numeric) + more
    return ""


def _at(step: float | None) -> str:
    return "" if step is None else f"step {shown(step)}"


def detail_tables(detail: Detail) -> str:
    """Everything of one run: its tables, its code, what it showed as text."""
    run = detail["run"]
    parts = [f"<p><b>{escape(short(run['name'], 80))}</b> {escape(status(run['status']))}</p>"]
    for section in detail["sections"]:
        lines = [[short(shown(value), 80) for value in row] for row in section["rows"][:MOST_ROWS]]
        left = section["more"] + len(section["rows"][MOST_ROWS:])
        parts.append(f"<p>{escape(section['title'])}</p>" + table(section["heads"], lines, _numeric(section)))
        parts.append(f"<p>and {left} more</p>" if left else "")
    parts += [f"<p>{escape(_said(comment))}</p>" for comment in detail["comments"]]
    texts = [detail["code"], *(piece["data"] for piece in detail["outputs"] if piece["media"] == "text/plain")]
    parts += [f'<pre style="padding:2px 10px">{escape(text[:4000])}</pre>' for text in texts if text]
    return "".join(parts)


def _said(comment: CommentShown) -> str:
    return f"{moment(comment['time'])} {comment['by'] or 'somebody'}: {comment['text']}"


def _numeric(section: Section) -> list[bool]:
    columns = zip(*section["rows"], strict=True)
    return [any(isinstance(v, int | float) for v in column) for column in columns] or [False] * len(section["heads"])


def _compared(fact: Difference, at: int) -> str:
    """A value of a run, where it lies, and what can be said of it against the first."""
    verdict, value = fact["verdicts"][at] if fact["verdicts"] else None, fact["values"][at]
    is_seconds = fact["name"] == "duration"
    words = [length(value) if is_seconds and isinstance(value, int | float) else short(shown(value))]
    return " · ".join(filter(None, [*words, *([verdict["around"], verdict["text"]] if verdict else [])]))


def comparison_tables(comparison: Comparison) -> str:
    """What differs between runs, section by section, and the code as a diff."""
    names = [short(row["name"], 24) for row in comparison["runs"]]
    sections: list[tuple[str, list[Difference]]] = [
        ("facts", comparison["facts"]),
        ("params", comparison["params"]),
        ("data", comparison["data"]),
        ("metrics", comparison["metrics"]),
        ("environment", comparison["environment"]),
    ]
    changed = "".join(f"<li>{escape(said)}</li>" for said in comparison["changed"][:MOST_ROWS])
    parts = [f"{line('what changed')}<ol>{changed}</ol>"] if changed else []
    for title, facts in sections:
        differing = [fact for fact in facts if fact["differs"]]
        if differing:
            lines = [
                [fact["name"], *(_compared(fact, at) for at in range(len(names)))] for fact in differing[:MOST_ROWS]
            ]
            parts.append(table([title, *names], lines, [False] + [True] * len(names)))
    for code in comparison["code"]:
        if any(line["mark"] != " " for line in code["lines"]):
            text = "\n".join(f"{line['mark']} {line['text']}" for line in code["lines"])
            parts.append(f'<pre style="padding:2px 10px">{escape(text[:8000])}</pre>')
    return "".join(parts) or "<p>These runs do not differ in anything that was recorded.</p>"
