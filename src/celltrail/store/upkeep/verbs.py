"""The verbs of a store that take care of the trail as a whole: look it over, clean up, seal, bring trails together."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from celltrail.errors import StoreError
from celltrail.store import root
from celltrail.store.files.pending import settle
from celltrail.store.folders import run_folder, run_ids

if TYPE_CHECKING:
    from celltrail.store.audit import Audit
    from celltrail.store.blobs import Blobs
    from celltrail.store.doctor import Report
    from celltrail.store.runs import RunFiles
    from celltrail.store.seal.compaction import Compaction
    from celltrail.store.upkeep.gc import Plan
    from celltrail.store.upkeep.merge import MergeReport
    from celltrail.store.upkeep.usage import Usage


class Upkeep:
    """What `Store` does with a whole trail; what each verb takes is imported when it is asked for."""

    root: Path
    blobs: Blobs

    @property
    def id(self) -> str:
        """The id of the trail, or "" before its first write."""
        raise NotImplementedError

    @property
    def audit(self) -> Audit:
        """The record of what was changed in this trail, and by whom."""
        raise NotImplementedError

    def _existing(self, run_id: str) -> Path:
        raise NotImplementedError

    def _files(self, run_id: str) -> RunFiles:
        raise NotImplementedError

    def examine(self, *, repair: bool = False, rebuild: Iterable[str] = (), reads_all: bool = False) -> Report:
        """Say what is wrong with the trail, in plain words, and ``repair`` what can be repaired.

        ``rebuild`` names runs whose document is to be written again from the log; ``reads_all`` reads every blob.
        """
        from celltrail.store.doctor import examine

        settle()
        return examine(self.root, repair=repair, rebuild=rebuild, reads_all=reads_all)

    def merge(self, other: Path | str | Upkeep) -> MergeReport:
        """Bring everything of another trail into this one: a copy, a colleague's, one written meanwhile elsewhere.

        Runs keep their ids; of two copies of one the newer counts. The other trail is only read.
        """
        from celltrail.store.upkeep.merge import merge

        settle()
        return merge(other.root if isinstance(other, Upkeep) else Path(other).expanduser().absolute(), self.root)

    def bring_back(self) -> list[MergeReport]:
        """Merge what runs wrote elsewhere on this machine after this trail had disappeared under them.

        Doing it twice changes nothing more.

        Raises:
            NoRun: there is nothing of that kind.
        """
        from celltrail.store.log.fallback import bring_back

        return bring_back(self.root)

    def export(self, run_ids: Iterable[str], place: Path | str) -> MergeReport:
        """Put copies of these runs, with all they refer to, into a trail of their own that `merge` accepts."""
        from celltrail.store.upkeep.merge import merge

        settle()
        chosen = [self._existing(run_id).name for run_id in run_ids]
        for run_id in chosen:  # grows: a fork takes along the run whose points it shares
            prefix = self._files(run_id).carried().prefix
            if prefix is not None and prefix.run not in chosen and run_folder(self.root, prefix.run).is_dir():
                chosen.append(prefix.run)
        return merge(self.root, Path(place).expanduser().absolute(), chosen)

    def usage(self) -> Usage:
        """How much room the trail takes, by its parts."""
        from celltrail.store.upkeep.usage import usage

        settle()
        return usage(self.root)

    def gc(self, budget: str | float | None = None, *, dry_run: bool = False) -> Plan:
        """Clean up: remove what nothing needs, then seal runs that are over; what was, or with ``dry_run`` would be.

        Blobs that nothing refers to and runs deleted more than a week ago go to the trash, what has been there
        for 30 days is deleted. With a ``budget`` ("2GB") more of that is deleted at once, as far as it must be.
        Nothing that a run refers to goes unless somebody deleted the run. What was used within a day stays.

        Raises:
            StoreError: it cannot be said in the audit what is to go; nothing went.
        """
        from celltrail.store.files.telling import bytes_in
        from celltrail.store.upkeep import gc

        settle()
        limit = None if budget is None else bytes_in(budget)
        made = gc.plan(self.root, self.blobs, limit)
        if dry_run:
            return made
        if made.items:  # what takes nothing away may be asked of a trail that cannot be written, too
            gc.record(self.root, made)
        done = gc.carry_out(made, self.root, self.blobs)
        done.notes += self._tidy()
        return done

    def _tidy(self) -> list[str]:
        """Seal what is over, remove logs that were sealed, fold what actors said that are gone; what went wrong."""
        from celltrail.store.docs.folding import fold, fold_actors

        try:
            notes = list(self.compact().problems)
        except StoreError as error:
            return [f"runs that are over were not sealed: {error}"]
        try:
            fold_actors(self.root)
        except OSError as error:
            notes.append(f"the documents in actors were left as they are: {error.strerror or error}")
        for run_id in run_ids(self.root):
            folder = run_folder(self.root, run_id) / "edits"
            try:
                if folder.is_dir():
                    fold(folder)
            except OSError as error:
                notes.append(f"the edits of run {run_id} were left as they are: {error.strerror or error}")
        return notes

    def seal(self, run_id: str) -> bool:
        """Turn the logs of a run that is over into Parquet; whether there was anything to seal.

        Nothing is sealed while somebody who writes the run lives, within a minute of its last sign of life, or
        when its logs are of a newer celltrail. The logs stay for an hour at least; then `compact` removes them.
        """
        from celltrail.store.seal import sealing

        folder = self._existing(run_id)
        with root.told(self.root):
            number = sealing.seal(folder, self._files(run_id), self.audit.heads())
            if number is not None:
                self.audit.record("seal", run_id, {"seal": number})
            return number is not None

    def compact(self) -> Compaction:
        """Seal all runs that are over and remove logs that were sealed an hour ago, each read and compared again."""
        from celltrail.store.seal.compaction import Compaction, compact

        settle()
        if not self.id:
            return Compaction()
        with root.told(self.root):
            return compact(self.root, self.blobs, self.audit)
