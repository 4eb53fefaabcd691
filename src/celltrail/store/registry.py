"""The models of a trail on disk: versions that never change, aliases that move, and where each was deployed.

``registry/<model>/v000001.json`` and so on, ``registry/<model>/alias/<alias>/000001.json``: TinyDB files, each made
exclusively and once, so that any number of processes may add at the same time.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from pathlib import Path
from urllib.parse import quote, unquote

from celltrail.errors import AliasMoved, BadValue, Damaged, NoRun, nearest
from celltrail.model import Json, new_id, now_us
from celltrail.store import root
from celltrail.store.audit import Audit
from celltrail.store.docs.actors import person_name
from celltrail.store.files import disk
from celltrail.store.files.encoding import decode, encode

FOLDER = "registry"
_NAME = re.compile(r"[^\W_][\w .+-]{0,79}(?<! )")
_VERSION = re.compile(r"v(\d{6,})\.json")
_MOVE = re.compile(r"(\d{6,})\.json")


class ModelDocuments:
    """The documents of all models of one trail. Cheap to make; nothing is created before the first version."""

    def __init__(self, trail: Path) -> None:
        self._trail = trail
        self._audit = Audit(trail)

    def names(self) -> list[str]:
        """The models there are."""
        return sorted(unquote(folder.name) for folder in _folders(self._trail / FOLDER))

    def versions(self, model: str) -> list[int]:
        """The numbers of its versions, oldest first."""
        return _numbers(self._folder(model), _VERSION)

    def version(self, model: str, number: int) -> dict[str, Json]:
        """What one version is; `NoRun` where there is none."""
        try:
            return _read(self._folder(model) / f"v{number:06d}.json", "version", str(number))
        except FileNotFoundError:
            known = self.versions(model)
            has = f"it has v1 to v{known[-1]}" if known else f"there is no such model{nearest(model, self.names())}"
            raise NoRun(
                f"no version {number} of model {model!r}: {has}; run.log_model(model, name) makes one"
            ) from None

    def add(self, model: str, fields: Mapping[str, Json]) -> int:
        """Keep a new version; its number."""
        folder = self._folder(check_model(model))
        with root.told(self._trail):
            root.establish(self._trail)
            disk.make_folder(folder, self._trail)
            number = (self.versions(model) or [0])[-1] + 1
            said = {"digest": fields["digest"], "run": fields["run"]}
            self._audit.record("version", f"{model}@v{number}", said)
            while not self._create(folder / f"v{number:06d}.json", "version", number, fields):
                number += 1  # another process was quicker
                self._audit.record("version", f"{model}@v{number}", said)
        return number

    def find(self, ref: str) -> tuple[str, int]:
        """Model and number of ``churn@v3``, ``churn@champion`` or ``churn``, which is the newest; else `NoRun`."""
        model, _, which = ref.partition("@")
        known = self.versions(model)
        if not known:
            models = self.names()
            has = f"; there is {', '.join(models[:8])}" if models else "; run.log_model(model, name) makes one"
            raise NoRun(f"no model {model!r}{nearest(model, models) or has}")
        if not which:
            return model, known[-1]
        number = re.fullmatch(r"v?(\d+)", which)
        if number:
            self.version(model, int(number[1]))
            return model, int(number[1])
        aliases = self.aliases(model)
        if which not in aliases:
            has = f"it has {', '.join(aliases)}" if aliases else f"it has v1 to v{known[-1]}"
            raise NoRun(f"nothing is {model}@{which}{nearest(which, aliases) or ';'} {has}")
        return model, aliases[which]

    def aliases(self, model: str) -> dict[str, int]:
        """The version that each of its aliases names."""
        found = {unquote(folder.name): self.moves(model, unquote(folder.name)) for folder in
                 _folders(self._folder(model) / "alias")}  # fmt: skip
        return {alias: int(moves[-1]["version"]) for alias, moves in sorted(found.items()) if moves}

    def moves(self, model: str, alias: str) -> list[dict[str, Json]]:
        """Every move of an alias, oldest first: ``version``, ``gate``, ``reason``, ``by`` and ``at_us``."""
        folder = self._folder(model) / "alias" / quote(alias, safe="")
        return [_read(folder / f"{n:06d}.json", "move", str(n)) for n in _numbers(folder, _MOVE)]

    def move(self, model: str, alias: str, fields: Mapping[str, Json], after: int) -> None:
        """Let an alias name another version, unless somebody moved it since it had been moved ``after`` times.

        Raises:
            AliasMoved: somebody has.
        """
        folder = self._folder(model) / "alias" / quote(check_model(alias, "alias"), safe="")
        with root.told(self._trail):
            disk.make_folder(folder, self._trail)
            self._audit.record("alias", f"{model}@{alias}", dict(fields))
            told = {**fields, "by": person_name(), "at_us": now_us()}
            if not self._create(folder / f"{after + 1:06d}.json", "move", after + 1, told):
                current = self.aliases(model)[alias]
                raise AliasMoved(
                    f"somebody has just moved {model}@{alias}, to v{current}: look at that version, then promote again"
                )

    def deploy(self, model: str, number: int, fields: Mapping[str, Json]) -> None:
        """Keep that a version was put to work somewhere."""
        folder, key = self._folder(model) / "deployed", new_id()
        with root.told(self._trail):
            disk.make_folder(folder, self._trail)
            self._audit.record("deploy", f"{model}@v{number}", dict(fields))
            told = {**fields, "version": number, "by": person_name(), "at_us": now_us()}
            disk.create_whole(folder / f"{key}.json", encode({"deployment": {key: told}}))

    def deployments(self, model: str) -> list[dict[str, Json]]:
        """Where its versions were put to work, oldest first: ``version where env by at_us`` and more."""
        folder = self._folder(model) / "deployed"
        names = sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else []
        return [_read(folder / f"{name}.json", "deployment", name) for name in names]

    def _create(self, path: Path, table: str, number: int, fields: Mapping[str, Json]) -> bool:
        return disk.create_whole(path, encode({table: {str(number): dict(fields)}}))

    def _folder(self, model: str) -> Path:
        return self._trail / FOLDER / quote(model, safe="")


def made_by(trail: Path, runs: Container[str]) -> list[Path]:
    """The documents of the versions that these runs made, of the names these bore, and of where they are at work."""
    found: list[Path] = []
    for model in _folders(trail / FOLDER):
        chosen = {n for n in _numbers(model, _VERSION) if _said(model / f"v{n:06d}.json", "run") in runs}
        found += [model / f"v{number:06d}.json" for number in sorted(chosen)]
        for path in [*model.glob("alias/*/*.json"), *model.glob("deployed/*.json")] if chosen else ():
            if _said(path, "version") in chosen:
                found.append(path)
    return found


def _said(path: Path, name: str) -> Json:
    """A field of the one entry of a document; None where it cannot be read."""
    try:
        ((entry,),) = [table.values() for table in decode(path.read_bytes(), path.name).values()]
        return entry.get(name)
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def check_model(name: Json, what: str = "model") -> str:
    """The name of a model or alias; `BadValue` on what none can be."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or re.fullmatch(r"v\d+|\d+", name):
        raise BadValue(
            f"{name!r} is no name of {'an' if what == 'alias' else 'a'} {what}: 1 to 80 letters, digits, spaces, dots, "
            "hyphens and underscores, the first a letter or digit; v3 and 3 are versions"
        )
    return name


def _read(path: Path, table: str, key: str) -> dict[str, Json]:
    try:
        return decode(path.read_bytes(), path.name)[table][key]
    except (KeyError, TypeError) as error:
        raise Damaged(f"{path.name} of the registry is not what was written into it") from error


def _numbers(folder: Path, pattern: re.Pattern[str]) -> list[int]:
    found = [pattern.fullmatch(path.name) for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(match[1]) for match in found if match)


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
