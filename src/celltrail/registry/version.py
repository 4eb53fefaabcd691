"""`Version`: one version of a model, with what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from celltrail.errors import BadValue, NoRun, Refused, StoreError
from celltrail.formats import LayersChanged, ModelVersion, changed, unpack
from celltrail.model import Json
from celltrail.query import StoredRun, find
from celltrail.query.models import version_of
from celltrail.registry.gate import Clause, clauses, judged
from celltrail.registry.lineage import Lineage, lineage_of
from celltrail.run import current
from celltrail.run.modelfiles import restored, save
from celltrail.store import Store
from celltrail.store.registry import ModelDocuments


class Version:
    """One version of a model; its contents never change, the names that point at it may.

    Args:
        fields: its document, with its number.
        store: the trail it is in.
    """

    def __init__(self, fields: Mapping[str, Json], store: Store) -> None:
        self.store = store
        self.record: ModelVersion = version_of(fields, store.blobs)

    def __getattr__(self, name: str) -> Any:
        """What it is: ``name version digest format run data params metrics settings facts layers size ...``."""
        if name.startswith("_") or name == "record":
            raise AttributeError(name)
        return getattr(self.record, name)

    @property
    def _documents(self) -> ModelDocuments:
        return ModelDocuments(self.store.root)

    @property
    def versions(self) -> list[Version]:
        """All versions of the model, oldest first."""
        documents, name = self._documents, self.record.name
        return [Version(documents.version(name, n) | {"version": n}, self.store) for n in documents.versions(name)]

    @property
    def aliases(self) -> list[str]:
        """The names that point at this version now."""
        known = self._documents.aliases(self.record.name)
        return [alias for alias, number in known.items() if number == self.record.version]

    @property
    def history(self) -> list[dict[str, Json]]:
        """Every move of every alias of the model, oldest first: ``alias version gate reason numbers by at_us``."""
        documents, name = self._documents, self.record.name
        moves = [{"alias": alias, **move} for alias in documents.aliases(name) for move in documents.moves(name, alias)]
        return sorted(moves, key=lambda move: move["at_us"])

    @property
    def deployments(self) -> list[dict[str, Json]]:
        """Where this version was deployed, oldest first: ``where env by at_us``."""
        known = self._documents.deployments(self.record.name)
        return [each for each in known if each["version"] == self.record.version]

    @cached_property
    def made_by(self) -> StoredRun | None:
        """The run that made it; None if it was deleted."""
        try:
            return find(self.record.run, self.store)
        except NoRun:
            return None

    @property
    def run_name(self) -> str:
        """The name of that run, or its id where it is gone."""
        return self.made_by.name if self.made_by is not None else self.record.run

    @property
    def lineage(self) -> Lineage:
        """What it was made from and where it is used: data, run, model, runs that loaded it, deployments."""
        return lineage_of(self.record, self.made_by, self.deployments, self.store)

    def load(self, into: Any = None, *, allow_pickle: bool = False) -> Any:
        """Load the model, after verifying every byte; the current run, if any, records that it uses it.

        Args:
            into: a PyTorch module to load the tensors into; without one they come as a dict.
            allow_pickle: whether to load a pickle, which runs what its author put in.

        Raises:
            Damaged: a file does not hold what was kept; the error names it.
            BadValue: it is files rather than a Python value, a pickle without ``allow_pickle``, or does not fit
                ``into``.
            MissingExtra: the library that reads it is not installed.

        >>> import celltrail as ct
        >>> with ct.start("demo") as run:
        ...     _ = run.log_model({"w": np.zeros((2, 3), "float32")}, "toy")
        >>> ct.registry["toy"].load()["w"].shape
        (2, 3)
        """
        record = self.record
        if record.format == "pickle" and not allow_pickle:
            unpack("pickle", {}, (), False, None)
        found = unpack(record.format, restored(record, self.store.blobs), record.untrusted, allow_pickle, into)
        run = current()
        if run is not None and run.is_running and run.id != record.run:
            run.say_model(record.ref, {"how": "loaded", "digest": record.digest})
        return found

    def save(self, folder: Path | str) -> list[Path]:
        """Write its files into a folder, byte for byte, and return their paths; raises as `load` does."""
        return save(self.record, Path(folder), self.store.blobs)

    def diff(self, other: Version | str) -> LayersChanged:
        """How the other version is built differently: layers added, removed, or of another shape or type.

        >>> import celltrail as ct
        >>> with ct.start("demo") as run:
        ...     for width in (3, 4):
        ...         _ = run.log_model({"w": np.zeros(width, "float32")}, "toy")
        >>> print(ct.registry["toy@v1"].diff("v2").df().name.tolist())
        ['w']
        """
        return changed(self.record.layers, self._other(other).record.layers)

    def promote(self, alias: str, *, reason: str, gate: str = "") -> Version:
        """Point a name such as "champion" at this version, if it passes the gate.

        Args:
            alias: the name.
            reason: why, for whoever asks later.
            gate: conditions, joined by ``and``: a metric of the run that made it, compared with a number or with the
                version that holds the name now (``val/auc >= champion``, ``val/loss <= champion + 2%``), fairness
                where it was recorded (``fair/dpd < 0.1``), the verdict of its replay (``replay == reproduced``), or
                that the run has all that its template requires (``complete``, see `celltrail.template`).

        Raises:
            Refused: a condition is not met, or cannot be checked; the error lists all of them. Nothing was moved.
            BadValue: the reason is missing, or the gate cannot be read.
            AliasMoved: somebody else moved the name meanwhile.

        >>> import celltrail as ct
        >>> with ct.start("demo") as run:
        ...     run.log({"val/acc": 0.9})
        ...     _ = run.log_model({"w": np.zeros(3, "float32")}, "toy")
        >>> ct.registry["toy@v1"].promote("champion", reason="the first", gate="val/acc > 0.8").ref
        'toy@v1'
        """
        if not isinstance(reason, str) or not reason.strip():
            raise BadValue(f"promoting {self.record.ref} needs a reason: reason='better on every slice'")
        documents, name = self._documents, self.record.name
        moves = documents.moves(name, alias)
        now = documents.version(name, int(moves[-1]["version"])) | moves[-1] if moves else None
        holder = Version({**now, "version": int(moves[-1]["version"])}, self.store) if now is not None else None
        asked: list[Clause] = clauses(gate, alias)
        found = [judged(clause, self.made_by, holder and holder.made_by, holder is not None) for clause in asked]
        failed = [each for each in found if not each.is_met]
        if failed:
            held = f"{name}@{alias} stays {holder.record.ref}" if holder is not None else f"{name}@{alias} stays unset"
            raise Refused(f"{self.record.ref} is not promoted to {alias!r}: {'; '.join(map(str, failed))}. {held}")
        fields: dict[str, Json] = {
            "version": self.record.version,
            "gate": gate,
            "numbers": [each.told() for each in found],
            "reason": reason.strip(),
        }
        documents.move(name, alias, fields, len(moves))
        return self

    def deployed(self, where: str, env: str | None = None, **more: Any) -> Version:
        """Record that this version was deployed somewhere.

        Args:
            where: the place: an address, a host, a job.
            env: the environment, such as "prod".
            more: any further facts.
        """
        if not isinstance(where, str) or not where.strip():
            raise BadValue("a deployment is somewhere: deployed('https://svc.example/churn', env='prod')")
        self._documents.deploy(self.record.name, self.record.version, {"where": where, "env": env, **more})
        return self

    def _other(self, other: Version | str) -> Version:
        if isinstance(other, Version):
            return other
        name, number = self._documents.find(other if "@" in other else f"{self.record.name}@{other}")
        return Version(self._documents.version(name, number) | {"version": number}, self.store)

    def __repr__(self) -> str:
        record = self.record
        told = [record.ref, *self.aliases, record.format]
        told += [f"{record.layers.parameters:,} parameters"] if record.layers else []
        try:
            told.append(f"run {self.run_name}")
        except StoreError:
            told.append(f"run {record.run}")
        return f"<{' · '.join(told)}>"
