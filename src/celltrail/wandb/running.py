"""The run that ``wandb.init()`` gives: a run of celltrail's behind wandb's names."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from glob import glob
from numbers import Number
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Any

import celltrail as ct
from celltrail.wandb.artifacts import Artifact
from celltrail.wandb.media import Image
from celltrail.wandb.missing import absent, public
from celltrail.wandb.settings import Settings
from celltrail.wandb.using import use

_GOALS: dict[str, Any] = {"min": "min", "max": "max", "minimize": "min", "maximize": "max"}


class AlertLevel(Enum):
    """How urgent an alert is."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


class Run:
    """A run under wandb's names; ``celltrail`` is the run itself, None where nothing is recorded."""

    def __init__(self, run: ct.Run | None, config: Mapping[str, Any], key: str = "", ends: bool = True) -> None:
        self.celltrail = run
        self._key, self._ends = key, ends  # who gave the run ends it
        self._folder: Path | None = None
        self._has_files = False
        self._globs: list[tuple[str, Any]] = []  # what is saved again at the end
        self._saved: dict[str, int] = {}  # by path, the stamp of what was saved
        self._notes = "\n".join(run.record().notes) if run is not None else ""
        self._warned: dict[str, float] = {}  # by title, when an alert was last told
        self._is_over = False
        self.config = Settings(run.params if run is not None else {})
        self.summary = Settings(run.summary if run is not None else {})
        self._gathered: dict[str, Any] = {}
        self.config.update(config)

    @property
    def id(self) -> str:
        """The id that `init` was given, else that of the run."""
        return self._key or (self.celltrail.id if self.celltrail is not None else "")

    @property
    def resumed(self) -> bool:
        """Whether it goes on with a run that was there."""
        return self.celltrail is not None and bool(self.celltrail.record().resumes)

    @property
    def dir(self) -> str:
        """A folder for files of the run; what is in it at the end is kept."""
        if self._folder is None:
            self._folder = Path(mkdtemp(prefix="celltrail-files-"))
        return str(self._folder)

    @property
    def name(self) -> str:
        """The run's name."""
        return self.celltrail.name if self.celltrail is not None else ""

    @name.setter
    def name(self, name: str) -> None:
        if self.celltrail is not None:
            self.celltrail.rename(name)

    @property
    def project(self) -> str:
        """The project that the run is in."""
        return self.celltrail.record().project if self.celltrail is not None else ""

    @property
    def group(self) -> str:
        """The runs that it belongs to."""
        return (self.celltrail.record().group or "") if self.celltrail is not None else ""

    @property
    def tags(self) -> tuple[str, ...]:
        """Its labels; ``run.tags += ("new",)`` adds one."""
        return tuple(self.celltrail.tags) if self.celltrail is not None else ()

    @tags.setter
    def tags(self, tags: Iterable[str]) -> None:
        if self.celltrail is not None:
            wanted = tuple(tags)
            for tag in set(self.tags) - set(wanted):
                self.celltrail.tags.discard(tag)
            for tag in wanted:
                self.celltrail.tags.add(tag)

    @property
    def notes(self) -> str:
        """What was written about it."""
        return self._notes

    @notes.setter
    def notes(self, notes: str) -> None:
        self._notes = notes
        if self.celltrail is not None and notes:
            self.celltrail.note(notes)

    @property
    def start_time(self) -> float:
        """When it began, in seconds since 1970."""
        return self.celltrail.record().started_us / 1e6 if self.celltrail is not None else 0.0

    @property
    def disabled(self) -> bool:
        """Whether nothing of it is recorded."""
        return self.celltrail is None

    @property
    def url(self) -> None:
        """None: no page of it is anywhere but in the notebook."""

    @property
    def is_over(self) -> bool:
        """Whether it has been finished."""
        return self._is_over or (self.celltrail is not None and not self.celltrail.is_running)

    @property
    def step(self) -> int:
        """The step that the next log call without one gets."""
        run = self.celltrail
        return 0 if run is None or run.step is None else run.step + 1

    def log(self, data: Mapping[str, Any], step: int | None = None, commit: bool | None = None, **_: Any) -> None:
        """Record numbers, texts and media of one step.

        Args:
            data: by name; inner mappings are joined with a dot.
            step: counts by itself unless given. Steps may repeat and go back.
            commit: False keeps the values for the next call without it.
        """
        run = self.celltrail
        if not isinstance(data, Mapping):
            raise ct.BadValue(f"log takes a mapping of names, as in log({{'loss': 0.5}}), not a {type(data).__name__}")
        if run is None:
            return
        self._gathered.update(_flat(data))
        if commit is False:
            return
        values, self._gathered = self._gathered, {}
        numbers = {name: value for name, value in values.items() if _is_number(value)}
        at = self.step if step is None else step
        if numbers:
            run.log(numbers, at)
        for name, value in values.items():
            if name not in numbers and value is not None:
                _keep(run, name, value, at)

    def define_metric(self, name: str, step_metric: Any = None, summary: str | None = None, **more: Any) -> None:
        """Say over what a metric is drawn and in which direction it is better."""
        if self.celltrail is not None:
            goal = _GOALS.get(more.get("goal") or "") or next(
                (_GOALS[word] for word in (summary or "").split(",") if word in _GOALS), None
            )
            self.celltrail.define_metric(name, goal=goal, axis=getattr(step_metric, "name", step_metric))

    def watch(self, models: Any, criterion: Any = None, log: Any = "gradients", log_freq: int = 1000, **_: Any) -> None:
        """Look at the layers of a model, or of several, every so many steps."""
        for model in models if isinstance(models, list | tuple) else [models]:
            if self.celltrail is not None and log:
                self.celltrail.watch(model, every=log_freq)

    def alert(self, title: str, text: str = "", level: Any = None, wait_duration: Any = 60, **_: Any) -> None:
        """Say that something happened which somebody should look at.

        Args:
            title: in a line.
            text: more of it.
            level: an `AlertLevel`, or its name.
            wait_duration: seconds, or a timedelta, within which the same title is told once.
        """
        wait = wait_duration.total_seconds() if hasattr(wait_duration, "total_seconds") else float(wait_duration or 0)
        now, before = time.monotonic(), self._warned.get(title)
        if self.celltrail is not None and (before is None or now - before >= wait):
            self._warned[title] = now
            urgency: Any = str(getattr(level, "value", level) or "info").lower()
            self.celltrail.log_alert(title, text, level=urgency)

    def log_artifact(
        self,
        artifact: Any,
        name: str | None = None,
        type: str | None = None,
        aliases: Sequence[str] | None = None,
        **_: Any,
    ) -> Any:
        """Keep an `Artifact`, or a file or folder by its path; the artifact comes back."""
        if not isinstance(artifact, Artifact):
            path = Path(artifact)
            artifact = Artifact(name or path.name, type or "file")
            artifact.add_dir(path) if path.is_dir() else artifact.add_file(path)
        if self.celltrail is not None:
            self._has_files = True
            artifact.keep(self.celltrail, aliases or ())
        return artifact

    def use_artifact(self, artifact_or_name: Any, type: str | None = None, **_: Any) -> Any:
        """What an earlier run logged, or this one: ``name``, ``name:latest``, ``name:v3`` or ``name:alias``.

        The version becomes a param of this run, ``artifact.NAME``.
        """
        run = self.celltrail
        if run is None:
            raise ct.CelltrailError("a disabled run uses no artifacts; take the mode away")
        len(run.artifacts)  # what is being copied is in the trail now
        ref = artifact_or_name.name if isinstance(artifact_or_name, Artifact) else str(artifact_or_name)
        found = use(ref, type, run.store)
        run.params[f"artifact.{found.name.partition(':')[0]}"] = found.name
        return found

    def log_code(self, root: str = ".", name: str | None = None, include_fn: Any = None, **_: Any) -> None:
        """Keep the Python files below a folder; what a cell ran, and its modules, is with its run anyway."""
        if self.celltrail is not None:
            self._has_files = True
            for path in sorted(Path(root).rglob("*")):
                is_hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
                if path.is_file() and not is_hidden and (include_fn(str(path)) if include_fn else path.suffix == ".py"):
                    self.celltrail.log_artifact(path, str(path.relative_to(root)), "code")

    def log_model(
        self, path: str | Path, name: str | None = None, aliases: Sequence[str] | None = None, **_: Any
    ) -> None:
        """Keep the file or folder of a model under a name, for `use_model`."""
        self.log_artifact(path, name or Path(path).name, "model", aliases)

    def use_model(self, name: str) -> str:
        """Write a model that was logged to disk, and give its path."""
        used = self.use_artifact(name, "model")
        folder = Path(used.download())
        inside = list(folder.iterdir())
        return str(inside[0] if len(inside) == 1 else folder)

    def unwatch(self, models: Any = None) -> None:
        """Nothing: models are watched until their run ends."""

    def restore(self, name: str, run_path: str | None = None, replace: bool = False, root: str | None = None) -> Any:
        """A file that `save` kept, written to disk and opened.

        Args:
            name: the file's name.
            run_path: the run that kept it, by its id or name; this one, or the run it goes on with, without it.
            replace: whether a file that is there is overwritten; else it is left and opened.
            root: the folder to write to.
        """
        if self.celltrail is None and run_path is None:
            raise ct.CelltrailError("a disabled run has no files; take the mode away, or give run_path")
        place = Path(root or ".", name)
        if replace or not place.exists():
            ref = None if run_path is None else run_path.rpartition("/")[2]
            kept = self.celltrail.artifacts if ref is None and self.celltrail is not None else _run(ref or "").artifacts
            found = [each for each in kept if each.name == name]
            if not found:
                there = ", ".join(sorted({each.name for each in kept})) or "none"
                raise ct.BadValue(f"the run kept no file {name!r}; its files: {there}")
            place.parent.mkdir(parents=True, exist_ok=True)
            found[-1].restore(place, overwrite=True)
        return place.open()

    def save(self, glob_str: Any, base_path: Any = None, policy: str = "live", **_: Any) -> list[str]:
        """Keep the files of these names as they are now, and unless the policy is "now" as they are at the end.

        With a policy other than "now" there need be none yet. Below ``base_path`` their folders are part of the name.
        """
        if self.celltrail is None:
            return []
        if policy != "now":
            self._globs.append((str(glob_str), base_path))
        return self._save(str(glob_str), base_path)

    def _save(self, pattern: str, base_path: Any) -> list[str]:
        paths = sorted(glob(pattern))
        for path in paths:
            stamp = os.stat(path).st_mtime_ns
            if self.celltrail is not None and self._saved.get(path) != stamp:
                self._saved[path], self._has_files = stamp, True
                self.celltrail.log_artifact(path, _inside(path, base_path))
        return paths

    def finish(self, exit_code: int | None = None, **_: Any) -> None:
        """End the run; an exit code other than 0 makes it a failed one."""
        if self.celltrail is not None:
            self._last_words()
            if self._ends:
                self.celltrail.finish("failed" if exit_code else None)
            self._is_over = True

    def __getattr__(self, name: str) -> Any:
        raise absent("a run of celltrail.wandb", name, public(Run))

    def _last_words(self) -> None:
        if self._gathered:
            self.log({})
        if not self.is_over:
            for pattern, base_path in self._globs:
                self._save(pattern, base_path)
        if self._folder is not None and self.celltrail is not None and not self.is_over:
            self._has_files = True
            for path in sorted(each for each in self._folder.rglob("*") if each.is_file()):
                self.celltrail.log_artifact(path, str(path.relative_to(self._folder)))
        if self.celltrail is not None and self._has_files and not self.is_over:
            len(self.celltrail.artifacts)  # all of it is copied: a script may remove its files now

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.celltrail is not None:
            self._last_words()
            if self._ends:
                self.celltrail.finish(error=error)
            self._is_over = True


