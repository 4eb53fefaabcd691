"""Files that wandb calls artifacts: gathered under a name, and kept with the run."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Any

import celltrail as ct
from celltrail.wandb.missing import absent, public
from celltrail.wandb.using import MANIFEST


class Artifact:
    """Files and folders under one name; each is kept by content, several as ``name/file``.

    Args:
        name: of all of it.
        type: what it is: "model", "dataset" ...
        description: plain text, becomes a note of the run.
        metadata: kept with it, for `use_artifact`.
    """

    def __init__(
        self,
        name: str,
        type: str,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> None:
        self.name, self.type = name, type
        self.description, self.metadata = description, dict(metadata or {})
        self._files: dict[str, Path] = {}
        self._objects: dict[str, Any] = {}

    def add_file(self, local_path: str | Path, name: str | None = None, **_: Any) -> None:
        """Add a file, under its own name or another one."""
        self._add(local_path, name)

    def add_dir(self, local_path: str | Path, name: str | None = None, **_: Any) -> None:
        """Add a folder with all its files."""
        self._add(local_path, name)

    @contextmanager
    def new_file(self, name: str, mode: str = "w", encoding: str | None = None) -> Generator[IO[Any]]:
        """A file to write into, added when it is closed."""
        place = Path(mkdtemp(prefix="celltrail-artifact-"), Path(name).name)
        with place.open(mode, encoding=encoding) as file:
            yield file
        self._add(place, name)

    def add(self, obj: Any, name: str) -> None:
        """Add a table or a picture; it is kept with the run, under the artifact's name."""
        if not hasattr(obj, "keep"):
            raise ct.BadValue(f"a {type(obj).__name__} is nothing to add to the artifact {self.name!r}; add a Table")
        self._objects[name] = obj

    def __getattr__(self, name: str) -> Any:
        raise absent("an Artifact of celltrail.wandb", name, public(Artifact))

    def wait(self, timeout: int | None = None) -> Artifact:
        """Itself: there is nobody to wait for."""
        return self

    def _add(self, path: str | Path, name: str | None) -> None:
        place = Path(path).absolute()
        if not place.exists():
            raise ct.BadValue(f"there is no {place.name!r} to add to the artifact {self.name!r}")
        self._files[name or place.name] = place

    def keep(self, run: ct.Run, aliases: Iterable[str] = ()) -> None:
        """Keep it in this run, with a text of what it consists of."""
        keys = {name: self.name if len(self._files) == 1 else f"{self.name}/{name}" for name in self._files}
        for name, place in self._files.items():
            run.log_artifact(place, keys[name], self.type)
        about = {"type": self.type, "description": self.description, "metadata": self.metadata}
        told = {**about, "aliases": list(aliases), "files": list(keys.items())}
        text = json.dumps(told, indent=1, default=str)
        run.log_text(f"{self.name}{MANIFEST}", text)
        if not self._files:  # by its files an artifact is found
            (place := Path(mkdtemp(prefix="celltrail-artifact-"), MANIFEST)).write_text(text)
            run.log_artifact(place, f"{self.name}{MANIFEST}", self.type)
        for name, obj in self._objects.items():
            obj.keep(run, f"{self.name}/{name}", run.step or 0)
        if self.description:
            run.note(f"{self.name}: {self.description}")
