"""Results: kept as JSON samples, shown as Markdown. The README's table is what `compact` prints of the kept ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import floors
from contestants import CONTESTANTS
from rows import append, kill, memory, one_metric, processes, reading, runs, size, starting, thinning, values
from tables import markdown, median, write_between

ROWS: dict[str, Any] = {
    "append": append,
    "kill": kill,
    "processes": processes,
    "starting": starting,
    "size": size,
    "memory": memory,
    "values": values,
    "reading": reading,
    "thinning": thinning,
    "runs": runs,
    "one_metric": one_metric,
}
OPENING, CLOSING = "<!-- benchmark:store -->", "<!-- /benchmark -->"


def load(path: Path) -> dict[str, Any]:
    """Kept results; none where there is no file."""
    return json.loads(path.read_text()) if path.exists() else {"rows": {}, "versions": {}, "not_installed": {}}


def save(path: Path, made: dict[str, Any]) -> dict[str, Any]:
    """Put what was measured now over what was kept of the same row and contestant; all that is kept now."""
    kept = load(path)
    for part in ("versions", "not_installed"):
        kept[part] |= made[part]
    for name, row in made["rows"].items():
        before = kept["rows"].get(name, {"samples": {}})
        kept["rows"][name] = row | {"samples": before["samples"] | row["samples"]}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    return kept


def page(made: dict[str, Any]) -> str:
    """Every row with all its columns."""
    figures = {name: _figures(name, row) for name, row in made["rows"].items() if not row.get("quick")}
    reached = floors.table(figures)
    return "\n\n".join([*(_table(name, made) for name in ROWS if name in made["rows"]), reached, _told(made)])


def compact(made: dict[str, Any]) -> str:
    """The table of the README: a line per headline, a column per contestant."""
    names = [
        name
        for name, contestant in CONTESTANTS.items()
        if not contestant.rows and any(name in row["samples"] for row in made["rows"].values())
    ]
    lines = []
    for row_name, row in ROWS.items():
        if row_name not in made["rows"]:
            continue
        figures = _figures(row_name, made["rows"][row_name])
        for column in row.HEADLINES:
            cells = [column.cell(figures[name]) if name in figures else "-" for name in names]
            lines.append(
                [column.words, *(f"**{c}**" if n == "celltrail" else c for n, c in zip(names, cells, strict=True))]
            )
    head = ["", *(f"**{_label(n, made)}**" if n == "celltrail" else _label(n, made) for n in names)]
    return f"{markdown(head, lines)}\n\n{_told(made)}"


def write_block(readme: Path, made: dict[str, Any]) -> None:
    """Put the compact table into its place."""
    write_between(readme, OPENING, CLOSING, compact(made))


def _table(row_name: str, made: dict[str, Any]) -> str:
    row = ROWS[row_name]
    figures = _figures(row_name, made["rows"][row_name])
    lines = [[_label(name, made), *(column.cell(own) for column in row.COLUMNS)] for name, own in figures.items()]
    head = ["", *(column.words for column in row.COLUMNS)]
    return f"### {row.TITLE}\n\n{row.NOTE}\n\n{markdown(head, lines)}"


def _figures(row_name: str, row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    samples = row["samples"]
    figures = {name: median(samples[name]) for name in CONTESTANTS if samples.get(name)}
    baseline = {key: value for key, value in figures.get(ROWS[row_name].BASELINE, {}).items() if key != "yard"}
    for own in figures.values():
        if set(own.get("yard", {})) <= {"failed_because"}:  # measured in rounds of which the yardstick is not kept
            own["yard"] = baseline
    return figures


def _label(name: str, made: dict[str, Any]) -> str:
    version = ".".join(made["versions"].get(name, "").split(".")[:2])
    return f"{CONTESTANTS[name].label} {version}".strip()


def _told(made: dict[str, Any]) -> str:
    """Where the figures come from, and who could not take part."""
    machines = [row["machine"] for row in made["rows"].values()]
    if not machines:
        return ""
    dates = sorted({machine["date"] for machine in machines})
    first = machines[-1]
    text = f"{first['cores']} shared cores, {first['system']}, Python {first['python']}, {' and '.join(dates)}."
    set_up = [f"{c.label}: {c.how}" for c in CONTESTANTS.values() if c.name in made["versions"]]
    missing = [
        f"{CONTESTANTS[name].label} could not be installed: {why}." for name, why in made["not_installed"].items()
    ]
    small = [f"{ROWS[name].TITLE!r}" for name, row in made["rows"].items() if row.get("quick")]
    quick = (
        [f"Measured in the quick form, with smaller numbers than their titles say: {', '.join(small)}."]
        if small
        else []
    )
    return " ".join([text, f"{'; '.join(set_up)}.", *quick, *missing, *_failures(made)])


def _failures(made: dict[str, Any]) -> list[str]:
    """Who could not do what, and in which words its tracker or its process said so."""
    return [
        f"{_label(name, made)} failed at {row!r}: {sample['failed_because']}."
        for row, kept in made["rows"].items()
        for name, samples in kept["samples"].items()
        for sample in samples
        if "failed_because" in sample
    ]
