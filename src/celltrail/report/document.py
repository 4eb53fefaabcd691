"""`Document`: a filled report, as Markdown, HTML and JSON."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from dataclasses import field as filled
from pathlib import Path
from typing import Any, Literal

from celltrail.errors import BadValue
from celltrail.model import Json

State = Literal["evidence", "note", "MISSING"]
_WRITERS = {".md": "markdown", ".html": "html", ".json": "json"}


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a report must say.

    Attributes:
        title: what it is about.
        state: whether it was recorded (evidence), somebody said it (note), or nobody has (MISSING).
        lines: what there is to say.
        source: where that stands in the run; of what is missing, how to supply it.
    """

    title: str
    state: State
    lines: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that belong together."""

    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Document:
    """A report on one run; a notebook shows it.

    Attributes:
        kind: model-card, audit, annex-iv or nist-rmf.
        name: of the run.
        run: its id.
        sections: what it says.
        index: of a model card the head that hubs of models read, with the results of each evaluation.
    """

    kind: str
    name: str
    run: str
    sections: tuple[Section, ...]
    index: dict[str, Json] = filled(default_factory=dict)

    @property
    def title(self) -> str:
        """Its heading."""
        return f"{self.kind.replace('-', ' ').capitalize()}: {self.name}"

    def __iter__(self) -> Iterator[Field]:
        return (field for section in self.sections for field in section.fields)

    def __getitem__(self, title: str) -> Field:
        return next(field for field in self if field.title == title)

    @property
    def missing(self) -> list[str]:
        """The fields that nobody has filled."""
        return [field.title for field in self if field.state == "MISSING"]

    def __repr__(self) -> str:
        return f"<{self.title} · {sum(1 for _ in self)} fields, {len(self.missing)} MISSING>"

    def _repr_html_(self) -> str:
        return self.html

    @property
    def json(self) -> str:
        """The same for programs: ``kind``, ``name``, ``run``, ``missing`` and the sections with their fields."""
        told = {"kind": self.kind, "name": self.name, "run": self.run, "missing": self.missing, **self.index}
        return json.dumps({**told, "sections": [asdict(each) for each in self.sections]}, ensure_ascii=False, indent=2)

    @property
    def markdown(self) -> str:
        """As Markdown; what was recorded stands in it as text, never as markup."""
        parts = [
            f"{_front_matter(self.index)}# {_plain(self.title)}",
            f"Run `{self.run}`. Each field is evidence, a note, or **MISSING**.",
        ]
        for section in self.sections:
            parts.append(f"## {_plain(section.title)}")
            for field in section.fields:
                head = f"**{_plain(field.title)}** ({field.state}: {_plain(field.source)})"
                parts.append("\n".join([head, "", *(f"- {_plain(line)}" for line in field.lines)]).rstrip())
        return "\n\n".join(parts) + "\n"

    @property
    def html(self) -> str:
        """As a piece of HTML without scripts or styles of its own."""
        parts = [f"<h1>{html.escape(self.title)}</h1>", f"<p>Run <code>{html.escape(self.run)}</code></p>"]
        for section in self.sections:
            parts.append(f"<h2>{html.escape(section.title)}</h2>")
            for field in section.fields:
                state = f"<strong>{field.state}</strong>" if field.state == "MISSING" else field.state
                source = f"<small>{state}: <code>{html.escape(field.source)}</code></small>"
                parts.append(f"<p><strong>{html.escape(field.title)}</strong> {source}</p>")
                if field.lines:  # no list of definitions: notebooks lay these out in columns that run into each other
                    parts.append(f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in field.lines)}</ul>")
        return "\n".join(parts)

    def write(self, path: str | Path) -> Path:
        """Write it to a new file, whose ending says as what: .md, .html or .json.

        Raises:
            BadValue: another ending, or the file is there already.
        """
        place = Path(path)
        form = _WRITERS.get(place.suffix)
        if form is None:
            raise BadValue(f"{place.name!r} ends in none of {', '.join(_WRITERS)}, which say how it is written")
        text: Any = getattr(self, form)
        try:
            with place.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise BadValue(f"{place.name} is there already; give the name of a new file") from None
        return place


def _front_matter(index: dict[str, Json]) -> str:
    """As the YAML that stands before a card; JSON is YAML, and needs no library to write."""
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in index.items()]
    return "\n".join(["---", *lines, "---", "", ""]) if lines else ""


def _plain(text: str) -> str:
    r"""Text that Markdown shows as it is.

    >>> _plain("a_b <c>\n# d")
    'a\\_b \\<c\\> # d'
    """
    return "".join(f"\\{each}" if each in "\\`*_[]<>|" else each for each in " ".join(text.split()))
