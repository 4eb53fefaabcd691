"""The verbs by which a run keeps files: checkpoints and whatever else is to be found with it later."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue
from celltrail.run.part import Part
from celltrail.run.values import check_name, check_step, kind_of, to_float

if TYPE_CHECKING:
    from celltrail.run.filing import Filing
    from celltrail.store.artifacts import Artifacts


class KeepsFiles(Part):
    """What a run can be given of files. They are copied in the background, by content: what two share is kept once.

    `query.StoredRun.artifacts` and ``checkpoints`` read them back.
    """

    _filing: Filing | None = None
    _is_closed: bool

    def log_artifact(
        self, path: Path | str, name: str | None = None, kind: str = "file", *, step: int | None = None
    ) -> None:
        """Keep a file, or a folder with all its files.

        It is copied in the background: do not change it until ``run.artifacts`` has it, or the run has ended.

        Args:
            path: the file or folder.
            name: what it is called; its own name when left out.
            kind: what it is, in a word.
            step: the step it belongs to; that of the last `log` call when left out.

        Raises:
            BadValue: there is no such file, or a folder of thousands.

        >>> import pathlib, tempfile
        >>> from celltrail.run import start
        >>> with tempfile.TemporaryDirectory() as folder, start("demo") as run:
        ...     path = pathlib.Path(folder, "report.txt")
        ...     _ = path.write_text("all went well")
        ...     run.log_artifact(path)
        ...     [file.name for file in run.artifacts]
        ['report.txt']
        """
        self._take(path, name, check_name(kind, "kind"), "api", step, None)

    def log_checkpoint(
        self,
        path: Path | str,
        name: str | None = None,
        *,
        step: int | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep a checkpoint: a file or folder from which training can go on or a model can be used.

        What ``torch.save``, ``joblib.dump``, safetensors, the Trainer of transformers or Lightning write in a tracked
        cell is kept without this call. Tensors that two checkpoints share are stored once.

        Args:
            path: the file or folder; do not change it until it is copied, as in `log_artifact`.
            name: what it is called; its own name when left out.
            step: the step it belongs to; that of the last `log` call when left out.
            metrics: how good it is; the last values of the run's metrics when left out.

        Raises:
            BadValue: there is no such file, or a folder of thousands.

        >>> import pathlib, tempfile
        >>> from celltrail.run import start
        >>> with tempfile.TemporaryDirectory() as folder, start("demo") as run:
        ...     path = pathlib.Path(folder, "model.bin")
        ...     _ = path.write_bytes(b"weights")
        ...     run.log_checkpoint(path, step=100, metrics={"val/loss": 0.2})
        ...     run.checkpoints[-1].step
        100
        """
        self._take(path, name, "checkpoint", "api", step, metrics)

    def offer_checkpoint(self, path: Path | str, by: str, *, step: int | None = None) -> None:
        """Tell of a checkpoint that a library has written: it is kept unless that is switched off or takes too much.

        Args:
            path: the file or folder, done.
            by: the library.
            step: where it belongs; that of the last `log` call when left out.
        """
        if not self._is_closed and Path(path).exists():
            self._take(path, None, "checkpoint", by, step, None)

    def keep_checkpoints(
        self, best: int | None = None, by: str | None = None, last: int | None = None, budget: str | float | None = None
    ) -> None:
        """Choose which checkpoints of this run to keep from now on; by default, as many as fit the trail's budget.

        Only copies in the trail are removed, never the files that the training wrote.

        Args:
            best: keep so many of the best by the metric ``by``.
            by: the metric, such as ``"val/loss"``.
            last: keep so many of the newest.
            budget: how much room all of them may take, as in "5GB"; the oldest go first, the best last.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     run.keep_checkpoints(best=2, by="val/loss", last=1)
        """
        from celltrail.store.artifacts.keeping import Keep

        self._files.keep = Keep.of(best, by, last, budget)

    @property
    def artifacts(self) -> Artifacts:
        """The files kept so far, checkpoints included; waits until those still being copied are done."""
        return self._files.found()

    @property
    def checkpoints(self) -> Artifacts:
        """The checkpoints kept so far; waits until those still being copied are done."""
        return self._files.found("checkpoint")

    @property
    def _files(self) -> Filing:
        if self._filing is None:
            from celltrail.run.filing import Filing

            self._filing = Filing(self)
        return self._filing

    def _take(
        self,
        path: Path | str,
        name: str | None,
        kind: str,
        by: str,
        step: int | None,
        metrics: Mapping[str, Any] | None,
    ) -> None:
        from celltrail.run.filing import Offer, stamps_of

        if not self.is_running and by == "api":
            self._refuse()
        if not isinstance(path, str | os.PathLike):
            raise BadValue(
                f"{kind_of(path)} is no file: save it (np.save, json ...) and give its path, or keep it as what it is, "
                "by run.log_table, log_data, log_figure or log_model"
            )
        place = Path(path).absolute()
        stamps = stamps_of(place)
        if not stamps:
            raise BadValue(f"there is no file {place.name!r} to keep, and no folder with files")
        at = None if step is None else check_step(step)
        values = None if metrics is None else {key: to_float(key, value) for key, value in metrics.items()}
        name = check_name(name or place.name, "file")
        self._files.take(Offer(place, name, kind, by, stamps, self.writer.clock(), at, values))
