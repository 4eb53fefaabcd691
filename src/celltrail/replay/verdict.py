"""`Replay`: what came of executing a run again, to read and to look at."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from html import escape

from celltrail.model import Json
from celltrail.query.row import real
from celltrail.replay.foreseen import Reason
from celltrail.replay.judging import SeriesVerdict, Verdict
from celltrail.replay.slices import Mode, Slice
from celltrail.store.files.telling import counted

_SENTENCE = {
    "reproduced": "reproduced: every point is identical",
    "within-tolerance": "within tolerance",
    "drifted": "drifted",
    "cannot-run": "cannot be run",
}
_COLOUR = {"reproduced": "#1a7f37", "within-tolerance": "#9a6700", "drifted": "#cf222e", "cannot-run": "#cf222e"}
_MODES = {"minimal": "those it depends on", "full": "all that ran before it, too"}
_MOST_SHOWN = 12


@dataclass(frozen=True, slots=True)
class First:
    """Where the replay first went another way."""

    execution: str
    metric: str | None
    step: int | None
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True)
class Replay:
    """A run executed again, and judged.

    ``verdict`` is reproduced, within-tolerance, drifted or cannot-run; ``reason`` says which kind of obstacle;
    ``first`` is where it first went another way, ``causes`` what would explain it.
    """

    run: str
    name: str
    mode: Mode
    plan: Slice
    isolated: bool = False  # in an environment built from its record
    verdict: Verdict | str = ""
    reason: Reason | None = None
    first: First | None = None
    causes: list[str] = field(default_factory=list)
    series: list[SeriesVerdict] = field(default_factory=list)
    measured: list[str] = field(default_factory=list)  # metrics that no replay can give again, and none is asked to
    outputs_same: bool | None = None
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0  # all of it
    cells_s: float = 0.0  # the cells alone

    def __bool__(self) -> bool:
        """Whether the run stands."""
        return self.verdict in ("reproduced", "within-tolerance")

    @property
    def headline(self) -> str:
        """The verdict in one line."""
        told = _SENTENCE.get(self.verdict, self.verdict)
        if self.verdict == "reproduced" and not self.series:
            told = "reproduced: the values it left and what it printed are identical"
        if self.verdict == "within-tolerance":
            told += f": largest relative difference {max(each.max_rel for each in self.series):.2g}"
        if self.verdict == "drifted" and self.first is not None:
            told += f", first here: {self.first}"
        if self.verdict == "cannot-run":
            told += f" ({self.reason})"
        return told

    def kept(self, at_us: int) -> dict[str, Json]:
        """What of it stays on the run."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "text": self.headline,
            "facts": self._facts()[:_MOST_SHOWN],
            "at": at_us,
            "mode": self.mode,
            "isolated": self.isolated,
            "executions": len(self.plan),
            "first": str(self.first) if self.first is not None else "",
            "causes": self.causes[:8],
            "measured": self.measured[:_MOST_SHOWN],
            "points": sum(each.n for each in self.series),
            "differing": sum(each.n_diff for each in self.series),
            "seconds": round(self.seconds, 3),
        }

    def payload(self) -> dict[str, Json]:
        """As JSON: what stays on the run, and every series."""
        series = [{**asdict(each), **{name: real(getattr(each, name)) for name in ("max_rel", "recorded", "replayed")}}
                  for each in self.series]  # fmt: skip
        kept = {name: value for name, value in self.kept(0).items() if name != "at"}
        return {
            "run": self.run,
            **kept,
            "causes": self.causes,
            "measured": self.measured,
            "notes": self.notes,
            "series": series,
        }

    @property
    def _over_causes(self) -> str:
        if self.verdict == "cannot-run":
            return "because"
        return "seen on the way" if self else "may explain it"

    def _facts(self) -> list[str]:
        points = sum(each.n for each in self.series)
        differing = sum(each.n_diff for each in self.series)
        ran = counted(len(self.plan), "execution")
        lines = [f"{ran} ({_MODES[self.mode]}) in {self.seconds:.1f} s, {self.cells_s:.1f} s of it in the cells"]
        if not self.cells_s and self.verdict == "cannot-run":
            lines = [f"none of its {len(self.plan)} executions was run"]
        if points:
            lines.append(f"{points - differing:,} of {points:,} points in {len(self.series)} series identical")
        if self.measured:
            shown = ", ".join(self.measured[:_MOST_SHOWN])
            more = f" and {left:,} more" if (left := len(self.measured) - _MOST_SHOWN) > 0 else ""
            lines.append(f"not compared, because measured rather than computed: {shown}{more}")
        if self.outputs_same is False:
            lines.append("what it printed differs")
        return [*lines, *self.notes]

    def __str__(self) -> str:
        lines = [f"replay of run {self.name!r}: {self.headline}", *(f"  {line}" for line in self._facts())]
        if self.causes:
            lines.append(f"  {self._over_causes}:")
            lines += [f"    - {cause}" for cause in self.causes]
        for each in [each for each in self.series if each.n_diff][:_MOST_SHOWN]:
            lines.append(
                f"  {each.name}: {each.n_diff} of {each.n} points differ, at most by {each.max_rel:.2g} of the value"
            )
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """As a panel of its own, in the colours of the notebook."""
        colour = _COLOUR.get(self.verdict, "inherit")
        rows = "".join(
            f"<tr><td style='text-align:left'>{escape(each.name)}</td><td>{each.n - each.n_diff:,} of {each.n:,}</td>"
            f"<td>{f'{each.max_rel:.2g}' if each.n_diff else ''}</td>"
            f"<td>{'' if each.first_step is None or not each.n_diff else f'{each.first_step:,}'}</td></tr>"
            for each in self.series[:_MOST_SHOWN]
        )
        table = (
            "<table style='margin:.5em 0;color:inherit'><thead><tr><th style='text-align:left'>metric</th>"
            "<th>identical</th><th>largest difference</th><th>first at step</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
            if rows else ""
        )  # fmt: skip
        causes = "".join(f"<li>{escape(cause)}</li>" for cause in self.causes)
        listed = (
            f"<p style='margin:.4em 0 0'>{self._over_causes}</p><ul style='margin:.2em 0'>{causes}</ul>"
            if causes
            else ""
        )
        facts = "".join(f"<div style='opacity:.75'>{escape(line)}</div>" for line in self._facts())
        return (
            f"<div role='status' style='border-left:3px solid {colour};padding:.2em .8em'>"
            f"<div><b>replay of {escape(self.name)}</b>: {escape(self.headline)}</div>{facts}{table}{listed}</div>"
        )
