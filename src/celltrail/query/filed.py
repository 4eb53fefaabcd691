"""What the trail has of a run beside its record: code, outputs, files, events, and what people said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from celltrail.model import Intervention, Json, Output
from celltrail.query.alerts import Alert, alerts, interventions
from celltrail.query.changes import Changes, changes_of
from celltrail.query.files import File
from celltrail.query.items import Item, items
from celltrail.query.ranks import Rank, ranks
from celltrail.query.recorded import Recorded
from celltrail.query.resources import resources
from celltrail.query.shown import Shown
from celltrail.store.files.encoding import decode

if TYPE_CHECKING:
    import pandas as pd

    from celltrail.contract import Goal
    from celltrail.query.lineage import Lineage
    from celltrail.query.template import Completeness
    from celltrail.store import Store
    from celltrail.store.artifacts import Artifacts


class Filed(Recorded):
    """What is read from the trail each time it is asked for."""

    store: Store

    @property
    def marks(self) -> list[dict[str, Json]]:
        """Notes that are about a metric or a step, oldest first: text, metric and step.

        >>> import celltrail as ct
        >>> with ct.start("script") as run:
        ...     run.log({"loss": 9.0}, step=3)
        >>> ct.run("script").note("a spike", metric="loss", step=3).marks
        [{'text': 'a spike', 'metric': 'loss', 'step': 3}]
        """
        found = sorted(self.store.edits(self.id).items())
        return [mark for field, mark in found if field.startswith("mark:") and mark]

    @property
    def replays(self) -> list[dict[str, Json]]:
        """The verdicts of its replays, oldest first: ``verdict``, ``at`` (microseconds), ``first``, ``causes``, ..."""
        found = sorted(self.store.edits(self.id).items())
        return [told for field, told in found if field.startswith("replay:") and told]

    @property
    def audit(self) -> Changes:
        """What people changed about it, oldest first: when, who, what, before and after.

        >>> import celltrail as ct
        >>> with ct.start("script") as run: pass
        >>> str(ct.run("script").rename("better").audit).endswith("name: 'script' -> 'better'")
        True
        """
        return changes_of(self.id, self.store)

    @property
    def code(self) -> str:
        """The source code of its cell or script, "" if it was not recorded."""
        return self.store.blobs.text(self.record.code) if self.record.code else ""

    @property
    def outputs(self) -> list[Output]:
        """What its cells printed and displayed, in order, as references; `shown` reads the contents."""
        return [output for execution in self.record.executions for output in execution.outputs]

    def shown(self) -> Shown:
        """What its cells printed and displayed, as it stood on the screen: progress bars folded, pictures as pictures.

        ``print(run.shown())`` prints it; each piece has its `Output`, text and bytes.
        """
        return Shown(self.outputs, self.store.blobs)

    @property
    def needs(self) -> dict[str, Json]:
        """What its newest execution needed, section by section; empty if it was not recorded in a cell.

        ``names``: the names its code ``reads`` from earlier cells, ``writes``, ``mutates`` and ``deletes``.
        ``values``: what those names held, with type, shape and fingerprint.
        """
        digests = [execution.needs for execution in self.record.executions if execution.needs]
        return decode(self.store.blobs.get(digests[-1])) if digests else {}

    @property
    def files(self) -> list[File]:
        """The files that its newest execution read and wrote, in the order of first use; a thousand at most."""
        return [File.of(record) for record in self.needs.get("files", ())]

    @property
    def lineage(self) -> Lineage:
        """The earlier cells it depends on: ``parents``, ``slice``, ``flags``, ``edges``; false if not recorded.

        >>> import celltrail as ct
        >>> with ct.start("script") as run: pass
        >>> bool(ct.run("script").lineage)
        False
        """
        from celltrail.query.lineage import Lineage

        kept = [execution.id for execution in self.record.executions if execution.needs]
        return Lineage(self.needs, self.store, kept[-1] if kept else "")

    @property
    def complete(self) -> Completeness | None:
        """How much it has of what the template of its project requires, and what it lacks; None without a template.

        >>> import celltrail as ct
        >>> with ct.start("script", project="free") as run: pass
        >>> ct.run(run.id).complete is None
        True
        """
        from celltrail.query.template import Needed

        return Needed(self.store).of(self.record)

    @property
    def ranks(self) -> list[Rank]:
        """Its ranks by number: the last step of each, how long a step takes it, who is slow and who died.

        >>> import celltrail as ct
        >>> with ct.start("script") as run:
        ...     run.log(loss=0.5)
        >>> print(*ct.run(run.id).ranks)
        rank 0: step 0
        """
        return ranks(self.record, self.store)

    def resources(self, by: Literal["run", "cell"] = "run") -> dict[str, Json] | pd.DataFrame:
        """What it used of the machine, as a dict; with ``by="cell"``, a frame with a row for each of its cells.

        ``sys/cpu_s`` (seconds, of the process and its children), ``sys/cpu_mean_percent`` (100 is one core),
        ``sys/rss_peak`` and ``sys/rss_growth`` (bytes), ``sys/disk_read`` and ``sys/disk_write`` (bytes),
        ``sys/net_in`` and ``sys/net_out`` (bytes, of the whole machine), GPUs, ``energy/kwh`` with
        ``energy/method``, ``energy/gco2e`` (grams), ``cost/usd``. Unknown values are None, never 0; empty if nothing
        was measured.

        >>> import celltrail as ct
        >>> with ct.start("script") as run: pass
        >>> ct.run(run.id).resources()["energy/method"] is None
        False
        """
        return resources(self.record, by)

    @property
    def artifacts(self) -> Artifacts:
        """The files it kept, oldest first, checkpoints included; ``[0]`` by number, ``["name"]`` the newest of a name.

        >>> import celltrail as ct
        >>> with ct.start("script") as run: pass
        >>> len(ct.run(run.id).artifacts)
        0
        """
        return self._artifacts(None)

    @property
    def checkpoints(self) -> Artifacts:
        """The checkpoints it kept, oldest first; each has ``step``, ``metrics``, ``restore(path)`` and ``load()``.

        ``checkpoints.best("val/loss")`` is the best of them, ``checkpoints[-1]`` the last. Those whose content was not
        kept say why. ``checkpoints.keep(best=2, by="val/loss")`` removes the others.
        """
        return self._artifacts("checkpoint")

    def _artifacts(self, kind: str | None) -> Artifacts:
        from celltrail.store.artifacts import artifacts_of

        goals: dict[str, Goal] = {
            name: metric.goal for name, metric in self.record.metrics.items() if metric.goal != "none"
        }
        return artifacts_of(self.store.root, self.id, self.store.blobs, goals, kind)

    @property
    def alerts(self) -> list[Alert]:
        """Its alerts in the order raised, by `log_alert` or by a rule.

        >>> import celltrail as ct
        >>> with ct.start("script") as run:
        ...     run.log_alert("loss is NaN", level="error")
        >>> [(alert.level, alert.title) for alert in ct.run("script").alerts]
        [('error', 'loss is NaN')]
        """
        return alerts(self.store.events(self.id))

    @property
    def interventions(self) -> list[Intervention]:
        """What people did while it went on, in order: stops, pauses, changes of knobs."""
        return interventions(self.store.events(self.id))

    def items(self, name: str | None = None, kind: str | None = None) -> list[Item]:
        """What it logged besides numbers, in order: texts, images, figures, audio, video, tables, histograms.

        Args:
            name: only those of this name.
            kind: only those of this kind, such as "image".

        >>> import celltrail as ct
        >>> with ct.start("script") as run:
        ...     run.log_text("sample", "once upon a time")
        >>> [item.value for item in ct.run("script").items("sample")]
        ['once upon a time']
        """
        return items(self.store.events(self.id), self.store.blobs, name, kind)
