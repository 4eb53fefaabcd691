"""Saved views, alert rules and templates: what people keep under a name, for all who use the trail."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from celltrail.errors import BadValue, NoRun, nearest
from celltrail.model import LEVELS, Json, Level
from celltrail.store.docs.choices import Choices
from celltrail.store.docs.fields import normal_name
from celltrail.store.files.encoding import encode

MOST_CHARACTERS = 4_000  # what the query language reads

MOST_NEEDS = 40

_Kind = TypeVar("_Kind", "View", "Rule", "Template")


@dataclass(frozen=True, slots=True)
class View:
    """A question about runs, with how its answer is shown."""

    name: str
    where: str = ""
    sort: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None  # None: those that tell the runs apart
    limit: int | None = None
    look: Mapping[str, Json] = dataclasses.field(default_factory=dict)  # how a table shows it: groups, widths ...


@dataclass(frozen=True, slots=True)
class Rule:
    """A watch over points: what to look for, and what to do when it is seen."""

    name: str
    rule: str  # such as "val/loss > 2"
    title: str = ""
    stop: bool = False  # end the run
    where: str = ""  # of which runs; "" is all
    level: Level | None = None  # None: by what the rule is about
    times: int = 1  # points in a row before it fires
    until: str = ""  # what must come true before it fires again; "" is a stretch of calm
    webhook: str = ""  # a name that its user has listed


@dataclass(frozen=True, slots=True)
class Template:
    """What every run of a project must have."""

    name: str  # of the project
    needs: tuple[str, ...] = ()  # words and expressions


class _Named(Mapping[str, _Kind], Generic[_Kind]):
    """Things of one kind by name; a mapping to read, `delete` to take one back."""

    _kind: type[_Kind]
    _what: str

    def __init__(self, trail: Path) -> None:
        self._choices = Choices(trail, f"{self._what}s")

    def __getitem__(self, name: str) -> _Kind:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.list())) or f"no {self._what}s yet"

    def list(self) -> list[_Kind]:
        """All of them, by name."""
        return list(self._all().values())

    def find(self, name: str) -> _Kind:
        """The one of this name; `NoRun` names the nearest where there is none."""
        found = self._all()
        if name not in found:
            known = nearest(str(name), found) or f"; there are {', '.join(found)}" if found else "; there are none yet"
            raise NoRun(f"no {self._what} {name!r}{known}")
        return found[name]

    def delete(self, name: str) -> None:
        """Take one back; `NoRun` where there is none of this name."""
        self._choices.put(self.find(name).name, None)

    def _keep(self, made: _Kind) -> _Kind:
        fields = dataclasses.asdict(made)
        del fields["name"]
        self._choices.put(made.name, fields)
        return made

    def _all(self) -> dict[str, _Kind]:
        """What can be read of them; a later celltrail may keep other fields, which are passed over."""
        found: dict[str, _Kind] = {}
        known = {field.name for field in dataclasses.fields(self._kind)} - {"name"}
        for name, fields in self._choices.values().items():
            try:
                taken = {field: value for field, value in fields.items() if field in known}
                found[name] = self._made(normal_name(name), taken)
            except (BadValue, TypeError, ValueError, AttributeError):
                continue
        return found

    def _made(self, name: str, fields: Mapping[str, Any]) -> _Kind:
        raise NotImplementedError


class Views(_Named[View]):
    """The saved views of one trail."""

    _kind, _what = View, "view"

    def save(
        self,
        name: str,
        where: str = "",
        sort: Sequence[str] = (),
        columns: Sequence[str] | None = None,
        limit: int | None = None,
        look: Mapping[str, Json] | None = None,
    ) -> View:
        """Give a question a name; one of this name is replaced.

        Args:
            name: how to ask for it.
            where: which runs, in the query language.
            sort: the keys, as `RunSet.sort` takes them.
            columns: the columns to show.
            limit: at most so many runs, after sorting.
            look: how a table shows it, as the run table keeps it: groups, pinned columns, widths, baseline.
        """
        fields = {"where": where, "sort": sort, "columns": columns, "limit": limit, "look": look or {}}
        return self._keep(self._made(normal_name(name, "name of a view"), fields))

    def _made(self, name: str, fields: Mapping[str, Any]) -> View:
        limit, columns = fields.get("limit"), fields.get("columns")
        if limit is not None and (type(limit) is not int or limit < 1):
            raise BadValue(f"limit {limit!r} is no number of runs; give 1 or more, or None for all")
        look = fields.get("look", {})
        if not isinstance(look, dict) or len(encode(look)) > MOST_CHARACTERS:
            raise BadValue(f"look is a dict of at most {MOST_CHARACTERS:,} characters, not {str(look)[:60]!r}")
        sort = _texts("sort", fields.get("sort", ()))
        where = _text("where", fields.get("where", ""))
        return View(name, where, sort, None if columns is None else _texts("columns", columns), limit, look)


class Rules(_Named[Rule]):
    """The alert rules of one trail."""

    _kind, _what = Rule, "rule"

    def save(
        self,
        name: str,
        rule: str,
        *,
        title: str = "",
        stop: bool = False,
        where: str = "",
        level: Level | None = None,
        times: int = 1,
        until: str = "",
        webhook: str = "",
    ) -> Rule:
        """Keep a rule under a name; one of this name is replaced.

        Args:
            name: what it is called.
            rule: what to look for, such as ``"val/loss > 2"``.
            title: what an alert of it says.
            stop: whether the run is ended then.
            where: of which runs, in the query language.
            level: "info", "warn" or "error"; by what the rule is about when left out.
            times: so many points in a row before it fires.
            until: what must come true before it fires again.
            webhook: the name of an address to tell, which each user lists for themselves.
        """
        fields = {
            "rule": rule, "title": title, "stop": stop, "where": where, "level": level, "times": times,
            "until": until, "webhook": webhook,
        }  # fmt: skip
        return self._keep(self._made(normal_name(name, "name of a rule"), fields))

    def _made(self, name: str, fields: Mapping[str, Any]) -> Rule:
        rule, title, where, until, webhook = (
            _text(field, fields.get(field, "")) for field in ("rule", "title", "where", "until", "webhook")
        )
        stop, level, times = fields.get("stop", False), fields.get("level"), fields.get("times", 1)
        if not rule.strip():
            raise BadValue("a rule says what to look for, as in 'val/loss > 2', not ''")
        if not isinstance(stop, bool):
            raise BadValue(f"stop takes True or False, not {stop!r}")
        if level is not None and level not in LEVELS:
            raise BadValue(f"level {level!r} is not one of {', '.join(map(repr, LEVELS))}")
        if type(times) is not int or times < 1:
            raise BadValue(f"times={times!r} is no number of points in a row; give 1 or more")
        return Rule(name, rule, title, stop, where, level, times, until, webhook)


class Templates(_Named[Template]):
    """What runs of each project must have, by project."""

    _kind, _what = Template, "template"

    def save(self, project: str, needs: Sequence[str]) -> Template:
        """Say what every run of a project must have; what was asked of them so far is replaced.

        Args:
            project: the project.
            needs: words and expressions, as `celltrail.template` takes them.
        """
        return self._keep(self._made(normal_name(project, "name of a project"), {"needs": needs}))

    def _made(self, name: str, fields: Mapping[str, Any]) -> Template:
        needs = tuple(dict.fromkeys(need.strip() for need in _texts("needs", fields.get("needs", ()))))
        if not 0 < len(needs) <= MOST_NEEDS or not all(needs):
            raise BadValue(f"a template asks for 1 to {MOST_NEEDS} things, each of some text, not {list(needs)[:3]!r}")
        return Template(name, needs)


def _text(what: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > MOST_CHARACTERS:
        shown = value if not isinstance(value, str) else f"{value[:40]}... of {len(value):,} characters"
        raise BadValue(f"{what} is text of at most {MOST_CHARACTERS:,} characters, not {shown!r}")
    return value


def _texts(what: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (_text(what, value),)
    try:
        return tuple(_text(what, each) for each in value)
    except TypeError:
        raise BadValue(f"{what} is a list of texts, not {value!r}") from None
