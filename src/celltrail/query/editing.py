"""The verbs by which people change what is said of a run, or of every run of a set at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

from celltrail.errors import BadValue
from celltrail.model import Json, new_id
from celltrail.store.docs.actors import person_name

_Answer = TypeVar("_Answer")


class Edits(Generic[_Answer]):
    """The edits that people can make to runs. What a run recorded stays as it is, and every edit can be undone."""

    def _edit(self, changes: Mapping[str, Json]) -> _Answer:
        raise NotImplementedError

    def rename(self, name: str) -> _Answer:
        """Give it a new name; names need not be unique.

        >>> import celltrail as ct
        >>> with ct.start("a"): pass
        >>> ct.run("a").rename("the one to beat").name
        'the one to beat'
        """
        return self._edit({"name": name})

    def tag(self, *tags: str | Iterable[str]) -> _Answer:
        """Add tags.

        >>> import celltrail as ct
        >>> with ct.start("a"): pass
        >>> sorted(ct.run("a").tag("paper", "best").tags)
        ['best', 'paper']
        """
        return self._edit({f"tag:{tag}": True for tag in _flat(tags)})

    def untag(self, *tags: str | Iterable[str]) -> _Answer:
        """Remove tags; one it does not have is no error."""
        return self._edit({f"tag:{tag}": False for tag in _flat(tags)})

    def note(self, text: str, *, metric: str | None = None, step: int | None = None) -> _Answer:
        """Add a note in plain text, to the whole run or to a place in it.

        Args:
            text: the note.
            metric: the metric it is about.
            step: the step it is about.

        >>> import celltrail as ct
        >>> with ct.start("a"): pass
        >>> ct.run("a").note("try a smaller step").notes
        ['try a smaller step']
        """
        if not isinstance(text, str) or not text.strip():
            raise BadValue(f"a note has some text, not {text!r}")
        if metric is None and step is None:
            return self._edit({f"note:{new_id()}": text})
        return self._edit({f"mark:{new_id()}": {"text": text, "metric": metric, "step": step}})

    def comment(self, text: str) -> _Answer:
        """Add a comment for whoever reads it; it is kept with who made it and when.

        Args:
            text: the comment, in plain text.
        """
        return self._edit(commented(text))

    def star(self) -> _Answer:
        """Mark it as worth coming back to."""
        return self._edit({"starred": True})

    def unstar(self) -> _Answer:
        """Remove the star."""
        return self._edit({"starred": False})

    def rate(self, rating: float | None) -> _Answer:
        """Rate it with a number of your own; None removes it.

        >>> import celltrail as ct
        >>> with ct.start("a"): pass
        >>> ct.run("a").rate(4).rating
        4
        """
        return self._edit({"rating": _bare(rating)})

    def move(self, folder: str | None) -> _Answer:
        """Put it into a folder, such as ``"vision/resnet"``; None removes it. Folders are only names."""
        return self._edit({"folder": folder})

    def regroup(self, group: str | None) -> _Answer:
        """Put it into a group; None means the one it was started in."""
        return self._edit({"group": group})

    def archive(self) -> _Answer:
        """Put it out of sight: only a question that names ``archived`` finds it.

        >>> import celltrail as ct
        >>> with ct.start("a"): pass
        >>> ct.runs("name == 'a'").archive(), len(ct.runs()), len(ct.runs("archived"))
        (1, 0, 1)
        """
        return self._edit({"archived": True})

    def unarchive(self) -> _Answer:
        """Bring it back into sight."""
        return self._edit({"archived": False})

    def delete(self) -> _Answer:
        """Hide it until the next ``celltrail gc`` moves it to the trash; until then `undelete` brings it back."""
        return self._edit({"deleted": True})

    def undelete(self) -> _Answer:
        """Bring a deleted run back."""
        return self._edit({"deleted": False})

    def correct(self, param: str, value: Json) -> _Answer:
        """Say what a parameter really was; the recorded value stays in the run, and None returns to it.

        >>> import celltrail as ct
        >>> with ct.start("a", {"lr": 0.1}): pass
        >>> ct.run("a").correct("lr", 0.2).params["lr"]
        0.2
        """
        return self._edit({f"param:{param}": _bare(value)})


def commented(text: str) -> dict[str, Json]:
    """The edit that adds a comment by whoever runs this process."""
    if not isinstance(text, str) or not text.strip():
        raise BadValue(f"a comment has some text, not {text!r}")
    return {f"comment:{new_id()}": {"by": person_name(), "text": text.strip()}}


def _flat(tags: Iterable[Any]) -> list[str]:
    """Also the lists that people hand in."""
    found: list[str] = []
    for tag in tags:
        if isinstance(tag, str):
            found.append(tag)
        elif isinstance(tag, Iterable):
            found += _flat(tag)
        else:
            raise BadValue(f"a tag is text, not {tag!r}")
    return found


def _bare(value: Any) -> Json:
    """The value of a NumPy scalar, and a list for a tuple."""
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return value.item()
    return list(value) if isinstance(value, tuple) else value
