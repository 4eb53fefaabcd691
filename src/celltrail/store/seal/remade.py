"""A ``sealed.json`` that is lost, made again from the files it proved: only from files that prove themselves.

The file of events names every table of its seal with size and footer, and what it says carries a checksum as the
document does; footers carry the hashes of all that is in the columns. What is made is equal to the byte, unless
the footer of the events file itself was altered where it says nothing of ours: every value read through it is
still held against its hash.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from celltrail.errors import Damaged
from celltrail.model import Json
from celltrail.store.files.encoding import decode
from celltrail.store.seal import parquet, sealed
from celltrail.store.seal.sealed import Seal

_OF_THE_FILE = ("groups", "columns", "files")


def sealer_of(file: str) -> str:
    """Whose file this is, by its name."""
    return file.split(".")[-2]


def left(folder: Path, known: Collection[str] = ()) -> dict[str, dict[str, Json]]:
    """What the files in there that no seal knows say of theirs, by sealer; {} where a file cannot say it."""
    found: dict[str, dict[str, Json]] = {}
    for path in sorted((folder / sealed.FOLDER).glob("*.*.parquet")):
        if path.name not in known and not found.get(sealer_of(path.name)):
            found[sealer_of(path.name)] = _said(path)
    return found


def covers(about: Mapping[str, Json]) -> dict[str, int]:
    """How far each log is in the files that say this."""
    return {log: source["size"] for log, source in about["sources"].items()}


def of_number(said: Mapping[str, Mapping[str, Json]], number: int) -> str | None:
    """The sealer whose files this seal proved: of several the one that saw most, the others came too early."""
    those = [sealer for sealer, about in said.items() if about and about["number"] == number]
    return max(those, key=lambda sealer: (sum(covers(said[sealer]).values()), said[sealer]["at"]), default=None)


def body(folder: Path, sealer: str) -> dict[str, Json]:
    """The seal of these files, every byte of them verified; raises `Damaged` where they do not prove it."""
    place = folder / sealed.FOLDER
    events = place / f"{sealed.EVENTS}.{sealer}.parquet"
    about = _proven(events)
    if about["run"] != folder.name or about["sealer"] != sealer:
        raise Damaged(f"{events.name} is of another run")
    tables: dict[str, Json] = {}
    for file, (size, footer) in about["files"].items():
        if not (place / file).is_file():
            raise Damaged(f"{file} is missing")
        if (place / file).stat().st_size != size or parquet.footer_digest(place / file) != footer:
            raise Damaged(f"{file} is not the file that was sealed")
        said = decode(parquet.about_of(place / file), file)
        proof = parquet.Proof(size, footer, said["groups"], said["columns"])
        tables[file] = {**said["table"], **proof.fields()}
    proof = parquet.Proof(events.stat().st_size, parquet.footer_digest(events), about["groups"], about["columns"])
    kept = {name: value for name, value in about.items() if name not in _OF_THE_FILE}
    made = {**kept, "tables": tables, "events": {"file": events.name, **proof.fields()}}
    if damage := Seal(folder, about["number"], lambda _: None, made).verify():
        raise Damaged(f"not all in them verifies: {'; '.join(map(str, damage[:3]))}")
    return made


def _proven(events: Path) -> dict[str, Json]:
    if not events.is_file():
        raise Damaged(f"{events.name} is missing")
    data = parquet.about_of(events)
    if not data:
        raise Damaged(f"{events.name} cannot be read")
    try:
        return sealed.of_bytes(data, events.name)
    except Damaged:
        if "files" in decode(data, events.name):
            raise
    raise Damaged("an older celltrail sealed it, whose files do not say enough to prove each other")


def _said(path: Path) -> dict[str, Json]:
    try:
        about = decode(parquet.about_of(path), path.name)
        covers(about)
        return about if isinstance(about["number"], int) and isinstance(about["at"], int) else {}
    except (Damaged, KeyError, TypeError, AttributeError):
        return {}
