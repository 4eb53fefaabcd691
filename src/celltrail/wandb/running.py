"""The run that ``wandb.init()`` gives: a run of celltrail's behind wandb's names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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

    def alert(self, title: str, text: str = "", level: Any = None, **_: Any) -> None:
        """Say that something happened which somebody should look at."""
        if self.celltrail is not None:
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

    def save(self, glob_str: str, *_: Any, **__: Any) -> None:
        """Keep the files of these names as they are now."""
        if self.celltrail is not None:
            for path in sorted(glob(str(glob_str))):
                self.celltrail.log_artifact(path)

    def finish(self, exit_code: int | None = None, **_: Any) -> None:
        """End the run; an exit code other than 0 makes it a failed one."""
        if self.celltrail is not None:
            self._last_words()
            if self._ends:
                self.celltrail.finish("failed" if exit_code else None)
            self._is_over = True

    def _last_words(self) -> None:
        if self._gathered:
            self.log({})
        if self._folder is not None and self.celltrail is not None and not self.is_over:
            for path in sorted(each for each in self._folder.rglob("*") if each.is_file()):
                self.celltrail.log_artifact(path, str(path.relative_to(self._folder)))

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
    elif hasattr(value, "savefig"):
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
