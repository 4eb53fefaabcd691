"""The models of a run: those it made, loaded or timed, and how they are built, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from celltrail.errors import NoRun, StoreError
from celltrail.formats.layers import shaped
from celltrail.formats.version import ModelVersion
from celltrail.model import Json
from celltrail.query.datasets import short
from celltrail.query.items import size
from celltrail.query.tabled import Table
from celltrail.store.files.encoding import decode
from celltrail.store.registry import ModelDocuments

if TYPE_CHECKING:
    from celltrail.query.stored import StoredRun
    from celltrail.store import Blobs


def version_of(fields: Mapping[str, Json], blobs: Blobs) -> ModelVersion:
    """A version from its document; without layers where these cannot be read any more."""
    layers: list[Any] = []
    with suppress(NoRun, StoreError, KeyError):  # what is left is still worth having
        layers = decode(blobs.get(str(fields["layers"])))
    return ModelVersion.of(fields, layers)


def models_of(run: StoredRun) -> list[ModelVersion]:
    """The versions that a run made, loaded or timed; those that are not in this trail are left out."""
    documents, found = ModelDocuments(run.store.root), list[ModelVersion]()
    for ref in run.record.models:
        try:
            name, number = documents.find(ref)
            found.append(version_of(documents.version(name, number) | {"version": number}, run.store.blobs))
        except (NoRun, StoreError):
            continue
    return found


def tables(run: StoredRun) -> Iterator[Table]:
    """The models of a run: what each is, where it is at work, and its layers where the run made it."""
    if not run.record.models:
        return
    documents, versions = ModelDocuments(run.store.root), models_of(run)
    heads = ["model", "it", "format", "parameters", "size", "new in the trail", "digest", "known as"]
    rows = [_row(version, run, documents) for version in versions]
    gone = [ref for ref in run.record.models if ref not in {version.ref for version in versions}]
    rows += [
        [ref, run.record.models[ref].get("how"), None, None, None, None, "not in this trail", None] for ref in gone
    ]
    yield Table("models", "models", heads, rows)
    for version in versions:
        at_work = [each for each in documents.deployments(version.name) if each["version"] == version.version]
        if at_work:
            yield Table(
                "models", f"where {version.ref} is at work", ["where", "environment", "by"],
                [[each["where"], each.get("env"), each.get("by")] for each in at_work],
            )  # fmt: skip
        if version.layers and run.record.models[version.ref].get("how") == "made":
            heads = ["layer", "type and shape", "numbers", "trained"]
            lines = [[each.name, shaped(each), each.count, _trained(each)] for each in version.layers]
            yield Table("models", f"layers of {version.ref}", heads, lines)


def _row(version: ModelVersion, run: StoredRun, documents: ModelDocuments) -> list[Json]:
    known = [alias for alias, number in documents.aliases(version.name).items() if number == version.version]
    return [
        version.ref,
        run.record.models[version.ref].get("how"),
        version.format,
        version.layers.parameters or None,
        size(version.size),
        size(version.bytes_added),
        short(version.digest),
        ", ".join(known),
    ]


def _trained(layer: Any) -> str:
    return "yes" if layer.is_trained else "frozen" if layer.is_parameter else "a buffer"