def _run(ref: str) -> Any:
    """A run by the id that `init` was given, or as `celltrail.run` finds it."""
    return next((run for run in ct.runs() if run.summary.get("wandb_id") == ref), None) or ct.run(ref)


def _inside(path: str, folder: Any) -> str | None:
    """The name of a file with the folders that it is in below this one; None where it is not below it."""
    place, around = Path(path).resolve(), Path(folder).resolve() if folder is not None else None
    return str(place.relative_to(around)) if around is not None and place.is_relative_to(around) else None


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _is_number(value: Any) -> bool:
    return isinstance(value, Number) or (hasattr(value, "item") and getattr(value, "shape", None) in ((), (1,)))


def _keep(run: ct.Run, name: str, value: Any, step: int) -> None:
    if hasattr(value, "keep"):
        value.keep(run, name, step)
    elif hasattr(value, "gcf"):  # matplotlib.pyplot itself
        run.log_figure(name, value.gcf(), step)
    elif hasattr(value, "savefig") or type(value).__module__.startswith(("plotly.", "altair.")):
        run.log_figure(name, value, step)
    elif type(value).__module__.startswith("PIL."):
        Image(value).keep(run, name, step)
    elif hasattr(value, "__array__"):
        run.log_histogram(name, value, step)
    elif isinstance(value, list | tuple) and value:
        _keep_all(run, name, [*value], step)
    else:
        run.log_text(name, str(value), step)


def _keep_all(run: ct.Run, name: str, values: list[Any], step: int) -> None:
    if all(hasattr(each, "keep") for each in values):
        for place, each in enumerate(values):
            each.keep(run, f"{name}/{place}" if len(values) > 1 else name, step)
    elif all(map(_is_number, values)):
        run.log_histogram(name, values, step)
    else:
        run.log_text(name, str(values), step)
