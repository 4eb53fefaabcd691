"""Where a version of a model comes from and where it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from celltrail.dataset import DataVersion
from celltrail.formats import ModelVersion
from celltrail.model import Json, RunRecord
from celltrail.query import StoredRun
from celltrail.query.datasets import short
from celltrail.query.plain import moment

if TYPE_CHECKING:
    from celltrail.store import Store


@dataclass(frozen=True, repr=False)
class Lineage:
    """Data, the run, the model, and what uses it; ``print`` draws it.

    Attributes:
        data: what the run said it used; where it said nothing, what it was seen to read.
        run: the run that made the model; None where it is gone.
        model: the version.
        used_by: runs that loaded or timed it.
        deployments: where it is at work.
    """

    data: Sequence[DataVersion]
    run: StoredRun | None
    model: ModelVersion
    used_by: Sequence[StoredRun]
    deployments: Sequence[Mapping[str, Json]]

    def __repr__(self) -> str:
        lines = [f"data   {each.key}  {short(each.digest) or each.source.get('reference', '')}" for each in self.data]
        lines += [f"data   {short(digest)}" for digest in self.model.data if self.run is None]
        name = self.run.name if self.run is not None else "gone"
        lines.append(f" └─ run   {name}  {self.model.run}")
        base = f"  from {self.model.base_model}" if self.model.base_model else ""
        lines.append(f"     └─ model   {self.model.ref}  {short(self.model.digest)}{base}")
        lines += [f"         ├─ run   {run.name}  {run.record.models[self.model.ref]['how']}" for run in self.used_by]
        for each in self.deployments:
            env = f" ({each['env']})" if each.get("env") else ""
            lines.append(f"         └─ deployed   {each['where']}{env}  {moment(each['at_us'] / 1e6)}")
        return "\n".join(lines)


def lineage_of(
    model: ModelVersion, run: StoredRun | None, deployments: Sequence[Mapping[str, Json]], store: Store
) -> Lineage:
    """The lineage of a version; every run of the trail is looked at for having used it."""
    using = [record for record in store.records() if model.ref in record.models and record.id != model.run]
    used_by = [StoredRun(record, store) for record in sorted(using, key=_age)]
    data = run.data if run is not None else []
    named = [each for each in data if each.how == "log"]
    return Lineage(named or data, run, model, used_by, deployments)


def _age(record: RunRecord) -> int:
    return record.created_us
