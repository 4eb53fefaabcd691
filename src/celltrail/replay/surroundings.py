"""The environment of a run beside the present one: what differs, and the file that builds it again."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from celltrail.capture import environment
from celltrail.capture.environment.imported import is_among
from celltrail.errors import NoRun
from celltrail.model import Json
from celltrail.query.stored import StoredRun
from celltrail.store.files.encoding import decode

_OURS = "celltrail"


class Difference(NamedTuple):
    """What was another then: a version each, None where there was or is none."""

    name: str
    then: str | None
    now: str | None
    is_used: bool  # imported by the cells of the run


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Python and the packages of a run, and how they differ from those of this process.

    ``origins`` are those of packages that did not come from an index: "editable src", "git+https://...@commit".
    """

    python: str
    packages: Mapping[str, str]
    origins: Mapping[str, str]
    imported: list[str]  # the top names of what the run had imported
    differences: list[Difference]

    def requirements(self, name: str) -> str:
        """A requirements file with every package at its version; what no index has is a comment.

        Args:
            name: of the run, for the head.
        """
        lines = [f"# the environment of run {name}: Python {self.python}"]
        for package, version in sorted(self.packages.items()):
            origin = self.origins.get(package, "")
            if "+" in origin.partition("://")[0]:
                lines.append(f"{package} @ {origin}")
            else:
                lines.append(f"# {package}=={version} came from {origin}" if origin else f"{package}=={version}")
        return "\n".join(lines) + "\n"

    def payload(self) -> dict[str, Json]:
        """As JSON."""
        return {
            "python": self.python,
            "packages": len(self.packages),
            "is_same": not self.differences,
            "differences": [each._asdict() for each in self.differences],
        }


def surroundings(run: StoredRun) -> Surroundings:
    """What is known of a run's environment, beside this one; what the run imported comes first.

    Raises:
        NoRun: it was not recorded.
    """
    known = run.environment
    if "packages" not in known:
        raise NoRun(f"the environment of run {run.name!r} was not recorded; that of a tracked cell or script is")
    then: dict[str, str] = decode(run.store.blobs.get(known["packages"]))
    now, used = environment.packages(), imported_by(run)
    found = [
        Difference(name, then.get(name), now.get(name), is_among(name, used))
        for name in sorted(then.keys() | now.keys())
        if name != _OURS and then.get(name) != now.get(name)
    ]
    found.sort(key=lambda each: not each.is_used)
    here = platform.python_version()
    if known.get("python") != here:
        found.insert(0, Difference("python", known.get("python"), here, True))
    return Surroundings(str(known.get("python", "")), then, known.get("origins", {}), used, found)


def imported_by(run: StoredRun) -> list[str]:
    """The top names of what the run had imported, no part of Python among them; empty where nobody knows."""
    digest = run.needs.get("imported")
    return decode(run.store.blobs.get(digest)) if digest else []
